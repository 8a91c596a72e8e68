//! What a controller remembers through a power cut: its marks and its receipts.
//!
//! The diary is a sequence of [`Record`]s that storage keeps in order; replaying them gives the
//! diary back. **An airing that is marked begun is never begun again; a receipt leaves only when
//! the server's signed acknowledgement covers it and 30 days have passed.**

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::calendar::{AiringKey, Spent};
use crate::digest::Digest;
use crate::id::{ControllerId, EmergencyId};
use crate::lang::LangTag;
use crate::receipt::{BATCH_BYTES_MAX, BATCH_RECEIPTS_MAX, Batch, Event, Receipt, next_link};
use crate::time::{LocalDate, Timestamp};

/// Unacknowledged receipts at which routine play stops: about 8 MB, months of normal use.
pub const RECEIPTS_ROUTINE_MAX: usize = 20_000;

/// How long acknowledged receipts are kept, to fill a server restored from a backup.
const KEEP_ACKNOWLEDGED: Duration = Duration::from_hours(720);

/// How long the marks of past airings are kept: longer than any manifest that could name them.
const KEEP_MARKS_DAYS: i64 = 9;

/// One durable step of a controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// A chain of receipts begins, or its kept part does, after this receipt and link.
    Chain {
        /// Its random id.
        id: String,
        /// The last receipt that is no longer kept; 0 for none.
        after: u64,
        /// The link after that receipt.
        link: Digest,
    },
    /// The process started for the `boot`th time.
    Boot {
        /// Counts from 1.
        boot: u64,
    },
    /// An airing's first sample is about to sound.
    Begun {
        /// Which.
        airing: AiringKey,
        /// The manifest that named it.
        manifest: u64,
        /// When.
        at: Timestamp,
        /// Its items as a receipt would give them if power failed before any was done.
        items: Vec<crate::receipt::ItemReceipt>,
        /// The local day whose airtime it spends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        day: Option<LocalDate>,
        /// How much of it, in milliseconds.
        #[serde(default)]
        length_ms: u64,
    },
    /// The airtime that a local day has spent; stands for its begun marks.
    Spent {
        /// The day.
        day: LocalDate,
        /// Airings.
        sessions: u16,
        /// Their lengths together, in milliseconds.
        length_ms: u64,
    },
    /// The volume was ordered.
    Volume {
        /// 0 to 100.
        percent: u8,
    },
    /// An item of the airing last begun has sounded whole.
    ItemDone {
        /// Its place in the running order.
        item: usize,
    },
    /// A receipt was written.
    Receipt {
        /// Its line.
        line: String,
    },
    /// An airing is over; stands for its receipt once that is no longer kept.
    Over {
        /// Which.
        airing: AiringKey,
    },
    /// The server has these receipts in its log.
    Acked {
        /// Up to this number.
        upto: u64,
    },
    /// An emergency was accepted; its signed note.
    Emergency {
        /// Which.
        id: EmergencyId,
        /// The note.
        note: String,
    },
    /// An attempt at an emergency begins.
    EmergencyBegun {
        /// Which.
        id: EmergencyId,
        /// From 1.
        attempt: u8,
    },
    /// These languages of an emergency have sounded whole: never again. Attempts count anew.
    EmergencyHeard {
        /// Which.
        id: EmergencyId,
        /// The languages.
        languages: Vec<LangTag>,
    },
    /// An emergency is completed or cancelled: never again.
    EmergencyOver {
        /// Which.
        id: EmergencyId,
        /// When it may be forgotten.
        forget: Timestamp,
    },
    /// A manifest is about to be held: none below it is ever taken, whatever becomes of its note.
    Manifest {
        /// Its number.
        number: u64,
    },
    /// An order was carried out.
    Order {
        /// Its number.
        number: u64,
    },
}

/// An airing that was begun and has no receipt yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OpenAiring {
    pub(super) airing: AiringKey,
    pub(super) manifest: u64,
    pub(super) at: Timestamp,
    pub(super) items: Vec<crate::receipt::ItemReceipt>,
}

/// The diary, in memory.
#[derive(Debug)]
pub(super) struct Diary {
    chain: String,
    /// The link after the last receipt that is no longer kept, and that receipt's number.
    base: (u64, Digest),
    head: Digest,
    next: u64,
    acked: u64,
    lines: BTreeMap<u64, (String, Digest)>,
    over: BTreeSet<AiringKey>,
    open: Option<OpenAiring>,
    boot: u64,
    order: u64,
    manifest: u64,
    latest: Timestamp,
    volume_percent: u8,
    spent: BTreeMap<LocalDate, Spent>,
    pub(super) emergencies: BTreeMap<EmergencyId, String>,
    pub(super) attempts: BTreeMap<EmergencyId, u8>,
    heard: BTreeMap<EmergencyId, Vec<LangTag>>,
    pub(super) ended: BTreeMap<EmergencyId, Timestamp>,
}

