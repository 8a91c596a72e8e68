//! `question`: what villagers ask, taken down, answered, closed.

use clap::Subcommand;

use crate::bulletin::question::Channel;
use crate::bulletin::{Asker, Comment, Question as Asked, QuestionText, Topic};
use crate::cli::content::ScriptArgument;
use crate::cli::{Which, print_json};
use crate::id::{AreaId, BulletinId, PersonId, QuestionId};
use crate::lang::LangTag;
use crate::server::{NewQuestion, Station};

/// What villagers ask.
#[derive(Debug, Subcommand)]
pub(super) enum Question {
    /// Take down what a villager asks.
    Add {
        #[command(flatten)]
        which: Which,
        /// How it came: form, phone or paper.
        #[arg(long, value_parser = channel)]
        channel: Channel,
        /// Where it was asked.
        #[arg(long)]
        village: AreaId,
        /// The language it was asked in.
        #[arg(long)]
        language: LangTag,
        /// The field of law, where it is known.
        #[arg(long)]
        topic: Option<Topic>,
        /// What was asked.
        #[arg(long)]
        text: QuestionText,
        /// Who asked and how they are reached, only where they want an answer of their own.
        #[arg(long)]
        asker: Option<Asker>,
        /// Who takes it down.
        #[arg(long)]
        by: PersonId,
    },
    /// List the questions, oldest first.
    List {
        #[command(flatten)]
        which: Which,
        /// The closed ones too.
        #[arg(long)]
        all: bool,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Answer a question; `loaban bulletin contribute --question` makes a bulletin of it.
    Answer {
        #[command(flatten)]
        which: Which,
        /// The question.
        question: QuestionId,
        #[command(flatten)]
        answer: ScriptArgument,
        /// Who answers.
        #[arg(long)]
        by: PersonId,
    },
    /// Forget who asked a question, and what opens the log's commitments to it.
    Erase {
        #[command(flatten)]
        which: Which,
        /// The question.
        question: QuestionId,
    },
    /// Close a question: a bulletin answers it, or there is a reason why none does.
    Close {
        #[command(flatten)]
        which: Which,
        /// The question.
        question: QuestionId,
        /// The bulletin that answers it.
        #[arg(long, required_unless_present = "reason", conflicts_with = "reason")]
        bulletin: Option<BulletinId>,
        /// Why it is not answered on the air.
        #[arg(long)]
        reason: Option<Comment>,
        /// Who closes it.
        #[arg(long)]
        by: PersonId,
    },
}

fn channel(text: &str) -> Result<Channel, String> {
    let found = Channel::ALL.into_iter().find(|channel| channel.word() == text);
    found.ok_or_else(|| format!("use one of {}", Channel::ALL.map(Channel::word).join(", ")))
}

impl Question {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        match self {
            Self::Add { which, channel, village, language, topic, text, asker, by } => {
                let new = NewQuestion { channel, village, language, topic, text, asker };
                say_line!("{}", which.open().await?.ask(new, &by).await?);
            }
            Self::List { which, all, json } => list(&which.open().await?, all, json).await?,
            Self::Answer { which, question, answer, by } => {
                which.open().await?.answer(&question, answer.required()?, &by).await?;
                say_line!(
                    "{question} is answered; next: loaban bulletin contribute … --question {question}"
                );
            }
            Self::Erase { which, question } => {
                let texts = which.open().await?.erase_asker(&question).await?;
                say_line!("{texts} texts about {question} are forgotten; the log is whole");
            }
            Self::Close { which, question, bulletin, reason, by } => {
                let station = which.open().await?;
                match (bulletin, reason) {
                    (Some(bulletin), _) => {
                        station.close_with_bulletin(&question, &bulletin, &by).await?;
                    }
                    (None, reason) => {
                        let reason = reason.expect("one of the two is required");
                        station.close_for_reason(&question, reason, &by).await?;
                    }
                }
                say_line!("{question} is closed");
            }
        }
        Ok(true)
    }
}

async fn list(station: &Station, all: bool, json: bool) -> anyhow::Result<()> {
    for question in station.store.questions().await? {
        if matches!(question, Asked::Closed(_)) && !all {
            continue;
        }
        let asked = question.asked();
        if json {
            // Who asked stays in the store: lists are copied and sent on.
            print_json(&question)?;
            continue;
        }
        let day = station.config.zone.local(asked.taken.at).format("%d/%m/%Y");
        let first = asked.text.as_str().lines().next().unwrap_or_default();
        say_line!(
            "{:<22} {:<9} {day}  {:<16} {:<4} {first}",
            asked.id,
            question.state(),
            asked.village,
            asked.language
        );
    }
    Ok(())
}
