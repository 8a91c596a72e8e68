//! Every kind has its sentence, and a sentence says what its fact says.

use super::*;

struct People;

impl Names for People {
    fn of(&self, noun: Noun, id: &str) -> Option<Told> {
        match (noun, id) {
            (Noun::Person, "lan") => Some(Told::same("Vàng Thị Lan")),
            (Noun::Bulletin, "sat-lo") => Some(Told::same("“Phòng chống sạt lở”")),
            _ => None,
        }
    }
}

fn vi(kind: &str, who: &str, body: &str) -> String {
    sentence(kind, who, body, &People, Zone::default()).unwrap().vi
}

#[test]
fn a_fact_says_who_did_what_to_what() {
    let body = r#"{"bulletin":"sat-lo","language":"vi","state":"withdrawn","reason":"sai giờ"}"#;
    assert_eq!(
        vi("version.withdrawn", "person:lan", body),
        "Vàng Thị Lan thu hồi bản tiếng Việt của “Phòng chống sạt lở”: sai giờ."
    );
    let told = sentence("version.approved", "person:lan", body, &(), Zone::default()).unwrap();
    assert_eq!(told.en, "Lan approved the version in Vietnamese of sat-lo.");
}

#[test]
fn what_a_fact_does_not_say_is_left_out_of_its_sentence() {
    assert_eq!(vi("person.added", "server", r#"{"person":"an","duties":""}"#), "Máy chủ ghi an.");
    let body = r#"{"question":"hoi-1","bulletin":"sat-lo"}"#;
    let told = "Vàng Thị Lan đóng câu hỏi hoi-1, trả lời bằng bản tin “Phòng chống sạt lở”.";
    assert_eq!(vi("question.closed", "person:lan", body), told);
    let moved = r#"{"bulletin":"x","area":"mu-ca","villages":["a","b"],"at":null}"#;
    let told = "An đổi giờ hoặc nơi nghe thông báo x ở a, b.";
    assert_eq!(vi("announcement.moved", "person:an", moved), told);
}

#[test]
fn an_announcement_that_was_taken_back_says_why() {
    let body = r#"{"bulletin":"x","withdrawn":{"at":1,"by":"lan","reason":"đọc nhầm"}}"#;
    let told = "Vàng Thị Lan thu hồi thông báo x: đọc nhầm.";
    assert_eq!(vi("announcement.withdrawn", "person:lan", body), told);
}

#[test]
fn an_order_says_what_its_signed_note_commands() {
    let note = r#"{\"v\":1,\"typ\":\"order\",\"number\":7,\"command\":{\"do\":\"volume\",\"percent\":40}}\n\n— key x\n"#;
    let body = format!("{{\"controller\":\"mu-ca-1\",\"note\":\"{note}\"}}");
    let told = "Vàng Thị Lan ra lệnh cho bộ thu mu-ca-1: đặt âm lượng 40 %.";
    assert_eq!(vi("order.given", "person:lan", &body), told);
}

#[test]
fn a_change_of_programmes_names_each_piece() {
    let body = r#"{"act":"save","turns":[
        {"what":"programme/tin-sang","before":null,"after":"00"},
        {"what":"exception/tet","before":"00","after":null}]}"#;
    let told = "Vàng Thị Lan sửa chương trình phát: thêm chương trình tin-sang, bỏ ngoại lệ tet.";
    assert_eq!(vi("schedule.edited", "person:lan", body), told);
}

#[test]
fn a_receipt_comes_of_a_controller_and_a_time_is_the_clocks_on_the_wall() {
    let body = r#"{"controller":"mu-ca-1","first":3,"upto":9}"#;
    let told = "Bộ thu mu-ca-1 gửi các biên nhận số 3 đến 9, có chữ ký của thiết bị.";
    assert_eq!(vi("receipts.taken", "controller:mu-ca-1", body), told);
    let body = r#"{"controller":"mu-ca-1","until":1795301400000000,"reason":"thay loa"}"#;
    let told = vi("speaker.maintained", "person:lan", body);
    assert!(told.contains("đến 05:50 22/11/2026: thay loa"), "{told}");
    assert_eq!(sentence("later.kind", "server", "{}", &(), Zone::default()), None);
}

/// Every word of the form `family.step` in the code of the server, its tests left out: the kinds of
/// the facts that it writes.
fn written() -> std::collections::BTreeSet<String> {
    fn walk(folder: &std::path::Path, found: &mut std::collections::BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.file_stem().is_some_and(|name| name != "tests") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                let words = code.split('"').skip(1).step_by(2);
                found.extend(words.filter(|word| is_kind(word)).map(str::to_owned));
            }
        }
    }
    let mut found = std::collections::BTreeSet::new();
    walk(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/server")), &mut found);
    found
}

/// Whether a word begins like a kind that is known.
fn is_kind(word: &str) -> bool {
    let Some((family, step)) = word.split_once('.') else { return false };
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let files = ["toml", "db", "lock", "json", "key", "note", "conf", "log", "crt", "zip", "pem"];
    plain(family) && plain(step) && !family.is_empty() && step.len() > 2 && !files.contains(&step)
}

#[test]
fn every_kind_of_fact_that_the_server_writes_has_a_sentence_in_both_languages() {
    let written = written();
    assert!(written.len() > 45, "{written:?}");
    let known: std::collections::BTreeSet<String> = told_kinds().map(str::to_owned).collect();
    let untold: Vec<_> = written.difference(&known).collect();
    assert!(untold.is_empty(), "{untold:?}");
    let idle: Vec<_> = known.difference(&written).collect();
    assert!(idle.is_empty(), "nobody writes these: {idle:?}");
    for (kind, vi, en) in KINDS {
        assert_ne!(vi, en, "{kind}");
        for pattern in [vi, en] {
            assert!(pattern.starts_with("{who} "), "{kind}: {pattern}");
            assert_eq!(pattern.matches('[').count(), pattern.matches(']').count(), "{kind}");
            assert_eq!(pattern.matches('{').count(), pattern.matches('}').count(), "{kind}");
        }
        let fields = |pattern: &str| {
            let parts = pattern.split('{').skip(1).filter_map(|part| part.split('}').next());
            parts.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(fields(vi), fields(en), "{kind}: both languages tell the same");
    }
}