impl Diary {
    /// Replays what storage kept.
    pub(super) fn replay(records: impl IntoIterator<Item = Record>) -> Self {
        let mut diary = Self {
            chain: String::new(),
            base: (0, Digest::ZERO),
            head: Digest::ZERO,
            next: 1,
            acked: 0,
            lines: BTreeMap::new(),
            over: BTreeSet::new(),
            open: None,
            boot: 0,
            order: 0,
            manifest: 0,
            latest: Timestamp::EPOCH,
            volume_percent: 100,
            spent: BTreeMap::new(),
            emergencies: BTreeMap::new(),
            attempts: BTreeMap::new(),
            heard: BTreeMap::new(),
            ended: BTreeMap::new(),
        };
        for record in records {
            diary.apply(record);
        }
        diary
    }

    /// Takes one record into memory; the caller has it kept.
    pub(super) fn apply(&mut self, record: Record) {
        match record {
            Record::Chain { id, after, link } => self.begin_chain(id, after, link),
            Record::Boot { boot } => self.boot = boot,
            Record::Begun { airing, manifest, at, items, day, length_ms } => {
                self.spend(day, length_ms);
                self.over.insert(airing.clone());
                self.open = Some(OpenAiring { airing, manifest, at, items });
            }
            Record::ItemDone { item } => self.item_done(item),
            Record::Receipt { line } => self.receipt(line),
            Record::Over { airing } => {
                self.over.insert(airing);
            }
            Record::Acked { upto } => self.acked = upto,
            Record::Emergency { id, note } => {
                self.emergencies.insert(id, note);
            }
            Record::EmergencyBegun { id, attempt } => {
                self.attempts.insert(id, attempt);
            }
            Record::EmergencyHeard { id, languages } => {
                self.attempts.remove(&id);
                self.heard.entry(id).or_default().extend(languages);
            }
            Record::EmergencyOver { id, forget } => {
                self.emergencies.remove(&id);
                self.attempts.remove(&id);
                self.heard.remove(&id);
                self.ended.insert(id, forget);
            }
            Record::Spent { day, sessions, length_ms } => {
                self.spent.insert(day, Spent { sessions, length_ms });
            }
            Record::Volume { percent } => self.volume_percent = percent,
            Record::Manifest { number } => self.manifest = number,
            Record::Order { number } => self.order = number,
        }
    }

    fn spend(&mut self, day: Option<LocalDate>, length_ms: u64) {
        let Some(day) = day else { return };
        let spent = self.spent.entry(day).or_default();
        spent.sessions = spent.sessions.saturating_add(1);
        spent.length_ms = spent.length_ms.saturating_add(length_ms);
    }

    fn begin_chain(&mut self, id: String, after: u64, link: Digest) {
        (self.chain, self.base, self.head, self.next) = (id, (after, link), link, after + 1);
        self.acked = after;
        self.lines.clear();
    }

    fn item_done(&mut self, item: usize) {
        let open = self.open.as_mut().and_then(|open| open.items.get_mut(item));
        if let Some(item) = open {
            item.outcome = crate::receipt::Outcome::Completed;
        }
    }

    fn receipt(&mut self, line: String) {
        let read = serde_json::from_str::<Receipt>(&line).ok();
        self.latest = read.as_ref().map_or(self.latest, |receipt| receipt.at.max(self.latest));
        if let Some(Receipt { event: Event::Airing { airing, .. }, .. }) = read {
            if self.open.as_ref().is_some_and(|open| open.airing == airing) {
                self.open = None;
            }
            self.over.insert(airing);
        }
        self.head = next_link(self.head, &line);
        self.lines.insert(self.next, (line, self.head));
        self.next += 1;
    }

    pub(super) fn has_chain(&self) -> bool {
        !self.chain.is_empty()
    }

    pub(super) fn boot(&self) -> u64 {
        self.boot
    }

    pub(super) fn last_order(&self) -> u64 {
        self.order
    }

    /// The volume that was ordered last.
    pub(super) fn volume_percent(&self) -> u8 {
        self.volume_percent
    }

    /// The airtime that a local day has spent here.
    pub(super) fn spent(&self, day: LocalDate) -> Spent {
        self.spent.get(&day).copied().unwrap_or_default()
    }

    /// When the newest receipt was written: no time before it is the present.
    pub(super) fn latest(&self) -> Timestamp {
        self.latest
    }

