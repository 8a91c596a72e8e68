//! What a person wants of the schedule, as an edit: a form, one airing, an end, a week, an undo.

use crate::bulletin::Bulletin;
use crate::digest::Digest;
use crate::id::PersonId;
use crate::schedule::edit::{Edit, NotReached, Reach, Slot, Turnout, What, Wish, seen};
use crate::schedule::file::Checked;
use crate::schedule::{Exception, Programme};
use crate::server::ServerError;
use crate::store::EditRow;
use crate::time::LocalDate;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::programme::fields::{Fields, Wrong, time};
use crate::web::programme::{exception, making, named};

/// The acts by the word of their forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// A programme made or changed.
    Programme,
    /// A programme ended or taken away.
    End,
    /// One airing moved, left out or filled otherwise.
    Airing,
    /// An exception made or changed.
    Exception,
    /// An exception taken away.
    Unmake,
    /// A week copied.
    Week,
    /// One's own last edit taken back.
    Undo,
}

impl Act {
    const WORDS: [(&'static str, Self); 7] = [
        ("programme", Self::Programme),
        ("end", Self::End),
        ("airing", Self::Airing),
        ("exception", Self::Exception),
        ("unmake", Self::Unmake),
        ("week", Self::Week),
        ("undo", Self::Undo),
    ];

    pub(super) fn of(fields: &Fields) -> Option<Self> {
        let word = fields.one("act");
        Self::WORDS.iter().find(|(held, _)| *held == word).map(|(_, act)| *act)
    }

    /// Whether a form is behind it, to which one may go back.
    pub(super) fn has_form(self) -> bool {
        match self {
            Self::Programme | Self::End | Self::Airing | Self::Exception | Self::Unmake => true,
            Self::Week | Self::Undo => false,
        }
    }

    pub(super) fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, act)| *act == self);
        found.expect("every act has its word").0
    }
}

/// What an edit is drafted on, looked at now.
pub(super) struct Ground {
    pub(super) schedule: Checked,
    pub(super) bulletins: Vec<Bulletin>,
    /// What this person may take back.
    pub(super) last: Option<EditRow>,
}

impl Ground {
    pub(super) async fn look(site: &Site, by: &PersonId) -> Result<Self, Fault> {
        Ok(Self {
            schedule: site.station.schedule().await?,
            bulletins: site.station.store.bulletins().await?,
            last: site.station.store.last_edit(by).await?,
        })
    }

    pub(super) fn programme(&self, id: &str) -> Option<&Programme> {
        self.schedule.programmes.iter().find(|held| held.id.as_str() == id)
    }

    pub(super) fn exception(&self, id: &str) -> Option<&Exception> {
        self.schedule.exceptions.iter().find(|held| held.id.as_str() == id)
    }

    /// The things that a form is about.
    pub(super) fn about(&self, fields: &Fields) -> Vec<What> {
        let programme = ["programme", "id"].map(|name| fields.one(name));
        let programme = programme.iter().find_map(|id| id.parse().ok());
        let date: Option<LocalDate> = fields.one("date").parse().ok();
        let day = |held: &&Exception| {
            Some(held.from) == date
                && held.from == held.until
                && programme.as_ref().is_some_and(|id| held.scope.programmes.contains(id))
        };
        let about_exception = fields.one("exception").parse().ok().map(What::Exception);
        let own = self.schedule.exceptions.iter().filter(day);
        let days: Vec<What> = own.map(|held| What::Exception(held.id.clone())).collect();
        let programme = programme.clone().map(What::Programme);
        match Act::of(fields) {
            Some(Act::Airing) => programme.into_iter().chain(days).collect(),
            Some(Act::Exception | Act::Unmake) => about_exception.into_iter().collect(),
            Some(Act::Programme | Act::End) => programme.into_iter().collect(),
            Some(Act::Week | Act::Undo) | None => Vec::new(),
        }
    }

    /// How the things that a form is about are now.
    pub(super) fn seen(&self, fields: &Fields) -> Digest {
        seen(&self.schedule, &self.about(fields))
    }

    /// The fields of a form of this act as its page shows them, with the mark of what it is about unless it bears one.
    pub(super) fn marked(&self, fields: Fields, act: Act) -> Fields {
        let fields = named::shown(fields.with("act", act.word()), &self.bulletins);
        let seen = fields.one("seen");
        let seen = if seen.is_empty() { self.seen(&fields).to_string() } else { seen };
        fields.with("seen", seen)
    }

