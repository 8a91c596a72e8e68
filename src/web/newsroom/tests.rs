//! The newsroom's pages without a browser: what is kept where two work at once.

use axum::http::{Method, StatusCode};

use crate::bulletin::Bulletin;
use crate::bulletin::version::Version;
use crate::server::{Aim, Station, tests as stand};
use crate::web::guard::encoded;
use crate::web::tests::{PASSPHRASE, Town, read};

const NEW: &str = "title_vi=Tin+th%E1%BB%AD&script=L%E1%BB%9Di+m%E1%BB%99t&language=vi&valid_days=30\
                   &column=Th%E1%BB%9Di+s%E1%BB%B1&issuing_body=UBND&kind=news&class=normal\
                   &source_level=province";

/// A town with two announcers and a bulletin.
async fn newsroom() -> (Town, String) {
    let town = Town::new().await.with("an", "announcer").await.with("chi", "reviewer").await;
    let an = town.cookie("an").await;
    let made = town.send("/contribution", Some(&an), NEW).await;
    assert_eq!(made, (StatusCode::SEE_OTHER, "/bulletins/tin-thu/vi".to_owned()));
    (town, an)
}

/// The mark that a page gives to its forms.
async fn seen(town: &Town, language: &str) -> String {
    let (id, language) = ("tin-thu".parse().unwrap(), language.parse().unwrap());
    let held = town.site.station.version(&id, &language).await.ok();
    let bulletin = town.site.station.bulletin(&id).await.unwrap();
    Aim::mark(&bulletin, held.as_ref(), None).to_string()
}

async fn write(town: &Town, cookie: &str, script: &str, seen: &str) -> (StatusCode, String) {
    let form = format!("script={}&seen={seen}", encoded(script));
    town.send("/bulletins/tin-thu/hni/text", Some(cookie), &form).await
}

#[tokio::test]
async fn of_two_editors_the_second_is_told_and_gets_their_own_words_back() {
    let (town, an) = newsroom().await;
    let nothing = seen(&town, "hni").await;
    assert_eq!(write(&town, &an, "bản của An", &nothing).await.0, StatusCode::SEE_OTHER);
    let (status, page) = write(&town, &an, "bản thứ hai", &nothing).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains(">bản thứ hai</textarea>"), "{page}");
    assert!(page.contains("bản của An") && page.contains("Người khác vừa thay đổi"), "{page}");
    let now = seen(&town, "hni").await;
    assert!(page.contains(&now), "pressing again counts for what is there now");
    assert_eq!(write(&town, &an, "bản thứ hai", &now).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_comment_counts_for_what_its_reviewer_saw() {
    let (town, an) = newsroom().await;
    let chi = town.cookie("chi").await;
    let before = seen(&town, "vi").await;
    let changed = format!("script=L%E1%BB%9Di+hai&seen={before}");
    let to = "/bulletins/tin-thu/vi/text";
    assert_eq!(town.send(to, Some(&an), &changed).await.0, StatusCode::SEE_OTHER);
    let back = format!("comment=ch%E1%BA%ADm+l%E1%BA%A1i&seen={before}");
    let to = "/bulletins/tin-thu/vi/return";
    let (status, page) = town.send(to, Some(&chi), &back).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("chậm lại</textarea>"), "the comment is still there");
    let (id, vi) = ("tin-thu".parse().unwrap(), "vi".parse().unwrap());
    let held = town.site.station.version(&id, &vi).await.unwrap();
    assert!(matches!(held, Version::Text(_)) && held.returns().all().is_empty());
}

/// A recording of the Vietnamese text, read by somebody else, and its asset.
async fn recorded(town: &Town) -> String {
    let (id, vi) = ("tin-thu".parse().unwrap(), "vi".parse().unwrap());
    let station = &town.site.station;
    let before = station.version(&id, &vi).await.unwrap();
    let draft = stand::draft(&station.bulletin(&id).await.unwrap(), b"a sound");
    let asset = draft.content().spoken.recording.asset.to_string();
    let mut tx = station.store.begin().await.unwrap();
    assert!(tx.put_version(Some(&before), &Version::Draft(draft)).await.unwrap());
    tx.commit().await.unwrap();
    asset
}

async fn state(town: &Town) -> String {
    let (id, vi) = ("tin-thu".parse().unwrap(), "vi".parse().unwrap());
    town.site.station.version(&id, &vi).await.unwrap().state().to_owned()
}

#[tokio::test]
async fn who_did_not_press_play_accepts_nothing_unless_they_say_that_they_heard_it_elsewhere() {
    let (town, _) = newsroom().await;
    let asset = recorded(&town).await;
    let chi = town.cookie("chi").await;
    let (_, page) = town.page("/bulletins/tin-thu/vi", Some(&chi)).await;
    assert!(page.contains(&format!("data-asset=\"{asset}\"")), "{page}");
    assert!(page.contains("name=\"heard\" value=\"elsewhere\" required"), "{page}");
    let says = async |heard: &str| {
        let form = format!("seen={}&from=inbox&heard={heard}", seen(&town, "vi").await);
        town.send("/bulletins/tin-thu/vi/review", Some(&chi), &form).await
    };
    for heard in ["", "on", &"0".repeat(64)] {
        let (status, page) = says(heard).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{heard}");
        assert!(page.contains("chưa được nghe hết ở trang này"), "{page}");
        assert_eq!(state(&town).await, "draft");
    }
    let (status, to) = says(&asset).await;
    assert_eq!((status, &*to), (StatusCode::SEE_OTHER, "/inbox?told=reviewed"));
    assert_eq!(state(&town).await, "reviewed");
}

