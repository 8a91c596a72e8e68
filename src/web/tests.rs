//! A station with people, and browsers that visit it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use tower::ServiceExt;

use crate::server::tests as stand;
pub(super) use crate::server::tests::PASSPHRASE;
use crate::server::{Browser, Scribe};
use crate::store::Person;
use crate::web::{Site, routes};

const SCHEDULE: &str = r#"
[[area]]
id = "lai-chau"
name = "Lai Châu"
level = "province"
[[area.listens]]
language = "vi"

[[area]]
id = "mu-ca"
name = "Mù Cả"
level = "commune"
parent = "lai-chau"

[[area]]
id = "ka-lang"
name = "Ka Lăng"
level = "commune"
parent = "lai-chau"

[[controller]]
id = "mu-ca-1"
area = "mu-ca"

[[controller]]
id = "ka-lang-1"
area = "ka-lang"
"#;

/// Airtime by day, more than is needed.
const AIRTIME: &str = r#"
[[policy]]
area = "lai-chau"
sessions_a_day_max = 9
minutes_a_session_max = 30
minutes_a_day_max = 90
[[policy.window]]
days = ["all"]
from = "05:00"
until = "21:00"
"#;

/// A programme of the province, every morning.
pub(super) const MORNING: &str = r#"
[[programme]]
id = "tin-sang"
title = "Tin buổi sáng"
at = ["05:30:00"]
areas = ["lai-chau"]
newest = "Thời sự"
"#;

/// The password of everybody here.
pub(super) const PASSWORD: &str = "bốn từ rời nhau";

/// A station, its pages, and the folder that they live in.
pub(super) struct Town {
    pub(super) site: Arc<Site>,
    _folder: tempfile::TempDir,
    _stop: tokio::sync::watch::Sender<bool>,
}

impl Town {
    /// A station of two communes with nobody in it.
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let station = stand::station(folder.path(), SCHEDULE).await;
        // A log as a server that ran once leaves it.
        let mut scribe = Scribe::open(&station).await.unwrap();
        scribe.move_facts(&station.store).await.unwrap();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        Self { site: Site::new(Arc::new(station), stopped, None), _folder: folder, _stop: stop }
    }

    /// Puts these programmes in the place of those that were there, with airtime for them.
    pub(super) async fn airs(self, programmes: &str) -> Self {
        let file = ("programmes.toml".to_owned(), format!("{AIRTIME}{programmes}"));
        self.site.station.import_schedule(&[file]).await.unwrap();
        self
    }

    /// Adds somebody who has chosen a password.
    pub(super) async fn with(self, id: &str, duties: &str) -> Self {
        let (name, roles) = (format!("Chị {id}"), duties.to_owned());
        let person = Person { id: id.parse().unwrap(), name, roles };
        let station = &self.site.station;
        station.add_person(&person, Some(PASSPHRASE), Some(PASSPHRASE), None).await.unwrap();
        let code = station.invite(&person.id, None).await.unwrap();
        station.choose_password(&code, PASSWORD).await.unwrap();
        self
    }

    /// The cookie of somebody who has just signed in.
    pub(super) async fn cookie(&self, id: &str) -> String {
        let browser = Browser { address: "127.0.0.1".to_owned(), agent: "test".to_owned() };
        let token = self.site.station.sign_in(id, PASSWORD, &browser).await.unwrap();
        format!("loaban_session={token}")
    }

    /// The cookie of somebody who has given a one-time code as well.
    pub(super) async fn proved_cookie(&self, id: &str) -> String {
        let cookie = self.cookie(id).await;
        let station = &self.site.station;
        let token = cookie.split_once('=').unwrap().1;
        let session = station.signed_in(token).await.unwrap().unwrap().session;
        let second = station.second_to_set(&session.person).await.unwrap();
        let seconds = crate::clock::utc_now().seconds().try_into().unwrap();
        let code = totp_rs::Totp::from_url(&second.address).unwrap().generate(seconds);
        station.give_code(&session, &code.to_string()).await.unwrap();
        cookie
    }

    /// One visit.
    pub(super) async fn visit(
        &self,
        method: Method,
        path: &str,
        cookie: Option<&str>,
        form: &str,
    ) -> Response {
        let mut request = Request::builder().method(method.clone()).uri(path);
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        request = request.header(header::HOST, "loa.xa");
        if method == Method::POST {
            request = request.header(header::ORIGIN, "https://loa.xa");
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Body::from(form.to_owned())).unwrap();
        routes::router(Arc::clone(&self.site)).oneshot(request).await.unwrap()
    }

    /// A page, and its text.
    pub(super) async fn page(&self, path: &str, cookie: Option<&str>) -> (StatusCode, String) {
        read(self.visit(Method::GET, path, cookie, "").await).await
    }

    /// The bytes of an answer to a browser, which takes them compressed.
    pub(super) async fn weighs(&self, path: &str, cookie: Option<&str>) -> usize {
        let request = Request::builder().uri(path).header(header::HOST, "loa.xa");
        let request = request.header(header::ACCEPT_ENCODING, "gzip");
        let request = request.header(header::COOKIE, cookie.unwrap_or_default());
        let router = routes::router(Arc::clone(&self.site));
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().len()
    }

    /// What a form answers, and its text.
    pub(super) async fn send(
        &self,
        path: &str,
        cookie: Option<&str>,
        form: &str,
    ) -> (StatusCode, String) {
        read(self.visit(Method::POST, path, cookie, form).await).await
    }
}

pub(super) async fn read(response: Response) -> (StatusCode, String) {
    let status = response.status();
    let location = response.headers().get(header::LOCATION).cloned();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    (status, location.map_or(text, |to| to.to_str().unwrap().to_owned()))
}
