//! Programmes as programs change them: looked at, made, refused where somebody was first.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::web::tests::{MORNING, Town};

async fn town() -> (Town, String, String) {
    let town = Town::new().await.airs(MORNING).await;
    let town = town.with("an", "announcer").await.with("sua", "operator@mu-ca").await;
    let (an, sua) = (town.token("an").await, town.token("sua").await);
    (town, an, sua)
}

async fn posts(town: &Town, path: &str, token: &str, body: Value) -> (StatusCode, Value) {
    town.calls(Method::POST, path, token, Some(body), &[]).await
}

/// Looks at a change, and makes it as it was looked at.
async fn makes(town: &Town, token: &str, change: Value) -> (StatusCode, Value) {
    let (status, looked) =
        posts(town, "/schedule/preview", token, json!({ "change": change })).await;
    assert_eq!(status, StatusCode::OK, "{looked}");
    let body = json!({ "seen": looked["seen"], "change": change });
    posts(town, "/schedule/edit", token, body).await
}

fn evening(areas: &[&str]) -> Value {
    json!({
        "title": "Tin tối", "at": ["18:00"], "weekdays": ["mon", "tue"], "areas": areas,
        "newest": "Thời sự",
    })
}

async fn ids(town: &Town, token: &str) -> Vec<String> {
    let (_, all) = town.looks("/programmes", token).await;
    let all = all["programmes"].as_array().unwrap().clone();
    all.iter().map(|held| held["programme"]["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_programme_is_made_changed_from_a_day_on_ended_and_taken_back() {
    let (town, an, _) = town().await;
    let make = json!({ "act": "programme", "programme": evening(&["mu-ca"]) });
    let (status, told) =
        posts(&town, "/schedule/edit", &an, json!({ "change": make.clone() })).await;
    assert_eq!(status, StatusCode::OK, "what takes the place of nothing needs no mark: {told}");
    assert_eq!(ids(&town, &an).await, ["tin-sang", "tin-toi"]);
    let (_, held) = town.looks("/programmes/tin-toi", &an).await;
    assert_eq!(held["mark"], told["mark"]);
    let mut later = held["programme"].clone();
    later["at"] = json!(["19:00:00"]);
    let day = "2027-03-01";
    let change = json!({ "act": "programme", "programme": later, "from_day": day });
    assert_eq!(makes(&town, &an, change).await.0, StatusCode::OK);
    assert_eq!(ids(&town, &an).await, ["tin-sang", "tin-toi", "tin-toi-2"]);
    let (_, before) = town.looks("/programmes/tin-toi", &an).await;
    assert_eq!(before["programme"]["until"], "2027-02-28");
    let end = json!({ "act": "end", "programme": "tin-toi-2" });
    assert_eq!(makes(&town, &an, end).await.0, StatusCode::OK);
    assert_eq!(ids(&town, &an).await, ["tin-sang", "tin-toi"]);
    assert_eq!(makes(&town, &an, json!({ "act": "undo" })).await.0, StatusCode::OK);
    assert_eq!(ids(&town, &an).await, ["tin-sang", "tin-toi", "tin-toi-2"]);
}

#[tokio::test]
async fn whoever_comes_second_is_told_what_is_there_now() {
    let (town, an, _) = town().await;
    let (_, held) = town.looks("/programmes/tin-sang", &an).await;
    let renamed = |title: &str| {
        let mut programme = held["programme"].clone();
        programme["title"] = json!(title);
        let change = json!({ "act": "programme", "programme": programme });
        json!({ "seen": held["mark"], "change": change })
    };
    let (status, _) = posts(&town, "/schedule/edit", &an, renamed("Đầu ngày")).await;
    assert_eq!(status, StatusCode::OK);
    let (status, told) = posts(&town, "/schedule/edit", &an, renamed("Sáng sớm")).await;
    assert_eq!((status, &told["code"]), (StatusCode::CONFLICT, &json!("changed")), "{told}");
    let now = &told["now"];
    assert!(now["things"][0]["text"].as_str().unwrap().contains("Đầu ngày"), "{told}");
    let mut again = renamed("Sáng sớm");
    again["seen"] = now["seen"].clone();
    assert_eq!(posts(&town, "/schedule/edit", &an, again).await.0, StatusCode::OK);
    let mut unseen = renamed("Không xem");
    unseen["seen"] = Value::Null;
    let (status, told) = posts(&town, "/schedule/edit", &an, unseen).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
}

#[tokio::test]
async fn one_airing_moves_alone_with_those_after_it_or_with_all() {
    let (town, an, _) = town().await;
    let date = crate::time::Zone::default().date(crate::clock::utc_now()).plus_days(3);
    let moves = |programme: &str, reach: &str, time: &str| {
        json!({
            "act": "airing", "programme": programme, "date": date, "reach": reach,
            "turn": { "to": "move", "date": date, "time": time },
        })
    };
    assert_eq!(makes(&town, &an, moves("tin-sang", "this", "06:00")).await.0, StatusCode::OK);
    let (_, all) = town.looks("/programmes", &an).await;
    assert_eq!(all["exceptions"][0]["exception"]["move_to"], json!(["06:00"]), "{all}");
    let exception = all["exceptions"][0]["exception"]["id"].clone();
    let unmake = json!({ "act": "unmake", "exception": exception });
    assert_eq!(makes(&town, &an, unmake).await.0, StatusCode::OK);
    assert_eq!(makes(&town, &an, moves("tin-sang", "following", "07:00")).await.0, StatusCode::OK);
    assert_eq!(ids(&town, &an).await, ["tin-sang", "tin-sang-2"]);
    assert_eq!(makes(&town, &an, moves("tin-sang-2", "all", "08:00")).await.0, StatusCode::OK);
    let (_, held) = town.looks("/programmes/tin-sang-2", &an).await;
    assert_eq!(held["programme"]["at"], json!(["08:00"]), "{held}");
}

#[tokio::test]
async fn a_duty_reaches_no_further_here_than_at_the_pages() {
    let (town, an, sua) = town().await;
    for areas in [["lai-chau"], ["ka-lang"]] {
        let make = json!({ "act": "programme", "programme": evening(&areas) });
        let (status, told) = posts(&town, "/schedule/edit", &sua, json!({ "change": make })).await;
        assert_eq!((status, &told["code"]), (StatusCode::FORBIDDEN, &json!("denied")), "{told}");
    }
    let end = json!({ "change": { "act": "end", "programme": "tin-sang" } });
    let (status, _) = posts(&town, "/schedule/preview", &sua, end.clone()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(posts(&town, "/schedule/preview", &an, end).await.0, StatusCode::OK);
    assert_eq!(ids(&town, &an).await, ["tin-sang"], "a look changes nothing");
}

#[tokio::test]
async fn what_a_file_could_not_say_is_refused_in_its_words() {
    let (town, an, _) = town().await;
    let with = |key: &str, value: Value| {
        let mut programme = evening(&["mu-ca"]);
        programme[key] = value;
        json!({ "change": { "act": "programme", "programme": programme } })
    };
    for (key, value) in [
        ("title", json!("")),
        ("title", json!("x".repeat(1_001))),
        ("title", json!("a\nb")),
        ("areas", json!([])),
        ("areas", json!(["Mù Cả"])),
        ("gap_ms", json!(60_001)),
        ("gap_ms", json!(-1)),
        ("cron", json!("0 6 * * *")),
        ("from", json!("23.11.2026")),
        ("only_listening", json!(["tiếng"])),
        ("other", json!(1)),
    ] {
        let (status, told) = posts(&town, "/schedule/edit", &an, with(key, value)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{key}: {told}");
    }
    assert_eq!(ids(&town, &an).await, ["tin-sang"]);
}