#[tokio::test]
async fn who_signs_says_that_they_heard_it_and_that_stays_where_the_passphrase_was_wrong() {
    let (town, _) = newsroom().await;
    recorded(&town).await;
    let town = town.with("dung", "leader").await;
    let (chi, dung) = (town.cookie("chi").await, town.proved_cookie("dung").await);
    let review = format!("seen={}&heard=elsewhere", seen(&town, "vi").await);
    let (status, _) = town.send("/bulletins/tin-thu/vi/review", Some(&chi), &review).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let signs = async |heard: &str, passphrase: &str| {
        let (seen, passphrase) = (seen(&town, "vi").await, encoded(passphrase));
        let form = format!("seen={seen}&heard={heard}&passphrase={passphrase}");
        town.send("/bulletins/tin-thu/vi/approval", Some(&dung), &form).await
    };
    let (status, page) = signs("", PASSPHRASE).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("chưa được nghe hết"), "{page}");
    assert_eq!(state(&town).await, "reviewed");
    let (_, page) = signs("elsewhere", "sai mật khẩu rồi nhé").await;
    let tick = page.split("name=\"heard\"").nth(1).unwrap().split('>').next().unwrap();
    assert!(tick.contains("value=\"elsewhere\"") && tick.ends_with("checked"), "{tick}");
}

#[tokio::test]
async fn everything_wrong_with_a_new_bulletin_is_told_at_once() {
    let (town, an) = newsroom().await;
    let (status, page) = town
        .send("/contribution", Some(&an), "title_vi=Gi%E1%BB%AF+l%E1%BA%A1i&valid_days=0")
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    for said in ["Lời đọc: hãy ghi", "Nơi ban hành: hãy ghi", "từ 1 đến 366", "Giữ lại"]
    {
        assert!(page.contains(said), "{said}: {page}");
    }
}

#[tokio::test]
async fn who_watches_no_loudspeakers_begins_at_the_inbox() {
    let (town, an) = newsroom().await;
    let response = town.visit(Method::GET, "/", Some(&an), "").await;
    assert_eq!(read(response).await, (StatusCode::SEE_OTHER, "/inbox".to_owned()));
    let (status, page) = town.page("/inbox", Some(&an)).await;
    assert!(status == StatusCode::OK && page.contains("Chờ ghi âm (1)"), "{page}");
}

const AMENDED: &str =
    "issuing_body=UBND&kind=news&source_level=province&column=Th%E1%BB%9Di+s%E1%BB%B1";

async fn amend(town: &Town, cookie: &str, more: &str) -> (StatusCode, String) {
    town.send("/bulletins/tin-thu/amendment", Some(cookie), &format!("{AMENDED}&{more}")).await
}

async fn bulletin(town: &Town) -> Bulletin {
    town.site.station.bulletin(&"tin-thu".parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn of_two_who_amend_a_bulletin_the_second_sees_what_the_first_made_of_it() {
    let (town, an) = newsroom().await;
    let before = bulletin(&town).await;
    let seen = Station::bulletin_mark(&before);
    let first = format!("seen={seen}&title_vi=T%C3%AAn+m%E1%BB%9Bi");
    let done = amend(&town, &an, &first).await;
    assert_eq!(done, (StatusCode::SEE_OTHER, "/bulletins/tin-thu".to_owned()));
    let now = bulletin(&town).await;
    assert_eq!(now.title.as_str(), "Tên mới");
    assert_eq!(now.signed(), before.signed(), "to the second, though the form has minutes");
    let second = format!("seen={seen}&title_vi=T%C3%AAn+kh%C3%A1c");
    let (status, page) = amend(&town, &an, &second).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("Người khác vừa lưu") && page.contains("<dd>Tên mới</dd>"), "{page}");
    assert!(page.contains("value=\"Tên khác\""), "what was typed is still there: {page}");
    let mark = Station::bulletin_mark(&now).to_string();
    assert!(page.contains(&mark), "pressing again counts for what is there now");
    let again = format!("seen={mark}&title_vi=T%C3%AAn+kh%C3%A1c");
    assert_eq!(amend(&town, &an, &again).await.0, StatusCode::SEE_OTHER);
    assert_eq!(bulletin(&town).await.title.as_str(), "Tên khác");
}

#[tokio::test]
async fn everything_wrong_with_an_amendment_is_told_at_once_and_nothing_is_changed() {
    let (town, an) = newsroom().await;
    let before = bulletin(&town).await;
    let seen = Station::bulletin_mark(&before);
    let wrong = format!(
        "seen={seen}&title_vi=&valid_from=2026-11-22T05:30&valid_until=2026-11-22T05:00&\
         document_number=Gi%E1%BB%AF+l%E1%BA%A1i"
    );
    let (status, page) = amend(&town, &an, &wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    for said in ["Tên: hãy ghi", "Hết hạn phải sau lúc bắt đầu", "Giữ lại"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert_eq!(bulletin(&town).await, before);
}

#[tokio::test]
async fn who_may_not_contribute_somewhere_amends_nothing_there() {
    let (town, _) = newsroom().await;
    let town = town.with("xa", "contributor@mu-ca").await;
    let xa = town.cookie("xa").await;
    let (status, _) = town.page("/bulletins/tin-thu/amendment", Some(&xa)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let seen = Station::bulletin_mark(&bulletin(&town).await);
    let (status, _) = amend(&town, &xa, &format!("seen={seen}&title_vi=x&area=mu-ca")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}
