//! A bulletin's own page: every village, language, time and outcome, with its entry in the log.

use crate::audit::telling;
use crate::id::BulletinId;
use crate::report::{Cell, Fate, Row, Tally, Told, cause_vi, evidence_vi};
use crate::schedule::file::Checked;
use crate::server::ServerError;
use crate::server::inquiry::{Because, Inquiry, Places, commune_name, moments};
use crate::server::station::Station;
use crate::store::{BroadcastOutcome, BroadcastRow};
use crate::time::{Timestamp, Zone};

/// What the page says in its lines.
type Said = Vec<(&'static str, String)>;

impl Station {
    pub(super) async fn evidence(
        &self,
        inquiry: &Inquiry,
        schedule: &Checked,
        progress: impl FnMut(u64) + Send,
    ) -> Result<(Vec<Row>, Said), ServerError> {
        let Some(bulletin) = &inquiry.bulletin else { return Ok((Vec::new(), Vec::new())) };
        let places = Places::new(schedule, inquiry)?;
        let zone = self.config.zone;
        let (mut rows, mut tally) = (Vec::new(), Tally::default());
        self.each_told(inquiry, &places, progress, |row, told, because| {
            if matches!(told.fate, Fate::Planned | Fate::Dropped) {
                return;
            }
            rows.extend(items(
                &row,
                bulletin,
                told,
                because,
                (schedule, &places, zone),
                &mut tally,
            ));
        })
        .await?;
        for (row, number) in rows.iter_mut().zip(1..) {
            row.insert("number", Cell::Whole(number));
        }
        let mut said = super::totals(tally);
        said.push(("facts", self.steps(bulletin).await?));
        Ok((rows, said))
    }

    /// Every step of the bulletin's life with its entry.
    async fn steps(&self, bulletin: &BulletinId) -> Result<String, ServerError> {
        let (facts, zone) = (self.store.facts_about_bulletin(bulletin).await?, self.config.zone);
        let step = |fact: &crate::store::ToldFact| {
            let entry = fact.position.map_or_else(|| "chờ ghi".to_owned(), |n| n.to_string());
            let told = telling::sentence(&fact.kind, &fact.who, &fact.body, &(), zone);
            let told = told.map_or_else(|| fact.kind.clone(), |told| told.vi);
            format!("{} (mục {entry})", told.trim_end_matches('.'))
        };
        let steps: Vec<String> = facts.iter().map(step).collect();
        Ok(format!("Các bước: {}.", steps.join("; ")))
    }
}

/// A row for each language in which an airing was to bring the bulletin.
fn items<'a>(
    row: &'a BroadcastRow,
    bulletin: &'a BulletinId,
    told: Told,
    Because { cause, entry, .. }: &'a Because,
    (schedule, places, zone): (&'a Checked, &'a Places, Zone),
    tally: &'a mut Tally,
) -> impl Iterator<Item = Row> {
    let area = places.area(&row.key.controller);
    let name = area.and_then(|area| schedule.tree.get(area)).map(|area| area.name.clone());
    let commune = area.map(|area| commune_name(&schedule.tree, area));
    let text = |text: Option<String>| text.map_or(Cell::Blank, Cell::Text);
    let outcome = row.outcome.as_ref();
    let moment = move |at: Option<_>| at.map_or(Cell::Blank, |at| Cell::Moment(zone.local(at)));
    let own = moments(row);
    let about = row.items.iter().zip(own).filter(move |(item, _)| item.bulletin == *bulletin);
    about.map(move |(item, own)| {
        let of = super::super::inquiry::told_of(item, outcome, told);
        // Of an airing without pauses known, of what did not sound: the airing's own times.
        let of_airing = |end: fn(&BroadcastOutcome) -> Option<Timestamp>| {
            outcome.filter(|_| of.fate != Fate::Skipped).and_then(end)
        };
        tally.count(of, item.length_ms);
        Row::from([
            ("commune", text(commune.clone())),
            ("village", text(name.clone())),
            ("controller", Cell::Text(row.key.controller.to_string())),
            ("language", Cell::Text(item.language.name_vi().to_owned())),
            ("programme", Cell::Text(row.key.programme.to_string())),
            ("at", moment(own.planned.or(Some(row.at)))),
            ("begun", moment(own.begun.or_else(|| of_airing(|outcome| outcome.begun)))),
            ("ended", moment(own.ended.or_else(|| of_airing(|outcome| outcome.ended)))),
            ("outcome", Cell::Text(of.fate.vi().to_owned())),
            ("cause", text((!cause.is_empty()).then(|| cause_vi(cause).to_owned()))),
            ("evidence", text(outcome.map(|outcome| evidence_vi(&outcome.evidence).to_owned()))),
            ("asset", Cell::Text(item.asset.to_string())),
            ("entry", entry.map_or(Cell::Blank, Cell::Whole)),
        ])
    })
}
