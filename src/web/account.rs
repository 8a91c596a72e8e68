//! One's own account: sessions and one-time codes.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::audit::qr::Qr;
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::web::Site;
use crate::web::commune::town;
use crate::web::duty;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;

#[derive(Template)]
#[template(path = "account.html")]
struct Account {
    frame: Frame,
    person: String,
    duties: String,
    sessions: Vec<Session>,
    /// The secret for an authenticator, where none is set up.
    secret: Option<Setting>,
}

/// A secret of one-time codes that is not set up yet.
struct Setting {
    /// As it is typed.
    typed: String,
    /// As an application on this device opens it.
    address: String,
    /// As a telephone scans it: the same address as an SVG of a QR code.
    scanned: String,
}

struct Session {
    token: Digest,
    here: bool,
    begun: String,
    seen: String,
    address: String,
    agent: String,
}

/// One's own account.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    let who = visitor.who()?;
    let (zone, now) = (site.station.config.zone, utc_now());
    let sessions = site.station.store.sessions(&who.person.id).await?;
    let session = |row: crate::store::SessionRow| Session {
        here: row.token == who.session.token,
        token: row.token,
        begun: zone.local(row.begun).format("%d/%m/%Y %H:%M").to_string(),
        seen: visitor.tongue.ago(now.since(row.seen)),
        address: row.address,
        agent: row.agent,
    };
    let secret = if who.has_second {
        None
    } else {
        let second = site.station.second_to_set(&who.person.id).await?;
        let scanned = Qr::of(&second.address).map(|code| code.svg()).unwrap_or_default();
        Some(Setting { typed: spaced(&second.text), address: second.address, scanned })
    };
    Ok(frame::page(&Account {
        frame: Frame::new(&site, &visitor, visitor.tongue.say("Tài khoản", "Account")),
        person: who.person.id.to_string(),
        duties: duty::held(&who.duties, &town(&site).await?.schedule.tree, visitor.tongue),
        sessions: sessions.into_iter().map(session).collect(),
        secret,
    }))
}

/// In groups of four, for those who type it.
fn spaced(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

/// Which session.
#[derive(Deserialize)]
pub(super) struct Ended {
    token: String,
}

/// Ends one of one's own sessions.
pub(super) async fn end_session(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(ended): Form<Ended>,
) -> Result<Response, Fault> {
    let token: Digest = ended.token.parse().map_err(|_| {
        Fault::bad("Không có phiên này; hãy mở lại trang.", "No such session; open the page again.")
    })?;
    site.station.sign_out(&visitor.who()?.person.id, Some(token)).await?;
    Ok(Redirect::to("/account").into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::tests::Town;

    #[tokio::test]
    async fn the_key_of_codes_is_scanned_until_it_is_set_up_and_never_shown_again() {
        let town = Town::new().await.with("dung", "leader").await;
        let cookie = town.cookie("dung").await;
        let (_, page) = town.page("/account", Some(&cookie)).await;
        let second = town.site.station.second_to_set(&"dung".parse().unwrap()).await.unwrap();
        assert!(second.address.starts_with("otpauth://totp/"), "{}", second.address);
        assert!(page.contains(&Qr::of(&second.address).unwrap().svg()), "{page}");
        assert!(page.contains(&spaced(&second.text)), "it can be typed as well");
        let proved = town.proved_cookie("dung").await;
        let (_, page) = town.page("/account", Some(&proved)).await;
        assert!(!page.contains("class=\"qr\""), "{page}");
    }
}
