//! "Why did this village not hear that?": one controller, one bulletin, one day.
//!
//! [`explain`] is a function of what was planned, what manifests named, what receipts told and
//! what the newsroom did. **What a receipt says comes before what a manifest says, and that before
//! what the plan says now**: the plan of a day that is past is only what today's schedule makes of
//! it, and the answer says so.

use std::collections::BTreeSet;

use serde::Serialize;

use super::remark::{Missing, WallClock};
use super::{Airable, Plan, Reason, Selection, World};
use crate::calendar::AiringKey;
use crate::fleet::Controller;
use crate::id::BulletinId;
use crate::lang::LangTag;
use crate::time::{LocalDate, Timestamp};

mod terms;
mod words;

pub use terms::{evidence, outcome};
pub use words::{Words, text};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What the plan was made of.
    pub world: &'a World,
    /// The plan of that day.
    pub plan: &'a Plan,
    /// Who.
    pub controller: &'a Controller,
    /// What.
    pub bulletin: &'a BulletinId,
    /// When.
    pub date: LocalDate,
    /// When it is asked.
    pub now: Timestamp,
}

/// What is known beside the plan. Of a folder of files nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What people call the bulletin.
    pub title: Option<String>,
    /// The controller's airings of that day that a manifest named.
    pub issued: Vec<Issued>,
    /// What its receipts say of items of the bulletin on that day.
    pub told: Vec<Told>,
    /// What the newsroom did with the bulletin.
    pub life: Vec<Step>,
    /// When the controller was last heard of, and whether its link counts as lost.
    pub link: Option<(Timestamp, bool)>,
    /// Why no device can swear to what was to air that day; `None` where one still may.
    pub silence: Option<Silence>,
}

/// The device that could swear to an airing was revoked, exchanged, or not enrolled yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// Which of the three, in the word of the reports.
    pub cause: String,
    /// When that happened; `None` where it never did.
    pub at: Option<Timestamp>,
    /// Where in the log it is.
    pub position: Option<u64>,
}

/// An airing that a manifest named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Which.
    pub airing: AiringKey,
    /// When it begins.
    pub at: Timestamp,
    /// The last instant at which it may begin.
    pub latest: Timestamp,
    /// The number of the manifest that named it last.
    pub manifest: u64,
    /// Where in the log that manifest is.
    pub position: Option<u64>,
    /// The manifest by which the device went, with its place in the log: as its receipt says.
    pub held: Option<(u64, Option<u64>)>,
    /// When a newer manifest left it out.
    pub dropped: Option<Timestamp>,
    /// The languages in which it has the bulletin.
    pub languages: Vec<LangTag>,
}

/// What a receipt says of the bulletin in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The airing.
    pub airing: AiringKey,
    /// The language.
    pub language: LangTag,
    /// Whether it ran to its end.
    pub whole: bool,
    /// What became of it, in the word of the wire.
    pub outcome: String,
    /// Why it did not run to its end, in the word of the wire; empty where it did.
    pub cause: String,
    /// How we know, in the word of the wire.
    pub evidence: String,
    /// When the airing's first sample sounded.
    pub begun: Option<Timestamp>,
    /// Where in the log the receipt is.
    pub position: Option<u64>,
}

/// A step in the life of the bulletin or of one of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// Where in the log it is.
    pub position: Option<u64>,
    /// What, such as `version.approved`.
    pub kind: String,
    /// Who.
    pub who: String,
    /// What the fact says, a JSON object.
    pub body: String,
}

/// The answer in one word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// It was heard whole in at least one language.
    Heard,
    /// It was begun and cut off, or never begun, as the receipt says.
    NotPlayed {
        /// Why, in the word of the wire.
        cause: String,
    },
    /// Its time has come and no receipt is here.
    Awaited,
    /// A newer manifest left its airing out.
    Dropped,
    /// It is still to come.
    ToCome,
    /// The plan has it and no manifest names it.
    NotIssued,
    /// Nobody made a bulletin of that name.
    NoBulletin,
    /// The plan refuses it.
    Refused {
        /// Why.
        reason: Reason,
    },
    /// Another bulletin of its column airs, or it aired before.
    NotChosen,
    /// No programme of that day has it for this village.
    NoProgramme,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// In one word.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// In one sentence.
    pub sentence: Words,
    /// What it follows from, in order of time where there is one.
    pub facts: Vec<Fact>,
    /// What would mend it.
    pub mend: Vec<Words>,
}

/// One thing that the answer follows from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// When it was so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Where in the log it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_index: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub words: Words,
}

/// Answers.
pub fn explain(question: &Question<'_>, evidence: &Evidence) -> Answer {
    let verdict = verdict(question, evidence);
    let sentence = words::answer(question, evidence, &verdict);
    let mend = words::mend(question, &verdict);
    Answer { verdict, sentence, facts: words::facts(question, evidence), mend }
}

