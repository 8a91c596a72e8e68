//! The newsroom by its commands, in a station of its own: each step by its person, each a fact.

use std::fs;
use std::process::Command;

use crate::cast::{Station, checkout, free_port, ran};

/// A station with its areas, and one person for each duty.
fn station() -> Station {
    let (broker, web) = (free_port(), free_port());
    let listen = format!("127.0.0.1:{broker}");
    let station = Station::init(&["--listen", &listen, "--web", &format!("127.0.0.1:{web}")]);
    station.hire();
    for (id, duty) in [
        ("tuphap", "contributor"),
        ("hoa", "operator"),
        ("xem", "inspector"),
        ("quan", "administrator"),
        ("muca", "contributor@mu-ca"),
    ] {
        station.does(&["person", "add", id, "--name", id, "--duties", duty]);
    }
    let areas = checkout().join("schedules/demo/areas.toml");
    station.does(&["schedule", "import", areas.to_str().unwrap()]);
    station
}

/// What the log will be told, as `kind who`.
fn facts(station: &Station, kind: &str) -> Vec<String> {
    let sql = format!("select kind || ' ' || who from fact where kind like '{kind}.%' order by id");
    let db = station.path("station/loaban.db");
    let out = ran(Command::new("sqlite3").arg(db).arg(sql)).stdout;
    String::from_utf8(out).unwrap().lines().map(ToOwned::to_owned).collect()
}

fn bodies(station: &Station, kind: &str) -> String {
    let sql = format!("select body from fact where kind = '{kind}' order by id");
    let db = station.path("station/loaban.db");
    String::from_utf8(ran(Command::new("sqlite3").arg(db).arg(sql)).stdout).unwrap()
}

const CONTRIBUTE: [&str; 16] = [
    "bulletin",
    "contribute",
    "doi-mu",
    "--by",
    "tuphap",
    "--title",
    "Đội mũ bảo hiểm",
    "--column",
    "An toàn giao thông",
    "--issuing-body",
    "Công an tỉnh",
    "--topic",
    "An toàn giao thông",
    "--script",
    "Đội mũ khi đi xe máy.",
    "--document-number=168/2024/NĐ-CP",
];

fn record(station: &Station, language: &str, by: &str) {
    let file = checkout().join("audio-samples/phong-chong-sat-lo.vi.wav");
    let file = file.to_str().unwrap();
    let words = ["bulletin", "record", "doi-mu", language, "--file", file, "--voice", "synthetic"];
    station.does(&[&words[..], &["--by", by]].concat());
}

fn approve(station: &Station, language: &str) {
    let pass = station.path("dung.pass");
    let words = ["bulletin", "approve", "doi-mu", language, "--by", "dung", "--passphrase-file"];
    station.does(&[&words[..], &[pass.to_str().unwrap()]].concat());
}

fn shown(station: &Station) -> serde_json::Value {
    serde_json::from_str(&station.does(&["bulletin", "show", "doi-mu", "--json"])).unwrap()
}

#[test]
fn what_a_bulletin_is_is_put_right_and_what_is_signed_stays() {
    let station = station();
    station.does(&CONTRIBUTE);
    let amend = |words: &[&'static str]| {
        [&["bulletin", "amend", "doi-mu", "--by", "tuphap"][..], words].concat()
    };
    station.does(&amend(&["--title", "Đội mũ", "--title-en", "Helmets", "--without", "topics"]));
    let bulletin = &shown(&station)["bulletin"];
    assert_eq!((&bulletin["title"], &bulletin["title_en"]), (&"Đội mũ".into(), &"Helmets".into()));
    assert!(bulletin["topics"].is_null(), "{bulletin}");
    assert_eq!(bulletin["column"], "An toàn giao thông", "what is not named stays");
    let unknown = station.refuses(&amend(&["--column", "Chuyện lạ"]));
    assert!(unknown.contains("no column here"), "{unknown}");
    record(&station, "vi", "an");
    station.does(&["bulletin", "review", "doi-mu", "vi", "--by", "chi"]);
    approve(&station, "vi");
    let signed = station.refuses(&amend(&["--class", "priority"]));
    assert!(signed.contains("is approved in vi"), "{signed}");
    station.does(&amend(&["--without", "title-en"]));
    assert!(shown(&station)["bulletin"]["title_en"].is_null());
    assert_eq!(facts(&station, "bulletin"), ["bulletin.kept person:tuphap"; 3]);
}

