//! Every way to alter a log, each detected, named, and refused by the server.

use std::fs;

use loaban::log::{Alteration, Verdict};

use crate::cast::{Station, entries, entry, entry_saying, signer};

/// What the auditor is told; the server says the same and does not start.
fn altered(station: &Station) -> Alteration {
    let Verdict::Altered(alteration) = station.verdict() else { panic!("the auditor saw nothing") };
    let (told, refusal) = (alteration.to_string(), station.refusal());
    assert!(refusal.starts_with(&told), "the auditor: {told}\nthe server: {refusal}");
    alteration
}

fn fact(n: u64) -> loaban::audit::FactId {
    format!("f-{n}").parse().unwrap()
}

#[test]
fn an_edited_entry_is_named() {
    let station = Station::with_entries(600);
    station.alter_entries("tile/entries/001", |list| {
        list[44] = entry_saying(300, "khác").bytes().to_vec();
    });
    let found = altered(&station);
    assert_eq!(
        found,
        Alteration::Edited { first: 300, last: 300, count: 1, fact: Some(fact(300)) }
    );
    assert_eq!(found.to_string(), "Entry 300 (fact f-300) was altered: not what was signed.");
}

#[test]
fn one_flipped_bit_is_named() {
    let station = Station::with_entries(600);
    station.alter("tile/entries/002", |bytes| *bytes.last_mut().unwrap() ^= 1);
    let found = altered(&station);
    assert_eq!(found, Alteration::Edited { first: 599, last: 599, count: 1, fact: None });
}

#[test]
fn a_deleted_entry_is_named() {
    let station = Station::with_entries(600);
    station.alter_entries("tile/entries/001", |list| drop(list.remove(10)));
    assert_eq!(altered(&station), Alteration::Deleted { first: 266, count: 1 });
}

#[test]
fn a_deleted_bundle_is_named() {
    let station = Station::with_entries(600);
    fs::remove_file(station.file("tile/entries/001")).unwrap();
    assert_eq!(altered(&station), Alteration::Deleted { first: 256, count: 256 });
}

#[test]
fn an_inserted_entry_is_named() {
    let station = Station::with_entries(600);
    station.alter_entries("tile/entries/001", |list| list.insert(10, entry(9000).bytes().to_vec()));
    assert_eq!(
        altered(&station),
        Alteration::Inserted { first: 266, count: 1, fact: Some(fact(9000)) }
    );
}

#[test]
fn an_entry_inserted_in_the_growing_bundle_is_named() {
    let station = Station::with_entries(300);
    station.alter_entries("tile/entries/001", |list| list.insert(10, entry(9000).bytes().to_vec()));
    assert_eq!(
        altered(&station),
        Alteration::Inserted { first: 266, count: 1, fact: Some(fact(9000)) }
    );
}

#[test]
fn an_entry_inserted_behind_a_full_bundle_is_named() {
    let station = Station::with_entries(256);
    station.alter_entries("tile/entries/000", |list| list.push(entry(9000).bytes().to_vec()));
    assert_eq!(
        altered(&station),
        Alteration::Inserted { first: 256, count: 1, fact: Some(fact(9000)) }
    );
}

#[test]
fn two_swapped_entries_are_named() {
    let station = Station::with_entries(600);
    station.alter_entries("tile/entries/001", |list| list.swap(3, 9));
    assert_eq!(altered(&station), Alteration::Reordered { first: 259, last: 265 });
}

#[test]
fn an_entry_replaced_by_a_copy_of_another_is_named() {
    let station = Station::with_entries(600);
    station.alter_entries("tile/entries/001", |list| list[9] = list[3].clone());
    let edited = Alteration::Edited { first: 265, last: 265, count: 1, fact: Some(fact(259)) };
    assert_eq!(altered(&station), edited);
}

#[test]
fn a_log_that_was_cut_short_is_named() {
    let station = Station::with_entries(600);
    station.alter_entries("tile/entries/002", |list| list.truncate(50));
    assert_eq!(altered(&station), Alteration::Truncated { left: 562, size: 600 });
}

#[test]
fn a_log_that_was_cut_short_with_its_tiles_is_named() {
    let station = Station::with_entries(600);
    station.alter_entries("tile/entries/002", |list| list.truncate(50));
    station.alter("tile/0/002", |bytes| bytes.truncate(50 * 32));
    assert_eq!(altered(&station), Alteration::Truncated { left: 562, size: 600 });
}

#[test]
fn several_edited_entries_are_counted() {
    let station = Station::with_entries(600);
    station.alter_entries("tile/entries/000", |list| list[7] = b"{}".to_vec());
    station.alter_entries("tile/entries/002", |list| list[8] = b"{}".to_vec());
    let edited = Alteration::Edited { first: 7, last: 520, count: 2, fact: None };
    assert_eq!(altered(&station), edited);
}

