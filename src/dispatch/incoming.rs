//! Messages of controllers: verified with the key each one made, then taken or refused.

use crate::digest::Digest;
use crate::dispatch::{Device, Dispatch, Ingest, Output, Progress};
use crate::id::ControllerId;
use crate::protocol::{
    self, ClockAsk, Document, Down, Status, StatusState, Topic, Up, Want, bitmap,
};
use crate::receipt::{Batch, Chained};
use crate::time::Now;

/// Trust documents sent to one controller for one status at most.
const TRUST_STEPS_MAX: usize = 16;

/// Chains of receipts that one controller may begin: each stands for lost storage.
const CHAINS_MAX: usize = 64;

impl Dispatch {
    pub(super) fn message(&mut self, now: Now, topic: &str, payload: &[u8]) {
        let taken = match self.topics.parse(topic) {
            Some(Topic::Up(from, Up::Want)) => self.take_want(now, &from, payload),
            Some(Topic::Up(from, Up::Receipts)) => self.take_receipts(&from, payload),
            Some(Topic::Up(from, Up::Status)) => self.take_status(now, &from, payload),
            Some(Topic::Up(from, Up::Clock)) => self.take_clock(now, &from, payload),
            _ => Err("no controller speaks on this topic".to_owned()),
        };
        if let Err(why) = taken {
            self.out.push_back(Output::Refused { topic: topic.to_owned(), why });
        }
    }

    /// Opens a note of `from`; the body must name the same controller as the topic.
    fn open<D: Document>(
        &self,
        from: &ControllerId,
        payload: &[u8],
        named: impl Fn(&D) -> &ControllerId,
    ) -> Result<D, String> {
        let device = self.device(from)?;
        let note = self.ack.read(payload).map_err(|e| e.to_string())?;
        let text = note.verify([&device.key]).map_err(|e| e.to_string())?.text;
        let document: D = protocol::decode(&self.net, text).map_err(|e| e.to_string())?;
        let speaker = named(&document);
        if speaker != from {
            return Err(format!("{speaker} speaks on the topic of {from}"));
        }
        Ok(document)
    }

    fn device(&self, from: &ControllerId) -> Result<&Device, String> {
        self.devices.get(from).ok_or_else(|| {
            format!("{from} has no key here; enrol it with `loaban fleet enrol`, or it was revoked")
        })
    }

    fn take_want(&mut self, now: Now, from: &ControllerId, payload: &[u8]) -> Result<(), String> {
        let want: Want = self.open(from, payload, |want: &Want| &want.controller)?;
        let Some(count) = self.fanout.blocks(want.asset) else {
            return Err(format!("{from} wants {}, which is not on offer", want.asset));
        };
        let missing = if want.info && want.missing.is_empty() {
            vec![]
        } else {
            bitmap::decode(&want.missing, count).ok_or("its bitmap does not fit the recording")?
        };
        self.fanout.want(now.up, want.asset, want.info, missing);
        Ok(())
    }

    fn take_status(&mut self, now: Now, from: &ControllerId, payload: &[u8]) -> Result<(), String> {
        if payload.is_empty() {
            return Ok(());
        }
        let status: Status = self.open(from, payload, |status: &Status| &status.controller)?;
        self.catch_up_trust(from, status.trust);
        if status.state == StatusState::Up {
            self.remind(now, from);
            self.catch_up_manifest(from, status.manifest);
        }
        self.out.push_back(Output::Saw(Box::new(status)));
        Ok(())
    }

    /// Sends the trust documents that a controller missed, each in its turn.
    fn catch_up_trust(&mut self, to: &ControllerId, held: u64) {
        let held = usize::try_from(held).unwrap_or(usize::MAX);
        let missed: Vec<String> =
            self.trust.iter().skip(held).take(TRUST_STEPS_MAX).cloned().collect();
        for note in missed {
            self.send(self.topics.down(to, Down::Trust), note, false);
        }
    }