#[test]
fn a_text_of_the_justice_office_becomes_a_version_that_may_be_heard_and_is_taken_back() {
    let station = station();
    station.does(&CONTRIBUTE);
    let step = |words: &[&str]| station.does(&[&["bulletin"][..], words].concat());
    step(&["translate", "doi-mu", "hni", "--script", "…", "--variety", "Mù Cả", "--by", "an"]);
    let early = station.refuses(&["bulletin", "review", "doi-mu", "hni", "--by", "chi"]);
    assert!(early.contains("not a recorded draft"), "{early}");
    record(&station, "hni", "an");
    step(&["return", "doi-mu", "hni", "--comment", "đọc chậm lại", "--by", "chi"]);
    record(&station, "hni", "an");
    step(&["review", "doi-mu", "hni", "--by", "chi"]);
    approve(&station, "hni");
    let late = ["translate", "doi-mu", "hni", "--script", "khác", "--by", "an"];
    let late = station.refuses(&[&["bulletin"][..], &late[..]].concat());
    assert!(late.contains("withdraw it first"), "{late}");
    step(&["withdraw", "doi-mu", "hni", "--reason", "sai số", "--by", "dung"]);
    let versions = &shown(&station)["versions"];
    assert_eq!(
        (&versions[0]["state"], &versions[1]["state"]),
        (&"withdrawn".into(), &"text".into())
    );
    assert_eq!(versions[0]["returns"][0]["comment"], "đọc chậm lại", "kept through approval");
    assert_eq!(
        facts(&station, "version"),
        [
            "version.contributed person:tuphap",
            "version.translated person:an",
            "version.drafted person:an",
            "version.returned person:chi",
            "version.drafted person:an",
            "version.reviewed person:chi",
            "version.approved person:dung",
            "version.withdrawn person:dung",
        ]
    );
    assert!(bodies(&station, "version.returned").contains("đọc chậm lại"));
    assert!(bodies(&station, "version.withdrawn").contains("sai số"));
}

#[test]
fn nobody_takes_a_step_without_its_duty_and_a_refusal_changes_nothing() {
    let station = station();
    station.does(&CONTRIBUTE);
    record(&station, "vi", "an");
    let text = ["--channel", "phone", "--village", "mu-ca", "--language", "hni", "--text", "Gì?"];
    let question = station.does(&[&["question", "add"][..], &text[..], &["--by", "hoa"]].concat());
    let question = question.trim();
    let sheet = station.path("a.csv");
    fs::write(&sheet, "id,name\nmu-ca,Xã\n").unwrap();
    let (sheet, pass) = (sheet.to_str().unwrap(), station.path("dung.pass"));
    let pass = pass.to_str().unwrap();
    let file = checkout().join("audio-samples/phong-chong-sat-lo.vi.wav");
    let file = file.to_str().unwrap();
    let everybody = ["an", "chi", "dung", "tuphap", "hoa", "xem", "quan", "muca"];
    let steps: [(&[&str], &[&str]); 11] = [
        (&["bulletin", "contribute", "doi-mu", "--script", "x"], &["an", "tuphap"]),
        (&["bulletin", "translate", "doi-mu", "hni", "--script", "x"], &["an"]),
        (&["bulletin", "record", "doi-mu", "vi", "--file", file, "--voice", "human"], &["an"]),
        (&["bulletin", "review", "doi-mu", "vi"], &["chi", "dung"]),
        (&["bulletin", "return", "doi-mu", "vi", "--comment", "x"], &["chi", "dung"]),
        (&["bulletin", "approve", "doi-mu", "vi", "--passphrase-file", pass], &["dung"]),
        (&["bulletin", "withdraw", "doi-mu", "vi", "--reason", "x"], &["dung"]),
        (&[&["question", "add"][..], &text[..]].concat(), &["hoa"]),
        (&["question", "answer", question, "--script", "x"], &["tuphap", "dung", "muca"]),
        (&["question", "close", question, "--reason", "x"], &["hoa"]),
        (&["fleet", "import", "--areas", sheet], &["quan"]),
    ];
    let before = station.contents();
    for (words, may) in steps {
        for who in everybody.into_iter().filter(|who| !may.contains(who)) {
            let sentence = station.refuses(&[words, &["--by", who][..]].concat());
            let denied =
                sentence.contains("has not the duty") || sentence.contains("may do this only");
            assert!(denied, "{who} {words:?}: {sentence}");
        }
    }
    assert_eq!(station.contents(), before);
}

