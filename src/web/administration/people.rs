//! Everybody, and somebody new.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use crate::access::{Action, Duties, Duty};
use crate::fleet::Level;
use crate::id::{AreaId, PersonId};
use crate::server::{Added, ServerError};
use crate::store::Person;
use crate::web::Site;
use crate::web::commune::{Town, town};
use crate::web::duty;
use crate::web::fault::Fault;
use crate::web::frame::{self, Entry, Frame};
use crate::web::guard::Visitor;
use crate::web::tongue::Tongue;

/// Duties that one form takes.
const ROWS: usize = 4;

/// Words of a name at most, as on paper.
const NAME_CHARS_MAX: usize = 80;

/// A duty at a place, as a form shows it.
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) duty: String,
    pub(super) area: String,
}

/// What the forms of duties offer.
pub(super) struct Offer {
    pub(super) duties: Vec<(String, String)>,
    /// Areas with their names, each below its parent; the whole station first, where it may be given.
    pub(super) areas: Vec<(String, String)>,
}

impl Offer {
    pub(super) fn new(town: &Town, visitor: &Visitor) -> Result<Self, Fault> {
        let tongue = visitor.tongue;
        let reach = visitor.who()?.duties.reach(Action::Invite);
        let tree = &town.schedule.tree;
        let mut areas: Vec<(Vec<AreaId>, String, String)> = Vec::new();
        for area in tree.iter().filter(|area| area.level != Level::Village) {
            let chain = tree.chain(&area.id);
            let mine = |areas: &Vec<AreaId>| areas.iter().any(|mine| chain.contains(mine));
            if reach.as_ref().is_none_or(mine) {
                let indent = "\u{2003}".repeat(chain.len());
                let name = format!("{indent}{}", area.name);
                areas.push((chain, area.id.to_string(), name));
            }
        }
        areas.sort_by(|a, b| a.0.cmp(&b.0));
        let mut areas: Vec<(String, String)> =
            areas.into_iter().map(|(_, id, name)| (id, name)).collect();
        if reach.is_none() {
            areas.insert(0, (String::new(), tongue.say("cả đài", "the whole station").to_owned()));
        }
        let duties = Duty::ALL.map(|duty| (duty.to_string(), duty::offered(duty, tongue)));
        Ok(Self { duties: duties.into(), areas })
    }
}

/// The lines of a form for these duties, with room for one more at least.
pub(super) fn lines(duties: &Duties) -> Vec<Line> {
    let text = duties.to_string();
    let held = text.split(',').filter(|word| !word.is_empty());
    let mut pairs: Vec<(String, String)> = held
        .map(|word| {
            let (duty, area) = word.split_once('@').unwrap_or((word, ""));
            (duty.to_owned(), area.to_owned())
        })
        .collect();
    let rows = ROWS.max(pairs.len() + 1);
    pairs.resize(rows, (String::new(), String::new()));
    let line = |(number, (duty, area))| Line { number, duty, area };
    (1..).zip(pairs).map(line).collect()
}

/// What a form says of duties.
pub(super) fn duties_of(form: &BTreeMap<String, String>) -> Result<Duties, Fault> {
    let numbered = form.iter().filter_map(|(key, duty)| {
        let number = key.strip_prefix("duty")?;
        let area = form.get(&format!("area{number}")).map_or("", String::as_str);
        match (duty.as_str(), area) {
            ("", _) => None,
            (duty, "") => Some(duty.to_owned()),
            (duty, area) => Some(format!("{duty}@{area}")),
        }
    });
    let words: Vec<String> = numbered.collect();
    Ok(words.join(",").parse().map_err(ServerError::from)?)
}

#[derive(Template)]
#[template(path = "administration/people.html")]
struct Page {
    frame: Frame,
    tabs: Vec<Entry>,
    people: Vec<Listed>,
    offer: Offer,
    lines: Vec<Line>,
    typed: Typed,
    fault: Option<String>,
    /// Whether the visitor administers the whole station.
    whole: bool,
    /// Why nothing may be forgotten, while it may not.
    hold: Option<String>,
}

/// What stands in the fields: what was typed is never lost.
#[derive(Default)]
struct Typed {
    id: String,
    name: String,
}

struct Listed {
    id: PersonId,
    name: String,
    duties: String,
    state: &'static str,
    sessions: usize,
}

/// Everybody whom the visitor administers.
pub(in crate::web) async fn list(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    page(&site, &visitor, Typed::default(), lines(&Duties::default()), None).await
}