    /// The newest manifest that was ever held here.
    pub(super) fn last_manifest(&self) -> u64 {
        self.manifest
    }

    pub(super) fn is_over(&self, airing: &AiringKey) -> bool {
        self.over.contains(airing)
    }

    pub(super) fn open_airing(&self) -> Option<&OpenAiring> {
        self.open.as_ref()
    }

    /// The languages of an emergency that have sounded whole.
    pub(super) fn heard(&self, id: &EmergencyId) -> &[LangTag] {
        self.heard.get(id).map_or(&[], Vec::as_slice)
    }

    /// The record of a receipt that says `event`.
    pub(super) fn write(&self, at: Timestamp, event: Event) -> Record {
        Record::Receipt { line: Receipt { n: self.next, at, event }.line() }
    }

    /// Receipts that no acknowledgement covers.
    pub(super) fn waiting(&self) -> u64 {
        self.next - 1 - self.acked.min(self.next - 1)
    }

    /// Whether there is room for what a routine airing would add where `max` receipts may wait.
    pub(super) fn has_room(&self, max: usize) -> bool {
        self.waiting() < max as u64
    }

    /// The record of an acknowledgement, where it says something new about this chain. A lower
    /// number than before asks for the rest again; what is no longer kept cannot be sent.
    pub(super) fn acknowledged(&self, chain: &str, upto: u64) -> Option<Record> {
        let upto = upto.max(self.base.0);
        let news = chain == self.chain && upto < self.next && upto != self.acked;
        news.then_some(Record::Acked { upto })
    }

    /// The first receipts that no acknowledgement covers, as one batch.
    pub(super) fn batch(&self, controller: &ControllerId) -> Option<Batch> {
        let first = self.acked + 1;
        let mut bytes = 0;
        let mut receipts = Vec::new();
        for (line, _) in self.lines.range(first..).take(BATCH_RECEIPTS_MAX).map(|(_, kept)| kept) {
            bytes += line.len();
            if bytes > BATCH_BYTES_MAX && !receipts.is_empty() {
                break;
            }
            receipts.push(RawValue::from_string(line.clone()).ok()?);
        }
        let prev = self.lines.get(&self.acked).map_or(self.base.1, |(_, link)| *link);
        (!receipts.is_empty()).then(|| Batch {
            controller: controller.clone(),
            chain: self.chain.clone(),
            first,
            kept: self.base.0 + 1,
            prev,
            receipts,
        })
    }

    /// The fewest records that give this diary back, without what may be forgotten at `now`.
    pub(super) fn compact(&self, now: Option<Timestamp>) -> Vec<Record> {
        let (after, link) = self.forgettable(now);
        let mut records = vec![
            Record::Chain { id: self.chain.clone(), after, link },
            Record::Boot { boot: self.boot },
            Record::Order { number: self.order },
            Record::Manifest { number: self.manifest },
        ];
        let kept = self.over.iter().filter(|airing| recent(airing, now));
        records.extend(kept.map(|airing| Record::Over { airing: airing.clone() }));
        let lines = self.lines.range(after + 1..);
        records.extend(lines.map(|(_, (line, _))| Record::Receipt { line: line.clone() }));
        if let Some(OpenAiring { airing, manifest, at, items }) = self.open.clone() {
            // Its airtime is in the sums below.
            let (day, length_ms) = (None, 0);
            records.push(Record::Begun { airing, manifest, at, items, day, length_ms });
        }
        let spent = self.spent.iter().filter(|(day, _)| is_recent(**day, now));
        records.extend(spent.map(|(day, Spent { sessions, length_ms })| Record::Spent {
            day: *day,
            sessions: *sessions,
            length_ms: *length_ms,
        }));
        records.push(Record::Volume { percent: self.volume_percent });
        records.push(Record::Acked { upto: self.acked });
        records.extend(self.emergency_records(now));
        records
    }

    fn emergency_records(&self, now: Option<Timestamp>) -> Vec<Record> {
        let notes = self.emergencies.iter();
        let notes =
            notes.map(|(id, note)| Record::Emergency { id: id.clone(), note: note.clone() });
        let heard = self.heard.iter();
        let heard = heard.map(|(id, languages)| Record::EmergencyHeard {
            id: id.clone(),
            languages: languages.clone(),
        });
        let begun = self.attempts.iter();
        let begun = begun.map(|(id, n)| Record::EmergencyBegun { id: id.clone(), attempt: *n });
        let ended = self.ended.iter().filter(|(_, forget)| now.is_none_or(|now| now < **forget));
        let ended =
            ended.map(|(id, forget)| Record::EmergencyOver { id: id.clone(), forget: *forget });
        notes.chain(heard).chain(begun).chain(ended).collect()
    }

