//! One's own tokens: programs that act for somebody at the interface for programs.
//!
//! **What a program holds is shown once**, to whoever made it, who has given a one-time code; a token
//! may what its maker's duties allow, and less where they say so.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use crate::access::Action;
use crate::clock::utc_now;
use crate::id::TokenName;
use crate::server::{NewToken, ServerError, TOKEN_DAYS_MAX};
use crate::store::TokenRow;
use crate::time::{Timestamp, Zone};
use crate::web::Site;
use crate::web::duty;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::tongue::Tongue;

/// Days that the form offers.
const DAYS: [u32; 4] = [7, 30, 90, TOKEN_DAYS_MAX];

/// Days that the form has chosen.
const DAYS_USUAL: u32 = 90;

/// A token as every list of them shows it.
pub(super) struct Listed {
    pub(super) name: TokenName,
    pub(super) person: String,
    pub(super) acts: Vec<&'static str>,
    pub(super) made: String,
    pub(super) until: String,
    pub(super) seen: String,
}

/// Tokens as they are shown.
pub(super) fn listed(
    rows: Vec<TokenRow>,
    zone: Zone,
    now: Timestamp,
    tongue: Tongue,
) -> Vec<Listed> {
    let day = |at: Timestamp| zone.local(at).format("%d/%m/%Y").to_string();
    let one = |row: TokenRow| Listed {
        person: row.person.to_string(),
        acts: row.scopes.iter().map(|action| duty::act(action, tongue)).collect(),
        made: day(row.made),
        until: day(row.expires),
        seen: row.seen.map_or_else(
            || tongue.say("chưa dùng", "never used").to_owned(),
            |seen| tongue.ago(now.since(seen)),
        ),
        name: row.name,
    };
    rows.into_iter().map(one).collect()
}

#[derive(Template)]
#[template(path = "tokens.html")]
struct Page {
    frame: Frame,
    tokens: Vec<Listed>,
    /// Where a token of this list is taken back.
    revoke: &'static str,
    /// The page that comes after it.
    back: String,
    /// Whether one-time codes are set up for them.
    has_second: bool,
    acts: Vec<Act>,
    name: String,
    days: Vec<(u32, bool)>,
    fault: Option<String>,
    /// What was just made: its name, and what the program holds.
    made: Option<(TokenName, String)>,
}

struct Act {
    word: &'static str,
    name: &'static str,
    chosen: bool,
}

/// A form's names and values; a name may stand more than once.
type Sent = Vec<(String, String)>;

fn sent<'s>(form: &'s Sent, name: &str) -> &'s str {
    form.iter().find(|(held, _)| held == name).map_or("", |(_, value)| value.trim())
}

/// The page.
pub(super) async fn list(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    Ok(frame::page(&page(&site, &visitor, &Sent::new()).await?))
}

async fn page(site: &Site, visitor: &Visitor, form: &Sent) -> Result<Page, Fault> {
    let (who, tongue) = (visitor.who()?, visitor.tongue);
    let rows = site.station.tokens_of(Some(&who.person.id)).await?;
    let open = Action::ALL.into_iter().filter(|action| who.may(*action));
    let chosen = |word: &str| form.iter().any(|(name, value)| name == "act" && value == word);
    let act = |action: Action| Act {
        word: action.word(),
        name: duty::act(action, tongue),
        chosen: chosen(action.word()),
    };
    let days: u32 = sent(form, "days").parse().unwrap_or(DAYS_USUAL);
    Ok(Page {
        frame: Frame::new(site, visitor, tongue.say("Mã truy cập", "Tokens")),
        tokens: listed(rows, site.station.config.zone, utc_now(), tongue),
        revoke: "/account/tokens",
        back: "/account/tokens".to_owned(),
        has_second: who.has_second,
        acts: open.map(act).collect(),
        name: sent(form, "name").to_owned(),
        days: DAYS.map(|offered| (offered, offered == days)).into(),
        fault: None,
        made: None,
    })
}

