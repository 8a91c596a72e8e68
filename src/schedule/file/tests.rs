//! Schedule files as people write them, right and wrong.

use std::collections::BTreeSet;

use super::*;

const GOOD: &str = r#"
[[language]]
tag = "kjg"
name_vi = "tiếng Khơ Mú"
name_en = "Khmu"

[[column]]
name = "Chợ phiên"

[[topic]]
name = "Thuế"

[[campaign]]
name = "Tháng an toàn giao thông 2026"

[[area]]
id = "lai-chau"
name = "Tỉnh \"Lai Châu\""
level = "province"
code = "12"
fallback = "vi"
[[area.listens]]
language = "vi"

[[area]]
id = "mu-ca"
name = "Xã Mù Cả"
level = "commune"
parent = "lai-chau"
code = "03451"
old_codes = ["03454", "03457"]
tags = ["bien-gioi"]
[[area.listens]]
language = "hni"
stand_ins = ["vi"]
share = 60
[[area.listens]]
language = "kjg"
share = 40

[[controller]]
id = "mu-ca-1"
area = "mu-ca"

[[policy]]
area = "lai-chau"
sessions_a_day_max = 4
minutes_a_session_max = 30
minutes_a_day_max = 60
days_a_week_max = 5
[[policy.quiet]]
days = ["sun"]
from = "18:00"
until = "19:00"
[[policy.volume]]
days = ["all"]
from = "05:00"
until = "06:00"
percent = 60
[[policy.window]]
days = ["mon", "tue"]
from = "05:00"
until = "07:30"
[[policy.window]]
days = ["all"]
from = "17:00"
until = "24:00"

[[programme]]
id = "tin-sang"
title = "Tin sáng"
cron = "0 30 5 * * Mon-Sat"
from = "2026-01-01"
areas = ["lai-chau"]
minus_areas = ["mu-ca"]
languages = ["vi", "hni"]
order = "language"
bulletins = ["lu-quet"]
length_max_s = 900
chime = true

[[programme]]
id = "phap-luat"
title = "Hỏi đáp"
at = ["17:30:00", "05:30:00"]
weekdays = ["mon"]
areas = ["lai-chau"]
only_tags = ["bien-gioi"]
only_listening = ["hni"]
tags = ["giai-tri"]
newest = "Hỏi đáp pháp luật"
identification = "dai-hieu"
gives_way = "longest"

[[exception]]
id = "quoc-tang"
name = "Quốc tang"
from = "2026-07-24"
until = "2026-07-25"
tags = ["giai-tri"]
skip = true

[[exception]]
id = "tet"
name = "Tết Nguyên đán"
from = "2027-02-06"
areas = ["mu-ca"]
programmes = ["tin-sang"]
move_to = ["06:30:00"]

[[exception]]
id = "bao"
name = "Bão số 3"
from = "2026-09-01"
columns = ["Hỏi đáp pháp luật"]
bulletins = ["lu-quet"]

[[exception]]
id = "khai-giang"
name = "Khai giảng"
from = "2026-09-05"
programme = "phap-luat"
"#;

fn columns() -> BTreeSet<Column> {
    Column::usual().collect()
}

fn checked(text: &str) -> Result<Checked, Faults> {
    check(vec![ScheduleFile::parse("a.toml", text)?], &columns(), None)
}

/// The faults of the good file with `old` in place of `new`.
fn faults_with(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old), "{old}");
    checked(&GOOD.replacen(old, new, 1)).unwrap_err().to_string()
}

fn line_of(text: &str) -> usize {
    GOOD[..GOOD.find(text).unwrap()].matches('\n').count() + 1
}

#[test]
fn a_right_file_is_read_whole() {
    let good = checked(GOOD).unwrap();
    assert_eq!((good.controllers.len(), good.policies.len()), (1, 1));
    let ids: Vec<&str> = good.programmes.iter().map(|programme| programme.id.as_str()).collect();
    assert_eq!(ids, ["phap-luat", "tin-sang"]);
}

#[test]
fn what_the_files_add_to_the_lists_is_known() {
    let lists = checked(GOOD).unwrap().lists;
    let khmu = "kjg".parse().unwrap();
    assert_eq!(lists.languages.vi(&khmu), "tiếng Khơ Mú");
    assert!(lists.has_column(&"Chợ phiên".parse().unwrap()));
    assert!(lists.has_topic(&"Thuế".parse().unwrap()));
    let own = GOOD.replace("Hỏi đáp pháp luật", "Chợ phiên");
    assert!(checked(&own).is_ok(), "a programme may take from a column of the files");
}

