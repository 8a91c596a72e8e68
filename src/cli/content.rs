//! `bulletin`: from a text that is handed in to a version that may be heard, and back.

mod amend;
mod files;
mod show;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

pub(super) use files::import;

use crate::bulletin::version::Voice;
use crate::bulletin::{
    Bulletin as Item, Campaign, Class, Column, Comment, DocumentNumber, IssuingBody, Kind,
    Question, Script, SourceLevel, Title, Topic, Variety,
};
use crate::cli::{Which, passphrase};
use crate::clock::utc_now;
use crate::id::{AreaId, BulletinId, PersonId, QuestionId};
use crate::lang::LangTag;
use crate::server::{Aim, Contribution, NewSound, Sound, Station, Validity};

/// Bulletins, their versions and recordings.
#[derive(Debug, Subcommand)]
pub(super) enum Bulletin {
    /// Take in a `bulletins.toml` with the recordings beside it; the same again changes nothing.
    Import {
        #[command(flatten)]
        which: Which,
        /// The file.
        file: PathBuf,
        /// The announcer who hands it in.
        #[arg(long)]
        by: PersonId,
    },
    /// Write bulletins as a folder with `bulletins.toml` and the recordings, which imports again.
    Export {
        #[command(flatten)]
        which: Which,
        /// The bulletins; all of them where none is named.
        bulletins: Vec<BulletinId>,
        /// The folder to write, which must be empty or missing.
        #[arg(long)]
        out: PathBuf,
    },
    /// List every version with its state.
    List {
        #[command(flatten)]
        which: Which,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Show one bulletin: what it is, its versions, what was said of them.
    Show {
        #[command(flatten)]
        which: Which,
        /// The bulletin.
        bulletin: BulletinId,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Find bulletins by words in title, document number, column and script, with or without marks.
    Search {
        #[command(flatten)]
        which: Which,
        /// The words.
        #[arg(required = true)]
        words: Vec<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Hand in a text without a recording: of a new bulletin, or anew for one that is there.
    Contribute(Box<Contribute>),
    /// Put right what a bulletin is: its title, column, issuing body, dates and the like.
    Amend(Box<amend::Amend>),
    /// A step in the life of a version that is there.
    #[command(flatten)]
    Life(Life),
    /// Show which controllers a withdrawal has not reached, worst first.
    Withdrawn {
        #[command(flatten)]
        which: Which,
        /// The bulletin.
        bulletin: BulletinId,
        /// One JSON object a line, one for each withdrawn recording.
        #[arg(long)]
        json: bool,
    },
}

/// The steps in the life of a version that is there.
#[derive(Debug, Subcommand)]
pub(super) enum Life {
    /// Make the text of a bulletin in another language.
    Translate {
        #[command(flatten)]
        step: Step,
        #[command(flatten)]
        script: ScriptArgument,
        /// Which speech of the language.
        #[arg(long)]
        variety: Option<Variety>,
    },
    /// Hand in the recording of a text that is there; `--by` is the announcer.
    Record {
        #[command(flatten)]
        step: Step,
        /// The recording.
        #[arg(long)]
        file: PathBuf,
        /// Whose voice it is: human, synthetic or stand-in.
        #[arg(long, value_parser = voice)]
        voice: Voice,
    },
    /// Say that somebody listened back to a version and found it right.
    Review(Step),
    /// Return a version to its makers, with what to change.
    Return {
        #[command(flatten)]
        step: Step,
        /// What to change.
        #[arg(long)]
        comment: Comment,
    },
    /// Approve a reviewed version with the approver's own key.
    Approve {
        #[command(flatten)]
        step: Step,
        /// A file with the approver's passphrase; asked for otherwise.
        #[arg(long)]
        passphrase_file: Option<PathBuf>,
    },
    /// Take an approved version back.
    Withdraw {
        #[command(flatten)]
        step: Step,
        /// Why.
        #[arg(long)]
        reason: Comment,
    },
}

/// A step in the life of one version.
#[derive(Debug, Args)]
pub(super) struct Step {
    #[command(flatten)]
    which: Which,
    /// The bulletin.
    bulletin: BulletinId,
    /// The language.
    language: LangTag,
    /// Who takes the step.
    #[arg(long)]
    by: PersonId,
}

impl Step {
    fn aim(&self) -> Aim<'_> {
        Aim::at(&self.bulletin, &self.language)
    }

    fn done(&self, word: &str) -> bool {
        say_line!("{} in {} is {word}", self.bulletin, self.language);
        true
    }
}

/// A text, on the command line or in a file.
#[derive(Clone, Debug, Args)]
#[group(required = false, multiple = false)]
pub(super) struct ScriptArgument {
    /// The text.
    #[arg(long)]
    script: Option<Script>,
    /// A file with the text.
    #[arg(long)]
    script_file: Option<PathBuf>,
}

/// Bytes of a file with a text at most: more than the longest script takes.
const SCRIPT_BYTES_MAX: u64 = 1024 * 1024;

impl ScriptArgument {
    /// The text, where one is given.
    pub(super) fn read(self) -> anyhow::Result<Option<Script>> {
        let Some(path) = self.script_file else { return Ok(self.script) };
        let length = std::fs::metadata(&path).map_or(0, |found| found.len());
        if length > SCRIPT_BYTES_MAX {
            bail!("{} has {length} bytes, more than any script; name a text file", path.display());
        }
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {} as UTF-8 text", path.display()))?;
        Ok(Some(text.parse().with_context(|| path.display().to_string())?))
    }

    /// The text, which must be given.
    pub(super) fn required(self) -> anyhow::Result<Script> {
        self.read()?.context("write the text with --script TEXT or --script-file FILE")
    }
}

/// A text that is handed in.
#[derive(Debug, Args)]
pub(super) struct Contribute {
    #[command(flatten)]
    which: Which,
    /// The bulletin.
    bulletin: BulletinId,
    /// The language of the text.
    #[arg(long, default_value = "vi")]
    language: LangTag,
    /// Which speech of the language.
    #[arg(long)]
    variety: Option<Variety>,
    #[command(flatten)]
    script: ScriptArgument,
    /// Who hands it in.
    #[arg(long)]
    by: PersonId,
    /// Of a new bulletin: its title.
    #[arg(long, requires_all = ["column", "issuing_body"])]
    title: Option<Title>,
    /// Of a new bulletin: its column.
    #[arg(long, requires = "title")]
    column: Option<Column>,
    /// Of a new bulletin: news, report, question-and-answer, short-play or notice.
    #[arg(long, default_value = "notice", value_parser = kind)]
    kind: Kind,
    /// Of a new bulletin: normal, priority or emergency.
    #[arg(long, default_value = "normal", value_parser = class)]
    class: Class,
    /// Of a new bulletin: commune, province or central.
    #[arg(long, default_value = "commune", value_parser = source_level)]
    source_level: SourceLevel,
    /// Of a new bulletin: the body that stands behind it.
    #[arg(long, requires = "title")]
    issuing_body: Option<IssuingBody>,
    /// Of a new bulletin: the area it belongs to; the whole station otherwise.
    #[arg(long, requires = "title")]
    area: Option<AreaId>,
    /// Of a new bulletin: the document that it tells of.
    #[arg(long, requires = "title")]
    document_number: Option<DocumentNumber>,
    /// Of a new bulletin: a field of law; may be given several times.
    #[arg(long = "topic", requires = "title")]
    topics: Vec<Topic>,
    /// Of a new bulletin: its campaign.
    #[arg(long, requires = "title")]
    campaign: Option<Campaign>,
    /// Of a new bulletin: days on which it may be heard, from now on.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    valid_days: u32,
    /// The answered question that it answers: its text becomes the script, and it is closed.
    #[arg(long, requires = "title", conflicts_with_all = ["script", "script_file"])]
    question: Option<QuestionId>,
}

fn one_of<T: Copy, const N: usize>(
    text: &str,
    all: [T; N],
    word: fn(T) -> &'static str,
) -> Result<T, String> {
    let found = all.into_iter().find(|value| word(*value) == text);
    found.ok_or_else(|| format!("use one of {}", all.map(word).join(", ")))
}

fn kind(text: &str) -> Result<Kind, String> {
    one_of(text, Kind::ALL, Kind::word)
}

fn class(text: &str) -> Result<Class, String> {
    one_of(text, Class::ALL, Class::word)
}

fn source_level(text: &str) -> Result<SourceLevel, String> {
    one_of(text, SourceLevel::ALL, SourceLevel::word)
}

fn voice(text: &str) -> Result<Voice, String> {
    one_of(text, Voice::ALL, Voice::word)
}

impl Contribute {
    async fn run(self) -> anyhow::Result<bool> {
        let station = self.which.open().await?;
        let question = match &self.question {
            Some(id) => Some(station.question(id).await?),
            None => None,
        };
        let script = match &question {
            Some(Question::Answered(answered)) => answered.script().parse()?,
            Some(question) => bail!(
                "{} is {}; only an answered question becomes a bulletin: loaban question answer",
                question.asked().id,
                question.state()
            ),
            None => self.script.clone().required()?,
        };
        let (id, language, by) = (self.bulletin.clone(), self.language.clone(), self.by.clone());
        let variety = self.variety.clone();
        let kind = if question.is_some() { Kind::QuestionAndAnswer } else { self.kind };
        let bulletin = self.new_bulletin(&station, kind).await?;
        let contribution = Contribution {
            bulletin,
            language: language.clone(),
            variety,
            script,
            answers: question,
            seen: None,
        };
        station.contribute(contribution, &by).await?;
        say_line!(
            "{id} in {language} is text; next: loaban bulletin record {id} {language} --file …"
        );
        Ok(true)
    }

    /// The new bulletin, where a title makes it one; otherwise the name of one that is there.
    async fn new_bulletin(
        self,
        station: &Station,
        kind: Kind,
    ) -> anyhow::Result<Result<Item, BulletinId>> {
        let (Some(title), Some(column), Some(issuing_body)) =
            (self.title, self.column, self.issuing_body)
        else {
            return Ok(Err(self.bulletin));
        };
        let (valid_from, valid_until) = Validity::Days(self.valid_days).from(utc_now());
        let bulletin = Item {
            id: self.bulletin,
            title,
            title_en: None,
            area: self.area,
            column,
            kind,
            class: self.class,
            source_level: self.source_level,
            issuing_body,
            document_number: self.document_number,
            topics: self.topics.into_iter().collect(),
            campaign: self.campaign,
            valid_from,
            valid_until,
        };
        station.check_lists(&bulletin).await?;
        Ok(Ok(bulletin))
    }
}

/// The decoder's child is this program.
fn sound() -> anyhow::Result<Sound> {
    Ok(Sound::new(std::env::current_exe().context("this program's own path")?))
}

impl Bulletin {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        match self {
            Self::Import { which, file, by } => {
                let station = which.open().await?;
                import(&station, &file, &|_| by.clone(), true).await
            }
            Self::Export { which, bulletins, out } => {
                files::export(&which.open().await?, &bulletins, &out).await
            }
            Self::List { which, json } => show::list(&which.open().await?, json).await,
            Self::Show { which, bulletin, json } => {
                show::show(&which.open().await?, &bulletin, json).await
            }
            Self::Search { which, words, json } => {
                show::search(&which.open().await?, &words.join(" "), json).await
            }
            Self::Withdrawn { which, bulletin, json } => {
                show::withdrawn(&which.open().await?, &bulletin, json).await
            }
            Self::Contribute(contribute) => contribute.run().await,
            Self::Amend(amend) => amend.run().await,
            Self::Life(step) => step.run().await,
        }
    }
}

impl Life {
    async fn run(self) -> anyhow::Result<bool> {
        match self {
            Self::Translate { step, script, variety } => {
                let (station, script) = (step.which.open().await?, script.required()?);
                station.check_language(&step.language).await?;
                let (bulletin, language) = (&step.bulletin, &step.language);
                station.translate(Aim::at(bulletin, language), variety, script, &step.by).await?;
                Ok(step.done("text"))
            }
            Self::Record { step, file, voice } => record(&step, &file, voice).await,
            Self::Review(step) => {
                step.which.open().await?.review(step.aim(), &step.by).await?;
                Ok(step.done("reviewed"))
            }
            Self::Return { step, comment } => {
                let station = step.which.open().await?;
                station.send_back(step.aim(), &step.by, comment).await?;
                Ok(step.done("returned"))
            }
            Self::Approve { step, passphrase_file } => {
                let what = format!("the key of {}", step.by);
                let secret = passphrase(passphrase_file.as_deref(), &what)?;
                let station = step.which.open().await?;
                station.approve(step.aim(), &step.by, &secret).await?;
                Ok(step.done("approved"))
            }
            Self::Withdraw { step, reason } => {
                let station = step.which.open().await?;
                station.withdraw(step.aim(), &step.by, reason).await?;
                say_line!("whom it has not reached: loaban bulletin withdrawn {}", step.bulletin);
                Ok(step.done("withdrawn"))
            }
        }
    }
}

async fn record(step: &Step, file: &Path, voice: Voice) -> anyhow::Result<bool> {
    let station = step.which.open().await?;
    let new = NewSound { file, voice };
    let made = station.record(step.aim(), new, &step.by, &sound()?).await?;
    say_line!("{}", files::drafted(&file.display().to_string(), &made));
    Ok(step.done("draft"))
}
