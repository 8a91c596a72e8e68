//! Every route, and who may take it: the one table.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Extensions, HeaderMap, Method, StatusCode, Version, header};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::access::Action;
use crate::web::fault::Fault;
use crate::web::guard::guard;
use crate::web::{
    Site, account, administration, announcement, api, assets, commune, emergency, inspector,
    metrics, newsroom, on_air, overview, programme, sign_in, token,
};

/// Bytes of a request's body at most: forms only, of which the script of two hours is the longest.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Who may take a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Everybody, signed in or not.
    Anybody,
    /// Everybody who is signed in.
    SignedIn,
    /// Everybody who is signed in and has given a one-time code.
    Proved,
    /// Whoever has a duty that allows this; the area is looked at by the station.
    May(Action),
}

/// A route that is open to somebody.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) who: Who,
}

pub(super) const fn route(method: Method, path: &'static str, who: Who) -> Route {
    Route { method, path, who }
}

/// Every route that is open to anybody at all, room by room.
static ROOMS: [&[Route]; 2] = [&GROUND, &newsroom::ROUTES];

static GROUND: [Route; 93] = [
    route(Method::GET, "/healthz", Who::Anybody),
    route(Method::GET, "/readyz", Who::Anybody),
    route(Method::GET, "/static/{release}/{*name}", Who::Anybody),
    route(Method::GET, "/api", Who::Anybody),
    route(Method::GET, "/login", Who::Anybody),
    route(Method::POST, "/login", Who::Anybody),
    route(Method::GET, "/invitation", Who::Anybody),
    route(Method::POST, "/invitation", Who::Anybody),
    route(Method::POST, "/tongue", Who::Anybody),
    route(Method::POST, "/logout", Who::SignedIn),
    route(Method::GET, "/code", Who::SignedIn),
    route(Method::POST, "/code", Who::SignedIn),
    route(Method::GET, "/account", Who::SignedIn),
    route(Method::POST, "/account/sessions", Who::SignedIn),
    route(Method::GET, "/account/tokens", Who::SignedIn),
    route(Method::POST, "/account/tokens", Who::Proved),
    route(Method::POST, "/account/tokens/{token}/revocation", Who::SignedIn),
    route(Method::GET, "/people", Who::May(Action::Invite)),
    route(Method::POST, "/people", Who::May(Action::Invite)),
    route(Method::GET, "/people/{person}", Who::May(Action::Invite)),
    route(Method::POST, "/people/{person}/duties", Who::May(Action::Invite)),
    route(Method::POST, "/people/{person}/invitation", Who::May(Action::Invite)),
    route(Method::POST, "/people/{person}/sessions", Who::May(Action::Invite)),
    route(Method::POST, "/people/{person}/end", Who::May(Action::Invite)),
    route(Method::POST, "/people/{person}/erasure", Who::May(Action::Invite)),
    route(Method::GET, "/administration/controllers", Who::May(Action::ChangeFleet)),
    route(Method::GET, "/administration/controllers/{controller}", Who::May(Action::ChangeFleet)),
    route(
        Method::POST,
        "/administration/controllers/{controller}/provision",
        Who::May(Action::ChangeFleet),
    ),
    route(
        Method::POST,
        "/administration/controllers/{controller}/enrolment",
        Who::May(Action::ChangeFleet),
    ),
    route(
        Method::POST,
        "/administration/controllers/{controller}/certificate",
        Who::May(Action::ChangeFleet),
    ),
    route(
        Method::POST,
        "/administration/controllers/{controller}/revocation",
        Who::May(Action::ChangeFleet),
    ),
    route(Method::GET, "/administration/lists", Who::May(Action::ChangeFleet)),
    route(Method::POST, "/administration/lists", Who::May(Action::ChangeFleet)),
    route(Method::GET, "/administration/files", Who::May(Action::ChangeFleet)),
    route(Method::GET, "/administration/files/{name}", Who::May(Action::ChangeFleet)),
    route(Method::POST, "/administration/files/{name}", Who::May(Action::ChangeFleet)),
    route(Method::GET, "/administration/keys", Who::May(Action::ChangeFleet)),
    route(Method::POST, "/administration/tokens/{token}/revocation", Who::May(Action::Invite)),
    route(Method::GET, "/administration/health", Who::May(Action::ChangeFleet)),
    route(Method::POST, "/administration/hold", Who::May(Action::Invite)),
    route(Method::GET, "/", Who::May(Action::Watch)),
    route(Method::GET, "/status.json", Who::May(Action::Watch)),
    route(Method::GET, "/areas/{area}", Who::May(Action::Watch)),
    route(Method::GET, "/areas/{area}/live", Who::May(Action::Watch)),
    route(Method::POST, "/controllers/{controller}/order", Who::May(Action::Order)),
    route(Method::POST, "/controllers/{controller}/acknowledgement", Who::May(Action::Attend)),
    route(Method::POST, "/controllers/{controller}/maintenance", Who::May(Action::Attend)),
    route(Method::GET, "/areas/{area}/question", Who::May(Action::TakeQuestion)),
    route(Method::POST, "/areas/{area}/question", Who::May(Action::TakeQuestion)),
    route(Method::GET, "/areas/{area}/announcement", Who::May(Action::Announce)),
    route(Method::POST, "/areas/{area}/announcement", Who::May(Action::Announce)),
    route(Method::POST, "/areas/{area}/announcement/recording", Who::May(Action::Announce)),
    route(Method::GET, "/announcements", Who::May(Action::Listen)),
    route(Method::GET, "/announcements/{bulletin}", Who::May(Action::Listen)),
    route(Method::GET, "/announcements/{bulletin}/live", Who::May(Action::Listen)),
    route(Method::POST, "/announcements/{bulletin}/review", Who::May(Action::Review)),
    route(Method::POST, "/announcements/{bulletin}/return", Who::May(Action::Review)),
    route(Method::POST, "/announcements/{bulletin}/approval", Who::May(Action::Approve)),
    route(Method::POST, "/announcements/{bulletin}/time", Who::May(Action::Announce)),
    route(Method::POST, "/announcements/{bulletin}/withdrawal", Who::May(Action::Listen)),
    route(Method::GET, "/on-air", Who::SignedIn),
    route(Method::GET, "/programmes", Who::May(Action::Read)),
    route(Method::GET, "/programmes/week", Who::May(Action::Read)),
    route(Method::GET, "/programmes/village", Who::May(Action::Read)),
    route(Method::GET, "/programmes/new", Who::May(Action::Programme)),
    route(Method::GET, "/programmes/{programme}", Who::May(Action::Read)),
    route(Method::GET, "/programmes/{programme}/airing", Who::May(Action::Programme)),
    route(Method::GET, "/exceptions/new", Who::May(Action::Programme)),
    route(Method::GET, "/exceptions/{exception}", Who::May(Action::Read)),
    route(Method::POST, "/programmes/form", Who::May(Action::Programme)),
    route(Method::POST, "/programmes/preview", Who::May(Action::Programme)),
    route(Method::POST, "/programmes/save", Who::May(Action::Programme)),
    route(Method::GET, "/recordings/{digest}", Who::May(Action::Listen)),
    route(Method::GET, "/recordings/{digest}/original", Who::May(Action::Listen)),
    route(Method::POST, "/decisions", Who::May(Action::Decide)),
    route(Method::GET, "/emergencies", Who::May(Action::Alarm)),
    route(Method::GET, "/emergencies/{id}", Who::May(Action::Alarm)),
    route(Method::GET, "/emergencies/{id}/live", Who::May(Action::Alarm)),
    route(Method::POST, "/emergencies", Who::May(Action::Alarm)),
    route(Method::POST, "/emergencies/{id}/confirmation", Who::May(Action::Alarm)),
    route(Method::POST, "/emergencies/{id}/cancel", Who::May(Action::Alarm)),
    route(Method::GET, "/inspector", Who::May(Action::Watch)),
    route(Method::GET, "/inspector/airings", Who::May(Action::Watch)),
    route(Method::GET, "/inspector/why", Who::May(Action::Watch)),
    route(Method::GET, "/inspector/forms", Who::May(Action::Watch)),
    route(Method::GET, "/inspector/forms/{form}", Who::May(Action::Watch)),
    route(Method::GET, "/inspector/forms/{form}/file", Who::May(Action::Watch)),
    route(Method::GET, "/inspector/entries", Who::May(Action::Watch)),
    route(Method::GET, "/inspector/entries/{entry}", Who::May(Action::Watch)),
    route(Method::GET, "/inspector/bundle", Who::May(Action::Watch)),
    route(Method::GET, "/inspector/verification", Who::May(Action::Watch)),
    route(Method::POST, "/inspector/verification", Who::May(Action::Watch)),
    route(Method::GET, "/inspector/verification/live", Who::May(Action::Watch)),
];

