//! Bulletins written as `bulletins.toml`, which reads back as the same bulletins.

use std::fmt::{Display, Write as _};

use crate::bulletin::Bulletin;
use crate::bulletin::version::Version;
use crate::server::newsroom::{BulletinFile, SpokenEntry, Validity, VersionEntry};
use crate::time::{Timestamp, Zone};

impl BulletinFile {
    /// A bulletin of the store with its versions, as a file would say it; recordings are named
    /// after their assets.
    pub fn of(bulletin: &Bulletin, versions: &[Version]) -> Self {
        let mine = versions.iter().filter(|version| version.text().bulletin == bulletin.id);
        let nowhen = Timestamp::EPOCH;
        Self {
            bulletin: Bulletin { valid_from: nowhen, valid_until: nowhen, ..bulletin.clone() },
            validity: Validity::Span(bulletin.valid_from, bulletin.valid_until),
            versions: mine.map(entry).collect(),
        }
    }

    /// The bulletin as TOML; instants are those of the wall clock in `zone`.
    pub fn to_toml(&self, zone: Zone) -> String {
        let mut out = Lines(String::from("[[bulletin]]\n"));
        let bulletin = &self.bulletin;
        out.text("id", &bulletin.id);
        out.text("title_vi", &bulletin.title);
        out.optional("title_en", bulletin.title_en.as_ref());
        out.optional("area", bulletin.area.as_ref());
        out.text("column", &bulletin.column);
        out.text("kind", bulletin.kind.word());
        out.text("class", bulletin.class.word());
        out.text("source_level", bulletin.source_level.word());
        out.text("issuing_body", &bulletin.issuing_body);
        out.optional("document_number", bulletin.document_number.as_ref());
        if !bulletin.topics.is_empty() {
            let topics: Vec<String> = bulletin.topics.iter().map(|t| quoted(t.as_str())).collect();
            out.value("topics", format_args!("[{}]", topics.join(", ")));
        }
        out.optional("campaign", bulletin.campaign.as_ref());
        match self.validity {
            Validity::Days(days) => out.value("valid_days", days),
            Validity::Span(from, until) => {
                out.text("valid_from", wall_clock(from, zone));
                out.text("valid_until", wall_clock(until, zone));
            }
        }
        self.versions.iter().for_each(|version| version_lines(&mut out, version));
        out.0
    }
}

fn entry(version: &Version) -> VersionEntry {
    let text = version.text().clone();
    let spoken = version.spoken().map(|spoken| SpokenEntry {
        file: format!("{}.opus", spoken.recording.asset),
        voice: spoken.voice,
        announcer: Some(spoken.announcer.clone()),
    });
    VersionEntry {
        language: text.language,
        variety: text.variety,
        script: text.script,
        contributor: text.contributor,
        translator: text.translator,
        spoken,
    }
}

fn version_lines(out: &mut Lines, version: &VersionEntry) {
    out.0.push_str("\n[[bulletin.version]]\n");
    out.text("language", &version.language);
    out.optional("variety", version.variety.as_ref());
    out.text("script", &version.script);
    out.optional("contributor", version.contributor.as_ref());
    out.optional("translator", version.translator.as_ref());
    if let Some(spoken) = &version.spoken {
        out.text("file", &spoken.file);
        out.text("voice", spoken.voice.word());
        out.optional("announcer", spoken.announcer.as_ref());
    }
}

/// RFC 3339 with the offset that the wall clock had then, to the microsecond where it matters.
fn wall_clock(at: Timestamp, zone: Zone) -> String {
    let local = zone.local(at);
    let minutes = (local.and_utc().timestamp() - at.seconds()) / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    format!("{}{sign}{hours:02}:{rest:02}", local.format("%Y-%m-%dT%H:%M:%S%.f"))
}

/// Lines of TOML.
struct Lines(String);

impl Lines {
    fn value(&mut self, key: &str, value: impl Display) {
        writeln!(self.0, "{key} = {value}").expect("text takes text");
    }

    fn text(&mut self, key: &str, value: impl Display) {
        self.value(key, quoted(&value.to_string()));
    }

