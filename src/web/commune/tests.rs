//! What an operator sees of their own loudspeakers: what is on air there, what came of a test tone,
//! and which bulletins are heard.

use std::time::Duration;

use crate::bulletin::{Class, SourceLevel};
use crate::calendar::AirtimePolicy;
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::manifest::{Item, Manifest, ManifestAiring};
use crate::protocol::OrderCommand;
use crate::receipt::{Event, Receipt, TestPart, Tested};
use crate::server::tests::bulletin;
use crate::store::Fact;
use crate::time::{TimeOfDay, Timestamp};
use crate::web::tests::Town;

/// A clock time so far from now.
fn clock(town: &Town, minutes: u64) -> String {
    let at = utc_now() + Duration::from_mins(minutes);
    TimeOfDay::of(town.site.station.config.zone.local(at)).to_string()
}

/// The bar around a page as somebody sees it.
async fn bar(town: &Town, cookie: &str, path: &str) -> String {
    let _ = crate::web::programme::outlook(&town.site).await.unwrap();
    let (_, page) = town.page(path, Some(cookie)).await;
    let (_, bar) = page.split_once("id=\"on-air\"").expect("every page has the bar");
    bar.split("</p>").next().unwrap().to_owned()
}

#[tokio::test]
async fn the_bar_tells_of_ones_own_loudspeakers_and_of_their_own_times() {
    let town = Town::new().await.with("van", "operator@mu-ca,announcer").await;
    let town = town.with("tra", "inspector").await;
    let (first, soon, later) = (clock(&town, 10), clock(&town, 25), clock(&town, 40));
    let day = town.site.station.config.zone.date(utc_now());
    let text = format!(
        "[[policy]]\narea = \"lai-chau\"\nsessions_a_day_max = 99\nminutes_a_session_max = 90\n\
         minutes_a_day_max = 900\n[[policy.window]]\ndays = [\"all\"]\nfrom = \"00:00\"\n\
         until = \"24:00\"\n\
         [[programme]]\nid = \"chung\"\ntitle = \"Tin chung\"\nat = [\"{later}\"]\n\
         areas = [\"lai-chau\"]\nbulletins = [\"tin\"]\n\
         [[programme]]\nid = \"rieng\"\ntitle = \"Tin Ka Lăng\"\nat = [\"{soon}\"]\n\
         areas = [\"ka-lang\"]\nbulletins = [\"tin\"]\n\
         [[exception]]\nid = \"som\"\nname = \"Phát sớm\"\nfrom = \"{}\"\nuntil = \"{}\"\n\
         areas = [\"ka-lang\"]\nprogrammes = [\"chung\"]\nmove_to = [\"{first}\"]\n",
        day,
        day.plus_days(1),
    );
    let station = &town.site.station;
    let made = bulletin("tin", Class::Normal, SourceLevel::Province, utc_now());
    station.hire(&[("lan", "announcer"), ("hoa", "reviewer"), ("minh", "leader")]).await;
    station.put_approved(&made).await;
    station.import_schedule(&[("bar.toml".to_owned(), text)]).await.unwrap();
    let (own, whole) = (town.cookie("van").await, town.cookie("tra").await);
    let told = bar(&town, &own, "/areas/mu-ca").await;
    assert!(told.contains("Tin chung") && told.contains(&later), "{told}");
    assert!(!told.contains("Ka Lăng"), "{told}");
    let told = bar(&town, &whole, "/inspector").await;
    assert!(told.contains("Tin chung") && told.contains(&first), "{told}");
    let ka_lang = crate::web::programme::outlook(&town.site).await.unwrap();
    let ka_lang = ka_lang.near_in(&["ka-lang".parse().unwrap()]);
    assert!(ka_lang.iter().any(|slot| slot.programme.as_str() == "rieng"), "{ka_lang:?}");
}

fn policy() -> AirtimePolicy {
    let none = serde_json::json!({
        "windows": [], "sessions_a_day_max": 9, "minutes_a_session_max": 30,
        "minutes_a_day_max": 90,
    });
    serde_json::from_value(none).unwrap()
}

