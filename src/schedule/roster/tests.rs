//! Sheets as administrations write them, right and wrong.

use std::collections::BTreeSet;

use super::*;
use crate::fleet::Share;
use crate::schedule::file::{ScheduleFile, check};

const FILE: &str = r#"# Our own file.
[[area]]
id = "lai-chau"
name = "Tỉnh Lai Châu"
level = "province"
code = "12"

# The commune of the example.
[[area]]
id = "mu-ca"
name = "Xã Mù Cả"
level = "commune"
parent = "lai-chau"
code = "03451"
old_codes = ["03454", "03457"]
[[area.listens]]
language = "hni"

# A controller.
[[controller]]
id = "mu-ca-1"
area = "mu-ca"
"#;

const VILLAGES: &str = "id,name,parent,languages,fallback\n\
    ban-a,Bản A,03454,mww/hnj/hmn=55 vi=40,\n\
    ban-b,Bản B,mu-ca,hni,vi\n";

fn held() -> Vec<(String, String)> {
    vec![("own.toml".to_owned(), FILE.to_owned())]
}

fn checked(files: &[(String, String)]) -> Checked {
    let files = files.iter().map(|(name, text)| ScheduleFile::parse(name, text).unwrap());
    check(files.collect(), &BTreeSet::new(), None).unwrap()
}

fn sheet(subject: Subject, bytes: &[u8]) -> Sheet<'_> {
    Sheet { subject, name: "a.csv", bytes }
}

fn villages(text: &str) -> Result<Roster, Faults> {
    Roster::read(&[sheet(Subject::Villages, text.as_bytes())], &checked(&held()))
}

fn faults(text: &str) -> String {
    villages(text).unwrap_err().to_string()
}

