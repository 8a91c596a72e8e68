//! The inspector's desk: what was planned, delivered, played and heard; every item with its
//! evidence and its place in the log; why something was not heard; the log itself, verified and
//! taken out; the forms that are filed.
//!
//! **Nothing here changes anything but the log's note that somebody took something out.** What a
//! visitor sees ends where their duty ends: a choice outside it is refused.

mod airings;
mod bundle;
mod chart;
mod entries;
mod figures;
mod filed;
mod place;
mod scope;
mod telling;
#[cfg(test)]
mod tests;
mod verification;
mod why;

pub(super) use airings::show as airings;
pub(super) use bundle::take as bundle;
pub(super) use entries::{list as entries, show as entry};
pub(super) use figures::show as figures;
pub(super) use filed::{Format, file, list as forms, preview as form, written};
pub(super) use scope::busy;
pub(super) use verification::{Verification, live, show as verification, verify};
pub(super) use why::show as why;

use crate::web::frame::Entry;
use crate::web::guard::Visitor;

/// The pages of the desk, for its own navigation.
const TABS: [(&str, &str, &str); 6] = [
    ("/inspector", "Số liệu", "Figures"),
    ("/inspector/airings", "Từng lượt phát", "Airings"),
    ("/inspector/why", "Vì sao không nghe?", "Why not heard?"),
    ("/inspector/forms", "Biểu mẫu", "Forms"),
    ("/inspector/entries", "Nhật ký gốc", "The log itself"),
    ("/inspector/verification", "Kiểm chứng", "Verify"),
];

/// The navigation of the desk.
fn tabs(visitor: &Visitor) -> Vec<Entry> {
    let at = visitor.path.split('?').next().unwrap_or_default();
    let tab = |(path, vi, en): (&'static str, _, _)| {
        let here = at == path || path != "/inspector" && at.starts_with(path);
        Entry { path, name: visitor.tongue.say(vi, en), here }
    };
    TABS.map(tab).into()
}
