//! The pages of announcements without a browser.

use std::time::Duration;

use axum::http::StatusCode;

use crate::clock::utc_now;
use crate::id::{BulletinId, PersonId};
use crate::server::NewAnnouncement;
use crate::web::guard::encoded;
use crate::web::tests::Town;

/// A commune with an announcement of its operator's, and its reviewer.
async fn announced() -> (Town, BulletinId) {
    let town = Town::new().await.airs("").await;
    let town = town.with("sua", "operator@mu-ca").await.with("chi", "reviewer").await;
    let town = town.with("an", "announcer").await;
    let station = &town.site.station;
    let zone = station.config.zone;
    let morning = zone.midnight(zone.date(utc_now()).plus_days(1)) + Duration::from_hours(9);
    let source = station.put_recording().await;
    let new = NewAnnouncement {
        title: "Họp bản".parse().unwrap(),
        script: "Mời bà con họp bản.".parse().unwrap(),
        language: "vi".parse().unwrap(),
        villages: vec!["mu-ca".parse().unwrap()],
        at: Some(morning),
        source,
    };
    let sua: PersonId = "sua".parse().unwrap();
    let id = station.announce(&"mu-ca".parse().unwrap(), new, &sua).await.unwrap();
    (town, id)
}

async fn seen(town: &Town, id: &BulletinId) -> String {
    let row = town.site.station.announcement(id).await.unwrap();
    town.site.station.announcement_mark(&row).await.unwrap().to_string()
}

#[tokio::test]
async fn its_maker_takes_an_announcement_back_while_it_waits_and_nobody_is_asked_to_hear_it() {
    let (town, id) = announced().await;
    let (sua, chi) = (town.cookie("sua").await, town.cookie("chi").await);
    let page = format!("/announcements/{id}");
    let (_, shown) = town.page(&page, Some(&sua)).await;
    assert!(shown.contains(&format!("{page}/withdrawal")), "{shown}");
    let (_, others) = town.page(&page, Some(&chi)).await;
    assert!(!others.contains("/withdrawal"), "a reviewer returns it instead: {others}");
    let takes_back = async |cookie: &str, reason: &str| {
        let form = format!("seen={}&comment={}", seen(&town, &id).await, encoded(reason));
        town.send(&format!("{page}/withdrawal"), Some(cookie), &form).await
    };
    assert_eq!(takes_back(&chi, "không").await.0, StatusCode::FORBIDDEN);
    let (status, told) = takes_back(&sua, "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(told.contains("Hãy ghi lý do thu hồi."), "{told}");
    assert_eq!(takes_back(&sua, "Họp dời lại").await.0, StatusCode::SEE_OTHER);
    let (_, shown) = town.page(&page, Some(&sua)).await;
    assert!(shown.contains("đã thu hồi trước khi duyệt"), "{shown}");
    assert!(shown.contains("sua: Họp dời lại") && !shown.contains("<form class=\"card"), "{shown}");
    for cookie in [&chi, &town.cookie("an").await] {
        let (_, inbox) = town.page("/inbox", Some(cookie)).await;
        assert!(!inbox.contains("Họp bản"), "{inbox}");
    }
    let (_, version) = town.page(&format!("/bulletins/{id}/vi"), Some(&chi)).await;
    assert!(version.contains("Họp dời lại") && !version.contains("/review"), "{version}");
}

#[tokio::test]
async fn an_announcement_is_accepted_by_who_says_that_they_heard_it() {
    let (town, id) = announced().await;
    let chi = town.cookie("chi").await;
    let says = async |heard: &str| {
        let form = format!("seen={}&heard={heard}", seen(&town, &id).await);
        town.send(&format!("/announcements/{id}/review"), Some(&chi), &form).await
    };
    let (status, told) = says("").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(told.contains("chưa được nghe hết ở trang này"), "{told}");
    assert_eq!(says("elsewhere").await.0, StatusCode::SEE_OTHER);
    assert_eq!(town.site.station.announced(&id).await.unwrap().state(), "reviewed");
}