    fn optional(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                write!(quoted, "\\u{:04X}", u32::from(c)).expect("text takes text");
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::file::{Checked, ScheduleFile, check};

    const LISTS: &str = "[[campaign]]\nname = \"Tháng an toàn giao thông 2026\"\n\
        [[area]]\nid = \"mu-ca\"\nname = \"Xã Mù Cả\"\nlevel = \"commune\"\n";

    const FULL: &str = r#"[[bulletin]]
id = "an-toan"
title_vi = "Đội mũ \"bảo hiểm\""
title_en = "Wear a helmet"
area = "mu-ca"
column = "An toàn giao thông"
kind = "short-play"
class = "priority"
source_level = "commune"
issuing_body = "Công an xã"
document_number = "168/2024/NĐ-CP"
topics = ["An toàn giao thông", "Trẻ em và giáo dục"]
campaign = "Tháng an toàn giao thông 2026"
valid_from = "2026-11-22T05:30:00+07:00"
valid_until = "2026-12-22T05:30:00+07:00"

[[bulletin.version]]
language = "vi"
script = "Dòng một.\nDòng hai."
contributor = "cong-an"

[[bulletin.version]]
language = "hni"
variety = "Mù Cả"
script = "…"
translator = "pu"
file = "a.wav"
voice = "human"
announcer = "phu"
"#;

    fn known() -> Checked {
        check(
            vec![ScheduleFile::parse("lists.toml", LISTS).unwrap()],
            &std::collections::BTreeSet::new(),
            None,
        )
        .unwrap()
    }

    fn read(text: &str) -> Result<Vec<BulletinFile>, crate::config::Faults> {
        BulletinFile::parse("b.toml", text, &known())
    }

    fn faults(old: &str, new: &str) -> String {
        assert!(FULL.contains(old), "{old}");
        read(&FULL.replacen(old, new, 1)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_reads_back_to_the_byte() {
        let full = read(FULL).unwrap().remove(0);
        assert_eq!(full.to_toml(Zone::default()), FULL);
    }

    #[test]
    fn a_validity_in_days_is_written_as_days() {
        let lines: Vec<&str> = FULL.lines().filter(|line| !line.starts_with("valid")).collect();
        let text = lines.join("\n").replacen("[[bulletin]]", "[[bulletin]]\nvalid_days = 7", 1);
        let read_once = read(&text).unwrap();
        assert!(read_once[0].to_toml(Zone::default()).contains("valid_days = 7\n"));
        assert_eq!(read(&read_once[0].to_toml(Zone::default())).unwrap(), read_once);
    }

    #[test]
    fn every_fault_is_named_at_once_with_its_line() {
        let text = FULL
            .replacen("mu-ca", "mu-ka", 1)
            .replacen("short-play", "play", 1)
            .replacen("Trẻ em và giáo dục", "Trẻ con", 1)
            .replacen("\"hni\"", "\"hmong\"", 1);
        let told = read(&text).unwrap_err().to_string();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 4, "{told}");
        for (line, part) in lines.iter().zip([
            "b.toml:5: `area`: `mu-ka` is no area",
            "b.toml:7: `kind`: `play` is no kind; use one of news,",
            "b.toml:12: `topics`: `Trẻ con` is no topic of this station",
            "b.toml:23: `language`: `hmong`",
        ]) {
            assert!(line.starts_with(part), "{line}");
        }
    }

    #[test]
    fn a_recording_without_a_voice_and_an_announcer_without_a_recording_are_faults() {
        assert!(faults("voice = \"human\"\n", "").contains("`file` and `voice`"));
        assert!(faults("file = \"a.wav\"\n", "").contains("`file` and `voice`"));
        assert!(faults("a.wav", "../a.wav").contains("same folder"));
    }

    #[test]
    fn a_validity_that_ends_before_it_begins_or_is_said_twice_is_a_fault() {
        assert!(faults("2026-12-22", "2026-10-22").contains("not after"));
        assert!(faults("2026-12-22", "2028-12-22").contains("366 days"));
        assert!(faults("class", "valid_days = 3\nclass").contains("either `valid_days`"));
        assert!(faults("2026-12-22T05:30:00+07:00", "mai").contains("no instant"));
    }

    #[test]
    fn a_bulletin_or_a_language_that_is_there_twice_is_a_fault() {
        assert!(faults("\"hni\"", "\"vi\"").contains("two versions in vi"));
        let twice = format!("{FULL}\n{FULL}");
        assert!(read(&twice).unwrap_err().to_string().contains("`an-toan` is here twice"));
    }
}
