//! Writing, reading, opening again.

use std::fs;

use loaban::audit::Proof;
use loaban::log::race::race;
use loaban::log::{Log, LogError, LogReader};
use loaban::time::Uptime;
use proptest::prelude::*;

use crate::cast::{Station, entries, entry, origin, signer};

#[test]
fn a_new_log_is_empty_and_signed() {
    let station = Station::with_entries(0);
    assert_eq!(station.open().size(), 0);
    assert!(station.verdict().is_right());
}

#[test]
fn what_was_appended_reads_back_with_a_proof() {
    let station = Station::with_entries(0);
    let mut log = station.open();
    let appended = log.append(&entries(0..700)).unwrap();
    assert_eq!((appended.first_index, appended.size), (0, 700));
    let appended = log.append(&entries(700..701)).unwrap();
    assert_eq!((appended.first_index, appended.size), (700, 701));
    assert_eq!(log.read(250..700).unwrap(), entries(250..700));
    let key = signer().public();
    for index in [0, 255, 256, 511, 699, 700] {
        assert_eq!(log.entry(index).unwrap(), entry(index));
        let text = log.proof(index).unwrap().to_string();
        let proof: Proof = text.parse().unwrap();
        assert_eq!(proof.verify(entry(index).bytes(), &key).unwrap().root, appended.root);
        assert!(proof.verify(entry(index + 1).bytes(), &key).is_err());
    }
}

#[test]
fn a_question_beyond_the_end_is_refused_with_the_size() {
    let station = Station::with_entries(3);
    let log = station.open();
    for refusal in
        [log.entry(3).unwrap_err(), log.proof(3).unwrap_err(), log.read(2..4).unwrap_err()]
    {
        let sentence = refusal.to_string();
        assert!(
            sentence.contains("has 3 entries") && sentence.contains("no entry 3"),
            "{sentence}"
        );
    }
    assert!(log.entry(u64::MAX).is_err());
}

#[test]
fn the_log_tells_which_facts_it_has() {
    let station = Station::with_entries(300);
    let facts = station.open().facts_after(298).unwrap();
    let facts: Vec<_> = facts.iter().map(|(index, fact)| (*index, fact.as_str())).collect();
    assert_eq!(facts, [(298, "f-298"), (299, "f-299")]);
    assert!(station.open().facts_after(300).unwrap().is_empty());
}

#[test]
fn a_fact_stands_in_a_batch_once() {
    let station = Station::with_entries(3);
    let mut log = station.open();
    let refusal = log.append(&[entry(3), entry(4), entry(3)]).unwrap_err();
    assert!(matches!(refusal, LogError::Twice(ref fact) if fact.as_str() == "f-3"), "{refusal}");
    assert_eq!(log.append(&entries(3..5)).unwrap().size, 5);
}

#[test]
fn a_fact_whose_acknowledgement_was_lost_is_not_logged_twice() {
    let station = Station::with_entries(300);
    let mut log = station.open();
    let refusal = log.append(&[entry(300), entry(7)]).unwrap_err().to_string();
    assert!(refusal.contains("fact f-7 is in the log already, as entry 7"), "{refusal}");
    assert_eq!(log.append(&entries(300..302)).unwrap().size, 302);
    assert!(matches!(log.append(&[entry(301)]), Err(LogError::Logged { index: 301, .. })));
}

#[test]
fn the_race_with_a_chain_ends_and_prints_its_ratios() {
    let folder = tempfile::tempdir().unwrap();
    let ticks = std::cell::Cell::new(0);
    let uptime = || {
        ticks.set(ticks.get() + 1);
        Uptime::at(std::time::Duration::from_millis(ticks.get()))
    };
    let race = race(folder.path(), 600, 300, uptime).unwrap();
    let text = race.to_string();
    assert!(text.starts_with("600 entries of 262 bytes, 300 a batch"), "{text}");
    assert!(text.contains("ratio 1.00") && race.proofs.bytes_max < 2048, "{text}");
}

#[test]
fn a_log_has_one_writer() {
    let station = Station::with_entries(3);
    let log = station.open();
    assert!(matches!(Log::open(&station.dir(), signer(), &origin()), Err(LogError::Locked(_))));
    drop(log);
    assert_eq!(station.open().size(), 3);
}