/// Every route of every room.
fn all() -> impl Iterator<Item = &'static Route> {
    ROOMS.iter().copied().flatten()
}

/// Who may take this route; `None` where it is closed to everybody.
pub(super) fn who(method: &Method, path: &str) -> Option<Who> {
    let found = all().find(|route| route.method == *method && route.path == path);
    found.map(|route| route.who)
}

/// The handlers behind the guard.
pub(super) fn router(site: Arc<Site>) -> Router {
    let api = api::router(&site);
    let pages = Router::new()
        .route("/healthz", get(overview::alive))
        .route("/readyz", get(overview::ready))
        .route("/static/{release}/{*name}", get(assets::serve))
        .route("/api", get(api::show))
        .route("/login", get(sign_in::form).post(sign_in::sign_in))
        .route("/invitation", get(sign_in::invitation).post(sign_in::choose))
        .route("/tongue", post(sign_in::tongue))
        .route("/logout", post(sign_in::sign_out))
        .route("/code", get(sign_in::code_form).post(sign_in::code))
        .route("/account", get(account::show))
        .route("/account/sessions", post(account::end_session))
        .route("/account/tokens", get(token::list).post(token::make))
        .route("/account/tokens/{token}/revocation", post(token::revoke))
        .route("/", get(overview::show))
        .route("/status.json", get(overview::status))
        .route("/areas/{area}", get(commune::show))
        .route("/areas/{area}/live", get(commune::live))
        .route("/controllers/{controller}/order", post(commune::order))
        .route("/controllers/{controller}/acknowledgement", post(commune::acknowledge))
        .route("/controllers/{controller}/maintenance", post(commune::maintain))
        .route("/areas/{area}/question", get(commune::question_form).post(commune::ask))
        .merge(announcements())
        .merge(newsroom::router())
        .merge(programmes())
        .route("/decisions", post(commune::decide))
        .route("/emergencies", get(emergency::list).post(emergency::raise))
        .route("/emergencies/{id}", get(emergency::show))
        .route("/emergencies/{id}/live", get(emergency::live))
        .route("/emergencies/{id}/confirmation", post(emergency::confirm))
        .route("/emergencies/{id}/cancel", post(emergency::cancel))
        .merge(inspection())
        .merge(administered())
        .fallback(|| async { Fault::not_found().into_response() })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(Arc::clone(&site), guard))
        .with_state(Arc::clone(&site));
    let numbers = Router::new().route("/metrics", get(metrics::show)).with_state(Arc::clone(&site));
    let all = Router::new().nest("/api/v1", api).merge(numbers).merge(pages);
    let small = CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_words);
    all.layer(small).layer(from_fn_with_state(site, metrics::timed))
}

