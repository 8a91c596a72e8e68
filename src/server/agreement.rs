//! Whether the tables say what the log says.
//!
//! Reports are made of tables, because a log cannot be asked; the log is what was signed. **Every
//! row that an entry speaks of is made anew from that entry and compared**: facts, receipts with
//! the device's own signature, outcomes, manifests and the airings that they named, versions,
//! bulletins, schedule files, people, trust documents, decisions, emergencies. A row that no entry
//! speaks of is found too. What still waits for the log is passed over.

use std::collections::BTreeMap;
use std::fmt;

use crate::audit::Entry;
use crate::log::LogReader;
use crate::note::PublicKey;
use crate::server::ServerError;
use crate::server::station::Station;
use crate::store::LoggedFact;

mod broadcast;
mod newsroom;

/// Entries that are compared at once.
const CHUNK: u64 = 1_024;

/// Disagreements that are told at most; more are no more telling.
pub const TOLD_MAX: usize = 50;

/// A row that does not say what the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// The entry that says otherwise; `None` where no entry speaks of the row.
    pub entry: Option<u64>,
    /// The table and the row.
    pub row: String,
    /// How they differ.
    pub why: String,
}

impl Agreement {
    /// The same in Vietnamese: a sentence for each disagreement.
    pub fn vi(&self) -> String {
        if self.disagreements.is_empty() {
            let Self { entries, receipts, .. } = self;
            return format!(
                "Cơ sở dữ liệu khớp với nhật ký: {entries} mục và {receipts} biên nhận đều khớp."
            );
        }
        let told = |found: &Disagreement| match found.entry {
            Some(entry) => {
                format!("Dòng {} đã bị sửa; mục {entry} ghi khác ({}).", found.row, found.why)
            }
            None => format!("Dòng {} bị chèn thêm ({}).", found.row, found.why),
        };
        self.disagreements.iter().map(told).collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, row, why } = self;
        match entry {
            Some(entry) => write!(f, "Row {row} was altered: {why}; entry {entry} says otherwise."),
            None => write!(f, "Row {row} was inserted: {why}."),
        }
    }
}

/// What came of comparing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Entries that were compared.
    pub entries: u64,
    /// Receipts that were compared, each under its device's signature.
    pub receipts: u64,
    /// What disagrees, at most fifty of them.
    pub disagreements: Vec<Disagreement>,
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.disagreements.is_empty() {
            let Self { entries, receipts, .. } = self;
            return write!(
                f,
                "The database says what the log says: {entries} entries and {receipts} receipts agree."
            );
        }
        for (n, disagreement) in self.disagreements.iter().enumerate() {
            let feed = if n == 0 { "" } else { "\n" };
            write!(f, "{feed}{disagreement}")?;
        }
        Ok(())
    }
}

/// The walk through the log.
struct Comparison<'s> {
    station: &'s Station,
    found: Agreement,
    /// The key that each controller had enrolled.
    devices: BTreeMap<String, PublicKey>,
    /// The last entry about what is changed in its place: by table and row.
    last: BTreeMap<(&'static str, String), (u64, serde_json::Value)>,
}

impl Station {
    /// Compares every row with the entry that speaks of it.
    pub async fn agreement(&self) -> Result<Agreement, ServerError> {
        self.agreement_telling(|_, _| ()).await
    }

    /// The same; `progress` is told how many entries were compared, and of how many.
    pub async fn agreement_telling(
        &self,
        mut progress: impl FnMut(u64, u64) + Send,
    ) -> Result<Agreement, ServerError> {
        let log = LogReader::open(&self.log_folder())?;
        let mut comparison = Comparison {
            station: self,
            found: Agreement::default(),
            devices: BTreeMap::new(),
            last: BTreeMap::new(),
        };
        let mut next = 0;
        while next < log.size() && !comparison.is_full() {
            let until = (next + CHUNK).min(log.size());
            let facts = self.store.facts_logged(next, until).await?;
            comparison.chunk(next, &log.read(next..until)?, &facts).await?;
            next = until;
            progress(next, log.size());
        }
        comparison.newest_rows().await?;
        for row in self.store.unfounded(u32::try_from(TOLD_MAX).expect("a few")).await? {
            comparison.say(None, row, "its fact is nowhere");
        }
        let mut found = comparison.found;
        found.entries = next;
        Ok(found)
    }
}