    /// The last receipt, and its link, up to which all are acknowledged and old enough.
    fn forgettable(&self, now: Option<Timestamp>) -> (u64, Digest) {
        let Some(now) = now else { return self.base };
        let old = |line: &str| {
            serde_json::from_str::<Receipt>(line).is_ok_and(|r| now.since(r.at) > KEEP_ACKNOWLEDGED)
        };
        let acked = self.lines.range(..=self.acked);
        let last = acked.take_while(|(_, (line, _))| old(line)).last();
        last.map_or(self.base, |(n, (_, link))| (*n, *link))
    }
}

fn recent(airing: &AiringKey, now: Option<Timestamp>) -> bool {
    is_recent(airing.date, now)
}

fn is_recent(date: LocalDate, now: Option<Timestamp>) -> bool {
    // Half a day of slack covers every time zone.
    now.is_none_or(|now| {
        let day = crate::time::Zone::default().date(now);
        date >= day.plus_days(-KEEP_MARKS_DAYS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn airing(day: u32) -> AiringKey {
        format!("sang/mu-ca-1/2026-11-{day:02}/0").parse().unwrap()
    }

    fn diary(receipts: u64) -> Diary {
        let chain = Record::Chain { id: "ab".repeat(8), after: 0, link: Digest::ZERO };
        let mut diary = Diary::replay([chain, Record::Boot { boot: 1 }]);
        for n in 0..receipts {
            let event = Event::Boot { boot: n, software: "t".to_owned() };
            let at = Timestamp::from_seconds(i64::try_from(n).unwrap());
            let record = diary.write(at, event);
            diary.apply(record);
        }
        diary
    }

    #[test]
    fn receipts_leave_in_batches_that_continue_each_other() {
        let mut diary = diary(70);
        let me = "mu-ca-1".parse().unwrap();
        let first = diary.batch(&me).unwrap();
        let chained = first.read().unwrap();
        assert_eq!((first.first, chained.receipts.len()), (1, 64));
        let ack = diary.acknowledged(&"ab".repeat(8), 64).unwrap();
        diary.apply(ack);
        let second = diary.batch(&me).unwrap();
        assert_eq!((second.first, second.prev), (65, chained.links[63]));
        assert_eq!(diary.waiting(), 6);
    }

    #[test]
    fn an_acknowledgement_of_another_chain_or_of_the_future_says_nothing() {
        let diary = diary(3);
        assert_eq!(diary.acknowledged("cd", 2), None);
        assert_eq!(diary.acknowledged(&"ab".repeat(8), 4), None);
        assert!(diary.acknowledged(&"ab".repeat(8), 3).is_some());
    }

    #[test]
    fn a_server_restored_from_a_backup_gets_the_rest_again() {
        let mut diary = diary(5);
        diary.apply(Record::Acked { upto: 5 });
        let back = diary.acknowledged(&"ab".repeat(8), 2).unwrap();
        diary.apply(back);
        assert_eq!(diary.batch(&"c".parse().unwrap()).unwrap().first, 3);
    }

    #[test]
    fn a_compacted_diary_is_the_same_diary() {
        let mut diary = diary(5);
        let begun = Record::Begun {
            airing: airing(22),
            manifest: 7,
            at: Timestamp::from_seconds(5),
            items: vec![],
            day: Some("2026-11-22".parse().unwrap()),
            length_ms: 60_000,
        };
        diary.apply(begun);
        diary.apply(Record::Acked { upto: 3 });
        let again = Diary::replay(diary.compact(None));
        let me = "c".parse().unwrap();
        let lines = |d: &Diary| format!("{:?}", d.batch(&me));
        assert_eq!(lines(&again), lines(&diary));
        assert_eq!(again.open_airing(), diary.open_airing());
        let day = "2026-11-22".parse().unwrap();
        assert_eq!(again.spent(day), diary.spent(day));
        assert_eq!(again.spent(day), Spent { sessions: 1, length_ms: 60_000 });
        assert!(again.is_over(&airing(22)));
    }

    #[test]
    fn only_acknowledged_receipts_older_than_thirty_days_are_forgotten() {
        let mut diary = diary(5);
        diary.apply(Record::Acked { upto: 2 });
        let later = Timestamp::from_seconds(31 * 86_400);
        let again = Diary::replay(diary.compact(Some(later)));
        assert_eq!(again.batch(&"c".parse().unwrap()).unwrap().first, 3);
        assert_eq!(again.lines.len(), 3);
        assert_eq!(again.head, diary.head);
    }
}
