//! `schedule decisions` and `schedule decide`.

use clap::Args;

use crate::cli::{Which, print_json};
use crate::id::{PersonId, ProgrammeId};
use crate::schedule::DecisionId;

/// Lists what communes must decide, nearest deadline first.
#[derive(Debug, Args)]
pub(in crate::cli) struct Decisions {
    #[command(flatten)]
    which: Which,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Decides which of two priority bulletins a commune hears first.
#[derive(Debug, Args)]
pub(in crate::cli) struct Decide {
    #[command(flatten)]
    which: Which,
    /// The decision, as `schedule decisions` names it.
    id: DecisionId,
    /// The programme that goes first.
    #[arg(long)]
    first: ProgrammeId,
    /// Who decides: an operator of the commune.
    #[arg(long)]
    by: PersonId,
}

impl Decisions {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<bool> {
        let open = self.which.open().await?.open_decisions().await?;
        for question in &open {
            if self.json {
                print_json(question)?;
                continue;
            }
            say_line!(
                "{}  by {}, else {} goes first; {} controllers",
                question.decision,
                question.deadline,
                question.default,
                question.controllers.len()
            );
        }
        if open.is_empty() && !self.json {
            say_line!("nothing is to be decided in the coming days");
        }
        Ok(true)
    }
}

impl Decide {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<bool> {
        let station = self.which.open().await?;
        let decision = station.decide(&self.id, &self.first, &self.by).await?;
        say_line!("{} goes first in {} on {}", decision.first, self.id.area(), self.id.date());
        Ok(true)
    }
}
