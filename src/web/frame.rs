//! What is around every page: head, navigation, language, who is signed in.

use axum::response::{Html, IntoResponse, Response};

use crate::access::Action;
use crate::server::ServerError;
use crate::web::Site;
use crate::web::assets;
use crate::web::fault::Fault;
use crate::web::guard::Visitor;
use crate::web::on_air;
use crate::web::tongue::Tongue;

/// The frame of one page.
pub(super) struct Frame {
    pub(super) tongue: Tongue,
    pub(super) title: String,
    pub(super) net: String,
    /// The name of whoever is signed in.
    pub(super) name: Option<String>,
    pub(super) path: String,
    pub(super) style: String,
    pub(super) script: String,
    /// Where the fresh parts of this page come from.
    pub(super) live: Option<String>,
    pub(super) menu: Vec<Entry>,
    /// What is on air and what comes next.
    pub(super) on_air: String,
}

/// A page that this visitor may open.
pub(super) struct Entry {
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    pub(super) here: bool,
}

const MENU: [(&str, Action, &str, &str); 8] = [
    ("/", Action::Watch, "Loa các xã", "Loudspeakers"),
    ("/inbox", Action::Read, "Việc chờ", "Inbox"),
    ("/bulletins", Action::Read, "Bản tin", "Bulletins"),
    ("/programmes/week", Action::Read, "Chương trình", "Programmes"),
    ("/announcements", Action::Listen, "Thông báo", "Announcements"),
    ("/emergencies", Action::Alarm, "Khẩn cấp", "Emergencies"),
    ("/inspector", Action::Watch, "Thanh tra", "Inspection"),
    ("/people", Action::Invite, "Quản trị", "Administration"),
];

/// The pages of the newsroom, which stand under one entry.
const NEWSROOM: [&str; 4] = ["/bulletins", "/contribution", "/coverage", "/questions"];

impl Frame {
    pub(super) fn new(site: &Site, visitor: &Visitor, title: impl Into<String>) -> Self {
        let at = visitor.path.split('?').next().unwrap_or_default();
        let open = MENU.into_iter().filter(|(_, action, ..)| visitor.may(*action));
        let menu = open.map(|(path, _, vi, en)| {
            let here = if path == "/" {
                at == "/" || at.starts_with("/areas/")
            } else if path == "/people" {
                at.starts_with(path) || at.starts_with("/administration")
            } else if path == "/bulletins" {
                NEWSROOM.iter().any(|page| at.starts_with(page))
            } else if path == "/programmes/week" {
                at.starts_with("/programmes") || at.starts_with("/exceptions")
            } else {
                at.starts_with(path)
            };
            Entry { path, name: visitor.tongue.say(vi, en), here }
        });
        Self {
            tongue: visitor.tongue,
            title: title.into(),
            net: site.station.config.net.to_string(),
            name: visitor.signed_in.as_ref().map(|signed_in| signed_in.person.name.clone()),
            path: visitor.path.clone(),
            style: assets::address("style.css"),
            script: assets::address("live.js"),
            live: visitor.signed_in.is_some().then(|| "/on-air".to_owned()),
            menu: menu.collect(),
            on_air: on_air::at_once(site, visitor),
        }
    }

    /// The same page, kept fresh from `path`.
    pub(super) fn live(self, path: String) -> Self {
        Self { live: Some(path), ..self }
    }

    /// One of the two texts.
    pub(super) fn say<'t>(&self, vi: &'t str, en: &'t str) -> &'t str {
        self.tongue.say(vi, en)
    }
}

/// A template as a page.
pub(super) fn page(template: &impl askama::Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => Fault::from(ServerError::Task(error.to_string())).into_response(),
    }
}

/// A template as a part of a page.
pub(super) fn part(template: &impl askama::Template) -> Result<String, Fault> {
    template.render().map_err(|error| ServerError::Task(error.to_string()).into())
}
