//! `bulletin amend`: what a bulletin is, put right after it was made.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{class, kind, source_level};
use crate::bulletin::{
    Bulletin, Campaign, Class, Column, DocumentNumber, IssuingBody, Kind, SourceLevel, Title, Topic,
};
use crate::cli::Which;
use crate::clock::utc_now;
use crate::id::{AreaId, BulletinId, PersonId};
use crate::server::Station;
use crate::time::Timestamp;

/// What a bulletin may be without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Without {
    TitleEn,
    /// It belongs to the whole station then.
    Area,
    DocumentNumber,
    Topics,
    Campaign,
}

/// Put right what a bulletin is; what is not named stays. Class, area and validity stay while a
/// version is approved.
#[derive(Debug, Args)]
pub(in crate::cli) struct Amend {
    #[command(flatten)]
    which: Which,
    /// The bulletin.
    bulletin: BulletinId,
    /// Who puts it right.
    #[arg(long)]
    by: PersonId,
    /// Its title.
    #[arg(long)]
    title: Option<Title>,
    /// Its title for readers of English.
    #[arg(long)]
    title_en: Option<Title>,
    /// Its column.
    #[arg(long)]
    column: Option<Column>,
    /// News, report, question-and-answer, short-play or notice.
    #[arg(long, value_parser = kind)]
    kind: Option<Kind>,
    /// Normal, priority or emergency.
    #[arg(long, value_parser = class)]
    class: Option<Class>,
    /// Commune, province or central.
    #[arg(long, value_parser = source_level)]
    source_level: Option<SourceLevel>,
    /// The body that stands behind it.
    #[arg(long)]
    issuing_body: Option<IssuingBody>,
    /// The area it belongs to.
    #[arg(long)]
    area: Option<AreaId>,
    /// The document that it tells of.
    #[arg(long)]
    document_number: Option<DocumentNumber>,
    /// A field of law, instead of those it has; may be given several times.
    #[arg(long = "topic")]
    topics: Vec<Topic>,
    /// Its campaign.
    #[arg(long)]
    campaign: Option<Campaign>,
    /// Days on which it may still be heard, from now on.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=366))]
    valid_days: Option<u32>,
    /// From when it may be heard, such as 2026-11-22T05:30:00+07:00.
    #[arg(long, value_parser = instant)]
    valid_from: Option<Timestamp>,
    /// Until when it may be heard.
    #[arg(long, value_parser = instant, conflicts_with = "valid_days")]
    valid_until: Option<Timestamp>,
    /// Take this away; may be given several times.
    #[arg(long, value_enum)]
    without: Vec<Without>,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| format!("`{text}` is no instant; write it like 2026-11-22T05:30:00+07:00"))
}

impl Amend {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let station = self.which.open().await?;
        let by = self.by.clone();
        let held = station.bulletin(&self.bulletin).await?;
        let seen = Station::bulletin_mark(&held);
        let bulletin = self.made_of(held.clone());
        station.amend(&bulletin, Some(seen), &by).await?;
        let done = if bulletin == held { "is as it was" } else { "is amended" };
        say_line!("{} {done}; see loaban bulletin show {}", bulletin.id, bulletin.id);
        Ok(true)
    }

    /// The bulletin with everything that is named.
    fn made_of(self, held: Bulletin) -> Bulletin {
        let keeps = |field: Without| !self.without.contains(&field);
        let days = |days: u32| {
            let now = Timestamp::from_seconds(utc_now().seconds());
            now + Duration::from_secs(u64::from(days) * 86_400)
        };
        let until = self.valid_until.or(self.valid_days.map(days));
        let topics =
            if self.topics.is_empty() { held.topics } else { self.topics.into_iter().collect() };
        Bulletin {
            id: held.id,
            title: self.title.unwrap_or(held.title),
            title_en: self.title_en.or(held.title_en).filter(|_| keeps(Without::TitleEn)),
            area: self.area.or(held.area).filter(|_| keeps(Without::Area)),
            column: self.column.unwrap_or(held.column),
            kind: self.kind.unwrap_or(held.kind),
            class: self.class.unwrap_or(held.class),
            source_level: self.source_level.unwrap_or(held.source_level),
            issuing_body: self.issuing_body.unwrap_or(held.issuing_body),
            document_number: self
                .document_number
                .or(held.document_number)
                .filter(|_| keeps(Without::DocumentNumber)),
            topics: if keeps(Without::Topics) { topics } else { [].into() },
            campaign: self.campaign.or(held.campaign).filter(|_| keeps(Without::Campaign)),
            valid_from: self.valid_from.unwrap_or(held.valid_from),
            valid_until: until.unwrap_or(held.valid_until),
        }
    }
}
