//! `token`: programs that act for a person at the interface for programs.

use std::time::Duration;

use clap::{Args, Subcommand};

use crate::access::Scopes;
use crate::cli::{Which, print_json};
use crate::clock::utc_now;
use crate::id::{PersonId, TokenName};
use crate::server::{NewToken, TOKEN_DAYS_MAX};
use crate::store::TokenRow;

/// Tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a token; it is printed this once.
    Create(Create),
    /// List the tokens.
    List {
        #[command(flatten)]
        which: Which,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Take a token back; it counts for nothing from the next request on.
    Revoke {
        #[command(flatten)]
        which: Which,
        /// The token.
        name: TokenName,
    },
}

/// Makes a token.
#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    which: Which,
    /// Its name: a-z, 0-9 and -. The log knows it by this.
    name: TokenName,
    /// For whom it acts: it never may more than they.
    #[arg(long = "for")]
    person: PersonId,
    /// What it may do, with commas between, such as watch,order.
    #[arg(long)]
    scopes: Scopes,
    /// Days that it counts.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=i64::from(TOKEN_DAYS_MAX)))]
    days: u32,
}

impl Token {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        match self {
            Self::Create(create) => create.run().await,
            Self::List { which, json } => list(&which, json).await,
            Self::Revoke { which, name } => {
                which.open().await?.revoke_token(&name, None).await?;
                say_line!("{name} counts for nothing any more");
                Ok(true)
            }
        }
    }
}

impl Create {
    async fn run(self) -> anyhow::Result<bool> {
        let station = self.which.open().await?;
        let lasts = Duration::from_hours(u64::from(self.days) * 24);
        let (name, person, scopes) = (self.name, self.person, self.scopes);
        let secret = station.make_token(&NewToken { name, person, scopes, lasts }, None).await?;
        say_line!("{secret}");
        eprintln!(
            "send it as `Authorization: Bearer …`; keep it like a password, nobody sees it again"
        );
        Ok(true)
    }
}

async fn list(which: &Which, json: bool) -> anyhow::Result<bool> {
    let now = utc_now();
    for row in which.open().await?.store.tokens().await? {
        if json {
            print_json(&serde_json::json!({
                "name": row.name, "person": row.person, "scopes": row.scopes.to_string(),
                "made": row.made, "expires": row.expires, "seen": row.seen, "revoked": row.revoked,
            }))?;
        } else {
            let state = state(&row, now);
            say_line!("{:<24} {:<16} {:<40} {state}", row.name, row.person, row.scopes.to_string());
        }
    }
    Ok(true)
}

fn state(row: &TokenRow, now: crate::time::Timestamp) -> String {
    match (row.revoked, row.seen) {
        (Some(at), _) => format!("revoked on {at}"),
        (None, _) if row.expires <= now => format!("ended on {}", row.expires),
        (None, Some(seen)) => format!("until {}, last used {seen}", row.expires),
        (None, None) => format!("until {}, never used", row.expires),
    }
}