/// Whether an answer is made of words, which a weak link gets in a sixth of their bytes. Sounds, fonts
/// and pictures are small already; a stream of events must not wait for a block to fill.
fn is_words(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    const WORDS: [&str; 6] = [
        "text/html",
        "text/css",
        "text/javascript",
        "text/csv",
        "application/json",
        "image/svg+xml",
    ];
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| WORDS.iter().any(|words| kind.starts_with(words)))
}

/// Programmes, exceptions, the week.
fn programmes() -> Router<Arc<Site>> {
    Router::new()
        .route("/on-air", get(on_air::stream))
        .route("/programmes", get(programme::list))
        .route("/programmes/week", get(programme::week))
        .route("/programmes/village", get(programme::village))
        .route("/programmes/new", get(programme::new))
        .route("/programmes/{programme}", get(programme::show))
        .route("/programmes/{programme}/airing", get(programme::airing))
        .route("/exceptions/new", get(programme::new_exception))
        .route("/exceptions/{exception}", get(programme::exception))
        .route("/programmes/form", post(programme::again))
        .route("/programmes/preview", post(programme::preview))
        .route("/programmes/save", post(programme::save))
}

/// Announcements and their recordings.
fn announcements() -> Router<Arc<Site>> {
    // A recording has a limit of its own, which counts while it is written to disk.
    let upload = post(announcement::upload).layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/areas/{area}/announcement", get(announcement::form).post(announcement::make))
        .route("/areas/{area}/announcement/recording", upload)
        .route("/announcements", get(announcement::list))
        .route("/announcements/{bulletin}", get(announcement::show))
        .route("/announcements/{bulletin}/live", get(announcement::live))
        .route("/announcements/{bulletin}/review", post(announcement::review))
        .route("/announcements/{bulletin}/return", post(announcement::send_back))
        .route("/announcements/{bulletin}/approval", post(announcement::approve))
        .route("/announcements/{bulletin}/time", post(announcement::move_time))
        .route("/announcements/{bulletin}/withdrawal", post(announcement::withdraw))
        .route("/recordings/{digest}", get(announcement::asset))
        .route("/recordings/{digest}/original", get(announcement::original))
}

