//! What stands before every page: who asks, from where, and whether they may.
//!
//! **Default deny**: a route that [`super::routes`] does not name is closed. A request that changes
//! something must come from a page of this very site.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::access::Action;
use crate::clock::utc_now;
use crate::server::{Browser, SignedIn};
use crate::web::Site;
use crate::web::door::Peer;
use crate::web::fault::Fault;
use crate::web::routes::{self, Who};
use crate::web::sign_in::{self, Again};
use crate::web::tongue::Tongue;

/// The cookie that holds the session's token, without TLS and with it: a browser takes the second
/// from this very host and over TLS only.
const SESSION_COOKIES: [&str; 2] = ["loaban_session", "__Host-loaban_session"];

/// The cookie that holds the language.
pub(super) const TONGUE_COOKIE: &str = "loaban_tongue";

/// Bytes of a form at most that is kept while somebody signs in again.
const FORM_BYTES_MAX: usize = 512 * 1024;

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    pub(super) tongue: Tongue,
    pub(super) signed_in: Option<SignedIn>,
    /// The path and query of this page.
    pub(super) path: String,
    pub(super) browser: Browser,
    pub(super) token: Option<String>,
    /// Whether nobody on the way can read along.
    pub(super) secure: bool,
}

impl Visitor {
    /// The cookie that holds a session's token, or takes it back where there is none.
    pub(super) fn session_cookie(&self, token: Option<&str>) -> String {
        let name = SESSION_COOKIES[usize::from(self.secure)];
        let secure = if self.secure { "; Secure" } else { "" };
        let age = if token.is_none() { "; Max-Age=0" } else { "" };
        let token = token.unwrap_or_default();
        format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{age}")
    }

    /// Whoever is signed in; the guard has let nobody else in.
    pub(super) fn who(&self) -> Result<&SignedIn, Fault> {
        self.signed_in.as_ref().ok_or_else(Fault::signed_out)
    }

    /// Whether a duty of theirs allows `action` anywhere.
    pub(super) fn may(&self, action: Action) -> bool {
        self.signed_in.as_ref().is_some_and(|signed_in| signed_in.may(action))
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Fault::signed_out)
    }
}

/// Lets a request through, or answers it here.
pub(super) async fn guard(
    State(site): State<Arc<Site>>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut visitor = stranger(&request);
    if let Some(token) = &visitor.token {
        match site.station.signed_in(token).await {
            Ok(signed_in) => visitor.signed_in = signed_in,
            Err(error) => return sealed(Fault::from(error).into_response()),
        }
    }
    request.extensions_mut().insert(visitor.clone());
    let mut response = match judge(&request, &visitor) {
        Ok(()) => next.run(request).await,
        Err(Stop::Fault(fault)) => fault.into_response(),
        Err(Stop::Inbox) => Redirect::to("/inbox").into_response(),
        Err(Stop::SignIn) => sign_in_first(&site, &visitor, request, false).await,
        Err(Stop::Code) => sign_in_first(&site, &visitor, request, true).await,
    };
    crate::web::on_air::along(&site, &visitor, &mut response);
    sealed(crate::web::fault::dressed(response, &site, &visitor))
}

/// Why a request goes no further.
enum Stop {
    Fault(Fault),
    SignIn,
    Code,
    Inbox,
}

fn judge(request: &Request, visitor: &Visitor) -> Result<(), Stop> {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let who = routes::who(request.method(), path);
    let who = who.ok_or_else(|| Stop::Fault(Fault::not_found()))?;
    if *request.method() != Method::GET && !same_site(request.headers()) {
        return Err(Stop::Fault(Fault::other_site()));
    }
    let action = match who {
        Who::Anybody => return Ok(()),
        Who::SignedIn | Who::Proved => None,
        Who::May(action) => Some(action),
    };
    let signed_in = visitor.signed_in.as_ref().ok_or(Stop::SignIn)?;
    if let Some(action) = action.filter(|action| !signed_in.may(*action)) {
        // Who watches no loudspeakers begins with what waits for them.
        if path == "/" && signed_in.may(Action::Read) {
            return Err(Stop::Inbox);
        }
        return Err(Stop::Fault(Fault::denied(action)));
    }
    let needs_code = who == Who::Proved || action.is_some_and(Action::needs_code);
    if needs_code && !signed_in.proved(utc_now()) {
        return Err(Stop::Code);
    }
    Ok(())
}

/// Whether a page of this site sent it: browsers name the origin of every request that changes
/// something, and no other site can forge it.
fn same_site(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST)) else {
        return false;
    };
    origin.split_once("://").is_some_and(|(_, named)| named == host)
}

/// Sends somebody to sign in or to give a code; a form that they sent goes with them.
async fn sign_in_first(site: &Site, visitor: &Visitor, request: Request, code: bool) -> Response {
    if *request.method() == Method::GET {
        let page = if code { "/code" } else { "/login" };
        return Redirect::to(&format!("{page}?next={}", encoded(&visitor.path))).into_response();
    }
    let path = request.uri().path().to_owned();
    let form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let body = Bytes::from_request(request, &()).await.unwrap_or_default();
    let body = std::str::from_utf8(&body).ok().filter(|b| form && b.len() <= FORM_BYTES_MAX);
    let again = body.map(|body| Again { path, body: body.to_owned() });
    sign_in::interrupted(site, visitor, again, code).into_response()
}

/// As part of a query.
pub(super) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_./".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Whoever asks, before anybody knows who that is.
fn stranger(request: &Request) -> Visitor {
    let headers = request.headers();
    let peer = request.extensions().get::<Peer>();
    let secure = peer.is_some_and(|peer| peer.tls) || behind_tls(headers);
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Visitor {
        tongue: Tongue::of(cookie(headers, TONGUE_COOKIE)),
        signed_in: None,
        path: request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        browser: Browser {
            address: peer.map(|peer| peer.address.ip().to_string()).unwrap_or_default(),
            agent: agent.unwrap_or_default().to_owned(),
        },
        token: cookie(headers, SESSION_COOKIES[usize::from(secure)]).map(str::to_owned),
        secure,
    }
}

/// Whether a proxy on this machine, which alone reaches the door without TLS, says that it speaks
/// TLS itself.
fn behind_tls(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes() == b"https")
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).into_iter();
    let pairs = all.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
    named.find(|(held, _)| *held == name).map(|(_, value)| value)
}

/// What every answer says of itself: nothing from elsewhere runs, frames or is kept.
const SEALS: [(header::HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; \
         img-src 'self' data:; media-src 'self' blob:; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

pub(super) fn sealed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in SEALS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_a_page_of_this_site_may_change_something() {
        let of = |origin: &str| {
            same_site(&headers(&[(header::ORIGIN, origin), (header::HOST, "loa.xa:8443")]))
        };
        assert!(of("https://loa.xa:8443"));
        for other in ["https://loa.xa", "https://evil.example", "null", "loa.xa:8443"] {
            assert!(!of(other), "{other}");
        }
        assert!(!same_site(&headers(&[(header::HOST, "loa.xa:8443")])), "no origin");
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let held = headers(&[(header::COOKIE, "xloaban_session=a; loaban_session=b; c=d")]);
        assert_eq!(cookie(&held, SESSION_COOKIES[0]), Some("b"));
        assert_eq!(cookie(&held, "loaban"), None);
    }

    #[test]
    fn a_path_survives_a_query() {
        assert_eq!(encoded("/areas/mu-ca?a=b&c"), "/areas/mu-ca%3Fa%3Db%26c");
    }
}
