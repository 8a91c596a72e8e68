//! An auditor at a station that broadcast: forms are made and read back by other programs, rows are
//! altered behind the log's back, exports are checked by hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cast::{LOABAN, ran};

/// A station's folder as an auditor meets it.
struct Audited<'d> {
    dir: &'d Path,
    papers: tempfile::TempDir,
}

impl Audited<'_> {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(LOABAN);
        command.args(words).env("LOABAN_CONFIG", self.dir.join("loaban.toml"));
        command
    }

    fn does(&self, words: &[&str]) -> String {
        String::from_utf8(ran(&mut self.command(words)).stdout).unwrap()
    }

    /// What `log verify` says, and whether it was content.
    fn verdict(&self, words: &[&str]) -> (bool, String) {
        let output = self.command(&[&["log", "verify"], words].concat()).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    }

    fn paper(&self, name: &str) -> PathBuf {
        self.papers.path().join(name)
    }

    /// Makes a form of the year in which the demonstration runs.
    fn makes(&self, form: &[&str], name: &str) -> PathBuf {
        let out = self.paper(name);
        self.does(&[&["report"], form, &["--out", out.to_str().unwrap()]].concat());
        out
    }

    fn sql(&self, statement: &str) -> String {
        let mut sqlite = Command::new("sqlite3");
        let out = ran(sqlite.arg(self.dir.join("loaban.db")).arg(statement)).stdout;
        String::from_utf8(out).unwrap().trim().to_owned()
    }

    /// Alters the database, hears what the auditor says, and puts it back.
    fn altered(&self, statement: &str) -> String {
        self.sql("pragma wal_checkpoint(truncate)");
        let (database, kept) = (self.dir.join("loaban.db"), self.paper("kept.db"));
        fs::copy(&database, &kept).unwrap();
        self.sql(statement);
        let (right, said) = self.verdict(&[]);
        assert!(!right, "{statement}: {said}");
        assert!(said.contains("is right"), "the log itself is untouched: {said}");
        self.sql("pragma wal_checkpoint(truncate)");
        fs::copy(&kept, &database).unwrap();
        said
    }
}

/// Examines a station in `dir` after its round of seven airings; no server runs.
pub fn examines(dir: &Path) {
    let audited = Audited { dir, papers: tempfile::tempdir().unwrap() };
    the_database_says_what_the_log_says(&audited);
    every_altered_row_is_named(&audited);
    forms_are_read_by_other_programs(&audited);
    figures_have_their_denominators(&audited);
    a_station_may_file_a_form_of_its_own(&audited);
    an_export_is_checked_without_the_station(&audited);
    a_name_is_erased_and_the_tree_is_whole(&audited);
}

fn the_database_says_what_the_log_says(audited: &Audited<'_>) {
    let (right, said) = audited.verdict(&[]);
    assert!(right && said.contains("The database says what the log says"), "{said}");
    let kept = fs::read_dir(audited.dir.join("checkpoints")).unwrap().count();
    assert_eq!(kept % 3, 0, "text, SVG and PNG of each day");
    assert!(kept > 0);
}

fn every_altered_row_is_named(audited: &Audited<'_>) {
    let one = "(select rowid from outcome where controller = 'mu-ca-1')";
    let said =
        audited.altered(&format!("update outcome set outcome = 'skipped' where rowid = {one}"));
    assert!(said.contains("Row outcome ban-tin-demo/mu-ca-1/"), "{said}");
    assert!(said.contains("another outcome; entry "), "{said}");
    let said = audited.altered(&format!("delete from outcome where rowid = {one}"));
    assert!(said.contains("it is gone"), "{said}");
    let swap = "update receipt set n = n + 1000 where controller = 'mu-ca-1' and n <= 2;
        update receipt set n = 1003 - n where controller = 'mu-ca-1' and n > 1000";
    let said = audited.altered(swap);
    assert!(
        said.contains("Row receipt mu-ca-1/") && said.contains("it says something else"),
        "{said}"
    );
    let forged = "insert into receipt select controller, chain, n + 500, at, kind, line, 'f-none'
        from receipt where controller = 'mu-ca-1' and n = 1";
    let said = audited.altered(forged);
    assert!(said.contains("/501 was inserted: its fact is nowhere"), "{said}");
    let approver = r#"update version set doc = replace(doc, '"by":"dung"', '"by":"chi"')"#;
    let said = audited.altered(approver);
    assert!(said.contains("Row version ") && said.contains("another approver; entry "), "{said}");
    let said = audited.altered("update airing set at = at - 60000000 where controller = 'mu-ca-1'");
    assert!(said.contains("Row airing ban-tin-demo/mu-ca-1/"), "{said}");
    let said =
        audited.altered("update fact set who = 'person:dung' where kind = 'version.reviewed'");
    assert!(said.contains("another person; entry "), "{said}");
    let said = audited.altered("update person set roles = 'leader' where id = 'an'");
    assert!(said.contains("Row person an was altered: another set of duties"), "{said}");
}

