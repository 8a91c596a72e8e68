//! Single programmes and exceptions for programs: read, looked at as they would become, changed.
//!
//! A change is sent twice alike: first to `/schedule/preview`, which plans two weeks with and
//! without it and gives the mark of what it starts from, then with that mark to
//! `/schedule/edit`. **Nothing is made over what somebody else changed meanwhile.**

#[cfg(test)]
mod tests;
mod written;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::access::Action;
use crate::digest::Digest;
use crate::id::{ExceptionId, ProgrammeId};
use crate::schedule::edit::{
    Edit, NotEdited, NotReached, Reach, Slot, Turn, Turnout, What, Wish, seen,
};
use crate::schedule::file::Checked;
use crate::schedule::{Programme, Selection};
use crate::server::{Preview, ServerError};
use crate::time::{LocalDate, TimeOfDay};
use crate::web::api::operation::{Call, Nothing, Table, act, look};
use crate::web::api::problem::Problem;
use crate::web::api::programme::written::{WrittenException, WrittenProgramme};
use crate::web::api::words::{Day, Sha256, Slug, Text, Whole};

/// Differences and remarks of one answer at most, each.
const TOLD_MAX: usize = 2_000;

pub(super) fn add(table: Table) -> Table {
    table
        .read(
            look(
                "/programmes",
                Action::Read,
                "programmes",
                "Every programme and exception, each with its mark",
            ),
            list,
        )
        .read(
            look("/programmes/{programme}", Action::Read, "programme", "One programme whole"),
            show,
        )
        .write(
            act(
                "/schedule/preview",
                Action::Programme,
                "preview-schedule",
                "What a change would alter in two weeks; changes nothing",
            ),
            preview,
        )
        .write(
            act(
                "/schedule/edit",
                Action::Programme,
                "edit-schedule",
                "Make, change, end, move, copy or take back, as it was looked at",
            ),
            edit,
        )
}

/// Every programme and exception.
#[derive(Serialize, JsonSchema)]
struct All {
    programmes: Vec<MarkedProgramme>,
    exceptions: Vec<MarkedException>,
}

/// A programme as it is.
#[derive(Serialize, JsonSchema)]
struct MarkedProgramme {
    programme: WrittenProgramme,
    /// What an edit of this programme alone names as `seen`.
    #[schemars(with = "Sha256")]
    mark: Digest,
}

/// An exception as it is.
#[derive(Serialize, JsonSchema)]
struct MarkedException {
    exception: WrittenException,
    /// What an edit of this exception alone names as `seen`.
    #[schemars(with = "Sha256")]
    mark: Digest,
}

fn marked(schedule: &Checked, held: &Programme) -> MarkedProgramme {
    let mark = seen(schedule, &[What::Programme(held.id.clone())]);
    MarkedProgramme { programme: WrittenProgramme::of(schedule, held), mark }
}

async fn list(call: Call<Nothing, Nothing>) -> Result<All, Problem> {
    let schedule = call.station().schedule().await?;
    let programmes = schedule.programmes.iter().map(|held| marked(&schedule, held)).collect();
    let exceptions = schedule.exceptions.iter().map(|held| MarkedException {
        exception: WrittenException::of(&schedule, held),
        mark: seen(&schedule, &[What::Exception(held.id.clone())]),
    });
    Ok(All { programmes, exceptions: exceptions.collect() })
}

/// A programme.
#[derive(Deserialize, JsonSchema)]
struct Which {
    #[schemars(with = "Slug")]
    programme: ProgrammeId,
}

async fn show(call: Call<Which, Nothing>) -> Result<MarkedProgramme, Problem> {
    let schedule = call.station().schedule().await?;
    let held = schedule.programmes.iter().find(|held| held.id == call.path.programme);
    let id = &call.path.programme;
    let held = held.ok_or_else(|| Problem::not_there(&format!("there is no programme {id}")))?;
    Ok(marked(&schedule, held))
}

/// What is wanted.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
enum Wanted {
    /// A programme made, or changed as a whole; from a day on only, where one is named.
    Programme {
        programme: Box<WrittenProgramme>,
        /// What it is until the day before stays.
        #[schemars(with = "Option<Day>")]
        from_day: Option<LocalDate>,
    },
    /// A programme ended, or taken away where no last day is named.
    End {
        #[schemars(with = "Slug")]
        programme: ProgrammeId,
        #[schemars(with = "Option<Day>")]
        last: Option<LocalDate>,
    },
    /// One airing moved, left out or filled otherwise.
    Airing {
        #[schemars(with = "Slug")]
        programme: ProgrammeId,
        #[schemars(with = "Day")]
        date: LocalDate,
        /// Its place among those of that day, from 0.
        #[serde(default)]
        occurrence: u16,
        reach: Reached,
        turn: Turned,
    },
    /// An exception made or changed.
    Exception { exception: Box<WrittenException> },
    /// An exception taken away.
    Unmake {
        #[schemars(with = "Slug")]
        exception: ExceptionId,
    },
    /// What belongs to one week alone, made again for another.
    Week {
        /// A day of the week that is copied.
        #[schemars(with = "Day")]
        from: LocalDate,
        /// A day of the other.
        #[schemars(with = "Day")]
        to: LocalDate,
    },
    /// One's own last edit taken back.
    Undo {},
}

