//! Programmes at the pages: the form, the look before, two editors, the week, undo.

use axum::http::{Method, StatusCode};

use crate::bulletin::{Bulletin, Class, SourceLevel};
use crate::digest::Digest;
use crate::server::tests as stand;
use crate::web::tests::{MORNING, Town, read};

const EVENING: &str = r#"
[[programme]]
id = "tin-xa"
title = "Tin của xã"
at = ["17:00:00"]
areas = ["mu-ca"]
newest = "Thông báo của xã"
"#;

async fn town() -> (Town, String, String) {
    let town = Town::new().await.airs(&format!("{MORNING}{EVENING}")).await;
    let town = town.with("an", "announcer").await.with("dung", "leader").await;
    let (an, dung) = (town.cookie("an").await, town.cookie("dung").await);
    (town, an, dung)
}

/// Every field of the forms of a page that are hidden, ticked or filled in.
fn value(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let found = page.split(&mark).nth(1).unwrap_or_else(|| panic!("no {name} in {page}"));
    found.split('"').next().unwrap().to_owned()
}

fn programme(title: &str, times: &str, more: &str) -> String {
    let title = crate::web::guard::encoded(title);
    format!(
        "act=programme&title={title}&area=mu-ca&repeat=weekly&day=mon&day=tue&times={times}\
         &content=newest&column=Th%E1%BB%9Di%20s%E1%BB%B1&languages=every&{more}"
    )
}

async fn saved(town: &Town, id: &str) -> Option<String> {
    let schedule = town.site.station.schedule().await.unwrap();
    let held = schedule.programmes.iter().find(|held| held.id.as_str() == id);
    held.map(|held| held.recurrence.to_string())
}