/// Makes a token and shows what the program holds, this once.
pub(super) async fn make(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(form): Form<Sent>,
) -> Result<Response, Fault> {
    match made(&site, &visitor, &form).await {
        Ok(made) => {
            let page = page(&site, &visitor, &Sent::new()).await?;
            Ok(frame::page(&Page { made: Some(made), ..page }))
        }
        Err(fault) => {
            let sentence = visitor.tongue.say(&fault.vi, &fault.en).to_owned();
            let page = Page { fault: Some(sentence), ..page(&site, &visitor, &form).await? };
            Ok((fault.status, frame::page(&page)).into_response())
        }
    }
}

async fn made(site: &Site, visitor: &Visitor, form: &Sent) -> Result<(TokenName, String), Fault> {
    let name: TokenName = sent(form, "name").parse().map_err(|_| {
        Fault::bad(
            "Tên mã chỉ gồm chữ thường không dấu, số và dấu gạch ngang, như `may-chu-bao-cao`; hãy \
             sửa lại.",
            "A name has a-z, 0-9 and -, such as `report-server`; mend it.",
        )
    })?;
    let words: Vec<&str> =
        form.iter().filter(|(name, _)| name == "act").map(|(_, word)| word.as_str()).collect();
    let scopes = words.join(",").parse().map_err(|_| {
        Fault::bad("Hãy chọn ít nhất một việc mà chương trình được làm.", "Choose an act at least.")
    })?;
    let days = sent(form, "days").parse().ok().filter(|days| (1..=TOKEN_DAYS_MAX).contains(days));
    let days = days.ok_or_else(|| {
        Fault::bad("Hãy chọn mã có hiệu lực bao lâu.", "Choose how long the token counts.")
    })?;
    let person = visitor.who()?.person.id.clone();
    let lasts = Duration::from_hours(u64::from(days) * 24);
    let new = NewToken { name, person: person.clone(), scopes, lasts };
    let secret = site.station.make_token(&new, Some(&person)).await?;
    Ok((new.name, secret))
}

