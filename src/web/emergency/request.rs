//! What an officer asks for: the fields of the form, what may sound, and where.

use std::time::Duration;

use crate::access::Action;
use crate::bulletin::Class;
use crate::bulletin::version::Version;
use crate::clock::utc_now;
use crate::fleet::Level;
use crate::id::{AreaId, BulletinId, EmergencyId};
use crate::protocol::{Emergency, EmergencyAction};
use crate::server::{Alarm, SignedIn};
use crate::web::Site;
use crate::web::commune::Town;
use crate::web::fault::Fault;
use crate::web::tongue::Tongue;

/// The fields of the form.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) id: EmergencyId,
    pub(super) bulletin: BulletinId,
    pub(super) areas: Vec<AreaId>,
    pub(super) repeat: u8,
    pub(super) gap_s: u32,
    pub(super) minutes: u64,
    /// Given in the third step only.
    pub(super) passphrase: Option<String>,
}

/// A bulletin that can be raised.
#[derive(Clone)]
pub(super) struct Sound {
    pub(super) bulletin: BulletinId,
    pub(super) title: String,
    /// The languages that it is approved in.
    pub(super) languages: Vec<String>,
    pub(super) length: String,
}

/// A place where it can be heard.
pub(super) struct Choice {
    pub(super) area: AreaId,
    pub(super) name: String,
    pub(super) level: Level,
}

impl Choice {
    pub(super) fn is_village(&self) -> bool {
        self.level == Level::Village
    }
}

impl Request {
    /// Reads the form; what is missing or no number is told.
    pub(super) fn read(fields: &[(String, String)]) -> Result<Self, Fault> {
        let one = |name: &str| {
            let found = fields.iter().find(|(held, _)| held == name);
            found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
        };
        let areas = fields.iter().filter(|(name, _)| name == "area");
        let areas: Vec<AreaId> = areas.filter_map(|(_, value)| value.parse().ok()).collect();
        let incomplete = || {
            Fault::bad(
                "Hãy chọn bản tin và ít nhất một địa bàn, và điền đủ số lần, khoảng cách, thời hạn.",
                "Choose a bulletin and at least one area, and fill in repeats, gap and duration.",
            )
        };
        if areas.is_empty() {
            return Err(incomplete());
        }
        let number = |name| one(name).and_then(|text| text.parse::<u32>().ok());
        let (Some(id), Some(bulletin), Some(repeat), Some(gap_s), Some(minutes)) = (
            one("id").and_then(|id| id.parse().ok()),
            one("bulletin").and_then(|id| id.parse().ok()),
            number("repeat").and_then(|n| u8::try_from(n).ok()),
            number("gap_s"),
            number("minutes"),
        ) else {
            return Err(incomplete());
        };
        let passphrase = one("passphrase").map(str::to_owned);
        Ok(Self { id, bulletin, areas, repeat, gap_s, minutes: minutes.into(), passphrase })
    }

    /// As the station takes it.
    pub(super) fn alarm(&self) -> Alarm {
        Alarm {
            id: self.id.clone(),
            bulletin: self.bulletin.clone(),
            areas: self.areas.clone(),
            repeat: self.repeat,
            gap_ms: self.gap_s.saturating_mul(1000),
            lasts: Duration::from_secs(self.minutes.saturating_mul(60)),
        }
    }
}

/// The bulletins of class emergency that are valid and approved in some language.
pub(super) async fn sounds(site: &Site, town: &Town, tongue: Tongue) -> Result<Vec<Sound>, Fault> {
    let now = utc_now();
    let names = &town.schedule.lists.languages;
    let mut sounds = Vec::new();
    for bulletin in site.station.store.bulletins().await? {
        let valid = bulletin.valid_from <= now && now < bulletin.valid_until;
        if bulletin.class != Class::Emergency || !valid {
            continue;
        }
        let (mut languages, mut length_ms) = (Vec::new(), 0);
        for version in site.station.store.versions_of(&bulletin.id).await? {
            if let Version::Approved(approved) = version {
                let audible = approved.publish();
                length_ms = length_ms.max(audible.recording.length_ms);
                let tag = &audible.language;
                languages.push(tongue.say(names.vi(tag), names.en(tag)).to_owned());
            }
        }
        if !languages.is_empty() {
            let length = format!("{}:{:02}", length_ms / 60_000, length_ms / 1000 % 60);
            let title = bulletin.title.to_string();
            sounds.push(Sound { bulletin: bulletin.id, title, languages, length });
        }
    }
    Ok(sounds)
}

/// The areas in which somebody may raise an emergency: the largest first.
pub(super) fn places(town: &Town, who: &SignedIn) -> Vec<Choice> {
    let tree = &town.schedule.tree;
    let may = |area: &&crate::fleet::Area| {
        who.duties.allow(who.person.id.as_str(), Action::Alarm, &tree.chain(&area.id)).is_ok()
    };
    let mut places: Vec<Choice> = tree
        .iter()
        .filter(may)
        .map(|area| Choice { area: area.id.clone(), name: area.name.clone(), level: area.level })
        .collect();
    places.sort_by(|a, b| (a.level, &a.name).cmp(&(b.level, &b.name)));
    places
}

/// What is said in an emergency: the Vietnamese text where there is one, else any.
pub(super) async fn spoken(site: &Site, document: &Emergency) -> Result<String, Fault> {
    let EmergencyAction::Play { sounds, .. } = &document.action else { return Ok(String::new()) };
    let mut found = String::new();
    for version in site.station.store.versions().await? {
        let Some(content) = version.content() else { continue };
        let asset = content.spoken.recording.asset;
        if sounds.iter().any(|sound| sound.asset == asset) {
            if content.text.language.as_str() == "vi" {
                return Ok(content.text.script.to_string());
            }
            found = content.text.script.to_string();
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    const GOOD: [(&str, &str); 6] = [
        ("id", "kc-1"),
        ("bulletin", "lu-quet"),
        ("area", "mu-ca"),
        ("repeat", "3"),
        ("gap_s", "5"),
        ("minutes", "60"),
    ];

    #[test]
    fn a_form_may_name_several_areas() {
        let mut pairs = GOOD.to_vec();
        pairs.push(("area", "ka-lang"));
        let Ok(request) = Request::read(&fields(&pairs)) else { panic!("the form is whole") };
        let alarm = request.alarm();
        assert_eq!(alarm.areas.len(), 2);
        assert_eq!((alarm.repeat, alarm.gap_ms, alarm.lasts), (3, 5000, Duration::from_hours(1)));
    }

    #[test]
    fn a_form_without_a_place_or_with_words_for_numbers_is_told() {
        for (name, value) in
            [("area", "Mù Cả"), ("repeat", "nhiều"), ("bulletin", ""), ("minutes", "-1")]
        {
            let pairs: Vec<_> = GOOD
                .into_iter()
                .map(|(n, v)| if n == name { (n, value) } else { (n, v) })
                .collect();
            assert!(Request::read(&fields(&pairs)).is_err(), "{name}");
        }
    }
}