#[tokio::test]
async fn a_programme_is_looked_at_and_then_saved() {
    let (town, an, _) = town().await;
    let form = programme("Đọc báo", "6h15", "id=&seen=");
    let (status, page) = town.send("/programmes/preview", Some(&an), &form).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert!(page.contains("+ Đọc báo (mới)"), "{page}");
    assert_eq!(saved(&town, "doc-bao").await, None, "a look saves nothing");
    let (id, seen) = (value(&page, "id"), value(&page, "seen"));
    let form = programme("Đọc báo", "6h15", &format!("id={id}&seen={seen}"));
    let (status, to) = town.send("/programmes/save", Some(&an), &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{to}");
    assert_eq!(saved(&town, "doc-bao").await.unwrap(), "06:15 on mon, tue");
    let (_, list) = town.page("/programmes", Some(&an)).await;
    assert!(list.contains("Đọc báo") && list.contains("Hoàn tác"), "{list}");
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once_and_what_was_typed_stays() {
    let (town, an, _) = town().await;
    let form = "act=programme&title=&repeat=weekly&times=25%3A00&content=bulletins&bulletin=la\
                &languages=only&tags=Kh%C3%B4ng";
    let (status, page) = town.send("/programmes/preview", Some(&an), form).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    for told in [
        "Chưa có tên",
        "Chưa chọn nơi nghe",
        "ít nhất một ngày",
        "Không có bản tin `la`",
        "ít nhất một ngôn ngữ",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(page.contains("value=\"25:00\"") && page.contains("value=\"la\""), "{page}");
}

#[tokio::test]
async fn the_second_of_two_editors_sees_the_firsts_change_and_keeps_their_own() {
    let (town, an, dung) = town().await;
    let (_, form) = town.page("/programmes/tin-xa", Some(&an)).await;
    let seen = value(&form, "seen");
    let first = programme("Tin của xã", "17:30", &format!("id=tin-xa&seen={seen}"));
    let (status, to) = town.send("/programmes/save", Some(&an), &first).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{to}");

    let second = programme("Tin chiều của xã", "18:00", &format!("id=tin-xa&seen={seen}"));
    let (status, told) = town.send("/programmes/save", Some(&dung), &second).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(told.contains("Chị an") && told.contains("17:00 → 17:30"), "{told}");
    assert!(told.contains("value=\"Tin chiều của xã\""), "{told}");
    assert!(saved(&town, "tin-xa").await.unwrap().contains("17:30"), "the first one holds");
    let seen = value(&told, "seen");
    let again = programme("Tin chiều của xã", "18:00", &format!("id=tin-xa&seen={seen}"));
    let (status, _) = town.send("/programmes/save", Some(&dung), &again).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(saved(&town, "tin-xa").await.unwrap().contains("18:00"));
}

#[tokio::test]
async fn of_several_airings_a_day_only_the_one_that_is_left_out_is_told_by_its_bulletins_title() {
    let (town, an, _) = town().await;
    let from = crate::clock::utc_now() - std::time::Duration::from_hours(1);
    let bulletin = Bulletin {
        title: "Phòng chống lũ quét".parse().unwrap(),
        ..stand::bulletin("lu", Class::Normal, SourceLevel::Province, from)
    };
    town.site.station.put_approved(&bulletin).await;
    let form = |times: &str, more: &str| {
        format!("{}&content=bulletins&bulletin=lu", programme("Đọc báo", times, more))
            .replace("content=newest&", "")
    };
    let look = async |times: &str, more: &str| {
        town.send("/programmes/preview", Some(&an), &form(times, more)).await.1
    };
    let page = look("6h15,%2011h,%2017h", "id=&seen=").await;
    for at in ["06:15", "11:00", "17:00"] {
        let told = format!("phát thêm lúc {at}: Phòng chống lũ quét [vi]");
        assert!(page.contains(&told), "{told}: {page}");
    }
    let more = format!("id={}&seen={}", value(&page, "id"), value(&page, "seen"));
    let saved = form("6h15,%2011h,%2017h", &more);
    let (status, to) = town.send("/programmes/save", Some(&an), &saved).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{to}");
    let (_, held) = town.page("/programmes/doc-bao", Some(&an)).await;
    let page = look("11h,%2017h", &format!("id=doc-bao&seen={}", value(&held, "seen"))).await;
    assert!(page.contains("không phát nữa lúc 06:15"), "{page}");
    assert!(!page.contains("dời") && !page.contains("phát thêm"), "{page}");
}

#[tokio::test]
async fn who_saves_what_now_does_something_else_is_shown_it_first() {
    let (town, an, _) = town().await;
    let form = programme("Đọc báo", "6h15", "id=&seen=");
    let (_, page) = town.send("/programmes/preview", Some(&an), &form).await;
    let (id, seen, shown) = (value(&page, "id"), value(&page, "seen"), value(&page, "shown"));
    let earlier = Digest::of(b"what it did then");
    let form =
        |shown: &str| programme("Đọc báo", "6h15", &format!("id={id}&seen={seen}&shown={shown}"));
    let (status, told) =
        town.send("/programmes/save", Some(&an), &form(&earlier.to_string())).await;
    assert_eq!(status, StatusCode::CONFLICT, "{told}");
    assert!(told.contains("lịch đã đổi"), "{told}");
    assert_eq!(saved(&town, "doc-bao").await, None);
    assert_eq!(value(&told, "shown"), shown);
    let (status, to) = town.send("/programmes/save", Some(&an), &form(&shown)).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{to}");
}

#[tokio::test]
async fn a_programme_in_days_that_are_over_is_refused() {
    let (town, an, _) = town().await;
    let form = programme("Đọc báo", "6h15", "id=&seen=&from=2026-01-05&until=2026-01-06");
    let (status, page) = town.send("/programmes/preview", Some(&an), &form).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    assert!(page.contains("Những ngày này đã qua"), "{page}");
}

#[tokio::test]
async fn one_airing_that_is_dragged_is_looked_at_saved_and_taken_back() {
    let (town, an, _) = town().await;
    let zone = town.site.station.config.zone;
    let day = zone.date(crate::clock::utc_now()).plus_days(1);
    let path =
        format!("/programmes/tin-sang/airing?date={day}&occurrence=0&to_date={day}&to_time=07:00");
    let (status, page) = town.page(&path, Some(&an)).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert!(page.contains("Chỉ lượt này") && page.contains("aria-pressed=\"true\""), "{page}");
    let seen = value(&page, "seen");
    let form = format!(
        "act=airing&programme=tin-sang&date={day}&occurrence=0&turn=move&to_date={day}\
         &to_time=07:00&reach=this&seen={seen}"
    );
    let (status, to) = town.send("/programmes/save", Some(&an), &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{to}");
    let exceptions = async || town.site.station.schedule().await.unwrap().exceptions.len();
    assert_eq!(exceptions().await, 1);
    let (_, look) = town.send("/programmes/preview", Some(&an), "act=undo").await;
    assert!(look.contains("(bỏ)"), "{look}");
    let undo = format!("act=undo&seen={}", value(&look, "seen"));
    let (status, _) = town.send("/programmes/save", Some(&an), &undo).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(exceptions().await, 0);
}

#[tokio::test]
async fn a_first_visit_to_the_week_stays_under_200_kb() {
    let (town, an, _) = town().await;
    let mut many = format!("{MORNING}{EVENING}");
    for n in 0..18 {
        use std::fmt::Write as _;
        let _ = write!(
            many,
            "\n[[programme]]\nid = \"chuong-trinh-{n}\"\ntitle = \"Chương trình hằng ngày số {n}\"\n\
             at = [\"{:02}:{:02}:00\"]\nareas = [\"lai-chau\"]\nnewest = \"Thời sự\"\n",
            5 + n / 2,
            30 * (n % 2)
        );
    }
    let town = town.airs(&many).await;
    let next = town.site.station.config.zone.date(crate::clock::utc_now()).plus_days(7);
    let week = format!("/programmes/week?from={next}");
    let (_, page) = town.page(&week, Some(&an)).await;
    let mut bytes = town.weighs(&week, Some(&an)).await;
    assert!(bytes < page.len() / 3, "{bytes} of {} bytes", page.len());
    assert_eq!(page.matches("<a class=\"block").count(), 20 * 7, "{page}");
    assert!(page.contains("/programmes/chuong-trinh-3/airing?"), "{page}");
    // Style, scripts, and every font that a page in Vietnamese asks for.
    let mut assets: Vec<String> = Vec::new();
    for mark in ["href=\"", "src=\""] {
        let named = page.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
        assets.extend(named.filter(|path| path.starts_with("/static/")).map(str::to_owned));
    }
    assert_eq!(assets.len(), 3, "{assets:?}");
    let (style, folder) = (assets[0].clone(), assets[0].rsplit_once('/').unwrap().0.to_owned());
    let (_, css) = town.page(&style, None).await;
    let fonts = css.split("url(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let fonts = fonts.filter(|font| !font.contains("tai-viet"));
    assets.extend(fonts.map(|font| format!("{folder}/{font}")));
    for path in &assets {
        bytes += town.weighs(path, None).await;
    }
    println!("{bytes} bytes");
    assert!(bytes < 200_000, "{bytes} bytes");
}

#[tokio::test]
async fn no_page_of_programmes_needs_a_style_or_script_of_its_own() {
    let (town, an, _) = town().await;
    for path in [
        "/programmes",
        "/programmes/week",
        "/programmes/new",
        "/programmes/tin-sang",
        "/programmes/village?area=mu-ca",
        "/exceptions/new?storm=1",
    ] {
        let (status, page) = town.page(path, Some(&an)).await;
        assert_eq!(status, StatusCode::OK, "{path}: {page}");
        assert!(!page.contains("style=\"") && !page.contains("<style"), "{path}");
        assert!(!page.contains("onclick") && !page.contains("<script>"), "{path}");
    }
}

#[tokio::test]
async fn what_a_village_hears_of_a_bulletin_is_asked_by_its_title() {
    let (town, an, _) = town().await;
    let new = "title_vi=L%E1%BB%8Bch+ti%C3%AAm+ch%E1%BB%A7ng&script=L%E1%BB%9Di&language=vi\
               &valid_days=30&column=Th%E1%BB%9Di+s%E1%BB%B1&issuing_body=UBND&kind=news\
               &class=normal&source_level=province";
    assert_eq!(town.send("/contribution", Some(&an), new).await.0, StatusCode::SEE_OTHER);
    let asks = async |text: &str| {
        let path = format!("/programmes/village?area=mu-ca&bulletin={text}");
        town.page(&path, Some(&an)).await.1
    };
    for text in ["L%E1%BB%8Bch+ti%C3%AAm+ch%E1%BB%A7ng", "tiem+chung", "lich-tiem-chung"] {
        let page = asks(text).await;
        assert!(page.contains("id=\"answer\""), "{text}: {page}");
    }
    let page = asks("lich-tiem-chung").await;
    assert!(page.contains("list=\"bulletins\" value=\"Lịch tiêm chủng\""), "{page}");
    assert!(page.contains("<option value=\"Lịch tiêm chủng\">"), "{page}");
    assert!(asks("bao+so+3").await.contains("Không có bản tin `bao so 3`"));
    let form = "act=programme&content=bulletins&bulletin=lich-tiem-chung&title=A";
    let (_, page) = town.send("/programmes/form", Some(&an), form).await;
    assert!(
        page.contains("name=\"bulletin\" list=\"bulletins\" value=\"Lịch tiêm chủng\""),
        "{page}"
    );
}

#[tokio::test]
async fn an_operator_sees_the_week_and_changes_only_what_is_theirs() {
    let (town, _, _) = town().await;
    let town = town.with("mua", "operator@mu-ca").await;
    let mua = town.cookie("mua").await;
    let (_, form) = town.page("/programmes/tin-sang", Some(&mua)).await;
    let seen = value(&form, "seen");
    let form = programme("Tin", "07:00", &format!("id=tin-sang&seen={seen}"));
    let response = town.visit(Method::POST, "/programmes/save", Some(&mua), &form).await;
    let (status, told) = read(response).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{told}");
    assert!(told.contains("mu-ca"), "{told}");
}

#[tokio::test]
async fn every_page_says_what_is_on_air_and_what_comes_next() {
    let (town, an, _) = town().await;
    let response = town.visit(Method::GET, "/on-air", Some(&an), "").await;
    let mut body = response.into_body().into_data_stream();
    let first = tokio_stream::StreamExt::next(&mut body).await.unwrap().unwrap();
    let event = String::from_utf8(first.to_vec()).unwrap();
    assert!(event.contains("event: part") && event.contains("on-air"), "{event}");
    assert!(event.contains("Không có gì đang phát"), "{event}");
}
