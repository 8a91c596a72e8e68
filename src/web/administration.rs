//! Administration: people and their duties, controllers, keys, lists and policies, health.
//!
//! **Everything done here is a fact in the log under the name of who did it**, and reaches no
//! further than their duty.

mod device;
mod devices;
mod files;
mod health;
mod hold;
mod keys;
mod lists;
mod people;
mod person;
#[cfg(test)]
mod tests;

pub(super) use device::{enrol, provision, revoke, show as device, sign};
pub(super) use devices::list as devices;
pub(super) use files::{change as change_file, edit as file, list as files};
pub(super) use health::show as health;
pub(super) use hold::change as hold;
pub(super) use keys::{revoke_token, show as keys};
pub(super) use lists::{add as add_to_list, show as lists};
pub(super) use people::{add as add_person, list as people};
pub(super) use person::{change, end, end_session, erase, invite, show as person};

use crate::access::Action;
use crate::server::ServerError;
use crate::web::fault::Fault;
use crate::web::frame::Entry;
use crate::web::guard::Visitor;

/// The pages of administration, for their own navigation.
const TABS: [(&str, &str, &str); 6] = [
    ("/people", "Người dùng", "People"),
    ("/administration/controllers", "Bộ thu", "Controllers"),
    ("/administration/lists", "Danh mục, khung giờ", "Lists, policies"),
    ("/administration/files", "Tệp lịch", "Schedule files"),
    ("/administration/keys", "Khoá, mã truy cập", "Keys, tokens"),
    ("/administration/health", "Sức khoẻ máy chủ", "Health"),
];

/// The navigation of administration.
fn tabs(visitor: &Visitor) -> Vec<Entry> {
    let at = visitor.path.split('?').next().unwrap_or_default();
    let tab = |(path, vi, en): (&'static str, _, _)| Entry {
        path,
        name: visitor.tongue.say(vi, en),
        here: at.starts_with(path),
    };
    TABS.map(tab).into()
}

/// Refuses whoever does not administer the whole station.
fn whole(visitor: &Visitor) -> Result<(), Fault> {
    let who = visitor.who()?;
    let allowed = who.duties.allow(who.person.id.as_str(), Action::ChangeFleet, &[]);
    Ok(allowed.map_err(ServerError::from)?)
}