#[test]
fn a_share_a_code_or_a_name_that_is_wrong_is_a_fault_with_its_line() {
    let line = line_of("share = 60");
    assert!(faults_with("share = 60", "share = 0").starts_with(&format!("a.toml:{line}:")));
    assert!(faults_with("share = 60", "share = 61").contains("sum to 101 %"));
    assert!(faults_with("\"03454\"", "\"cũ 3\"").contains("is no code"));
    assert!(faults_with("name = \"Thuế\"", "name = \"\"").contains("topic is empty"));
    let twice = format!("{GOOD}\n[[topic]]\nname = \"Thuế\"\n");
    assert!(checked(&twice).unwrap_err().to_string().contains("topic `Thuế` is in a.toml:"));
}

#[test]
fn what_is_exported_reads_back_as_the_same_schedule() {
    let good = checked(GOOD).unwrap();
    let text = good.export();
    let again = checked(&text).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
    assert_eq!(again, good);
    assert_eq!(again.export(), text);
}

#[test]
fn several_files_are_one_schedule_whatever_their_order() {
    let split = GOOD.find("[[programme]]").unwrap();
    let parse = |name, text| ScheduleFile::parse(name, text).unwrap();
    let files = || vec![parse("a.toml", &GOOD[..split]), parse("b.toml", &GOOD[split..])];
    let one = check(files(), &columns(), None).unwrap();
    let mut turned = files();
    turned.reverse();
    assert_eq!(check(turned, &columns(), None).unwrap(), one);
    assert_eq!(checked(GOOD).unwrap(), one);
}

#[test]
fn each_wrong_name_is_named_with_its_line() {
    for (old, new, expected) in [
        ("language = \"hni\"", "language = \"hmi\"", "unknown language `hmi`"),
        ("area = \"mu-ca\"", "area = \"mu-co\"", "unknown area `mu-co`"),
        ("parent = \"lai-chau\"", "parent = \"x\"", "unknown area `x`"),
        ("minus_areas = [\"mu-ca\"]", "minus_areas = [\"y\"]", "unknown area `y`"),
        ("newest = \"Hỏi đáp pháp luật\"", "newest = \"Hỏi\"", "unknown column `Hỏi`"),
        ("level = \"commune\"", "level = \"ward\"", "province or commune or village"),
        ("order = \"language\"", "order = \"x\"", "language or bulletin"),
        ("only_tags = [\"bien-gioi\"]", "only_tags = [\"x\"]", "no tag of areas is `x`"),
        ("tags = [\"giai-tri\"]\nskip", "tags = [\"x\"]\nskip", "no tag of programmes is `x`"),
        ("gives_way = \"longest\"", "gives_way = \"x\"", "last or longest or lowest-class"),
        ("programmes = [\"tin-sang\"]", "programmes = [\"x\"]", "unknown programme `x`"),
        ("until = \"2026-07-25\"", "until = \"2026-07-23\"", "ends before it begins"),
        ("until = \"2026-07-25\"", "until = \"2027-07-25\"", "longer than a year"),
        ("move_to = [\"06:30:00\"]", "move_to = [\"24:00\"]", "24:00 is the next day"),
        ("move_to = [\"06:30:00\"]", "move_to = []", "one time for each airing"),
        ("percent = 60", "percent = 101", "outside 0 to 100"),
        ("until = \"07:30\"", "until = \"04:30\"\n", "is empty"),
    ] {
        let faults = faults_with(old, new);
        assert!(faults.contains(expected), "{faults}");
        let line = line_of(old);
        let from = if expected == "is empty" { line - 1 } else { line };
        assert!(faults.starts_with(&format!("a.toml:{from}: ")), "{faults}");
        assert_eq!(faults.lines().count(), 1, "{faults}");
    }
}

#[test]
fn a_time_that_never_comes_is_a_fault_at_its_line() {
    let faults = faults_with("0 30 5 * * Mon-Sat", "0 0 6 30 2 *");
    assert!(faults.contains(&format!("a.toml:{}: `cron`:", line_of("0 30 5"))), "{faults}");
    assert!(faults.contains("never comes"), "{faults}");
}

#[test]
fn a_language_without_a_name_is_fine_once_it_is_listed() {
    let kho_mu = GOOD.replace("language = \"hni\"", "language = \"khb\"");
    assert!(checked(&kho_mu).is_err());
    let listed = format!("{kho_mu}\n[[language]]\ntag = \"khb\"\n");
    assert!(checked(&listed.replace("[\"vi\", \"hni\"]", "[\"khb\"]")).is_ok());
}