impl Comparison<'_> {
    fn is_full(&self) -> bool {
        self.found.disagreements.len() >= TOLD_MAX
    }

    fn say(&mut self, entry: Option<u64>, row: impl Into<String>, why: impl Into<String>) {
        if !self.is_full() {
            let (row, why) = (row.into(), why.into());
            self.found.disagreements.push(Disagreement { entry, row, why });
        }
    }

    async fn chunk(
        &mut self,
        first: u64,
        entries: &[Entry],
        facts: &[LoggedFact],
    ) -> Result<(), ServerError> {
        let mut by_place: BTreeMap<u64, &LoggedFact> = BTreeMap::new();
        for fact in facts {
            if by_place.insert(fact.position, fact).is_some() {
                let why = format!("another fact has its place {} too", fact.position);
                self.say(Some(fact.position), format!("fact {}", fact.id), why);
            }
        }
        for (index, entry) in (first..).zip(entries) {
            match by_place.get(&index) {
                None => self.say(
                    Some(index),
                    format!("fact {}", entry.fact()),
                    "it is gone, or its place is another",
                ),
                Some(fact) => self.fact(index, entry, fact),
            }
            self.entry(index, entry).await?;
        }
        Ok(())
    }

    fn fact(&mut self, index: u64, entry: &Entry, fact: &LoggedFact) {
        let row = format!("fact {}", fact.id);
        let who = entry.who().map(ToString::to_string).unwrap_or_default();
        let same: [(bool, &str); 5] = [
            (fact.id == entry.fact().as_str(), "id"),
            (fact.at == entry.at(), "time"),
            (fact.kind == entry.kind().as_str(), "kind"),
            (fact.who == who, "person"),
            (parsed(&fact.body) == parsed(entry.body().get()), "body"),
        ];
        if let Some((_, what)) = same.iter().find(|(same, _)| !same) {
            self.say(Some(index), row, format!("another {what}"));
        }
    }

    async fn entry(&mut self, index: u64, entry: &Entry) -> Result<(), ServerError> {
        let body = parsed(entry.body().get());
        let of = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        match entry.kind().as_str() {
            "receipts.taken" => self.receipts(index, entry, &body).await?,
            "manifest.issued" => self.manifest(index, entry, &body).await?,
            "controller.enrolled" => {
                if let Ok(key) = of("key").parse() {
                    self.devices.insert(of("controller"), key);
                }
            }
            "bulletin.kept" => self.note("bulletin", of("id"), index, body),
            "schedule.imported" => self.note("schedule_file", of("file"), index, body),
            "person.added" | "person.revoked" | "person.erased" => {
                self.note("person", of("person"), index, body);
            }
            "trust.signed" => {
                let version = body["version"].as_u64().unwrap_or_default();
                self.note("trust", version.to_string(), index, body);
            }
            "decision.taken" => {
                let at = entry.at().micros();
                self.note("decision", format!("{} {at}", of("id")), index, body);
            }
            "emergency.asked" | "emergency.raised" => {
                self.note("emergency", format!("{} play", of("emergency")), index, body);
            }
            "emergency.cancel-asked" | "emergency.cancelled" => {
                self.note("emergency", format!("{} cancel", of("emergency")), index, body);
            }
            kind if kind.starts_with("version.") => {
                let mut body = body.clone();
                body["who"] = entry.who().map(ToString::to_string).into();
                body["kind"] = kind.into();
                self.note("version", format!("{} {}", of("bulletin"), of("language")), index, body);
            }
            // Exports, questions and the like leave nothing in a table that a report is made of.
            _ => {}
        }
        Ok(())
    }

    fn note(&mut self, table: &'static str, row: String, index: u64, body: serde_json::Value) {
        self.last.insert((table, row), (index, body));
    }
}

fn parsed(json: &str) -> serde_json::Value {
    serde_json::from_str(json).unwrap_or_default()
}