async fn page(
    site: &Site,
    visitor: &Visitor,
    typed: Typed,
    lines: Vec<Line>,
    fault: Option<String>,
) -> Result<Response, Fault> {
    let (town, by) = (town(site).await?, visitor.who()?.person.id.clone());
    let mut people = Vec::new();
    for person in site.station.store.people().await? {
        if site.station.may_manage(&by, &person.id).await.is_err() {
            continue;
        }
        let login = site.station.store.login(&person.id).await?;
        let duties: Duties = person.roles.parse().map_err(ServerError::from)?;
        people.push(Listed {
            state: signs_in(login.as_ref(), visitor.tongue),
            sessions: site.station.store.sessions(&person.id).await?.len(),
            duties: duty::held(&duties, &town.schedule.tree, visitor.tongue),
            id: person.id,
            name: person.name,
        });
    }
    let offer = Offer::new(&town, visitor)?;
    let title = visitor.tongue.say("Người dùng", "People");
    Ok(frame::page(&Page {
        frame: Frame::new(site, visitor, title),
        tabs: super::tabs(visitor),
        whole: super::whole(visitor).is_ok(),
        hold: site.station.legal_hold().await?,
        people,
        offer,
        lines,
        typed,
        fault,
    }))
}

/// How somebody signs in.
pub(super) fn signs_in(login: Option<&crate::store::LoginRow>, tongue: Tongue) -> &'static str {
    match login {
        None => tongue.say("chưa có mật khẩu", "no password yet"),
        Some(login) if login.second_set.is_some() => {
            tongue.say("mật khẩu và mã một lần", "password and one-time codes")
        }
        Some(_) => tongue.say("mật khẩu, chưa có mã một lần", "password, no one-time codes"),
    }
}

/// Somebody new.
pub(in crate::web) async fn add(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(form): Form<BTreeMap<String, String>>,
) -> Result<Response, Fault> {
    match added(&site, &visitor, &form).await {
        Ok((id, told)) => Ok(Redirect::to(&format!("/people/{id}?told={told}")).into_response()),
        Err(fault) => {
            let said = |name: &str| form.get(name).cloned().unwrap_or_default();
            let typed = Typed { id: said("id"), name: said("name") };
            let lines = lines(&duties_of(&form).unwrap_or_default());
            let sentence = visitor.tongue.say(&fault.vi, &fault.en).to_owned();
            let page = page(&site, &visitor, typed, lines, Some(sentence)).await?;
            Ok((fault.status, page).into_response())
        }
    }
}

async fn added(
    site: &Site,
    visitor: &Visitor,
    form: &BTreeMap<String, String>,
) -> Result<(PersonId, &'static str), Fault> {
    let said = |name: &str| form.get(name).map_or("", |text| text.trim());
    let id: PersonId = said("id").parse().map_err(|_| {
        Fault::bad(
            "Mã người dùng chỉ gồm chữ thường không dấu, số và dấu gạch ngang, như `lo-thi-an`; hãy \
             sửa lại.",
            "An id has a-z, 0-9 and -, such as `lo-thi-an`; mend it.",
        )
    })?;
    let name = said("name");
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(Fault::bad(
            "Hãy ghi họ tên, tối đa 80 chữ.",
            "Write a name of at most 80 letters.",
        ));
    }
    if site.station.person(&id).await.is_ok() {
        return Err(Fault {
            status: axum::http::StatusCode::CONFLICT,
            vi: format!(
                "Đã có người mang mã {id}; hãy chọn mã khác, hoặc mở người đó trong danh sách."
            ),
            en: format!("Somebody has the id {id}; choose another, or open them in the list."),
        });
    }
    let duties = duties_of(form)?;
    if duties == Duties::default() {
        return Err(Fault::bad("Hãy chọn ít nhất một nhiệm vụ.", "Choose a duty at least."));
    }
    let person = Person { id: id.clone(), name: name.to_owned(), roles: duties.to_string() };
    Ok((id, kept(site, visitor, &person, &duties, form).await?))
}

/// Keeps somebody with their duties and the keys that these bring; says what became of the keys.
pub(super) async fn kept(
    site: &Site,
    visitor: &Visitor,
    person: &Person,
    duties: &Duties,
    form: &BTreeMap<String, String>,
) -> Result<&'static str, Fault> {
    let by = &visitor.who()?.person.id;
    let said = |name: &str| form.get(name).filter(|text| !text.is_empty()).map(String::as_str);
    site.station.may_give(by, duties).await?;
    let added = site
        .station
        .add_person(person, said("passphrase"), said("root_passphrase"), Some(by))
        .await?;
    site.looked.forget();
    Ok(match added {
        Added::Nothing => "kept",
        Added::Trusted => "trusted",
        Added::Waits { .. } => "waits",
    })
}