/// Takes one of one's own tokens back.
pub(super) async fn revoke(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(token): Path<TokenName>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let own = site.station.tokens_of(Some(by)).await?;
    if !own.iter().any(|row| row.name == token) {
        return Err(ServerError::from(crate::server::TokenError::Unknown(token)).into());
    }
    site.station.revoke_token(&token, Some(by)).await?;
    Ok(Redirect::to("/account/tokens").into_response())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::{StatusCode, header};
    use tower::ServiceExt;

    use crate::web::routes;
    use crate::web::tests::Town;

    const WATCHES: &str = "name=bang-tin&act=watch&days=30";

    /// What an answer shows of the program's secret.
    fn secret(page: &str) -> Option<&str> {
        let begin = page.find("loaban_")?;
        page[begin..].split('<').next()
    }

    async fn me(town: &Town, secret: &str) -> StatusCode {
        let request = Request::builder().uri("/api/v1/me");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {secret}"));
        let request = request.body(Body::empty()).unwrap();
        let router = routes::router(std::sync::Arc::clone(&town.site));
        router.oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn a_token_is_shown_once_lets_a_program_in_and_is_taken_back() {
        let town = Town::new().await.with("hoa", "operator@mu-ca").await;
        let cookie = town.proved_cookie("hoa").await;
        let (status, page) = town.send("/account/tokens", Some(&cookie), WATCHES).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let secret = secret(&page).unwrap().to_owned();
        assert_eq!(me(&town, &secret).await, StatusCode::OK);
        let (_, again) = town.page("/account/tokens", Some(&cookie)).await;
        assert!(again.contains("bang-tin") && !again.contains("loaban_"), "{again}");
        let (status, _) = town.send("/account/tokens/bang-tin/revocation", Some(&cookie), "").await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert_eq!(me(&town, &secret).await, StatusCode::UNAUTHORIZED);
        let waiting = town.site.station.store.facts_waiting(1_000).await.unwrap();
        let told = waiting.iter().filter(|fact| fact.kind.starts_with("token."));
        let told: Vec<(&str, &str)> = told.map(|f| (f.kind.as_str(), f.who.as_str())).collect();
        assert_eq!(told, [("token.made", "person:hoa"), ("token.revoked", "person:hoa")]);
    }

    #[tokio::test]
    async fn a_token_is_made_only_after_a_one_time_code() {
        let town = Town::new().await.with("hoa", "operator").await;
        let cookie = town.cookie("hoa").await;
        let (status, page) = town.send("/account/tokens", Some(&cookie), WATCHES).await;
        assert_eq!((status, secret(&page)), (StatusCode::UNAUTHORIZED, None), "{page}");
        assert!(town.site.station.tokens_of(None).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn nobody_gives_a_program_what_no_duty_of_theirs_allows() {
        let town = Town::new().await.with("hoa", "operator").await;
        let cookie = town.proved_cookie("hoa").await;
        let (_, page) = town.page("/account/tokens", Some(&cookie)).await;
        assert!(page.contains("value=\"order\"") && !page.contains("value=\"invite\""), "{page}");
        let form = "name=bang-tin&act=watch&act=invite&days=30";
        let (status, page) = town.send("/account/tokens", Some(&cookie), form).await;
        assert_eq!((status, secret(&page)), (StatusCode::UNPROCESSABLE_ENTITY, None));
        assert!(page.contains("value=\"bang-tin\""), "what was typed stays: {page}");
    }

    #[tokio::test]
    async fn one_person_does_not_fill_the_list_of_tokens() {
        let town = Town::new().await.with("hoa", "operator").await;
        let cookie = town.proved_cookie("hoa").await;
        let mut statuses = Vec::new();
        for n in 0..=20 {
            let form = format!("name=bang-tin-{n}&act=watch&days=7");
            statuses.push(town.send("/account/tokens", Some(&cookie), &form).await.0);
        }
        let last = statuses.pop().unwrap();
        assert_eq!(last, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(statuses.iter().all(|status| *status == StatusCode::OK), "{statuses:?}");
    }

    #[tokio::test]
    async fn a_token_of_somebody_else_is_taken_back_by_whoever_administers_them_and_by_nobody_else()
    {
        let town =
            Town::new().await.with("hoa", "operator@mu-ca").await.with("ha", "operator").await;
        let town =
            town.with("mo", "administrator@mu-ca").await.with("ka", "administrator@ka-lang").await;
        let cookie = town.proved_cookie("hoa").await;
        town.send("/account/tokens", Some(&cookie), WATCHES).await;
        let own = town.proved_cookie("ha").await;
        let (status, _) = town.send("/account/tokens/bang-tin/revocation", Some(&own), "").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let act = "/administration/tokens/bang-tin/revocation";
        let far = town.proved_cookie("ka").await;
        assert_eq!(town.send(act, Some(&far), "").await.0, StatusCode::FORBIDDEN);
        let near = town.proved_cookie("mo").await;
        let (_, page) = town.page("/people/hoa", Some(&near)).await;
        assert!(page.contains("bang-tin"), "{page}");
        let (status, to) = town.send(act, Some(&near), "next=/people/hoa").await;
        assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/people/hoa"));
        assert!(town.site.station.tokens_of(None).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn tokens_of_somebody_whose_duties_were_taken_back_never_count_again() {
        let town =
            Town::new().await.with("hoa", "operator").await.with("tri", "administrator").await;
        let (cookie, root) = (town.proved_cookie("hoa").await, town.proved_cookie("tri").await);
        let (_, page) = town.send("/account/tokens", Some(&cookie), WATCHES).await;
        let secret = secret(&page).unwrap();
        town.send("/people/hoa/end", Some(&root), "").await;
        let town = town.with("hoa", "operator").await;
        assert_eq!(me(&town, secret).await, StatusCode::UNAUTHORIZED);
    }
}