    /// The edit, or everything that is wrong with the form.
    pub(super) fn draft(&self, fields: &Fields) -> Result<Edit, Vec<Wrong>> {
        let act = Act::of(fields).ok_or_else(|| {
            vec![Wrong::new("Không rõ việc cần làm; hãy mở lại trang.", "Open the page again.")]
        })?;
        let wish = match act {
            Act::Programme => self.programmed(fields)?,
            Act::End => end(fields)?,
            Act::Airing => self.airing(fields)?,
            Act::Exception => {
                let made = exception::made(fields, &self.schedule, &self.bulletins)?;
                Wish::Exception(Box::new(made))
            }
            Act::Unmake => Wish::Unmake(fields.one("exception").parse().map_err(|_| unreadable())?),
            Act::Week => return self.week(fields),
            Act::Undo => {
                let last = self.last.as_ref().map(|row| row.edit.back());
                return last.ok_or_else(|| {
                    vec![Wrong::new("Không có gì để hoàn tác.", "There is nothing to take back.")]
                });
            }
        };
        wish.edit(&self.schedule).map_err(reached)
    }

    /// The form's programme; from a day on only, where one is named.
    fn programmed(&self, fields: &Fields) -> Result<Wish, Vec<Wrong>> {
        let made = making::programme(fields, &self.schedule, &self.bulletins)?;
        let from_day = day(fields, "from_day")?;
        Ok(Wish::Programme { programme: Box::new(made), from_day })
    }

    fn airing(&self, fields: &Fields) -> Result<Wish, Vec<Wrong>> {
        let slot = slot(fields).ok_or_else(unreadable)?;
        let reach = match fields.one("reach").as_str() {
            "following" => Reach::Following,
            "all" => Reach::All,
            _ => Reach::This,
        };
        let turnout = match fields.one("turn").as_str() {
            "cancel" => Turnout::Cancel,
            "replace" => {
                let mut wrong = Vec::new();
                let content = making::selection(fields, &self.bulletins, &mut wrong);
                Turnout::Replace(content.ok_or(wrong)?)
            }
            _ => Turnout::Move {
                date: fields.one("to_date").parse().map_err(|_| unreadable())?,
                time: time(&fields.one("to_time")).ok_or_else(unreadable)?,
            },
        };
        Ok(Wish::Airing { slot, reach, turnout })
    }

    fn week(&self, fields: &Fields) -> Result<Edit, Vec<Wrong>> {
        let monday = |name: &str| fields.one(name).parse().ok().map(super::monday);
        let (Some(from), Some(to)) = (monday("from"), monday("to")) else {
            return Err(unreadable());
        };
        let edit = Wish::Week { from, to }.edit(&self.schedule).map_err(reached)?;
        if from == to || edit.turns().is_empty() {
            return Err(vec![Wrong::new(
                "Tuần này không có gì riêng để chép: chương trình hằng tuần tự phát ở tuần kia.",
                "This week has nothing of its own to copy: what recurs comes there by itself.",
            )]);
        }
        Ok(edit)
    }
}

fn end(fields: &Fields) -> Result<Wish, Vec<Wrong>> {
    let last = day(fields, "last")?;
    let programme = fields.one("programme").parse().map_err(|_| unreadable())?;
    Ok(Wish::End { programme, last })
}

/// A day that may be left out.
fn day(fields: &Fields, name: &str) -> Result<Option<LocalDate>, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let day = fields.read(name, &mut wrong, ("Ngày không đọc được", "No date"));
    if wrong.is_empty() { Ok(day) } else { Err(wrong) }
}

/// The airing that a form is about.
pub(super) fn slot(fields: &Fields) -> Option<Slot> {
    Some(Slot {
        programme: fields.one("programme").parse().ok()?,
        date: fields.one("date").parse().ok()?,
        occurrence: fields.one("occurrence").parse().ok()?,
    })
}

fn unreadable() -> Vec<Wrong> {
    vec![Wrong::new(
        "Ngày hoặc giờ không đọc được; hãy ghi lại, như 2026-11-23 và 05:30.",
        "That is no day or no time; write them anew, such as 2026-11-23 and 05:30.",
    )]
}

fn reached(error: NotReached) -> Vec<Wrong> {
    let fault = Fault::from(ServerError::from(error));
    vec![Wrong::new(fault.vi, fault.en)]
}
