//! The wire: every body, its envelope and signatures, topics, bitmaps, receipts.
//!
//! The seeds are the examples of the manual (`docs/protocol.md`), which the tests hold equal to the code.

use std::marker::PhantomData;

use loaban::digest::Digest;
use loaban::id::{ControllerId, NetId};
use loaban::manifest::Manifest;
use loaban::note::{Note, Signer};
use loaban::protocol::{
    Ack, ClockAnswer, ClockAsk, Descriptor, Document, Down, Emergency, Order, Status, Topic,
    Topics, Up, Want, bitmap, decode, encode,
};
use loaban::receipt::{Batch, Receipt};
use loaban::time::Timestamp;
use loaban::trust::TrustDocument;

use crate::target::{Broken, Outcome, Target, holds, sentence};

const MANUAL: &str = include_str!("../docs/protocol.md");

pub fn targets() -> Vec<Box<dyn Target>> {
    vec![
        Body::of(trust),
        Body::of(manifest),
        Body::of(descriptor),
        Body::of(batch),
        Body::of(want),
        Body::<Order>::of(|_| Ok(())),
        Body::<Emergency>::of(|_| Ok(())),
        Body::<Ack>::of(|_| Ok(())),
        Body::<Status>::of(|_| Ok(())),
        Body::<ClockAsk>::of(|_| Ok(())),
        Body::<ClockAnswer>::of(|_| Ok(())),
        Box::new(Bitmaps),
        Box::new(Receipts),
        Box::new(Notes::new()),
        Box::new(TopicNames),
    ]
}

fn net() -> NetId {
    "laichau".parse().expect("it is a network")
}

fn now() -> Timestamp {
    Timestamp::from_seconds(1_795_302_400)
}

/// The examples of a document in the manual.
fn examples(typ: &str) -> Vec<Vec<u8>> {
    let prefix = format!(r#"{{"v":1,"typ":"{typ}","#);
    let lines = MANUAL.lines().filter(|line| line.starts_with(&prefix));
    lines.map(|line| format!("{}\n", line.trim_end_matches('⏎')).into_bytes()).collect()
}

/// What is text of this input.
fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}

/// A document: what is read, written and read again is the same.
struct Body<D> {
    more: fn(&D) -> Result<(), Broken>,
    document: PhantomData<D>,
}

impl<D: Document + 'static> Body<D> {
    fn of(more: fn(&D) -> Result<(), Broken>) -> Box<dyn Target> {
        Box::new(Self { more, document: PhantomData })
    }
}

impl<D: Document> Target for Body<D> {
    fn name(&self) -> String {
        D::TYP.to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        examples(D::TYP)
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        let Some(text) = text(input) else { return Ok("not text".to_owned()) };
        // A note holds no more and no control characters, so they are never decoded.
        let noted = text.chars().all(|c| c == '\n' || !c.is_control());
        if text.len() >= loaban::note::NOTE_BYTES_MAX || !noted {
            return Ok("no note".to_owned());
        }
        let read: D = match decode(&net(), text) {
            Ok(read) => read,
            Err(fault) => return sentence(&fault),
        };
        let written = encode(&net(), &read);
        let again: D = decode(&net(), &written)
            .map_err(|fault| Broken(format!("{written} does not read back: {fault}")))?;
        holds(encode(&net(), &again) == written, || format!("{written} reads back otherwise"))?;
        (self.more)(&read)?;
        Ok("read".to_owned())
    }
}

fn said<E: std::fmt::Display>(checked: Result<(), E>) -> Result<(), Broken> {
    checked.or_else(|fault| sentence(&fault).map(|_| ()))
}

fn trust(document: &TrustDocument) -> Result<(), Broken> {
    said(document.check())?;
    let roots = document.anchors().roots.len();
    holds(roots == document.roots.len(), || "the anchors are others than the roots".to_owned())
}

fn manifest(manifest: &Manifest) -> Result<(), Broken> {
    said(manifest.check(&manifest.controller, None, Some(now())))?;
    said(manifest.check(&manifest.controller, Some(manifest.number), None))?;
    let items: usize = manifest.airings.iter().map(|airing| airing.items.len()).sum();
    for airing in &manifest.airings {
        let sounds = airing.items.iter().map(|item| item.length_ms).max().unwrap_or(0);
        let length = airing.length();
        let long_enough = length.as_millis() >= u128::from(sounds);
        holds(long_enough, || format!("an airing lasts {length:?} with an item of {sounds} ms"))?;
    }
    holds(manifest.assets().len() <= items + manifest.hold.len(), || {
        "more recordings than items".to_owned()
    })?;
    holds(manifest.says_the_same(manifest), || "it does not say what it says".to_owned())
}

fn descriptor(descriptor: &Descriptor) -> Result<(), Broken> {
    if descriptor.check().is_err() {
        return said(descriptor.check());
    }
    let blocks = u32::try_from(descriptor.blocks.len()).expect("few blocks");
    let sum: u64 = (0..blocks).map(|n| descriptor.block_len(n)).sum();
    holds(sum == descriptor.bytes, || format!("blocks of {sum} bytes in {}", descriptor.bytes))
}

fn batch(batch: &Batch) -> Result<(), Broken> {
    let chained = match batch.read() {
        Ok(chained) => chained,
        Err(fault) => return sentence(&fault).map(|_| ()),
    };
    let counts = (chained.receipts.len(), chained.links.len());
    holds(counts.0 == counts.1, || format!("{counts:?} receipts and links"))?;
    let numbers = chained.receipts.iter().map(|receipt| receipt.n);
    let in_turn =
        numbers.clone().zip(numbers.skip(1)).all(|(n, next)| n.checked_add(1) == Some(next));
    holds(in_turn, || "receipts out of turn".to_owned())
}