#[test]
fn an_altered_tile_is_named_and_the_mend_is_told() {
    for (path, first) in [("tile/0/001", 260), ("tile/1/000", 256)] {
        let station = Station::with_entries(600);
        let at = if path == "tile/0/001" { 4 * 32 + 5 } else { 32 };
        station.alter(path, |bytes| bytes[at] ^= 1);
        assert_eq!(altered(&station), Alteration::Tile { path: path.to_owned(), first });
        fs::remove_file(station.file(path)).unwrap();
        assert_eq!(station.open().recovery().derived, [path]);
        assert!(station.verdict().is_right());
    }
}

#[test]
fn an_entry_rewritten_with_its_tile_is_narrowed_down() {
    let station = Station::with_entries(600);
    let forged = entry_saying(300, "khác");
    station.alter_entries("tile/entries/001", |list| list[44] = forged.bytes().to_vec());
    let leaf = loaban::audit::tree::leaf_hash(forged.bytes());
    station.alter("tile/0/001", |bytes| bytes[44 * 32..45 * 32].copy_from_slice(leaf.as_bytes()));
    assert_eq!(altered(&station), Alteration::Rewritten { first: 256, last: 511 });
}

#[test]
fn a_rewritten_log_under_the_old_checkpoint_is_detected() {
    let (station, forged) = (Station::with_entries(300), Station::with(&entries(1000..1300)));
    fs::copy(station.file("checkpoint"), forged.file("checkpoint")).unwrap();
    assert_eq!(altered(&forged), Alteration::Rewritten { first: 0, last: 299 });
}

#[test]
fn a_rewritten_tree_with_a_fresh_checkpoint_is_caught_by_an_old_one() {
    let honest = Station::with_entries(400);
    let kept = honest.open().checkpoint().clone();
    let mut list = entries(0..600);
    list[300] = entry_saying(300, "khác");
    let forged = Station::with(&list);
    assert!(forged.verdict().is_right(), "nobody can see it without the old checkpoint");
    let verdict = forged.verdict_against(&kept);
    assert_eq!(verdict, Verdict::Altered(Alteration::History { old_size: 400, size: 600 }));
    honest.open().append(&entries(400..600)).unwrap();
    assert!(honest.verdict_against(&kept).is_right());
}

#[test]
fn an_old_copy_put_in_the_logs_place_is_caught_by_a_newer_checkpoint() {
    let (old, station) = (Station::with_entries(300), Station::with_entries(400));
    let kept = station.open().checkpoint().clone();
    let verdict = old.verdict_against(&kept);
    assert_eq!(verdict, Verdict::Altered(Alteration::Shrunk { old_size: 400, size: 300 }));
    assert!(verdict.to_string().contains("100 are missing"), "{verdict}");
}

#[test]
fn a_forged_checkpoint_is_named() {
    let station = Station::with_entries(300);
    station.alter("checkpoint", |bytes| {
        let text = String::from_utf8_lossy(bytes).replacen("300", "200", 1);
        *bytes = text.into_bytes();
    });
    let sentence = altered(&station).to_string();
    assert!(
        sentence
            .contains("checkpoint was forged or damaged: the signature by laichau/log is wrong"),
        "{sentence}"
    );
}

#[test]
fn a_checkpoint_by_another_key_is_named() {
    let station = Station::with_entries(300);
    let stranger = loaban::note::Signer::from_seed("laichau/log".parse().unwrap(), &[8; 32]);
    let claim = station.open().checkpoint().claim().clone();
    fs::write(station.file("checkpoint"), claim.sign(&stranger).as_str()).unwrap();
    let sentence = altered(&station).to_string();
    assert!(sentence.contains("no signature by a key that may sign this"), "{sentence}");
}

#[test]
fn a_missing_checkpoint_is_no_new_log() {
    let station = Station::with_entries(300);
    fs::remove_file(station.file("checkpoint")).unwrap();
    assert_eq!(altered(&station), Alteration::NoCheckpoint);
}

#[test]
fn a_fact_that_was_logged_twice_is_named() {
    // The log remembers so many facts; what is older than they are it would take again.
    let mut list = entries(0..65_540);
    list.push(entry(1));
    let (first, rest) = list.split_at(65_540);
    let station = Station::with(first);
    station.open().append(rest).unwrap();
    let twice = Alteration::Twice { fact: "f-1".parse().unwrap(), first: 1, again: 65_540 };
    assert_eq!(station.verdict(), Verdict::Altered(twice));
}

#[test]
fn the_checkpoint_of_another_log_is_not_compared() {
    let station = Station::with_entries(3);
    let other = station.open().checkpoint().claim().clone();
    let other = loaban::audit::Checkpoint { origin: "sonla/log".parse().unwrap(), ..other };
    let sentence = station.verdict_against(&other.sign(&signer())).to_string();
    assert!(sentence.contains("of the log sonla/log"), "{sentence}");
}

#[test]
fn a_right_log_is_called_right_in_one_sentence() {
    let station = Station::with_entries(300);
    let kept = station.open().checkpoint().clone();
    let sentence = station.verdict_against(&kept).to_string();
    let right = "The log laichau/log is right: all 300 entries are as signed (root ";
    assert!(sentence.starts_with(right), "{sentence}");
    assert!(sentence.ends_with("it continues the older checkpoint of 300 entries."), "{sentence}");
}