/// Administration.
fn administered() -> Router<Arc<Site>> {
    let device = "/administration/controllers/{controller}";
    let at = |act: &str| format!("{device}/{act}");
    Router::new()
        .route("/people", get(administration::people).post(administration::add_person))
        .route("/people/{person}", get(administration::person))
        .route("/people/{person}/duties", post(administration::change))
        .route("/people/{person}/invitation", post(administration::invite))
        .route("/people/{person}/sessions", post(administration::end_session))
        .route("/people/{person}/end", post(administration::end))
        .route("/people/{person}/erasure", post(administration::erase))
        .route("/administration/controllers", get(administration::devices))
        .route(device, get(administration::device))
        .route(&at("provision"), post(administration::provision))
        .route(&at("enrolment"), post(administration::enrol))
        .route(&at("certificate"), post(administration::sign))
        .route(&at("revocation"), post(administration::revoke))
        .route(
            "/administration/lists",
            get(administration::lists).post(administration::add_to_list),
        )
        .route("/administration/files", get(administration::files))
        .route(
            "/administration/files/{name}",
            get(administration::file).post(administration::change_file),
        )
        .route("/administration/keys", get(administration::keys))
        .route("/administration/tokens/{token}/revocation", post(administration::revoke_token))
        .route("/administration/health", get(administration::health))
        .route("/administration/hold", post(administration::hold))
}