fn verdict(question: &Question<'_>, evidence: &Evidence) -> Verdict {
    if evidence.told.iter().any(|told| told.whole) {
        return Verdict::Heard;
    }
    if let Some(told) = evidence.told.last() {
        let cause = if told.cause.is_empty() { &told.outcome } else { &told.cause };
        return Verdict::NotPlayed { cause: cause.clone() };
    }
    let named = || evidence.issued.iter().filter(|issued| !issued.languages.is_empty());
    if let Some(issued) = named().rfind(|issued| issued.dropped.is_none()) {
        return match &evidence.silence {
            _ if issued.latest >= question.now => Verdict::ToCome,
            Some(silence) => Verdict::NotPlayed { cause: silence.cause.clone() },
            None => Verdict::Awaited,
        };
    }
    let planned = question.airing().is_some();
    match (named().next_back(), planned) {
        (Some(_), false) => Verdict::Dropped,
        // What a folder plans nobody is told of.
        (None, true) if *evidence == Evidence::default() => Verdict::ToCome,
        (_, true) => match &evidence.silence {
            Some(silence) => Verdict::NotPlayed { cause: silence.cause.clone() },
            None => Verdict::NotIssued,
        },
        (None, false) => question.refused(),
    }
}

impl<'a> Question<'a> {
    fn airable(&self) -> Option<&'a Airable> {
        self.world.content.iter().find(|airable| airable.bulletin == *self.bulletin)
    }

    /// The first airing of the plan that has the bulletin.
    fn airing(&self) -> Option<&'a super::Airing> {
        let airings = self.plan.of(&self.controller.id).iter();
        let mut airings = airings.filter(|airing| airing.key.date == self.date);
        airings.find(|airing| airing.items.iter().any(|item| item.bulletin == *self.bulletin))
    }

    /// Why the plan does not have it.
    fn refused(&self) -> Verdict {
        let Some(airable) = self.airable() else { return Verdict::NoBulletin };
        // What is said of the bulletin itself comes before what is said of the whole airing.
        let own = self.remarks().find(|remark| remark.bulletin.as_ref() == Some(self.bulletin));
        let own = own.map(|remark| remark.reason.clone());
        let own = own.or_else(|| airable.refusal(self.world.zone, self.noon()));
        let airing = || {
            let mut about = self.remarks().filter(|remark| remark.bulletin.is_none());
            let found = about.find(|remark| self.would_have(airable, remark));
            found.map(|remark| remark.reason.clone())
        };
        match own.or_else(airing) {
            Some(reason) => Verdict::Refused { reason },
            None if self.programmes_for(airable).is_empty() => Verdict::NoProgramme,
            None => Verdict::NotChosen,
        }
    }

    /// The middle of the day, for what holds or not on a whole day.
    fn noon(&self) -> Timestamp {
        self.world.zone.midnight(self.date) + std::time::Duration::from_hours(12)
    }

    fn remarks(&self) -> impl Iterator<Item = &'a super::Remark> {
        let (controller, date) = (&self.controller.id, self.date);
        self.plan.remarks.iter().filter(move |remark| {
            remark.key.as_ref().is_some_and(|key| key.controller == *controller && key.date == date)
        })
    }

    /// Whether the airing that was refused could have had the bulletin.
    fn would_have(&self, airable: &Airable, remark: &super::Remark) -> bool {
        let programme = self.world.programmes.iter().find(|p| p.id == remark.programme);
        remark.reason.refuses() && programme.is_some_and(|p| selects(&p.selection, airable))
    }

    /// The programmes of that day, meant for this village, that could have the bulletin.
    fn programmes_for(&self, airable: &Airable) -> BTreeSet<&'a str> {
        let airings = self.plan.of(&self.controller.id).iter();
        let airings = airings.filter(|airing| airing.key.date == self.date);
        let meant: BTreeSet<_> = airings
            .map(|airing| &airing.key.programme)
            .chain(self.remarks().map(|remark| &remark.programme))
            .collect();
        let programmes = self.world.programmes.iter();
        programmes
            .filter(|p| meant.contains(&p.id) && selects(&p.selection, airable))
            .map(|p| p.id.as_str())
            .collect()
    }
}

fn selects(selection: &Selection, airable: &Airable) -> bool {
    match selection {
        Selection::Bulletins(named) => named.contains(&airable.bulletin),
        Selection::Newest(column) => *column == airable.column,
    }
}

/// How far a bulletin is in one language that the village asks for.
pub(super) fn state(
    airable: &Airable,
    language: &LangTag,
    at: Timestamp,
) -> Result<Timestamp, Missing> {
    airable
        .heard(language, at)
        .map(|sound| sound.approved_at)
        .ok_or_else(|| airable.missing(language, at))
}

#[cfg(test)]
mod tests;