/// A manifest with one airing, as the server keeps it.
async fn issue(town: &Town, at: Timestamp, items: &[&str]) {
    let zone = town.site.station.config.zone;
    let item = |id: &&str| Item {
        bulletin: id.parse().unwrap(),
        language: "vi".parse().unwrap(),
        asset: Digest::of(id.as_bytes()),
        length_ms: 60_000,
    };
    let airing = ManifestAiring {
        programme: "sang".parse().unwrap(),
        date: zone.date(at),
        occurrence: 0,
        at,
        latest: at + Duration::from_mins(5),
        chime: false,
        gap_ms: 0,
        items: items.iter().map(item).collect(),
        volume_percent: None,
    };
    let manifest = Manifest {
        controller: "mu-ca-1".parse().unwrap(),
        number: 7,
        issued: utc_now(),
        valid_until: utc_now() + Duration::from_hours(24),
        areas: vec!["mu-ca".parse().unwrap()],
        languages: vec!["vi".parse().unwrap()],
        zone,
        policy: policy(),
        airings: vec![airing],
        withdrawn: vec![],
        hold: vec![],
    };
    let fact = Fact::new(utc_now(), "manifest.issued", "server", &serde_json::json!({}));
    let mut tx = town.site.station.store.begin().await.unwrap();
    tx.tell(&fact).await.unwrap();
    tx.issue(&manifest, "note", &fact.id).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_commune_names_the_bulletins_that_it_hears() {
    let town = Town::new().await.with("van", "operator@mu-ca").await;
    let long = "Thông báo về việc phòng, chống sạt lở đất và lũ quét trong mùa mưa bão";
    let mut made = bulletin("sat-lo", Class::Normal, SourceLevel::Province, utc_now());
    made.title = long.parse().unwrap();
    town.site.station.hire(&[("lan", "announcer"), ("hoa", "reviewer"), ("minh", "leader")]).await;
    town.site.station.put_approved(&made).await;
    issue(&town, utc_now() + Duration::from_secs(1), &["sat-lo", "khong-con"]).await;
    let cookie = town.cookie("van").await;
    let (_, page) = town.page("/areas/mu-ca", Some(&cookie)).await;
    let short = "Thông báo về việc phòng, chống sạt lở đất và lũ…";
    let link =
        format!("<a class=\"small\" href=\"/bulletins/sat-lo\" title=\"{long}\">{short}</a>");
    assert!(page.contains(&link), "what comes next: {page}");
    let today = page.split("id=\"today\"").nth(1).unwrap();
    assert!(today.contains(short) && today.contains(">khong-con</a>"), "{today}");
}

#[tokio::test]
async fn a_test_tone_tells_on_the_speakers_card_what_came_of_it() {
    let town = Town::new().await.with("van", "operator@mu-ca").await;
    let station = &town.site.station;
    station.provision(&"mu-ca-1".parse().unwrap(), None).await.unwrap();
    let (cookie, by) = (town.cookie("van").await, "van".parse().unwrap());
    let (_, page) = town.page("/areas/mu-ca", Some(&cookie)).await;
    assert!(!page.contains("Thử loa lúc"), "{page}");
    let controller = "mu-ca-1".parse().unwrap();
    let number = station.give_order(&controller, OrderCommand::Selftest {}, &by).await.unwrap();
    let (_, page) = town.page("/areas/mu-ca", Some(&cookie)).await;
    assert!(page.contains("loa chưa trả lời"), "{page}");
    let tone = |well, found: &str| Tested { part: TestPart::Tone, well, found: found.to_owned() };
    let event = Event::Order {
        number,
        what: "selftest".to_owned(),
        tests: vec![tone(false, "no sound in quiet hours")],
    };
    let receipt = Receipt { n: 1, at: utc_now(), event };
    let fact = Fact::new(utc_now(), "receipts.taken", "server", &serde_json::json!({}));
    let mut tx = station.store.begin().await.unwrap();
    tx.tell(&fact).await.unwrap();
    tx.put_receipt(&controller, "00", &receipt, &fact.id).await.unwrap();
    tx.commit().await.unwrap();
    let (_, page) = town.page("/areas/mu-ca", Some(&cookie)).await;
    assert!(page.contains("KHÔNG kêu: đang trong giờ yên lặng"), "{page}");
}