/// The inspector's desk.
fn inspection() -> Router<Arc<Site>> {
    Router::new()
        .route("/inspector", get(inspector::figures))
        .route("/inspector/airings", get(inspector::airings))
        .route("/inspector/why", get(inspector::why))
        .route("/inspector/forms", get(inspector::forms))
        .route("/inspector/forms/{form}", get(inspector::form))
        .route("/inspector/forms/{form}/file", get(inspector::file))
        .route("/inspector/entries", get(inspector::entries))
        .route("/inspector/entries/{entry}", get(inspector::entry))
        .route("/inspector/bundle", get(inspector::bundle))
        .route("/inspector/verification", get(inspector::verification).post(inspector::verify))
        .route("/inspector/verification/live", get(inspector::live))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Write as _;

    use axum::http::header::LOCATION;
    use axum::response::Response;

    use super::*;
    use crate::web::tests::Town;

    const DUTIES: [&str; 8] = [
        "contributor",
        "announcer",
        "reviewer",
        "leader",
        "officer",
        "operator",
        "inspector",
        "administrator",
    ];

    /// How far a visitor came: a page, a refusal of the guard, or a door before it.
    fn cell(response: &Response) -> &'static str {
        let to = response.headers().get(LOCATION).map_or("", |to| to.to_str().unwrap());
        match response.status() {
            StatusCode::FORBIDDEN => "–",
            StatusCode::UNAUTHORIZED => "sign in",
            _ if to.starts_with("/login?next") => "sign in",
            _ if to.starts_with("/code?next") => "code",
            status => {
                assert!(!status.is_server_error(), "{status}");
                "open"
            }
        }
    }

    fn example(path: &str) -> String {
        path.replace("{area}", "mu-ca")
            .replace("{controller}", "mu-ca-1")
            // Somebody who is there would lose duty or session for the rows that follow.
            .replace("{person}", "ai-do")
            .replace("{programme}", "tin-sang")
            .replace("{exception}", "ngay-bao")
            .replace("{id}", "kc-1")
            .replace("{bulletin}", "tb-1")
            .replace("{language}", "vi")
            .replace("{question}", "hoi-1")
            .replace("{digest}", &crate::digest::Digest::ZERO.to_string())
            .replace("{release}/{*name}", "0/none")
    }

    async fn row(town: &Town, route: &Route, cookies: &BTreeMap<&str, String>) -> String {
        let mut row = format!("| {} `{}` |", route.method, route.path);
        let visitors = std::iter::once(None).chain(DUTIES.iter().map(|duty| cookies.get(duty)));
        for cookie in visitors {
            let path = example(route.path);
            let method = route.method.clone();
            let response = town.visit(method, &path, cookie.map(String::as_str), "").await;
            let _ = write!(row, " {} |", cell(&response));
        }
        row
    }

    #[test]
    fn words_are_compressed_and_streams_and_sounds_are_not() {
        let is_small = |kind: &'static str| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
            is_words(StatusCode::OK, Version::HTTP_11, &headers, &Extensions::new())
        };
        assert!(is_small("text/html; charset=utf-8") && is_small("application/json"));
        for kind in ["text/event-stream", "audio/ogg", "font/woff2", "application/pdf"] {
            assert!(!is_small(kind), "{kind}");
        }
    }

    /// The table that `docs/routes.md` shows; signing out and ending sessions come last.
    async fn table(proved: bool) -> String {
        let mut town = Town::new().await;
        for duty in DUTIES {
            town = town.with(duty, duty).await;
        }
        let mut cookies = BTreeMap::new();
        for duty in DUTIES {
            let cookie =
                if proved { town.proved_cookie(duty).await } else { town.cookie(duty).await };
            cookies.insert(duty, cookie);
        }
        let mut rows = Vec::new();
        let (last, first): (Vec<&Route>, Vec<&Route>) =
            all().partition(|route| route.path == "/logout");
        for route in first.into_iter().chain(last) {
            rows.push(row(&town, route, &cookies).await);
        }
        format!(
            "| route | nobody | {} |\n|---|{}\n{}\n",
            DUTIES.join(" | "),
            "---|".repeat(9),
            rows.join("\n")
        )
    }

    #[tokio::test]
    async fn every_route_lets_in_whom_the_table_in_the_docs_names_and_nobody_else() {
        let table = table(true).await;
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/routes.md");
        let told = std::fs::read_to_string(path).unwrap_or_default();
        assert!(told.contains(&table), "docs/routes.md should hold this table:\n{table}");
    }

    #[tokio::test]
    async fn what_speaks_to_a_commune_needs_a_one_time_code() {
        let table = table(false).await;
        let coded: Vec<&str> = table.lines().filter(|line| line.contains(" code |")).collect();
        let of = |part: &str| coded.iter().filter(|line| line.contains(part)).count();
        assert_eq!((of("/emergencies"), of("/people")), (3, 2), "{table}");
        assert!(!table.contains("POST `/emergencies` | sign in | – | – | – | – | open"), "{table}");
    }

    #[tokio::test]
    async fn a_route_without_a_line_in_the_table_is_closed() {
        let town = Town::new().await.with("hoa", "administrator").await;
        let cookie = town.proved_cookie("hoa").await;
        for path in ["/nowhere", "/static", "/areas/mu-ca/order"] {
            assert_eq!(town.page(path, Some(&cookie)).await.0, StatusCode::NOT_FOUND, "{path}");
        }
        let put = town.visit(Method::PUT, "/people", Some(&cookie), "").await;
        assert_eq!(put.status(), StatusCode::NOT_FOUND);
    }
}
