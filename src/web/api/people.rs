//! Who one is, and who works here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use axum::http::{Method, StatusCode};

use crate::access::Action;
use crate::id::{PersonId, TokenName};
use crate::time::Timestamp;
use crate::web::api::operation::{Call, Line, Nothing, Table, act, look};
use crate::web::api::problem::Problem;
use crate::web::api::words::{Instant, Slug};

const ME: Line = Line {
    method: Method::GET,
    path: "/me",
    scope: None,
    id: "me",
    says: "For whom this token acts, what it may do, and until when",
    status: StatusCode::OK,
};

pub(super) fn add(table: Table) -> Table {
    table
        .read(ME, me)
        .read(
            look(
                "/people",
                Action::Invite,
                "people",
                "Everybody whom you administer, with their duties",
            ),
            people,
        )
        .write(
            act(
                "/people/{person}/invitation",
                Action::Invite,
                "invite",
                "A link with which somebody chooses a password",
            ),
            invite,
        )
}

/// A token.
#[derive(Serialize, JsonSchema)]
struct Me {
    #[schemars(with = "Slug")]
    token: TokenName,
    #[schemars(with = "Slug")]
    person: PersonId,
    name: String,
    /// With commas between.
    duties: String,
    /// What the token may do as far as the duties allow it.
    scopes: Vec<String>,
    #[schemars(with = "Instant")]
    expires: Timestamp,
}

async fn me(call: Call<Nothing, Nothing>) -> Result<Me, Problem> {
    let token = &call.who.token;
    Ok(Me {
        token: token.name.clone(),
        person: call.who.person.id.clone(),
        name: call.who.person.name.clone(),
        duties: call.who.duties.to_string(),
        scopes: token.scopes.iter().map(|action| action.word().to_owned()).collect(),
        expires: token.expires,
    })
}

/// Somebody.
#[derive(Serialize, JsonSchema)]
struct Somebody {
    #[schemars(with = "Slug")]
    id: PersonId,
    name: String,
    /// With commas between; empty for somebody who left.
    duties: String,
    /// Whether they have chosen a password.
    has_password: bool,
    /// Whether their one-time codes are set up.
    has_codes: bool,
}

async fn people(call: Call<Nothing, Nothing>) -> Result<Vec<Somebody>, Problem> {
    let mut all = Vec::new();
    for person in call.station().store.people().await? {
        if call.station().may_manage(call.by(), &person.id).await.is_err() {
            continue;
        }
        let login = call.station().store.login(&person.id).await?;
        let has_codes = login.as_ref().is_some_and(|login| login.second_set.is_some());
        let has_password = login.is_some();
        let (id, name, duties) = (person.id, person.name, person.roles);
        all.push(Somebody { id, name, duties, has_password, has_codes });
    }
    Ok(all)
}

/// Somebody.
#[derive(Deserialize, JsonSchema)]
struct Whom {
    #[schemars(with = "Slug")]
    person: PersonId,
}

/// An invitation, which counts once within 72 hours.
#[derive(Serialize, JsonSchema)]
struct Invitation {
    link: String,
}

async fn invite(call: Call<Whom, Nothing>) -> Result<Invitation, Problem> {
    let code = call.station().invite(&call.path.person, Some(call.by())).await?;
    let address = call.station().config.web.address();
    Ok(Invitation { link: format!("{address}/invitation?code={code}") })
}