#[test]
fn a_reader_sees_the_log_of_its_checkpoint_while_the_server_writes() {
    let station = Station::with_entries(250);
    let mut log = station.open();
    let reader = LogReader::open(&station.dir()).unwrap();
    log.append(&entries(250..600)).unwrap();
    assert_eq!(reader.size(), 250);
    assert_eq!(reader.read(0..250).unwrap(), entries(0..250));
    let proof = reader.proof(249).unwrap();
    assert!(proof.verify(entry(249).bytes(), &signer().public()).is_ok());
    assert_eq!(LogReader::open(&station.dir()).unwrap().size(), 600);
    assert!(station.verdict().is_right());
}

#[test]
fn a_folder_without_a_log_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = LogReader::open(folder.path()).unwrap_err().to_string();
    assert!(refusal.contains("there is no log in"), "{refusal}");
}

#[test]
fn the_log_of_another_network_is_not_written() {
    let station = Station::with_entries(3);
    let other: loaban::audit::Origin = "sonla/log".parse().unwrap();
    let refusal = Log::open(&station.dir(), signer(), &other).unwrap_err().to_string();
    assert!(refusal.contains("holds the log laichau/log, not sonla/log"), "{refusal}");
}

#[test]
fn what_no_checkpoint_speaks_of_is_cut_when_the_log_is_opened() {
    let station = Station::with_entries(300);
    station.alter("tile/entries/001", |bytes| bytes.extend(b"\x00\x09{\"v\":1,\"torn"));
    station.alter("tile/0/001", |bytes| bytes.extend([9; 40]));
    fs::write(station.file("tile/entries/002"), b"\x00\x02{}").unwrap();
    fs::write(station.file("tile/entries/000.bak"), b"a copy").unwrap();
    assert!(station.verdict().is_right());
    let mut log = station.open();
    assert_eq!(log.recovery().cut_bytes, 14 + 40 + 4);
    log.append(&entries(300..700)).unwrap();
    assert_eq!(log.read(0..700).unwrap(), entries(0..700));
    assert!(station.verdict().is_right());
    assert_eq!(station.bytes("tile/entries/000.bak"), b"a copy");
}

#[test]
fn a_missing_tile_is_derived_anew() {
    let station = Station::with_entries(600);
    let (before, top) = (station.bytes("tile/0/001"), station.bytes("tile/1/000"));
    fs::remove_file(station.file("tile/0/001")).unwrap();
    fs::remove_file(station.file("tile/1/000")).unwrap();
    assert!(station.verdict().to_string().contains("tile/0/001 is missing"));
    assert_eq!(station.open().recovery().derived, ["tile/0/001", "tile/1/000"]);
    assert_eq!((station.bytes("tile/0/001"), station.bytes("tile/1/000")), (before, top));
    assert!(station.verdict().is_right());
}

#[test]
fn every_tile_of_the_standard_is_served_at_its_path() {
    let station = Station::with_entries(300);
    let reader = LogReader::open(&station.dir()).unwrap();
    let served = |path: &str| reader.resource(path).unwrap();
    assert_eq!(served("checkpoint").unwrap(), station.bytes("checkpoint"));
    assert_eq!(served("tile/0/000").unwrap().len(), 8192);
    assert_eq!(served("tile/0/001.p/44").unwrap(), station.bytes("tile/0/001"));
    assert_eq!(served("tile/0/001.p/43").unwrap(), station.bytes("tile/0/001")[..43 * 32]);
    assert_eq!(served("tile/entries/001.p/44").unwrap(), station.bytes("tile/entries/001"));
    assert_eq!(served("tile/1/000.p/1").unwrap().len(), 32);
    for beyond in ["tile/0/001", "tile/0/001.p/45", "tile/1/000", "tile/2/000.p/1", "lock", "../x"]
    {
        assert_eq!(served(beyond), None, "{beyond}");
    }
}

fn everything(station: &Station) -> Vec<(String, Vec<u8>)> {
    use loaban::log::{Disk as _, Folder};
    let mut paths: Vec<String> =
        Folder::shared(&station.dir()).tiles().unwrap().into_iter().map(|(path, _)| path).collect();
    paths.push("checkpoint".to_owned());
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), station.bytes(&path))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn batches_of_any_size_make_the_log_that_one_batch_makes(
        batches in proptest::collection::vec((0_u64..300, any::<bool>()), 1..8)
    ) {
        let piecewise = Station::with_entries(0);
        let (mut log, mut size) = (piecewise.open(), 0);
        for (count, again) in batches {
            log.append(&entries(size..size + count)).unwrap();
            size += count;
            if again {
                drop(log);
                log = piecewise.open();
            }
        }
        let at_once = Station::with_entries(size);
        prop_assert_eq!(everything(&piecewise), everything(&at_once));
    }
}