    /// Sends the newest manifest to a controller that holds an older one: it was withheld, or came
    /// before the trust document that vouches for its key.
    fn catch_up_manifest(&mut self, to: &ControllerId, held: u64) {
        let newest = self.devices.get(to).and_then(|device| device.manifest.as_ref());
        if let Some((_, note)) = newest.filter(|(number, _)| held < *number) {
            let note = note.clone();
            self.send(self.topics.down(to, Down::Manifest), note, true);
        }
    }

    fn take_clock(&mut self, now: Now, from: &ControllerId, payload: &[u8]) -> Result<(), String> {
        let ask: ClockAsk = self.open(from, payload, |ask: &ClockAsk| &ask.controller)?;
        let manifest = self.device(from)?.manifest.as_ref().map_or(0, |(number, _)| *number);
        self.answer_clock(now, ask, manifest);
        Ok(())
    }

    fn take_receipts(&mut self, from: &ControllerId, payload: &[u8]) -> Result<(), String> {
        let batch: Batch = self.open(from, payload, |batch: &Batch| &batch.controller)?;
        let chained = batch.read().map_err(|e| e.to_string())?;
        let device = self.device(from)?;
        if device.ingesting {
            return Ok(());
        }
        match place(device, &batch, &chained)? {
            Place::Upto(upto) => self.acknowledge(from, batch.chain, upto),
            Place::Continues { known } => {
                let note = String::from_utf8_lossy(payload).into_owned();
                self.ingest(from, note, batch, chained, known);
            }
        }
        Ok(())
    }

    fn ingest(
        &mut self,
        from: &ControllerId,
        note: String,
        batch: Batch,
        chained: Chained,
        known: u64,
    ) {
        self.urgent.told(from, &chained.receipts);
        let last = chained.links.last().copied().unwrap_or(batch.prev);
        let upto = batch.first + chained.receipts.len() as u64 - 1;
        if let Some(device) = self.devices.get_mut(from) {
            device.ingesting = true;
        }
        self.out.push_back(Output::Ingest(Box::new(Ingest {
            controller: from.clone(),
            note,
            chained,
            first: batch.first,
            progress: Progress { chain: batch.chain, upto, link: last },
            known,
        })));
    }
}

/// How a batch stands to what the log has.
enum Place {
    /// Nothing new, or receipts before it are missing: the answer says how far the log is.
    Upto(u64),
    /// New receipts, after those up to `known`.
    Continues { known: u64 },
}

fn place(device: &Device, batch: &Batch, chained: &Chained) -> Result<Place, String> {
    let last = batch.first + chained.receipts.len() as u64 - 1;
    let Some(progress) = device.chains.get(&batch.chain) else {
        return unknown_chain(device, batch);
    };
    if last <= progress.upto {
        return Ok(Place::Upto(progress.upto));
    }
    if batch.first > progress.upto + 1 {
        // A server restored from an old backup may ask for receipts that are no longer kept.
        let is_oldest = batch.first == batch.kept;
        let (known, upto) = (batch.first - 1, progress.upto);
        return Ok(if is_oldest { Place::Continues { known } } else { Place::Upto(upto) });
    }
    if link_after(batch, chained, progress.upto) != Some(progress.link) {
        return Err(format!(
            "receipts of {} do not continue the chain in the log after {}: some were altered",
            batch.controller, progress.upto
        ));
    }
    Ok(Place::Continues { known: progress.upto })
}

/// A chain that the log does not know is asked for from the first receipt that its controller
/// keeps, which the batch itself says under the device's signature: a batch that comes twice, or
/// is replayed, must not make the log pass over what came before it.
fn unknown_chain(device: &Device, batch: &Batch) -> Result<Place, String> {
    if device.chains.len() >= CHAINS_MAX {
        return Err(format!(
            "{} began more chains of receipts than {CHAINS_MAX}",
            batch.controller
        ));
    }
    if batch.first != batch.kept {
        return Ok(Place::Upto(0));
    }
    Ok(Place::Continues { known: batch.first - 1 })
}

/// The link after receipt `n`, where the batch shows it.
fn link_after(batch: &Batch, chained: &Chained, n: u64) -> Option<Digest> {
    if n + 1 == batch.first {
        return Some(batch.prev);
    }
    chained.links.get(usize::try_from(n.checked_sub(batch.first)?).ok()?).copied()
}
