//! What a bulletin is, put right after it was made: the form of its fields, filled in.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::access::Action;
use crate::bulletin::Bulletin;
use crate::bulletin::version::Version;
use crate::digest::Digest;
use crate::id::BulletinId;
use crate::server::{ServerError, Station};
use crate::time::Zone;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::newsroom::fields::{Fields, Wrong};
use crate::web::newsroom::list::about;
use crate::web::newsroom::sheet::{self, Offered};
use crate::web::newsroom::stock::{Item, Stock, stock};
use crate::web::tongue::Tongue;

/// The fields that an approval signs; a page on which they are settled does not send them.
const SIGNED: [&str; 4] = ["class", "area", "valid_from", "valid_until"];

/// The fields that may be changed, by what people call them.
const NAMED: [(&str, &str, &str); 13] = [
    ("title_vi", "Tên bản tin", "Title"),
    ("title_en", "Tên tiếng Anh", "English title"),
    ("column", "Chuyên mục", "Column"),
    ("issuing_body", "Nơi ban hành", "Issuing body"),
    ("kind", "Thể loại", "Kind"),
    ("source_level", "Nguồn", "Source"),
    ("document_number", "Số văn bản", "Document number"),
    ("campaign", "Đợt tuyên truyền", "Campaign"),
    ("topic", "Lĩnh vực pháp luật", "Fields of law"),
    ("class", "Loại tin", "Class"),
    ("area", "Thuộc địa bàn", "Belongs to"),
    ("valid_from", "Phát từ", "From"),
    ("valid_until", "Hết hạn lúc", "Until"),
];