fn want(want: &Want) -> Result<(), Broken> {
    for count in [0, 1, 8, 9, 40, u32::MAX] {
        bits(&want.missing, count)?;
    }
    Ok(())
}

/// Blocks that are read from a bitmap are written as the same bitmap, but for bits behind the last.
fn bits(text: &str, count: u32) -> Result<bool, Broken> {
    let Some(blocks) = bitmap::decode(text, count) else { return Ok(false) };
    holds(blocks.iter().all(|n| *n < count), || format!("a block behind {count}"))?;
    let again = bitmap::decode(&bitmap::encode(blocks.iter().copied(), count), count);
    holds(again.as_ref() == Some(&blocks), || format!("{text} of {count} reads back otherwise"))?;
    Ok(true)
}

struct Bitmaps;

impl Target for Bitmaps {
    fn name(&self) -> String {
        "bitmap".to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        vec![b"8000".to_vec(), b"ff80".to_vec(), b"00".repeat(240), Vec::new()]
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        let Some(text) = text(input) else { return Ok("not text".to_owned()) };
        let bytes = u32::try_from(text.len() / 2).expect("inputs are short");
        let counts = [0, 1, bytes * 8, (bytes * 8).saturating_sub(7), bytes * 8 + 1, u32::MAX];
        let read = counts.iter().map(|count| bits(text, *count)).collect::<Result<Vec<_>, _>>()?;
        Ok(format!("{read:?}"))
    }
}

struct Receipts;

impl Target for Receipts {
    fn name(&self) -> String {
        "receipt".to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let batches = examples("receipts");
        let batches = batches.iter().filter_map(|line| decode::<Batch>(&net(), text(line)?).ok());
        batches
            .flat_map(|batch| batch.receipts)
            .map(|receipt| receipt.get().as_bytes().to_vec())
            .collect()
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        match serde_json::from_slice::<Receipt>(input) {
            // A batch says so in its own words.
            Err(_) => Ok("refused".to_owned()),
            Ok(read) => {
                let again = serde_json::from_str::<Receipt>(&read.line());
                let same = again.as_ref().is_ok_and(|again| *again == read);
                holds(same, || format!("{} reads back as {again:?}", read.line()))?;
                Ok("read".to_owned())
            }
        }
    }
}

/// Notes by two keys that sign nothing but these texts.
struct Notes {
    signers: [Signer; 2],
    texts: Vec<String>,
}

impl Notes {
    fn new() -> Self {
        let signer =
            |name: &str, seed| Signer::from_seed(name.parse().expect("a name"), &[seed; 32]);
        let lines = ["order", "ack", "time", "want"].map(examples).concat();
        let texts = lines.into_iter().map(|line| String::from_utf8(line).expect("text")).collect();
        Self { signers: [signer("laichau/schedule", 1), signer("laichau/content/lan", 2)], texts }
    }
}

impl Target for Notes {
    fn name(&self) -> String {
        "note".to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let [one, other] = &self.signers;
        let notes = self.texts.iter().enumerate().map(|(at, text)| {
            let note = if at % 2 == 0 { one.sign(text) } else { other.sign(text) };
            let cosigner = if at % 3 == 0 { other } else { one };
            if at % 4 == 0 { cosigner.cosign(&note).expect("it is a note") } else { note }
        });
        notes.map(String::into_bytes).collect()
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        let note = match Note::parse(input) {
            Ok(note) => note,
            Err(fault) => return sentence(&fault),
        };
        let keys = self.signers.each_ref().map(Signer::public);
        match note.verify(&keys) {
            Err(fault) => sentence(&fault),
            Ok(verified) => {
                let signed = self.texts.iter().any(|text| text == verified.text);
                holds(signed, || format!("nobody signed {:?}", verified.text))?;
                Ok(format!("signed by {}", verified.signers.len()))
            }
        }
    }
}

struct TopicNames;

impl Target for TopicNames {
    fn name(&self) -> String {
        "topic".to_owned()
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let topics = Topics::new(&net());
        let controller: ControllerId = "mu-ca-1".parse().expect("an id");
        let asset = Digest::of(b"x");
        let mut all = vec![topics.trust(), topics.info(asset), topics.block(asset, 17)];
        all.push(topics.area_emergency(&"mu-ca".parse().expect("an id")));
        all.extend(topics.main_filters(&controller));
        all.extend(
            [Up::Want, Up::Receipts, Up::Status, Up::Clock].map(|up| topics.up(&controller, up)),
        );
        all.push(topics.down(&controller, Down::Time));
        all.into_iter().map(String::into_bytes).collect()
    }

    fn run(&mut self, input: &[u8]) -> Outcome {
        let topics = Topics::new(&net());
        let Some(name) = text(input) else { return Ok("not text".to_owned()) };
        let Some(topic) = topics.parse(name) else { return Ok("none".to_owned()) };
        let (written, kind) = match &topic {
            Topic::Trust => (topics.trust(), "trust".to_owned()),
            Topic::Down(controller, down) => (topics.down(controller, *down), format!("{down:?}")),
            Topic::Up(controller, up) => (topics.up(controller, *up), format!("{up:?}")),
            Topic::AreaEmergency(area) => (topics.area_emergency(area), "area".to_owned()),
            Topic::Info(asset) => (topics.info(*asset), "info".to_owned()),
            Topic::Block(asset, n) => (topics.block(*asset, *n), "block".to_owned()),
        };
        holds(written == name, || format!("{name} is a second spelling of {written}"))?;
        Ok(kind)
    }
}
