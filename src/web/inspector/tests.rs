//! What the desk shows, and to whom.

use axum::http::StatusCode;

use crate::web::tests::Town;

async fn desk() -> (Town, String, String) {
    let town = Town::new().await.with("tra", "inspector").await;
    let town = town.with("ha", "inspector@mu-ca").await;
    let (whole, bound) = (town.cookie("tra").await, town.cookie("ha").await);
    (town, whole, bound)
}

#[tokio::test]
async fn an_inspector_of_one_commune_sees_that_commune_and_no_other() {
    let (town, whole, bound) = desk().await;
    for page in ["/inspector", "/inspector/airings", "/inspector/forms/weekly"] {
        let (status, text) = town.page(page, Some(&bound)).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert!(text.contains("Mù Cả") && !text.contains("Ka Lăng"), "{page}: {text}");
        let other = format!("{page}?area=ka-lang");
        assert_eq!(town.page(&other, Some(&bound)).await.0, StatusCode::FORBIDDEN, "{other}");
        assert_eq!(town.page(&other, Some(&whole)).await.0, StatusCode::OK, "{other}");
    }
    let other = "/inspector/bundle?area=ka-lang";
    assert_eq!(town.page(other, Some(&bound)).await.0, StatusCode::FORBIDDEN);
    let other = "/inspector/forms/weekly/file?area=ka-lang&format=csv";
    assert_eq!(town.page(other, Some(&bound)).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_entry_is_proven_and_hidden_from_who_watches_elsewhere() {
    let (town, whole, bound) = desk().await;
    let (status, text) = town.page("/inspector/entries/0", Some(&whole)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("Đã chứng minh"), "{text}");
    let hidden = town.page("/inspector/entries/0", Some(&bound)).await;
    assert_eq!(hidden.0, StatusCode::NOT_FOUND, "{}", hidden.1);
    let beyond = town.page("/inspector/entries/999999", Some(&whole)).await;
    assert_eq!(beyond.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_verification_says_in_a_sentence_that_nothing_was_altered() {
    let (town, whole, _) = desk().await;
    let (_, before) = town.page("/inspector/verification", Some(&whole)).await;
    assert!(before.contains("Chưa kiểm chứng lần nào"), "{before}");
    assert!(before.contains("<path d=\"M"), "the checkpoint as a QR code");
    town.send("/inspector/verification", Some(&whole), "").await;
    let told = async {
        loop {
            let (_, text) = town.page("/inspector/verification", Some(&whole)).await;
            if text.contains("giây</p>") {
                return text;
            }
            tokio::task::yield_now().await;
        }
    };
    let text = tokio::time::timeout(std::time::Duration::from_mins(1), told).await.unwrap();
    assert!(text.contains("nguyên vẹn") && text.contains("Cơ sở dữ liệu khớp"), "{text}");
}

#[tokio::test]
async fn every_form_is_shown_before_it_is_taken_out() {
    let (town, whole, _) = desk().await;
    for (form, _) in crate::report::form::USUAL {
        let (status, text) = town.page(&format!("/inspector/forms/{form}"), Some(&whole)).await;
        assert_eq!(status, StatusCode::OK, "{form}");
        let whole_form = form != "evidence";
        assert_eq!(text.contains("Lập lúc"), whole_form, "{form}: {text}");
    }
    let (_, json) = town.page("/inspector/forms/half-year/file?format=json", Some(&whole)).await;
    assert!(json.contains("\"form\": \"half-year\""), "{json}");
}

#[tokio::test]
async fn what_is_mistyped_is_refused_with_what_to_do() {
    let (town, whole, _) = desk().await;
    for wrong in [
        "/inspector?from=2026-13-01",
        "/inspector?from=2026-11-02&to=2026-11-01",
        "/inspector?from=2020-01-01&to=2026-11-01",
        "/inspector?by=colour",
        "/inspector/airings?after=x",
        "/inspector/airings?bulletin=Không phải",
        "/inspector/why?bulletin=tin&date=hôm nay",
        "/inspector/entries?first=x",
    ] {
        let path = wrong.replace(' ', "%20");
        let (status, text) = town.page(&path, Some(&whole)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {text}");
        assert!(text.contains("hãy") || text.contains("Hãy"), "{wrong}: {text}");
    }
}

/// What a run says that compares with a checkpoint.
async fn compared(town: &Town, cookie: &str, older: &str) -> String {
    let form = format!("older={}", crate::web::guard::encoded(older));
    let (status, text) = town.send("/inspector/verification", Some(cookie), &form).await;
    if status != StatusCode::SEE_OTHER {
        return text;
    }
    let told = async {
        loop {
            let (_, text) = town.page("/inspector/verification", Some(cookie)).await;
            if text.contains("giây</p>") || text.contains("Chưa kiểm chứng được") {
                return text;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), told).await.unwrap()
}

#[tokio::test]
async fn a_checkpoint_that_an_inspector_kept_is_compared_and_a_forged_one_is_told() {
    let (town, whole, _) = desk().await;
    let reader = crate::log::LogReader::open(&town.site.station.log_folder()).unwrap();
    let kept = reader.checkpoint().as_str().to_owned();
    let text = compared(&town, &whole, &kept.replace('\n', "\r\n")).await;
    assert!(text.contains("nối tiếp đúng điểm kiểm chứng cũ"), "{text}");
    let text = compared(&town, &whole, &kept.replace("\n\n", "\n")).await;
    assert!(text.contains("nối tiếp đúng điểm kiểm chứng cũ"), "as a form is printed: {text}");
    let (head, size) = (kept.lines().next().unwrap(), kept.lines().nth(1).unwrap());
    let forged = kept.replacen(&format!("{head}\n{size}\n"), &format!("{head}\n9{size}\n"), 1);
    let text = compared(&town, &whole, &forged).await;
    assert!(text.contains("không do khoá của nhật ký này ký"), "{text}");
    let text = compared(&town, &whole, "điểm của tôi").await;
    assert!(text.contains("dán nguyên văn") && text.contains("điểm của tôi"), "{text}");
}

/// Villages of one name in two communes, and one that has it alone.
const VILLAGES: &str = r#"
[[area]]
id = "mu-ca-na-pa"
name = "Nà Pá"
level = "village"
parent = "mu-ca"

[[area]]
id = "ka-lang-na-pa"
name = "Nà Pá"
level = "village"
parent = "ka-lang"

[[area]]
id = "mu-ca-gop"
name = "Bản Gò Cứ"
level = "village"
parent = "mu-ca"
"#;

async fn villages() -> (Town, String, String) {
    let (town, whole, bound) = desk().await;
    let file = ("villages.toml".to_owned(), VILLAGES.to_owned());
    town.site.station.import_schedule(&[file]).await.unwrap();
    (town, whole, bound)
}

#[tokio::test]
async fn a_village_is_found_by_its_name_with_or_without_diacritics() {
    let (town, whole, bound) = villages().await;
    for page in ["/inspector", "/inspector/airings", "/inspector/entries", "/inspector/why"] {
        let (status, text) = town.page(&format!("{page}?place=ban%20go%20cu"), Some(&whole)).await;
        assert_eq!(status, StatusCode::OK, "{page}: {text}");
        assert!(text.contains("value=\"mu-ca-gop\" selected"), "{page}: {text}");
        assert!(text.contains("<option value=\"Nà Pá, Mù Cả\">"), "its neighbours: {text}");
    }
    let (status, text) = town.page("/inspector/airings?place=na%20pa", Some(&whole)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("Nà Pá, Ka Lăng; Nà Pá, Mù Cả"), "both are told: {text}");
    let (_, text) = town.page("/inspector/airings?place=na%20pa%20ka%20lang", Some(&whole)).await;
    assert!(text.contains("value=\"ka-lang-na-pa\" selected"), "{text}");
    // Whoever watches one commune finds the village there, and none of another.
    let (_, text) = town.page("/inspector/airings?place=na%20pa", Some(&bound)).await;
    assert!(text.contains("value=\"mu-ca-na-pa\" selected"), "{text}");
    let (status, _) = town.page("/inspector/airings?place=ka%20lang", Some(&bound)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn entries_are_told_in_sentences_and_a_person_is_found_by_name() {
    let (town, whole, bound) = desk().await;
    let by = "tra".parse().unwrap();
    town.site
        .station
        .tell_export("report weekly", crate::digest::Digest::ZERO, Some(&by))
        .await
        .unwrap();
    let mut scribe = crate::server::Scribe::open(&town.site.station).await.unwrap();
    scribe.move_facts(&town.site.station.store).await.unwrap();
    let (_, text) = town.page("/inspector/entries?person=chi%20tra", Some(&whole)).await;
    assert!(text.contains("Chị tra (tra) lấy dữ liệu ra: report weekly."), "{text}");
    assert!(!text.contains("Chị ha (ha) "), "of one person alone: {text}");
    assert!(text.contains("<option value=\"ha\">Chị ha</option>"), "{text}");
    let (_, text) = town.page("/inspector/entries?person=tra", Some(&bound)).await;
    assert!(!text.contains("Chị tra"), "who has no duty there is not named: {text}");
    let (_, text) = town.page("/inspector/entries/0", Some(&whole)).await;
    assert!(text.contains("Máy chủ công bố danh mục khoá số 1"), "{text}");
    assert!(text.contains("Nguyên văn mục này"), "{text}");
}