#[derive(Template)]
#[template(path = "amendment.html")]
struct Page {
    frame: Frame,
    id: BulletinId,
    about: String,
    typed: Fields,
    wrong: Vec<String>,
    /// What is there now, of what was typed otherwise, where somebody else changed it meanwhile.
    theirs: Vec<(&'static str, String)>,
    offered: Offered,
    /// Why class, area and validity stay as they are.
    settled: Option<String>,
    seen: Digest,
}

/// What came of a form, where it did not work.
#[derive(Default)]
struct Back {
    status: StatusCode,
    typed: Option<Fields>,
    wrong: Vec<String>,
    conflict: bool,
}

/// The form as the bulletin is.
pub(super) async fn form(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<BulletinId>,
) -> Result<Response, Fault> {
    page(&site, &visitor, &id, Back::default()).await
}

async fn page(
    site: &Site,
    visitor: &Visitor,
    id: &BulletinId,
    back: Back,
) -> Result<Response, Fault> {
    let (stock, tongue) = (stock(site).await?, visitor.tongue);
    let item = stock.item(id)?;
    let held = &item.bulletin;
    if !stock.may(visitor, Action::Contribute, held.area.as_ref()) {
        return Err(Fault::denied(Action::Contribute));
    }
    let lists = site.station.schedule().await?.lists;
    let now = sheet::fields(held, stock.world.zone);
    let typed = back.typed.unwrap_or_else(|| now.clone());
    let title = format!("{} – {}", tongue.say("Sửa thông tin", "Amend"), held.title);
    let page = frame::page(&Page {
        frame: Frame::new(site, visitor, title),
        id: id.clone(),
        about: about(&stock, item, tongue),
        theirs: if back.conflict { theirs(&now, &typed, tongue) } else { Vec::new() },
        offered: Offered::to(visitor, &stock, &lists).and(held, &stock, visitor),
        settled: settled(&stock, item, tongue),
        seen: Station::bulletin_mark(held),
        wrong: back.wrong,
        typed,
    });
    Ok((back.status, page).into_response())
}

/// What is there now of the fields that were typed otherwise.
fn theirs(now: &Fields, typed: &Fields, tongue: Tongue) -> Vec<(&'static str, String)> {
    let all = |fields: &Fields, name: &str| {
        let mut values: Vec<String> = fields.all(name).map(|value| value.trim().into()).collect();
        values.sort();
        values.join(", ")
    };
    let other = |(name, vi, en): &(&'static str, &'static str, &'static str)| {
        let held = all(now, name);
        (held != all(typed, name)).then(|| (tongue.say(vi, en), held))
    };
    NAMED.iter().filter_map(other).collect()
}

/// Why class, area and validity are settled, where they are.
fn settled(stock: &Stock, item: &Item, tongue: Tongue) -> Option<String> {
    if item.is_announced() {
        let vi = "Đây là thông báo của xã: loại tin, địa bàn và thời hạn đi theo thông báo.";
        let en = "This is an announcement: its class, area and dates are the announcement's own.";
        return Some(tongue.say(vi, en).to_owned());
    }
    let approved = item.versions.iter().filter(|held| matches!(held, Version::Approved(_)));
    let names: Vec<&str> =
        approved.map(|held| stock.language(&held.text().language, tongue)).collect();
    if names.is_empty() {
        return None;
    }
    let names = names.join(", ");
    let vi = format!(
        "Đã duyệt bằng {names}: loại tin, địa bàn và thời hạn đã ký nên giữ nguyên. Muốn đổi, hãy \
         nhờ lãnh đạo thu hồi các phiên bản ấy, rồi ghi âm và duyệt lại."
    );
    let en = format!(
        "Approved in {names}: class, area and dates are signed and stay. To change them, have a \
         leader take those versions back, then record and approve again."
    );
    Some(tongue.say(&vi, &en).to_owned())
}

/// Puts the bulletin right, unless somebody else changed it meanwhile.
pub(super) async fn amend(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<BulletinId>,
    Form(sent): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let (stock, by) = (stock(&site).await?, &visitor.who()?.person.id);
    let (held, zone) = (&stock.item(&id)?.bulletin, stock.world.zone);
    let sent = Fields::new(sent);
    let seen = sent.one("seen").parse::<Digest>().ok();
    let seen = seen.ok_or_else(|| Fault::bad("Hãy mở lại trang.", "Open the page again."))?;
    let typed = filled(sent, &sheet::fields(held, zone));
    let mut wrong = Wrong::new(visitor.tongue);
    let bulletin = read(&stock, &typed, held, &mut wrong);
    let (Some(bulletin), true) = (bulletin, wrong.said.is_empty()) else {
        let (status, wrong) = (StatusCode::UNPROCESSABLE_ENTITY, wrong.said);
        let back = Back { status, wrong, typed: Some(typed), conflict: false };
        return page(&site, &visitor, &id, back).await;
    };
    match site.station.amend(&bulletin, Some(seen), by).await {
        Ok(()) => Ok(Redirect::to(&format!("/bulletins/{id}")).into_response()),
        Err(error) => {
            let conflict = matches!(error, ServerError::Changed { .. });
            let fault = Fault::from(error);
            if fault.status == StatusCode::FORBIDDEN {
                return Err(fault);
            }
            let wrong = vec![visitor.tongue.say(&fault.vi, &fault.en).to_owned()];
            let back = Back { status: fault.status, wrong, typed: Some(typed), conflict };
            page(&site, &visitor, &id, back).await
        }
    }
}

/// What was sent, with what a page on which it was settled does not send.
fn filled(sent: Fields, now: &Fields) -> Fields {
    SIGNED.iter().fold(
        sent,
        |sent, name| {
            if sent.is_sent(name) { sent } else { sent.with(name, now.one(name)) }
        },
    )
}

/// The bulletin as it was typed. A time whose minute is still the same is the same instant.
fn read(stock: &Stock, typed: &Fields, held: &Bulletin, wrong: &mut Wrong) -> Option<Bulletin> {
    let valid = valid(typed, held, stock.world.zone, wrong);
    sheet::bulletin(stock, typed, (Some(held.id.clone()), valid), wrong)
}

fn valid(
    typed: &Fields,
    held: &Bulletin,
    zone: Zone,
    wrong: &mut Wrong,
) -> Option<(crate::time::Timestamp, crate::time::Timestamp)> {
    let now = sheet::fields(held, zone);
    let (from, until) = sheet::validity(typed, zone, held.valid_from, wrong)?;
    let same = |name: &str| typed.one(name) == now.one(name);
    let from = if same("valid_from") { held.valid_from } else { from };
    let until = if same("valid_until") { held.valid_until } else { until };
    Some((from, until))
}
