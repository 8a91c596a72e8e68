//! Signing in: name and password, the one-time code, an invitation, the way back to what one did.
//!
//! A form that was sent after its session had ended is not lost: it goes through the sign-in as it
//! was, and is offered again.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::server::PASSWORD_CHARS_MIN;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::{TONGUE_COOKIE, Visitor};
use crate::web::tongue::Tongue;

/// A form that waits until its sender has signed in.
#[derive(Clone, Debug)]
pub(super) struct Again {
    pub(super) path: String,
    pub(super) body: String,
}

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Onward {
    next: Option<String>,
    again_path: Option<String>,
    again_body: Option<String>,
}

impl Onward {
    /// A path on this site: never an address of another one.
    pub(super) fn path(&self) -> String {
        let next = self.next.as_deref().unwrap_or("/");
        let own = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
        if own { next.to_owned() } else { "/".to_owned() }
    }

    fn again(&self) -> Option<Again> {
        let path = self.again_path.clone().filter(|path| path.starts_with('/'))?;
        Some(Again { path, body: self.again_body.clone()? })
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    frame: Frame,
    next: String,
    again: Option<Again>,
    fault: Option<String>,
    name: String,
}

/// The form to sign in.
pub(super) async fn form(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(next): Query<Onward>,
) -> Response {
    frame::page(&sign_in_page(&site, &visitor, &next, None, ""))
}

fn sign_in_page(
    site: &Site,
    visitor: &Visitor,
    next: &Onward,
    fault: Option<&Fault>,
    name: &str,
) -> SignIn {
    SignIn {
        frame: Frame::new(site, visitor, visitor.tongue.say("Đăng nhập", "Sign in")),
        next: next.path(),
        again: next.again(),
        fault: fault.map(|fault| visitor.tongue.say(&fault.vi, &fault.en).to_owned()),
        name: name.to_owned(),
    }
}

/// Name and password.
#[derive(Deserialize)]
pub(super) struct Credentials {
    name: String,
    password: String,
    #[serde(flatten)]
    next: Onward,
}

/// Signs somebody in, with the brake on guessing.
pub(super) async fn sign_in(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(given): Form<Credentials>,
) -> Result<Response, Fault> {
    let name = given.name.trim().to_lowercase();
    let address = &visitor.browser.address;
    let refused = |fault: &Fault| {
        let page = sign_in_page(&site, &visitor, &given.next, Some(fault), &name);
        (fault.status, frame::page(&page)).into_response()
    };
    if let Some(wait) = site.throttle().wait(site.clock.now().up, &name, address) {
        return Ok(refused(&too_often(wait)));
    }
    let token = match site.station.sign_in(&name, &given.password, &visitor.browser).await {
        Ok(token) => token,
        Err(error) => {
            site.throttle().failed(site.clock.now().up, &name, address);
            return Ok(refused(&error.into()));
        }
    };
    site.throttle().succeeded(&name);
    let onward = onward(&site, &visitor, &given.next);
    Ok(with_cookie(onward, &visitor.session_cookie(Some(&token))))
}

fn too_often(wait: std::time::Duration) -> Fault {
    let seconds = wait.as_secs() + 1;
    Fault {
        status: axum::http::StatusCode::TOO_MANY_REQUESTS,
        vi: format!("Sai quá nhiều lần; hãy chờ {seconds} giây rồi thử lại."),
        en: format!("Too many failures; wait {seconds} seconds and try again."),
    }
}

#[derive(Template)]
#[template(path = "again.html")]
struct AgainPage {
    frame: Frame,
    path: String,
    fields: Vec<(String, String)>,
}

/// To the page that was asked for, or to the form that waited.
fn onward(site: &Site, visitor: &Visitor, next: &Onward) -> Response {
    let Some(again) = next.again() else { return Redirect::to(&next.path()).into_response() };
    let title = visitor.tongue.say("Gửi lại", "Send again");
    let fields = serde_urlencoded::from_str(&again.body).unwrap_or_default();
    frame::page(&AgainPage { frame: Frame::new(site, visitor, title), path: again.path, fields })
}

/// What a form meets whose sender must sign in, or give a code, first.
pub(super) fn interrupted(
    site: &Site,
    visitor: &Visitor,
    again: Option<Again>,
    code: bool,
) -> Response {
    let has_codes = visitor.signed_in.as_ref().is_some_and(|who| who.has_second);
    let (vi, en) = match (code, has_codes) {
        (false, _) => (
            "Phiên làm việc đã hết. Hãy xác nhận lại; những gì bạn vừa gõ vẫn còn và sẽ được gửi tiếp.",
            "The session has ended. Confirm who you are; what you typed is kept and can be sent on.",
        ),
        (true, true) => (
            "Hãy ghi mã một lần; những gì bạn vừa gõ vẫn còn và sẽ được gửi tiếp.",
            "Give a one-time code; what you typed is kept and can be sent on.",
        ),
        (true, false) => (
            "Chưa làm gì cả: cài đặt mã một lần xong, hãy mở lại trang trước và làm lại.",
            "Nothing was done: set one-time codes up, then open the page before and do it again.",
        ),
    };
    let fault = Fault { status: axum::http::StatusCode::UNAUTHORIZED, ..Fault::bad(vi, en) };
    let (again_path, again_body) = again.map(|a| (a.path, a.body)).unzip();
    let next = Onward { next: None, again_path, again_body };
    let page = if code {
        frame::page(&code_page(site, visitor, &next, Some(&fault)))
    } else {
        frame::page(&sign_in_page(site, visitor, &next, Some(&fault), ""))
    };
    (fault.status, page).into_response()
}

/// Ends this session.
pub(super) async fn sign_out(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    let session = &visitor.who()?.session;
    site.station.sign_out(&session.person, Some(session.token)).await?;
    let gone = visitor.session_cookie(None);
    Ok(with_cookie(Redirect::to("/login").into_response(), &gone))
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodePage {
    frame: Frame,
    next: String,
    again: Option<Again>,
    fault: Option<String>,
    /// Whether codes are set up for them.
    set: bool,
}

fn code_page(site: &Site, visitor: &Visitor, next: &Onward, fault: Option<&Fault>) -> CodePage {
    CodePage {
        frame: Frame::new(site, visitor, visitor.tongue.say("Mã một lần", "One-time code")),
        next: next.path(),
        again: next.again(),
        fault: fault.map(|fault| visitor.tongue.say(&fault.vi, &fault.en).to_owned()),
        set: visitor.signed_in.as_ref().is_some_and(|signed_in| signed_in.has_second),
    }
}

/// The form for a one-time code.
pub(super) async fn code_form(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(next): Query<Onward>,
) -> Response {
    frame::page(&code_page(&site, &visitor, &next, None))
}

/// A one-time code.
#[derive(Deserialize)]
pub(super) struct Code {
    code: String,
    #[serde(flatten)]
    next: Onward,
}

/// Takes a one-time code, with the brake on guessing.
pub(super) async fn code(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(given): Form<Code>,
) -> Result<Response, Fault> {
    let session = &visitor.who()?.session;
    let name = format!("code:{}", session.person);
    let address = &visitor.browser.address;
    let refused = |fault: &Fault| {
        let page = code_page(&site, &visitor, &given.next, Some(fault));
        (fault.status, frame::page(&page)).into_response()
    };
    if let Some(wait) = site.throttle().wait(site.clock.now().up, &name, address) {
        return Ok(refused(&too_often(wait)));
    }
    let digits: String = given.code.chars().filter(char::is_ascii_digit).collect();
    if let Err(error) = site.station.give_code(session, &digits).await {
        site.throttle().failed(site.clock.now().up, &name, address);
        return Ok(refused(&error.into()));
    }
    site.throttle().succeeded(&name);
    Ok(onward(&site, &visitor, &given.next))
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct Invited {
    frame: Frame,
    code: String,
    person: String,
    name: String,
    least: usize,
    fault: Option<String>,
}

/// An invitation's code.
#[derive(Deserialize)]
pub(super) struct Invitation {
    code: String,
}

/// The form to choose a password.
pub(super) async fn invitation(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(Invitation { code }): Query<Invitation>,
) -> Result<Response, Fault> {
    invited(&site, &visitor, code, None).await
}

async fn invited(
    site: &Site,
    visitor: &Visitor,
    code: String,
    fault: Option<String>,
) -> Result<Response, Fault> {
    let person = site.station.invited(&code).await?;
    let title = visitor.tongue.say("Chọn mật khẩu", "Choose a password");
    Ok(frame::page(&Invited {
        frame: Frame::new(site, visitor, title),
        code,
        person: person.id.to_string(),
        name: person.name,
        least: PASSWORD_CHARS_MIN,
        fault,
    }))
}

/// An invitation with the password that somebody chose.
#[derive(Deserialize)]
pub(super) struct Choice {
    code: String,
    password: String,
    repeat: String,
}

/// Uses the invitation up.
pub(super) async fn choose(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(given): Form<Choice>,
) -> Result<Response, Fault> {
    if given.password != given.repeat {
        let differ = visitor.tongue.say(
            "Hai lần gõ mật khẩu khác nhau; hãy gõ lại.",
            "The two passwords differ; type them again.",
        );
        return invited(&site, &visitor, given.code, Some(differ.to_owned())).await;
    }
    match site.station.choose_password(&given.code, &given.password).await {
        Ok(_) => Ok(Redirect::to("/login").into_response()),
        Err(error) => {
            let fault = Fault::from(error);
            let sentence = visitor.tongue.say(&fault.vi, &fault.en).to_owned();
            invited(&site, &visitor, given.code, Some(sentence)).await
        }
    }
}

/// A language, and the page on which it was chosen.
#[derive(Deserialize)]
pub(super) struct Chosen {
    tongue: String,
    #[serde(flatten)]
    next: Onward,
}

/// Changes the language of the pages.
pub(super) async fn tongue(Form(chosen): Form<Chosen>) -> Response {
    let tongue = Tongue::of(Some(&chosen.tongue));
    let cookie =
        format!("{TONGUE_COOKIE}={tongue}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000");
    with_cookie(Redirect::to(&chosen.next.path()).into_response(), &cookie)
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    let value = HeaderValue::from_str(cookie).expect("a cookie of ours is plain ASCII");
    response.headers_mut().append(header::SET_COOKIE, value);
    response
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};

    use super::*;
    use crate::web::guard::encoded;
    use crate::web::tests::{PASSWORD, Town, read};

    fn credentials(name: &str, password: &str) -> String {
        format!("name={name}&password={}", encoded(password))
    }

    #[test]
    fn nobody_is_sent_to_another_site() {
        let path = |next: &str| Onward { next: Some(next.to_owned()), ..Onward::default() }.path();
        assert_eq!(path("/areas/mu-ca?a=1"), "/areas/mu-ca?a=1");
        for other in ["//evil.example", "https://evil.example", "/\\evil.example", "areas"] {
            assert_eq!(path(other), "/", "{other}");
        }
    }

    #[tokio::test]
    async fn an_unknown_name_and_a_wrong_password_get_the_same_answer() {
        let town = Town::new().await.with("sua", "operator@mu-ca").await;
        let wrong = town.send("/login", None, &credentials("sua", "sai mat khau roi")).await;
        let unknown = town.send("/login", None, &credentials("suu", "sai mat khau roi")).await;
        assert_eq!(wrong.0, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(wrong.1.replace("value=\"sua\"", ""), unknown.1.replace("value=\"suu\"", ""));
    }

    #[tokio::test]
    async fn guessing_is_slowed_down_and_even_the_right_password_waits() {
        let town = Town::new().await.with("sua", "operator").await;
        for _ in 0..5 {
            town.send("/login", None, &credentials("sua", "sai mat khau roi")).await;
        }
        let right = town.send("/login", None, &credentials("sua", PASSWORD)).await;
        assert_eq!(right.0, StatusCode::TOO_MANY_REQUESTS);
        assert!(right.1.contains("hãy chờ"), "{}", right.1);
    }

    #[tokio::test]
    async fn whoever_signs_in_gets_a_cookie_that_scripts_and_other_sites_never_see() {
        let town = Town::new().await.with("sua", "operator").await;
        let form = credentials("sua", PASSWORD);
        let response = town.visit(Method::POST, "/login", None, &form).await;
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert_eq!(read(response).await.1, "/");
    }

    #[tokio::test]
    async fn a_signed_out_session_and_a_revoked_person_are_let_in_nowhere() {
        let town = Town::new().await.with("sua", "operator").await.with("mai", "operator").await;
        let (sua, mai) = (town.cookie("sua").await, town.cookie("mai").await);
        assert_eq!(town.page("/", Some(&sua)).await.0, StatusCode::OK);
        town.send("/logout", Some(&sua), "").await;
        assert_eq!(town.page("/", Some(&sua)).await.1, "/login?next=/");
        let mut tx = town.site.station.store.begin().await.unwrap();
        let (id, name) = ("mai".parse().unwrap(), "Mai".to_owned());
        tx.put_person(&crate::store::Person { id, name, roles: String::new() }).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(town.page("/", Some(&mai)).await.1, "/login?next=/");
    }

    #[tokio::test]
    async fn an_invitation_counts_once() {
        let town = Town::new().await.with("sua", "operator").await;
        let code = town.site.station.invite(&"sua".parse().unwrap(), None).await.unwrap();
        let password = encoded("mot mat khau khac");
        let form = format!("code={code}&password={password}&repeat={password}");
        assert_eq!(town.send("/invitation", None, &form).await.1, "/login");
        let again = town.send("/invitation", None, &form).await;
        assert!(again.1.contains("đã dùng"), "{}", again.1);
        let old = town.send("/login", None, &credentials("sua", PASSWORD)).await;
        assert_eq!(old.0, StatusCode::UNPROCESSABLE_ENTITY, "the old password is gone");
    }

    #[tokio::test]
    async fn a_weak_password_is_refused_and_the_invitation_stays() {
        let town = Town::new().await.with("sua-a-pho", "operator").await;
        let code = town.site.station.invite(&"sua-a-pho".parse().unwrap(), None).await.unwrap();
        for weak in ["ngan", "aaaaaaaaaaaaaa", "sua-a-pho-2026"] {
            let form = format!("code={code}&password={weak}&repeat={weak}");
            assert!(town.send("/invitation", None, &form).await.1.contains("dễ đoán"), "{weak}");
        }
        assert!(town.site.station.invited(&code).await.is_ok());
    }

    #[tokio::test]
    async fn a_one_time_code_counts_once() {
        let town = Town::new().await.with("hoa", "administrator").await;
        let first = town.cookie("hoa").await;
        let station = &town.site.station;
        let session = |cookie: String| async move {
            station.signed_in(cookie.split_once('=').unwrap().1).await.unwrap().unwrap().session
        };
        let second = station.second_to_set(&"hoa".parse().unwrap()).await.unwrap();
        let seconds = crate::clock::utc_now().seconds().try_into().unwrap();
        let totp = totp_rs::Totp::from_url(&second.address).unwrap();
        let code = totp.generate(seconds).to_string();
        station.give_code(&session(first).await, &code).await.unwrap();
        let other = session(town.cookie("hoa").await).await;
        assert!(station.give_code(&other, &code).await.is_err(), "seen over a shoulder");
    }

    #[tokio::test]
    async fn a_form_whose_session_ended_is_offered_again_as_it_was() {
        let town = Town::new().await.with("sua", "operator").await;
        let form = "command=volume&percent=45&area=mu-ca&note=%C4%90%E1%BB%93i";
        let stopped = town.send("/controllers/mu-ca-1/order", None, form).await;
        assert_eq!(stopped.0, StatusCode::UNAUTHORIZED);
        assert!(stopped.1.contains("percent=45"), "{}", stopped.1);
        let again = format!(
            "{}&again_path=/controllers/mu-ca-1/order&again_body={}",
            credentials("sua", PASSWORD),
            encoded(form)
        );
        let offered = town.send("/login", None, &again).await;
        for part in ["/controllers/mu-ca-1/order", "value=\"45\"", "value=\"Đồi\""] {
            assert!(offered.1.contains(part), "{part}: {}", offered.1);
        }
    }
}