/// Which airings are meant.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
enum Reached {
    /// That one.
    This,
    /// That one and every later one.
    Following,
    /// Every one.
    All,
}

/// What becomes of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "to", rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
enum Turned {
    /// It comes at another time.
    Move {
        #[schemars(with = "Day")]
        date: LocalDate,
        /// Such as `05:30`.
        #[schemars(with = "String")]
        time: TimeOfDay,
    },
    /// It does not come.
    Cancel {},
    /// It consists of these.
    Bulletins {
        #[schemars(with = "Vec<Slug>", length(min = 1))]
        bulletins: Vec<crate::id::BulletinId>,
    },
    /// It consists of the newest of a column.
    Newest {
        #[schemars(with = "Text")]
        column: crate::bulletin::Column,
    },
}

impl Turned {
    fn turnout(self) -> Result<Turnout, Problem> {
        Ok(match self {
            Self::Move { date, time } => Turnout::Move { date, time },
            Self::Cancel {} => Turnout::Cancel,
            Self::Bulletins { bulletins } if bulletins.is_empty() => {
                return Err(Problem::wrong("name at least one bulletin"));
            }
            Self::Bulletins { bulletins } => Turnout::Replace(Selection::Bulletins(bulletins)),
            Self::Newest { column } => Turnout::Replace(Selection::Newest(column)),
        })
    }
}

impl Wanted {
    /// What is wished; none where an edit is taken back.
    fn wish(self, schedule: &Checked) -> Result<Option<Wish>, Problem> {
        Ok(Some(match self {
            Self::Programme { programme, from_day } => {
                let programme = Box::new(programme.programme(schedule)?);
                Wish::Programme { programme, from_day }
            }
            Self::End { programme, last } => Wish::End { programme, last },
            Self::Airing { programme, date, occurrence, reach, turn } => {
                let reach = match reach {
                    Reached::This => Reach::This,
                    Reached::Following => Reach::Following,
                    Reached::All => Reach::All,
                };
                let slot = Slot { programme, date, occurrence };
                Wish::Airing { slot, reach, turnout: turn.turnout()? }
            }
            Self::Exception { exception } => {
                Wish::Exception(Box::new(exception.exception(schedule)?))
            }
            Self::Unmake { exception } => Wish::Unmake(exception),
            Self::Week { from, to } => {
                let monday = crate::web::programme::monday;
                Wish::Week { from: monday(from), to: monday(to) }
            }
            Self::Undo {} => return Ok(None),
        }))
    }
}

/// What is wanted, drafted on the schedule as it is.
struct Drafted {
    edit: Edit,
    /// The word under which the log keeps it; none where an edit is taken back.
    word: Option<&'static str>,
}

async fn drafted<P, I>(call: &Call<P, I>, wanted: &Wanted) -> Result<Drafted, Problem> {
    let schedule = call.station().schedule().await?;
    if let Some(wish) = wanted.clone().wish(&schedule)? {
        let edit = wish.edit(&schedule).map_err(not_reached)?;
        return Ok(Drafted { edit, word: Some(wish.word()) });
    }
    let last = call.station().store.last_edit(call.by()).await?;
    let last = last.ok_or_else(|| ServerError::from(NotEdited::Nothing))?;
    Ok(Drafted { edit: last.edit.back(), word: None })
}

fn not_reached(error: NotReached) -> Problem {
    ServerError::from(error).into()
}

/// A change that is looked at.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Sketch {
    change: Wanted,
}

/// What it would alter.
#[derive(Serialize, JsonSchema)]
struct Looked {
    /// The mark of what it starts from: what the edit names as `seen`.
    #[schemars(with = "Sha256")]
    seen: Digest,
    /// Each programme and exception that changes, as a schedule file says it before and after.
    turns: Vec<Altered>,
    /// The first day that was planned with and without it.
    #[schemars(with = "Day")]
    from: LocalDate,
    /// The last one.
    #[schemars(with = "Day")]
    to: LocalDate,
    /// How many airings are not the same.
    airings: u64,
    /// The first 2000 of them, as `loaban schedule diff --json` prints them.
    #[schemars(with = "Vec<Whole>")]
    differences: Vec<Value>,
    /// What the new plan has to say that the old one had not, 2000 at most.
    remarks: Vec<Said>,
    /// Programmes that the change does not name and that air otherwise too.
    #[schemars(with = "Vec<Slug>")]
    others: Vec<ProgrammeId>,
    /// How many differences begin so soon that a loudspeaker out of touch may not learn of them.
    frozen: u64,
}