#[test]
fn a_duty_in_one_commune_counts_for_what_belongs_there_alone() {
    let station = station();
    let own: Vec<&str> =
        CONTRIBUTE.iter().map(|w| if *w == "tuphap" { "muca" } else { w }).collect();
    let sentence = station.refuses(&own);
    assert!(sentence.contains("only in mu-ca") && sentence.contains("whole station"), "{sentence}");
    let other = station.refuses(&[&own[..], &["--area", "doan-ket"]].concat());
    assert!(other.contains("belongs to doan-ket"), "{other}");
    station.does(&[&own[..], &["--area", "mu-ca"]].concat());
    assert_eq!(shown(&station)["bulletin"]["area"], "mu-ca");
}

#[test]
fn a_villagers_question_is_answered_and_becomes_a_bulletin_and_the_log_names_nobody() {
    let station = station();
    let add = station.does(&[
        "question",
        "add",
        "--channel",
        "form",
        "--village",
        "mu-ca",
        "--language",
        "hni",
        "--topic",
        "Đất đai",
        "--text",
        "Nhà Páo làm sổ đỏ ở đâu?",
        "--asker",
        "Lò Văn Páo, 0912",
        "--by",
        "hoa",
    ]);
    let id = add.trim();
    let make: Vec<&str> =
        CONTRIBUTE[..13].iter().copied().chain(["--question", id, "--area", "mu-ca"]).collect();
    let early = station.refuses(&make);
    assert!(early.contains("only an answered question"), "{early}");
    station.does(&["question", "answer", id, "--script", "Ở trung tâm xã.", "--by", "muca"]);
    station.does(&make);
    let shown = shown(&station);
    assert_eq!(shown["bulletin"]["kind"], "question-and-answer");
    let script = &shown["versions"][0]["script"];
    let script = script.as_str().or(shown["versions"][0]["text"]["script"].as_str()).unwrap();
    assert_eq!(script, "Hỏi: Nhà Páo làm sổ đỏ ở đâu?\n\nĐáp: Ở trung tâm xã.");
    assert_eq!(station.does(&["question", "list"]), "", "it is closed");
    let all = station.does(&["question", "list", "--all", "--json"]);
    let closed: serde_json::Value = serde_json::from_str(&all).unwrap();
    assert_eq!(
        (&closed["state"], &closed["ending"]["published"]["bulletin"]),
        (&"closed".into(), &"doi-mu".into())
    );
    assert!(!all.contains("0912"), "a list does not say who asked");
    let kinds = ["asked person:hoa", "answered person:muca", "closed person:tuphap"];
    assert_eq!(facts(&station, "question"), kinds.map(|kind| format!("question.{kind}")));
    for kind in ["asked", "answered", "closed"] {
        let body = bodies(&station, &format!("question.{kind}"));
        assert!(
            !body.contains("Páo") && !body.contains("0912") && !body.contains("trung tâm"),
            "{body}"
        );
    }
}

#[test]
fn a_question_is_closed_with_a_reason_and_never_twice() {
    let station = station();
    let add = ["question", "add", "--channel", "paper", "--village", "mu-ca", "--language", "hni"];
    let id = station.does(&[&add[..], &["--text", "Gì?", "--by", "hoa"]].concat());
    let close = ["question", "close", id.trim(), "--reason", "ngoài thẩm quyền", "--by", "hoa"];
    station.does(&close);
    assert!(station.refuses(&close).contains("is closed"));
    for (key, value) in [("--village", "mu-ka"), ("--language", "zzz")] {
        let mut wrong = add;
        let at = wrong.iter().position(|word| *word == key).unwrap();
        wrong[at + 1] = value;
        let sentence = station.refuses(&[&wrong[..], &["--text", "Gì?", "--by", "hoa"]].concat());
        assert!(sentence.contains(value), "{sentence}");
    }
}