#[test]
fn what_is_there_twice_is_named_with_the_place_of_the_first() {
    let twice =
        || ScheduleFile::parse("b.toml", "[[controller]]\nid = \"mu-ca-1\"\narea = \"mu-ca\"\n");
    let files = vec![ScheduleFile::parse("a.toml", GOOD).unwrap(), twice().unwrap()];
    let faults = check(files, &columns(), None).unwrap_err().to_string();
    let first = line_of("[[controller]]");
    let expected =
        format!("b.toml:1: controller `mu-ca-1` is in a.toml:{first} already; remove one");
    assert_eq!(faults, expected);
}

#[test]
fn two_files_of_one_name_are_compared_like_any_others() {
    let file = || ScheduleFile::parse("a.toml", GOOD).unwrap();
    let faults = check(vec![file(), file()], &columns(), None).unwrap_err();
    assert_eq!(faults.0.len(), 14, "{faults}");
}

#[test]
fn a_circle_of_areas_is_named_where_it_is_written() {
    let faults = faults_with("code = \"12\"", "parent = \"mu-ca\"");
    assert_eq!(faults.matches("lies in itself").count(), 2, "{faults}");
}

#[test]
fn both_or_neither_of_two_ways_to_say_something_is_a_fault() {
    for (old, new, expected) in [
        ("cron = \"0 30 5 * * Mon-Sat\"\n", "", "either `cron` or `at`"),
        (
            "at = [\"17:30:00\", \"05:30:00\"]",
            "at = [\"05:30:00\"]\ncron = \"0 0 6 * * *\"",
            "either `cron` or `at`",
        ),
        ("bulletins = [\"lu-quet\"]\n", "", "either `bulletins` or `newest`"),
        ("newest = ", "bulletins = [\"x\"]\nnewest = ", "either `bulletins` or `newest`"),
        ("bulletins = [\"lu-quet\"]", "bulletins = [\"x\", \"x\"]", "names one twice"),
    ] {
        let faults = faults_with(old, new);
        assert!(faults.contains(expected), "{faults}");
    }
}

#[test]
fn an_exception_says_one_thing_that_happens() {
    for (old, new) in [("skip = true\n", ""), ("skip = true", "skip = true\nnewest = \"Thời sự\"")]
    {
        let faults = faults_with(old, new);
        assert!(faults.contains("so that it is clear what happens"), "{faults}");
    }
    let faults = faults_with("skip = true", "skip = false");
    assert!(faults.contains("changes nothing"), "{faults}");
}

#[test]
fn an_exception_of_one_day_needs_no_end() {
    let good = checked(GOOD).unwrap();
    let day = good.exceptions.iter().find(|exception| exception.id.as_str() == "bao").unwrap();
    assert_eq!((day.from, day.until), ("2026-09-01".parse().unwrap(), day.from));
}

#[test]
fn two_volumes_at_one_time_are_a_fault_in_words() {
    let loud = "\n[[policy.volume]]\ndays = [\"mon\"]\nfrom = \"05:30\"\nuntil = \"07:00\"\npercent = 90\n";
    let faults = faults_with("percent = 60\n", &format!("percent = 60\n{loud}"));
    assert!(faults.contains("two volumes hold on mon at 05:30"), "{faults}");
}

#[test]
fn an_unknown_key_is_a_fault_that_lists_the_known_ones() {
    let faults = faults_with("chime = true", "chimes = true");
    assert!(faults.contains("unknown key `chimes`"), "{faults}");
    assert!(faults.contains("gives_way, gap_ms, length_max_s, chime"), "{faults}");
}

#[test]
fn bulletins_are_checked_where_the_station_names_its_own() {
    let parse = || vec![ScheduleFile::parse("a.toml", GOOD).unwrap()];
    let faults = check(parse(), &columns(), Some(&BTreeSet::new())).unwrap_err().to_string();
    assert!(faults.contains("unknown bulletin `lu-quet`"), "{faults}");
    let known = BTreeSet::from(["lu-quet", "dai-hieu"].map(|id| id.parse().unwrap()));
    assert!(check(parse(), &columns(), Some(&known)).is_ok());
}

proptest::proptest! {
    #[test]
    fn a_line_lost_or_doubled_is_read_or_refused_and_never_a_panic(at in 0_usize..120, double: bool) {
        let mut lines: Vec<&str> = GOOD.lines().collect();
        let at = at % lines.len();
        let line = lines.remove(at);
        if double {
            lines.splice(at..at, [line, line]);
        }
        if let Ok(good) = checked(&lines.join("\n")) {
            proptest::prop_assert_eq!(checked(&good.export()).unwrap(), good);
        }
    }

    #[test]
    fn any_name_survives_the_export(name in "[^\\p{C}\\s]{1,40}") {
        let text = GOOD.replace("Xã Mù Cả", &name.replace('\\', "\\\\").replace('"', "\\\""));
        let good = checked(&text).unwrap();
        proptest::prop_assert_eq!(checked(&good.export()).unwrap(), good);
    }
}