/// The station's files after the sheets were taken over.
fn after(sheets: &[Sheet<'_>], files: &[(String, String)]) -> Vec<(String, String)> {
    let roster = Roster::read(sheets, &checked(files)).unwrap();
    let mut all: BTreeMap<String, String> = files.iter().cloned().collect();
    all.extend(roster.into_files(files).unwrap());
    all.into_iter().collect()
}

#[test]
fn villages_come_in_with_their_languages_shares_and_parents_by_id_or_code() {
    let files = after(&[sheet(Subject::Villages, VILLAGES.as_bytes())], &held());
    let tree = checked(&files).tree;
    let village = tree.get(&"ban-a".parse().unwrap()).unwrap();
    assert_eq!(village.parent.as_ref().unwrap().as_str(), "mu-ca", "by an old code");
    assert_eq!(village.listens[0].stand_ins.len(), 2);
    let shares: Vec<Option<u8>> = village.listens.iter().map(|w| w.share.map(Share::get)).collect();
    assert_eq!(shares, [Some(55), Some(40)]);
    assert_eq!(tree.get(&"ban-b".parse().unwrap()).unwrap().fallback, "vi".parse().ok());
}

#[test]
fn the_same_sheets_twice_change_nothing_the_second_time() {
    let sheets = [sheet(Subject::Villages, VILLAGES.as_bytes())];
    let once = after(&sheets, &held());
    let again = Roster::read(&sheets, &checked(&once)).unwrap();
    assert_eq!(again.changes(), []);
    assert_eq!(again.into_files(&once).unwrap(), []);
}

#[test]
fn a_place_keeps_its_file_and_the_comments_around_it() {
    let areas = sheet(Subject::Areas, b"id,name,old_codes\nmu-ca,X\xc3\xa3 M\xc3\xb9 C\xe1\xba\xa3 (m\xe1\xbb\x9bi),03454 03457 03460\n");
    let controllers = sheet(Subject::Controllers, b"id,area\nmu-ca-1,lai-chau\nmu-ca-2,03460\n");
    let files = after(&[areas, controllers], &held());
    let own = &files.iter().find(|(name, _)| name == "own.toml").unwrap().1;
    let expected = FILE
        .replace("\"Xã Mù Cả\"", "\"Xã Mù Cả (mới)\"")
        .replace("\"03457\"]", "\"03457\", \"03460\"]\n")
        .replace("area = \"mu-ca\"\n", "area = \"lai-chau\"\n");
    assert_eq!(*own, expected);
    let new = &files.iter().find(|(name, _)| name == "areas.toml").unwrap().1;
    assert_eq!(new, "[[controller]]\nid = \"mu-ca-2\"\narea = \"mu-ca\"\n");
}

#[test]
fn an_empty_cell_keeps_a_value_and_a_dash_empties_it() {
    let kept = villages("id,code,old_codes\nmu-ca,,\n").unwrap();
    assert_eq!(kept.changes(), [], "a village's sheet does not make a commune a village");
    let emptied = villages("id,level,code,old_codes\nmu-ca,xã,-,-\n").unwrap();
    assert_eq!(emptied.changes()[0].what, "code 03451 → -; old_codes 03454 03457 → ");
}

#[test]
fn sheets_from_excel_in_vietnamese_are_read() {
    let excel = "\u{feff}Mã định danh;Tên;Trực thuộc;Ngôn ngữ\r\n\
        ban-a;\"Bản \"\"A\"\"\";mu-ca;\"hni=60 vi=40\"\r\n;;;\r\n";
    let roster = villages(excel).unwrap();
    assert_eq!(roster.changes()[0].what, "Bản \"A\" in mu-ca, hni=60 vi=40");
    assert_eq!(villages(&VILLAGES.replace(',', "\t")).unwrap().changes().len(), 2);
}

#[test]
fn every_fault_is_named_at_once_with_file_and_line() {
    let text = "id,name,parent,languages\n\
        Bản A,Bản A,mu-ca,hni\n\
        ban-b,,mu-ca,hni\n\
        ban-c,Bản C,99999,hni\n\
        ban-d,Bản D,mu-ca,xx=5\n\
        ban-e,Bản E,mu-ca,hni=60 vi=41\n\
        ban-f,=HYPERLINK(1),mu-ca,hni\n\
        ban-c,Bản C,mu-ca,hni\n\
        ban-g,Bản G\n";
    let told = faults(text);
    for part in [
        "a.csv:2: id: `Bản A` is no area id",
        "a.csv:3: ban-b is new and has no name",
        "a.csv:4: no area has the id or code `99999`",
        "a.csv:5: languages: `xx` is no language of this station",
        "a.csv:6: languages: the shares sum to 101 %",
        "a.csv:7: `=HYPERLINK(1)` looks like a formula",
        "a.csv:8: `ban-c` is in a.csv:4 already",
        "a.csv:9: 2 cells where the heading has 4",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
}

#[test]
fn a_heading_that_is_wrong_is_named_and_no_row_is_judged_by_it() {
    let told = faults("id,nmae,name,Tên\nban-a,x,y,z\n");
    assert!(told.contains("a.csv:1: unknown column `nmae`; use id, name,"), "{told}");
    assert!(told.contains("a.csv:1: two columns `Tên`"), "{told}");
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(faults("name\nBản A\n").contains("column `id` is missing"));
    assert!(faults("").contains("is empty"));
}

#[test]
fn areas_in_a_ring_are_named_at_their_rows() {
    let told = faults("id,name,parent\na,A,b\nb,B,a\n");
    assert!(told.contains("a.csv:2: area `a` lies in itself"), "{told}");
    assert!(told.contains("a.csv:3: area `b` lies in itself"), "{told}");
}

#[test]
fn an_old_code_of_two_areas_names_no_one() {
    let told = faults("id,name,parent,old_codes\na,A,mu-ca,03454\nb,B,03454,\n");
    assert!(told.contains("a.csv:3: `03454` is an old code of a and mu-ca"), "{told}");
}

#[test]
fn what_is_no_text_or_far_too_much_is_refused() {
    let read = |bytes: &[u8]| {
        Roster::read(&[sheet(Subject::Areas, bytes)], &checked(&held())).unwrap_err().to_string()
    };
    assert!(read(b"id\na\nB\xc3n").starts_with("a.csv:3: not UTF-8"));
    assert!(read(b"\xff\xfei\0d\0").contains("CSV UTF-8"));
    assert!(read(&vec![b'a'; SHEET_BYTES_MAX + 1]).contains("split the sheet"));
    assert!(read(b"id,name\na,\"B\nc,d\ne,f\n").contains("is a \" missing?"));
    let many = "id,name\n".to_owned() + &",\n".repeat(ROWS_MAX + 1);
    assert!(read(many.as_bytes()).contains("more than 50000 rows"));
}

#[test]
fn new_places_go_to_a_second_file_where_the_first_is_full() {
    let mut text = "id,name,parent\n".to_owned();
    for n in 0..9_000 {
        text.extend([format!("ban-{n:05},Bản {},mu-ca\n", "ậ".repeat(30))]);
    }
    let files = after(&[sheet(Subject::Villages, text.as_bytes())], &held());
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["areas-2.toml", "areas.toml", "own.toml"]);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _ = Roster::read(&[sheet(Subject::Areas, &bytes)], &checked(&held()));
    }

    #[test]
    fn no_sheet_of_known_columns_makes_the_reader_panic(rows in "([a-c,;\"\n=0-9 ]{0,12}\n){0,12}") {
        let text = format!("id,name,level,parent,code,old_codes,languages\n{rows}");
        if let Err(faults) = villages(&text) {
            proptest::prop_assert!(!faults.0.is_empty());
        }
    }
}
