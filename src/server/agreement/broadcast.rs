//! What was sent and what came back: manifests with their airings, receipts with their outcomes.

use serde_json::Value;

use crate::audit::Entry;
use crate::digest::Digest;
use crate::manifest::Manifest;
use crate::note::Note;
use crate::protocol::decode;
use crate::receipt::{Batch, Event, Receipt};
use crate::server::ServerError;
use crate::store::{Around, OutcomeRow, ReceiptRow};

use super::Comparison;

impl Comparison<'_> {
    pub(super) async fn receipts(
        &mut self,
        index: u64,
        entry: &Entry,
        body: &Value,
    ) -> Result<(), ServerError> {
        let Some((batch, receipts)) = self.signed_batch(index, body) else { return Ok(()) };
        let known = body["known"].as_u64().unwrap_or(0);
        let fact = entry.fact().as_str();
        let rows = self.station.store.receipts_of_fact(fact).await?;
        let outcomes = self.station.store.outcomes_of_fact(fact).await?;
        for row in &rows {
            let said = receipts.iter().any(|receipt| receipt.n == row.n);
            if !said || row.controller != batch.controller.as_str() || row.chain != batch.chain {
                self.say(None, name(row), format!("entry {index} does not speak of it"));
            }
        }
        for receipt in receipts.iter().filter(|receipt| receipt.n > known) {
            self.found.receipts += 1;
            let row = rows.iter().find(|row| row.n == receipt.n).cloned();
            let row = if row.is_some() {
                row
            } else {
                let store = &self.station.store;
                store.receipt_numbered(&batch.controller, &batch.chain, receipt.n).await?
            };
            self.receipt(index, &batch, receipt, row.as_ref());
            self.outcome(index, &batch, receipt, &outcomes).await?;
        }
        Ok(())
    }

    /// The batch that an entry holds, once its device has signed it.
    fn signed_batch(&mut self, index: u64, body: &Value) -> Option<(Batch, Vec<Receipt>)> {
        let controller = body["controller"].as_str().unwrap_or_default().to_owned();
        let row = format!("receipts of {controller}");
        let note = body["note"].as_str().unwrap_or_default();
        let Ok(note) = Note::parse(note.as_bytes()) else {
            self.say(Some(index), row, "their note cannot be read");
            return None;
        };
        let key = self.devices.get(&controller);
        if key.is_none_or(|key| note.verify([key]).is_err()) {
            self.say(Some(index), row, "the key that the device had enrolled did not sign them");
            return None;
        }
        let batch: Batch = decode(&self.station.config.net, note.text()).ok()?;
        let receipts = batch.read().ok()?.receipts;
        Some((batch, receipts))
    }

    fn receipt(&mut self, index: u64, batch: &Batch, receipt: &Receipt, row: Option<&ReceiptRow>) {
        let name = format!("receipt {}/{}/{}", batch.controller, batch.chain, receipt.n);
        match row {
            None => self.say(Some(index), name, "it is gone"),
            Some(row) if row.line != receipt.line() || row.at != receipt.at => {
                self.say(Some(index), name, "it says something else");
            }
            Some(_) => {}
        }
    }

    async fn outcome(
        &mut self,
        index: u64,
        batch: &Batch,
        receipt: &Receipt,
        outcomes: &[OutcomeRow],
    ) -> Result<(), ServerError> {
        let Event::Airing { airing, .. } = &receipt.event else { return Ok(()) };
        if airing.controller != batch.controller {
            return Ok(());
        }
        let name = format!("outcome {airing}");
        match outcomes.iter().find(|row| row.key == *airing) {
            Some(row) => {
                if let Some(what) = differs(row, &receipt.event) {
                    self.say(Some(index), name, format!("another {what}"));
                }
            }
            // The first receipt of an airing counts; it may have come with another entry.
            None if self.station.store.outcome_of(airing).await?.is_none() => {
                self.say(Some(index), name, "it is gone");
            }
            None => {}
        }
        Ok(())
    }

    pub(super) async fn manifest(
        &mut self,
        index: u64,
        entry: &Entry,
        body: &Value,
    ) -> Result<(), ServerError> {
        let name =
            format!("manifest {}/{}", body["controller"].as_str().unwrap_or("?"), body["number"]);
        let held = self.station.store.manifest_of_fact(entry.fact().as_str()).await?;
        let Some((doc, note)) = held else {
            self.say(Some(index), name, "it is gone");
            return Ok(());
        };
        if body["sha256"] != serde_json::json!(Digest::of(note.as_bytes())) {
            self.say(Some(index), name, "another note");
            return Ok(());
        }
        let text = Note::parse(note.as_bytes())?;
        let manifest: Manifest = decode(&self.station.config.net, text.text())?;
        if super::parsed(&doc) != serde_json::json!(manifest) {
            self.say(Some(index), name, "its document is not what was signed");
            return Ok(());
        }
        self.airings(index, &manifest).await
    }

    /// The airings that this manifest was the last to name.
    async fn airings(&mut self, index: u64, manifest: &Manifest) -> Result<(), ServerError> {
        let store = &self.station.store;
        for row in store.airings_of_manifest(&manifest.controller, manifest.number).await? {
            let said = manifest.airings.iter().find(|a| a.key(&manifest.controller) == row.key);
            let same = said.is_some_and(|airing| {
                let around = row.around.is_none_or(|around| around == Around::of(airing));
                airing.at == row.at
                    && airing.latest == row.latest
                    && airing.items == row.items
                    && around
            });
            if !same {
                let why = "it is not what its manifest named";
                self.say(Some(index), format!("airing {}", row.key), why);
            }
        }
        Ok(())
    }
}

fn name(row: &ReceiptRow) -> String {
    format!("receipt {}/{}/{}", row.controller, row.chain, row.n)
}

/// What an outcome's row says otherwise than its receipt.
fn differs(row: &OutcomeRow, event: &Event) -> Option<&'static str> {
    let Event::Airing { outcome, cause, evidence, begun, ended, items, .. } = event else {
        return Some("airing");
    };
    let word = serde_json::json!(evidence);
    [
        (row.outcome == outcome.as_str(), "outcome"),
        (row.cause == cause.map_or("", |cause| cause.as_str()), "cause"),
        (Some(row.evidence.as_str()) == word.as_str(), "evidence"),
        (row.begun == *begun, "beginning"),
        (row.ended == *ended, "end"),
        (row.items == *items, "list of items"),
    ]
    .into_iter()
    .find(|(same, _)| !same)
    .map(|(_, what)| what)
}
