//! What administrators may do to whom.

use axum::http::StatusCode;

use crate::web::tests::Town;

async fn town() -> (Town, String, String) {
    let town = Town::new().await.with("tri", "administrator").await;
    let town = town.with("mo", "administrator@mu-ca").await.with("ha", "operator@ka-lang").await;
    let (whole, bound) = (town.proved_cookie("tri").await, town.proved_cookie("mo").await);
    (town, whole, bound)
}

const NEW: &str = "name=Gi%C3%A0ng+A+C%E1%BB%A7a&id=cua&duty1=operator&area1=";

#[tokio::test]
async fn who_administers_one_commune_gives_duties_of_that_commune_alone() {
    let (town, _, bound) = town().await;
    for area in ["", "ka-lang", "lai-chau"] {
        let (status, text) = town.send("/people", Some(&bound), &format!("{NEW}{area}")).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{area}: {text}");
        assert!(text.contains("Giàng A Của"), "what was typed stays: {text}");
    }
    let (status, to) = town.send("/people", Some(&bound), &format!("{NEW}mu-ca")).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/people/cua?told=kept"));
    let higher = "duty1=administrator&area1=";
    let (status, _) = town.send("/people/mo/duties", Some(&bound), higher).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "nobody makes themselves administrator of more");
}

#[tokio::test]
async fn who_administers_one_commune_touches_nobody_of_another() {
    let (town, _, bound) = town().await;
    let (_, list) = town.page("/people", Some(&bound)).await;
    assert!(!list.contains("/people/tri") && !list.contains("/people/ha"), "{list}");
    for person in ["tri", "ha"] {
        let page = format!("/people/{person}");
        assert_eq!(town.page(&page, Some(&bound)).await.0, StatusCode::FORBIDDEN, "{page}");
        for act in ["invitation", "sessions", "end"] {
            let (status, _) = town.send(&format!("{page}/{act}"), Some(&bound), "").await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{page}/{act}");
        }
    }
    for page in ["lists", "files", "keys", "health", "controllers/ka-lang-1"] {
        let page = format!("/administration/{page}");
        assert_eq!(town.page(&page, Some(&bound)).await.0, StatusCode::FORBIDDEN, "{page}");
    }
    let own = "/administration/controllers/mu-ca-1";
    assert_eq!(town.page(own, Some(&bound)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_session_that_was_ended_opens_nothing_any_more() {
    let (town, whole, _) = town().await;
    let cookie = town.cookie("ha").await;
    assert_eq!(town.page("/areas/ka-lang", Some(&cookie)).await.0, StatusCode::OK);
    let (_, page) = town.page("/people/ha", Some(&whole)).await;
    assert!(page.contains("127.0.0.1"), "{page}");
    town.send("/people/ha/sessions", Some(&whole), "").await;
    let (status, to) = town.page("/areas/ka-lang", Some(&cookie)).await;
    assert!(status.is_redirection() && to.starts_with("/login"), "{to}");
}

#[tokio::test]
async fn a_person_whose_duties_were_taken_back_is_out_at_once() {
    let (town, whole, _) = town().await;
    let cookie = town.cookie("ha").await;
    let (_, to) = town.send("/people/ha/end", Some(&whole), "").await;
    assert_eq!(to, "/people/ha?told=gone");
    assert!(town.page("/areas/ka-lang", Some(&cookie)).await.0.is_redirection());
    let (status, text) = town.send("/people/tri/end", Some(&whole), "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "not themselves: {text}");
}

#[tokio::test]
async fn a_wrong_file_changes_nothing_and_two_at_once_lose_nothing() {
    let (town, whole, _) = town().await;
    let before = || async {
        let files = town.site.station.store.schedule_files().await.unwrap();
        files.into_iter().find(|(name, _)| name == "schedule.toml").unwrap().1
    };
    let (held, path) = (before().await, "/administration/files/schedule.toml");
    let seen = crate::digest::Digest::of(held.as_bytes());
    let form = |text: &str| format!("before={seen}&text={}", crate::web::guard::encoded(text));
    let (status, text) = town.send(path, Some(&whole), &form("[[column]]\n")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("Chưa ghi gì") && text.contains("schedule.toml:"), "{text}");
    let better = format!("{held}\n[[column]]\nname = \"Tiếng nói bản làng\"\n");
    let (status, _) = town.send(path, Some(&whole), &form(&better)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(before().await, better);
    let (status, text) = town.send(path, Some(&whole), &form(&held)).await;
    assert_eq!(status, StatusCode::CONFLICT, "{text}");
    assert_eq!(before().await, better, "the second changed nothing");
}

#[tokio::test]
async fn a_column_is_added_by_its_name_and_the_log_says_by_whom() {
    let (town, whole, _) = town().await;
    let column = "list=column&name=Ti%E1%BA%BFng+n%C3%B3i+b%E1%BA%A3n+l%C3%A0ng";
    for _ in 0..2 {
        town.send("/administration/lists", Some(&whole), column).await;
    }
    let (_, page) = town.page("/administration/lists", Some(&whole)).await;
    assert_eq!(page.matches("<li>Tiếng nói bản làng</li>").count(), 1, "{page}");
    let waiting = town.site.station.store.facts_waiting(1_000).await.unwrap();
    let told = |fact: &&crate::store::WaitingFact| fact.kind == "schedule.imported";
    let by: Vec<&str> = waiting.iter().filter(told).map(|fact| fact.who.as_str()).collect();
    assert_eq!(by, ["person:tri"]);
}

#[tokio::test]
async fn every_page_of_administration_opens() {
    let (town, whole, _) = town().await;
    for page in ["controllers", "controllers/mu-ca-1", "lists", "files", "keys", "health"] {
        let (status, text) = town.page(&format!("/administration/{page}"), Some(&whole)).await;
        assert_eq!(status, StatusCode::OK, "{page}: {text}");
    }
}

#[tokio::test]
async fn a_name_is_forgotten_only_of_who_left_by_who_administers_all_and_says_that_they_know() {
    let (town, whole, bound) = town().await;
    let act = "/people/ha/erasure";
    let (status, text) = town.send(act, Some(&whole), "sure=yes").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("còn nhiệm vụ"), "{text}");
    town.send("/people/ha/end", Some(&whole), "").await;
    let (_, page) = town.page("/people/ha", Some(&bound)).await;
    assert!(!page.contains("/people/ha/erasure"), "who administers a part is not offered it");
    assert_eq!(town.send(act, Some(&bound), "sure=yes").await.0, StatusCode::FORBIDDEN);
    assert_eq!(town.send(act, Some(&whole), "").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (_, page) = town.page("/people/ha", Some(&whole)).await;
    assert!(page.contains("Chị ha") && page.contains("không lấy lại được"), "{page}");
    let (status, to) = town.send(act, Some(&whole), "sure=yes").await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/people/ha?told=erased"));
    let (_, page) = town.page("/people/ha?told=erased", Some(&whole)).await;
    assert!(!page.contains("Chị ha") && page.contains("Đã xoá họ tên"), "{page}");
    let waiting = town.site.station.store.facts_waiting(1_000).await.unwrap();
    let told = waiting.iter().filter(|fact| fact.kind == "person.erased");
    let by: Vec<&str> = told.map(|fact| fact.who.as_str()).collect();
    assert_eq!(by, ["person:tri"]);
}

#[tokio::test]
async fn a_legal_hold_keeps_every_name() {
    let (town, whole, bound) = town().await;
    let act = "/administration/hold";
    assert_eq!(town.send(act, Some(&bound), "reason=a").await.0, StatusCode::FORBIDDEN);
    assert_eq!(town.send(act, Some(&whole), "").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    town.send(act, Some(&whole), "reason=v%E1%BB%A5+ki%E1%BB%87n+7").await;
    town.send("/people/ha/end", Some(&whole), "").await;
    let (status, text) = town.send("/people/ha/erasure", Some(&whole), "sure=yes").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("lệnh lưu giữ") && text.contains("vụ kiện 7"), "{text}");
    town.send(act, Some(&whole), "lift=yes").await;
    let (status, _) = town.send("/people/ha/erasure", Some(&whole), "sure=yes").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
}
