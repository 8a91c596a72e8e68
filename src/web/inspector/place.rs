//! Villages and people found by their names, with or without diacritics: nobody knows ids by heart.

use axum::http::StatusCode;

use crate::access::Duties;
use crate::fleet::Level;
use crate::id::{AreaId, PersonId};
use crate::lang::fold::line as fold;
use crate::store::Person;
use crate::web::commune::Town;
use crate::web::fault::Fault;

/// Villages that are offered while a name is typed at most: a page is not to grow with a province.
const OFFERED: usize = 200;

/// Places or people that are named where several have the same name at most.
const NAMED: usize = 8;

/// A village with its commune.
pub(super) fn name(town: &Town, area: &AreaId) -> String {
    let tree = &town.schedule.tree;
    let called =
        |area: &AreaId| tree.get(area).map_or_else(|| area.to_string(), |a| a.name.clone());
    let commune = tree.commune(area);
    let own = called(area);
    if commune == area { own } else { format!("{own}, {}", called(commune)) }
}

fn within(town: &Town, reach: Option<&[AreaId]>, area: &AreaId) -> bool {
    let chain = town.schedule.tree.chain(area);
    reach.is_none_or(|areas| areas.iter().any(|area| chain.contains(area)))
}

/// The villages of what was chosen, by name, for whoever types one.
pub(super) fn offered(
    town: &Town,
    reach: Option<&[AreaId]>,
    chosen: Option<&AreaId>,
) -> Vec<String> {
    let tree = &town.schedule.tree;
    // Of a village that was chosen, its neighbours are offered.
    let around = chosen.map(|area| tree.commune(area));
    let inside = |area: &AreaId| around.is_none_or(|around| tree.chain(area).contains(around));
    let villages = tree.iter().filter(|area| area.level == Level::Village);
    let near = villages.filter(|area| inside(&area.id) && within(town, reach, &area.id));
    let mut names: Vec<String> = near.take(OFFERED).map(|area| name(town, &area.id)).collect();
    names.sort();
    names
}

/// The place of that name: one below which the visitor watches, named alone or with its commune.
pub(super) fn found(
    town: &Town,
    reach: Option<&[AreaId]>,
    named: &str,
) -> Result<Option<AreaId>, Fault> {
    let wanted = fold(named.trim());
    if wanted.is_empty() {
        return Ok(None);
    }
    let here = || town.schedule.tree.iter().filter(|area| within(town, reach, &area.id));
    let called = |area: &&crate::fleet::Area| {
        area.id.as_str() == named.trim()
            || fold(&area.name) == wanted
            || fold(&name(town, &area.id)) == wanted
    };
    let mut all: Vec<&AreaId> = here().filter(called).map(|area| &area.id).collect();
    if all.is_empty() {
        // Half a name is enough where no other has it.
        let like = |area: &&crate::fleet::Area| fold(&name(town, &area.id)).contains(&wanted);
        all = here().filter(like).map(|area| &area.id).collect();
    }
    let names: Vec<String> = all.iter().map(|area| name(town, area)).collect();
    one(named, all.first().map(|area| (*area).clone()), &names)
}

/// The person of that name or id, of those whom the visitor may know.
pub(super) fn person(people: &[Person], named: &str) -> Result<Option<PersonId>, Fault> {
    let wanted = fold(named.trim());
    if wanted.is_empty() {
        return Ok(None);
    }
    if let Some(own) = people.iter().find(|person| person.id.as_str() == named.trim()) {
        return Ok(Some(own.id.clone()));
    }
    let find = |test: &dyn Fn(&str) -> bool| -> Vec<&Person> {
        people.iter().filter(|person| test(&fold(&person.name))).collect()
    };
    let mut all = find(&|name| name == wanted);
    if all.is_empty() {
        all = find(&|name| name.contains(&wanted));
    }
    if let ([], Ok(id)) = (&all[..], named.trim().parse::<PersonId>()) {
        // Who was never here, or is no longer known by a name, is asked for by their id.
        return Ok(Some(id));
    }
    let names = all.iter().map(|person| format!("{} ({})", person.name, person.id));
    let names: Vec<String> = names.collect();
    one(named, all.first().map(|person| person.id.clone()), &names)
}

/// Those of a station whose duties meet what somebody watches.
pub(super) fn known(people: Vec<Person>, town: &Town, reach: Option<&[AreaId]>) -> Vec<Person> {
    let Some(areas) = reach else { return people };
    let meets = |person: &Person| {
        let duties: Duties = person.roles.parse().unwrap_or_default();
        duties.places().flatten().any(|place| {
            let tree = &town.schedule.tree;
            areas.iter().any(|area| tree.chain(place).contains(area))
        })
    };
    people.into_iter().filter(meets).collect()
}

fn one<T>(named: &str, first: Option<T>, names: &[String]) -> Result<Option<T>, Fault> {
    let shown: String = named.trim().chars().take(60).collect();
    match names.len() {
        1 => Ok(first),
        0 => Err(refused(
            format!(
                "Không có nơi nào hay ai tên “{shown}” trong phần bạn được xem; hãy quay lại và \
                 ghi tên khác, có dấu hay không đều được."
            ),
            format!(
                "Nothing and nobody that you may see is called “{shown}”; go back and write \
                 another name, with or without diacritics."
            ),
        )),
        count => {
            let listed = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
            let more = if count > NAMED { "; …" } else { "" };
            Err(refused(
                format!(
                    "Có {count} nơi hoặc người tên “{shown}”: {listed}{more}. Hãy quay lại và ghi \
                     đủ như một trong các tên này, hoặc mã trong ngoặc."
                ),
                format!(
                    "{count} are called “{shown}”: {listed}{more}. Go back and write one of these \
                     in full, or the id in brackets."
                ),
            ))
        }
    }
}

fn refused(vi: String, en: String) -> Fault {
    Fault { status: StatusCode::UNPROCESSABLE_ENTITY, vi, en }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> Vec<Person> {
        let one = |id: &str, name: &str, roles: &str| Person {
            id: id.parse().unwrap(),
            name: name.to_owned(),
            roles: roles.to_owned(),
        };
        vec![
            one("lan", "Vàng Thị Lan", "announcer"),
            one("lan-2", "Lò Thị Lan", "operator@mu-ca"),
            one("dung", "Đỗ Văn Dũng", "leader"),
        ]
    }

    #[test]
    fn a_person_is_found_by_id_by_name_and_by_a_part_of_it_without_diacritics() {
        let found = |named: &str| person(&people(), named).unwrap().map(|id| id.to_string());
        assert_eq!(found("lan").as_deref(), Some("lan"), "an id comes first");
        assert_eq!(found("do van dung").as_deref(), Some("dung"));
        assert_eq!(found("Lò Thị").as_deref(), Some("lan-2"));
        assert_eq!(found("  "), None);
        assert_eq!(found("da-xoa").as_deref(), Some("da-xoa"), "an id that no name belongs to");
    }

    #[test]
    fn a_name_that_several_have_is_refused_with_all_of_them() {
        let refused = person(&people(), "thi lan").unwrap_err().vi;
        assert!(refused.contains("Vàng Thị Lan (lan)") && refused.contains("lan-2"), "{refused}");
        let nobody = person(&people(), "Không Có Ai").unwrap_err().vi;
        assert!(nobody.contains("Không Có Ai"), "{nobody}");
    }
}
