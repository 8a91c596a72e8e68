//! The examples of `docs/protocol.md`, byte by byte: whoever writes a second controller tests it
//! against them.

use std::collections::BTreeSet;
use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use loaban::manifest::Manifest;
use loaban::protocol::{
    Ack, ClockAnswer, ClockAsk, Descriptor, Document, Emergency, Enrolment, Order, Status, Want,
    decode, encode,
};
use loaban::receipt::Batch;
use loaban::trust::{Code, TrustDocument};
use sha2::{Digest, Sha256};

use crate::cast::checkout;

fn manual() -> String {
    let page = fs::read_to_string(checkout().join("docs/protocol.md")).unwrap();
    // One example shows its line feeds.
    page.replace('⏎', "")
}

/// An example: its line, and the signature lines under it.
struct Example<'a> {
    line: &'a str,
    signatures: Vec<&'a str>,
}

fn examples(page: &str) -> Vec<Example<'_>> {
    let lines: Vec<&str> = page.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| line.starts_with(r#"{"v":1,"typ":""#));
    let found = starts.map(|(at, line)| {
        assert_eq!(lines[at + 1], "", "a blank line under {line}");
        let rest = lines[at + 2..].iter().take_while(|line| **line != "```");
        Example { line, signatures: rest.copied().collect() }
    });
    found.collect()
}

/// The key of this name as the page defines it.
fn key(name: &str) -> SigningKey {
    if name == "laichau/code/mu-ca-1" {
        let secret = "loaban code\nlaichau\nmu-ca-1\nK7M29QXPT4R5\n";
        return SigningKey::from_bytes(&Sha256::digest(secret).into());
    }
    SigningKey::from_bytes(&Sha256::digest(format!("loaban/1 example {name}")).into())
}

fn key_id(name: &str, key: &SigningKey) -> [u8; 4] {
    let text = [name.as_bytes(), b"\n\x01", key.verifying_key().as_bytes()].concat();
    Sha256::digest(text)[..4].try_into().unwrap()
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from_digit(digit.into(), 16).unwrap()).collect()
}

fn key_text(name: &str) -> String {
    let key = key(name);
    let id = hexadecimal(&key_id(name, &key));
    let body = STANDARD.encode([&[1], &key.verifying_key().as_bytes()[..]].concat());
    format!("{name}+{id}+{body}")
}

/// Reads an example and writes it again: the manual shows the very bytes.
fn holds<D: Document>(line: &str) {
    let net = "laichau".parse().unwrap();
    let text = format!("{line}\n");
    let document: D = decode(&net, &text).unwrap_or_else(|e| panic!("{e}: {line}"));
    assert_eq!(encode(&net, &document), text);
}

#[test]
fn every_example_of_the_manual_is_what_the_code_reads_and_writes() {
    let page = manual();
    let mut seen = BTreeSet::new();
    for Example { line, .. } in examples(&page) {
        let typ = line.split('"').nth(5).unwrap();
        match typ {
            "trust" => holds::<TrustDocument>(line),
            "manifest" => holds::<Manifest>(line),
            "order" => holds::<Order>(line),
            "emergency" => holds::<Emergency>(line),
            "asset" => holds::<Descriptor>(line),
            "want" => holds::<Want>(line),
            "receipts" => holds::<Batch>(line),
            "ack" => holds::<Ack>(line),
            "status" => holds::<Status>(line),
            "clock" => holds::<ClockAsk>(line),
            "time" => holds::<ClockAnswer>(line),
            "enrolment" => holds::<Enrolment>(line),
            other => panic!("an example of an unknown type {other}"),
        }
        seen.insert(typ.to_owned());
    }
    assert_eq!(seen.len(), 12, "every document has its example: {seen:?}");
}

#[test]
fn every_example_of_the_manual_bears_the_very_signatures_of_its_keys() {
    let page = manual();
    for Example { line, signatures } in examples(&page) {
        assert!(!signatures.is_empty(), "{line} is signed");
        for signature in signatures {
            let name = signature.split(' ').nth(1).unwrap();
            let key = key(name);
            let bytes = key.sign(format!("{line}\n").as_bytes()).to_bytes();
            let blob = STANDARD.encode([&key_id(name, &key)[..], &bytes].concat());
            assert_eq!(signature, format!("— {name} {blob}"), "under {line}");
        }
    }
}

#[test]
fn every_key_that_the_manual_writes_out_is_the_one_of_its_name() {
    let page = manual();
    let texts = page.split(['"', '`', '\n']).filter(|text| {
        text.starts_with("laichau/") && text.matches('+').count() >= 2 && !text.contains(' ')
    });
    let seen: BTreeSet<&str> = texts.collect();
    assert!(seen.len() >= 9, "{seen:?}");
    for text in seen {
        assert_eq!(text, key_text(text.split('+').next().unwrap()));
    }
}

#[test]
fn the_code_of_the_manual_is_one_that_the_code_reads() {
    let page = manual();
    let code = page.split('`').find(|text| text.len() == 14 && text.split('-').count() == 3);
    let code: Code = code.unwrap().parse().unwrap();
    let signer = code.key(&"laichau".parse().unwrap(), &"mu-ca-1".parse().unwrap());
    assert_eq!(signer.public().to_string(), key_text("laichau/code/mu-ca-1"));
}

#[test]
fn the_fingerprint_in_the_manual_is_that_of_its_key() {
    let digest = Sha256::digest(key("laichau/device/mu-ca-1").verifying_key().as_bytes());
    let digits = hexadecimal(&digest[..16]);
    let groups: Vec<&str> = (0..8).map(|at| &digits[at * 4..at * 4 + 4]).collect();
    assert!(manual().contains(&format!("`{}`", groups.join(" "))), "{groups:?}");
}

/// The receipts of the page in the order of their chain, byte for byte.
fn receipts(page: &str) -> Vec<&str> {
    let first = page.split('`').find(|text| text.starts_with(r#"{"n":1,"#)).unwrap();
    let batch = page.lines().find(|line| line.contains(r#""typ":"receipts""#)).unwrap();
    let second = batch.split_once(r#""receipts":["#).unwrap().1.strip_suffix("]}").unwrap();
    let loose = page.lines().filter(|line| line.starts_with(r#"{"n":"#));
    [first, second].into_iter().chain(loose).collect()
}

#[test]
fn the_links_in_the_manual_are_those_of_the_receipts_it_shows() {
    let page = manual();
    let links = receipts(&page).into_iter().scan([0; 32], |link, receipt| {
        *link = Sha256::digest([&link[..], receipt.as_bytes()].concat()).into();
        Some(hexadecimal(&link[..]))
    });
    let links: Vec<String> = links.collect();
    assert_eq!(links.len(), 4);
    assert!(page.contains(&format!("\"prev\":\"{}\"", links[0])), "{links:?}");
    assert!(page.contains(&format!("receipt 4 is `{}`", links[3])), "{links:?}");
}

#[test]
fn the_single_receipts_in_the_manual_are_what_the_code_reads_and_writes() {
    let page = manual();
    let receipts: Vec<&str> = page.lines().filter(|line| line.starts_with(r#"{"n":"#)).collect();
    assert_eq!(receipts.len(), 2);
    let chain = r#""chain":"34f6a102aea08b44","first":3,"kept":1,"prev":""#;
    let head =
        format!(r#"{{"v":1,"typ":"receipts","net":"laichau","controller":"mu-ca-1",{chain}"#);
    holds::<Batch>(&format!(r#"{head}{}","receipts":[{}]}}"#, "0".repeat(64), receipts.join(",")));
}