#[test]
fn a_bulletin_is_found_without_marks_best_first() {
    let station = station();
    station.does(&CONTRIBUTE);
    let mut other = CONTRIBUTE;
    other[2] = "tin-khac";
    other[6] = "Tin khác";
    other[14] = "Chú ý: đội mũ, bảo vệ.";
    station.does(&other);
    let found = station.does(&["bulletin", "search", "doi", "mu", "--json"]);
    let ids: Vec<serde_json::Value> =
        found.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(ids[0]["bulletin"]["id"], "doi-mu", "a title counts more than a script");
    assert_eq!(ids.len(), 2);
    assert!(station.does(&["bulletin", "search", "168/2024/nd-cp"]).contains("tin-khac"));
    station.refuses(&["bulletin", "search", "doi", "non"]);
}

#[test]
fn what_is_exported_imports_as_it_was() {
    let station = station();
    station.fill();
    station.does(&CONTRIBUTE);
    let before = (station.contents(), station.path("out"), station.path("again"));
    station.does(&["bulletin", "export", "--out", before.1.to_str().unwrap()]);
    let file = before.1.join("bulletins.toml");
    station.does(&["bulletin", "import", file.to_str().unwrap(), "--by", "an"]);
    assert_eq!(station.contents(), before.0);
    station.does(&["bulletin", "export", "--out", before.2.to_str().unwrap()]);
    let again = fs::read_to_string(before.2.join("bulletins.toml")).unwrap();
    assert_eq!(fs::read_to_string(file).unwrap(), again);
}

#[test]
fn sheets_are_shown_first_then_taken_over_and_a_second_time_change_nothing() {
    let station = station();
    let write = |name: &str, text: &str| {
        fs::write(station.path(name), text).unwrap();
        station.path(name).to_str().unwrap().to_owned()
    };
    let areas = write("areas.csv", "\u{feff}id;mã cũ\r\nmu-ca;03454 03457\r\n");
    let villages =
        write("villages.csv", "id,name,parent,languages\nban-moi,Bản Mới,03457,hni=70 vi=20\n");
    let controllers = write("controllers.csv", "id,area\nban-moi-1,ban-moi\n");
    let import = ["fleet", "import", "--areas", &areas, "--villages", &villages];
    let import = [&import[..], &["--controllers", &controllers, "--by", "quan"]].concat();
    let before = station.contents();
    let shown = station.does(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(station.contents(), before);
    assert!(shown.contains("+ area") && shown.contains("~ area") && shown.contains("ban-moi-1"));
    assert_eq!(station.does(&import), shown);
    let taken = station.contents();
    assert_eq!(station.does(&import), "");
    assert_eq!(station.contents(), taken);
    assert_eq!(facts(&station, "fleet"), ["fleet.imported person:quan"]);
    for words in ["03457", "mu ca"] {
        assert!(station.does(&["fleet", "areas", words]).contains("Xã Mù Cả"), "{words}");
    }
    let wrong = write("wrong.csv", "id,name,parent\nban-x,,03457\nban-y,Y,0\n");
    let sentence = station.refuses(&["fleet", "import", "--villages", &wrong, "--by", "quan"]);
    assert!(sentence.contains("wrong.csv:2:") && sentence.contains("wrong.csv:3:"), "{sentence}");
    assert_eq!(station.contents(), taken);
}

#[test]
fn a_language_a_column_and_a_topic_are_added_without_a_release() {
    let station = station();
    let mut own = CONTRIBUTE;
    own[8] = "Chợ phiên";
    own[12] = "Thuế";
    let sentence = station.refuses(&own);
    assert!(
        sentence.contains("add [[column]]") && sentence.contains("add [[topic]]"),
        "{sentence}"
    );
    let lists = "[[language]]\ntag = \"kjg\"\nname_vi = \"tiếng Khơ Mú\"\n\
        [[column]]\nname = \"Chợ phiên\"\n[[topic]]\nname = \"Thuế\"\n";
    fs::write(station.path("lists.toml"), lists).unwrap();
    let translate = ["bulletin", "translate", "doi-mu", "kjg", "--script", "…", "--by", "an"];
    assert!(station.refuses(&translate).contains("no language of this station"));
    station.does(&["schedule", "import", station.path("lists.toml").to_str().unwrap()]);
    station.does(&own);
    station.does(&translate);
    assert_eq!(shown(&station)["versions"].as_array().unwrap().len(), 2);
}