/// One thing that changes.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Turn")]
struct Altered {
    /// `programme/ID` or `exception/ID`.
    what: String,
    /// As it was; none where it is new.
    before: Option<String>,
    /// As it becomes; none where it goes.
    after: Option<String>,
}

/// Something to know about the new plan.
#[derive(Serialize, JsonSchema)]
struct Said {
    /// As `loaban schedule plan --json` prints it.
    #[schemars(with = "Whole")]
    remark: Value,
    /// In English.
    detail: String,
    /// In Vietnamese.
    detail_vi: String,
}

fn told(turn: &Turn) -> Altered {
    let Turn { what, before, after } = turn;
    Altered { what: what.to_string(), before: before.clone(), after: after.clone() }
}

impl Looked {
    fn of(edit: &Edit, preview: &Preview) -> Self {
        let value = |one: &crate::schedule::diff::Difference| {
            serde_json::to_value(one).expect("a difference has text keys")
        };
        let said = |remark: &crate::schedule::Remark| Said {
            remark: serde_json::to_value(remark).expect("a remark has text keys"),
            detail: remark.reason.to_string(),
            detail_vi: remark.reason.vi(),
        };
        Self {
            seen: edit.seen(),
            turns: edit.turns().iter().map(told).collect(),
            from: preview.from,
            to: preview.to,
            airings: preview.differences.len() as u64,
            differences: preview.differences.iter().take(TOLD_MAX).map(value).collect(),
            remarks: preview.remarks.iter().take(TOLD_MAX).map(said).collect(),
            others: preview.others(edit).into_iter().collect(),
            frozen: preview.frozen as u64,
        }
    }
}

async fn preview(call: Call<Nothing, Sketch>) -> Result<Looked, Problem> {
    let _place = call.heavy().await?;
    let Drafted { edit, .. } = drafted(&call, &call.input.change).await?;
    let preview = call.station().preview(&edit, call.by()).await?;
    Ok(Looked::of(&edit, &preview))
}

/// A change that is made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Made {
    /// The `seen` of the preview, or the `mark` of the one programme or exception that it changes;
    /// only what takes the place of nothing may leave it out.
    #[schemars(with = "Option<Sha256>")]
    seen: Option<Digest>,
    change: Wanted,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
struct Become {
    /// Each programme and exception that changed, as a schedule file says it before and after.
    turns: Vec<Altered>,
    /// The mark of these things as they are now.
    #[schemars(with = "Sha256")]
    mark: Digest,
}

async fn edit(call: Call<Nothing, Made>) -> Result<Become, Problem> {
    let Drafted { edit, word } = drafted(&call, &call.input.change).await?;
    if edit.turns().is_empty() {
        return Err(ServerError::from(NotEdited::Nothing).into());
    }
    let is_new = edit.turns().iter().all(|turn| turn.before.is_none());
    match call.input.seen {
        Some(seen) if seen == edit.seen() => {}
        Some(_) => return Err(changed(&edit)),
        None if is_new => {}
        None => return Err(Problem::wrong("name `seen`: look at the change first")),
    }
    let done = match word {
        Some(word) => call.station().edit_schedule(&edit, word, call.by()).await,
        None => call.station().undo_edit(call.by()).await,
    };
    match done {
        Ok(()) => {}
        Err(ServerError::Edit(NotEdited::Changed(_))) => {
            let Drafted { edit, .. } = drafted(&call, &call.input.change).await?;
            return Err(changed(&edit));
        }
        Err(error) => return Err(error.into()),
    }
    call.site.schedule_changed().await;
    let mark = edit.back().seen();
    Ok(Become { turns: edit.turns().iter().map(told).collect(), mark })
}

/// Somebody changed it meanwhile: what is there now, and its mark.
fn changed(edit: &Edit) -> Problem {
    let now = |turn: &Turn| json!({ "what": turn.what, "text": turn.before });
    let now: Vec<Value> = edit.turns().iter().map(now).collect();
    let turn = edit.turns().first();
    let problem = match turn.map(|turn| turn.what.clone()) {
        Some(what) => ServerError::from(NotEdited::Changed(what)).into(),
        None => Problem::from(ServerError::from(NotEdited::Nothing)),
    };
    problem.now(json!({ "seen": edit.seen(), "things": now }))
}