fn forms_are_read_by_other_programs(audited: &Audited<'_>) {
    let weekly = audited.makes(&["weekly"], "weekly.pdf");
    let text = ran(Command::new("pdftotext").args(["-raw"]).arg(&weekly).arg("-")).stdout;
    let text = String::from_utf8(text).unwrap();
    // A cell breaks its lines where it is full.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "SỔ NHẬT KÝ CHƯƠNG TRÌNH PHÁT THANH",
        "Độc lập - Tự do - Hạnh phúc",
        "Phòng, chống sạt",
        "tiếng Hà Nhì",
        "Thủ trưởng đơn vị",
        "Trang 1/",
    ] {
        assert!(text.contains(part), "`{part}` is missing in {text}");
    }
    let annual = audited.makes(&["annual"], "annual.xlsx");
    let read = "import sys, openpyxl; s = openpyxl.load_workbook(sys.argv[1]).active\n\
        head = next(r for r in s.iter_rows() if r[0].value == 'STT')\n\
        row = s[head[0].row + 1]\n\
        print(s.freeze_panes, head[0].row, type(row[4].value).__name__, row[10].number_format, row[1].value)";
    let said = ran(Command::new("/usr/bin/python3").args(["-c", read]).arg(&annual)).stdout;
    let said = String::from_utf8(said).unwrap();
    let words: Vec<&str> = said.splitn(5, ' ').collect();
    let frozen: u32 = words[1].parse().unwrap();
    assert_eq!(
        (words[0], words[2], words[3]),
        (format!("A{}", frozen + 1).as_str(), "int", "0.0%")
    );
    let json = audited.makes(&["monthly"], "monthly.json");
    let json: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert!(json["rows"].as_array().unwrap().len() > 3, "{json}");
    let csv = fs::read(audited.makes(&["indicators"], "indicators.csv")).unwrap();
    assert!(csv.starts_with("\u{feff}STT".as_bytes()));
    let told = audited.does(&["log", "list", "--kind", "export.made", "--json"]);
    // They wait in the store: no server runs that would move them.
    assert_eq!(told, "");
    assert_eq!(audited.sql("select count(*) from fact where kind = 'export.made'"), "4");
}

fn figures_have_their_denominators(audited: &Audited<'_>) {
    let json = audited.makes(&["figures", "--by", "language"], "languages.json");
    let json: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let rows = json["rows"].as_array().unwrap();
    let hani = rows.iter().find(|row| row["name"] == "tiếng Hà Nhì").unwrap();
    assert_eq!(hani["share"], serde_json::json!({ "part": 2, "of": 2, "thousandths": 1000 }));
    let page = audited.does(&["report", "evidence", "phong-chong-sat-lo"]);
    let places: Vec<&str> = page.lines().filter(|line| line.contains("đã phát trọn")).collect();
    assert!(places.len() >= 7, "{page}");
    let gaps = audited.does(&["report", "gaps"]);
    assert!(gaps.contains("phát trọn 100,0 % (7/7)"), "{gaps}");
}

fn a_station_may_file_a_form_of_its_own(audited: &Audited<'_>) {
    let own = "rows = \"groups\"\ntitle = \"Biểu của tỉnh\"\n[[column]]\nname = \"Số lượt\"\n\
        field = \"played\"\nwidth = 9\n";
    fs::create_dir_all(audited.dir.join("forms")).unwrap();
    fs::write(audited.dir.join("forms/figures.toml"), own).unwrap();
    let said = audited.does(&["report", "figures", "--by", "programme"]);
    assert_eq!(said.lines().collect::<Vec<_>>(), ["Biểu của tỉnh", "Số lượt", "7"]);
    fs::remove_file(audited.dir.join("forms/figures.toml")).unwrap();
}

fn an_export_is_checked_without_the_station(audited: &Audited<'_>) {
    let zip = audited.paper("export.zip");
    let out = ["--out", zip.to_str().unwrap()];
    let said = audited.does(&[&["log", "export", "--controller", "mu-ca-1"], &out[..]].concat());
    let key = said.lines().find_map(|line| line.strip_prefix("the log's key is ")).unwrap();
    let folder = audited.paper("export");
    zip::ZipArchive::new(fs::File::open(&zip).unwrap()).unwrap().extract(&folder).unwrap();
    let said = ran(Command::new("python3").arg(folder.join("verify.py")).arg(key)).stdout;
    assert!(String::from_utf8(said).unwrap().starts_with("RIGHT: "));
    let mut verify = Command::new(LOABAN);
    verify.args(["log", "verify", "--key", key, "--export"]).arg(&zip);
    let said = String::from_utf8(ran(&mut verify).stdout).unwrap();
    assert!(said.starts_with("The export is right: "), "{said}");
    let shown = audited.does(&["log", "show", "0"]);
    assert!(shown.contains("trust.signed") && shown.contains("proven: "), "{shown}");
}

fn a_name_is_erased_and_the_tree_is_whole(audited: &Audited<'_>) {
    let refused = audited.command(&["person", "erase", "an"]).output().unwrap();
    assert!(String::from_utf8(refused.stderr).unwrap().contains("still has duties"));
    let root = audited.dir.join("keys/root.passphrase");
    let words = ["person", "revoke", "an", "--root-passphrase-file", root.to_str().unwrap()];
    audited.does(&words);
    audited.does(&["log", "hold", "--reason", "thanh tra 2027", "--by", "dung"]);
    let refused = audited.command(&["person", "erase", "an"]).output().unwrap();
    assert!(String::from_utf8(refused.stderr).unwrap().contains("thanh tra 2027"));
    audited.does(&["log", "hold", "--lift", "--by", "dung"]);
    audited.does(&["person", "erase", "an"]);
    assert_eq!(audited.sql("select name from person where id = 'an'"), "(đã xoá)");
    assert_eq!(audited.sql("select count(*) from person_secret where person = 'an'"), "0");
    let (right, said) = audited.verdict(&["--log-only"]);
    assert!(right, "{said}");
}
