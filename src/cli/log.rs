//! `log`: list, show, export, verify; checkpoints, corrections, legal holds.

mod pick;
mod verifying;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;

use crate::audit::SignedCheckpoint;
use crate::audit::entry::Entry;
use crate::audit::qr::Qr;
use crate::cli::{Which, print_json};
use crate::id::PersonId;
use crate::log::{LogReader, Selection, verify};
use crate::note::PublicKey;
use crate::server::Station;
use crate::vault::write_atomic;
use pick::Picking;
use verifying::Verify;

/// The broadcast log.
#[derive(Debug, Subcommand)]
pub(super) enum Log {
    /// List the entries.
    List {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        pick: Picking,
        /// The entries as they are in the log, one a line.
        #[arg(long)]
        json: bool,
    },
    /// Show one entry in full, and prove that the log holds it.
    Show {
        #[command(flatten)]
        which: Which,
        /// Its number, as `log list` and the reports tell it.
        entry: u64,
        /// Write the proof (C2SP tlog-proof) into this file, and the entry beside it as .json.
        #[arg(long)]
        proof: Option<PathBuf>,
        /// Entry and proof as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Write a zip with every entry, or those that you pick each with its proof, the checkpoint, the
    /// keys and a short verifier in Python, which an auditor needs nothing of this station for.
    Export {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        pick: Picking,
        /// The zip to write.
        #[arg(long)]
        out: PathBuf,
        /// Who takes it out: the log notes it.
        #[arg(long)]
        by: Option<PersonId>,
    },
    /// Say in one sentence whether anything was altered, and where.
    Verify(Verify),
    /// Show the signed head of the log, as text and as a QR code, to print or mail to another
    /// office. The running server puts one a day into the folder checkpoints/.
    Checkpoint {
        #[command(flatten)]
        which: Which,
        /// The file to write: .txt for the text, .svg or .png for the code.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Add an entry that corrects another; what it corrects stays.
    Correct {
        #[command(flatten)]
        which: Which,
        /// The entry that is wrong.
        entry: u64,
        /// What is right.
        #[arg(long)]
        says: String,
        /// Who corrects.
        #[arg(long)]
        by: PersonId,
    },
    /// Forbid every erasure of personal data, for a court or an inspection, until it is lifted.
    Hold {
        #[command(flatten)]
        which: Which,
        /// Why.
        #[arg(long, conflicts_with = "lift", required_unless_present = "lift")]
        reason: Option<String>,
        /// Lift it.
        #[arg(long)]
        lift: bool,
        /// Who places or lifts it.
        #[arg(long)]
        by: PersonId,
    },
}

impl Log {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        match self {
            Self::List { which, pick, json } => list(&which, &pick, json).await,
            Self::Show { which, entry, proof, json } => {
                show(&which.open().await?, entry, proof.as_deref(), json)
            }
            Self::Export { which, pick, out, by } => export(&which, &pick, &out, by.as_ref()).await,
            Self::Verify(verify) => verify.run().await,
            Self::Checkpoint { which, out } => checkpoint(&which.open().await?, out.as_deref()),
            Self::Correct { which, entry, says, by } => {
                which.open().await?.correct(entry, &says, &by).await?;
                say_line!("the correction of entry {entry} follows in the log");
                Ok(true)
            }
            Self::Hold { which, reason, lift: _, by } => {
                which.open().await?.hold(reason.as_deref(), &by).await?;
                let held = "nothing can be erased until `loaban log hold --lift`";
                say_line!("{}", reason.map_or("the legal hold is lifted", |_| held));
                Ok(true)
            }
        }
    }
}

async fn list(which: &Which, pick: &Picking, json: bool) -> anyhow::Result<bool> {
    let station = which.open().await?;
    let pick = pick.meant();
    let wanted = pick.wanted(&station).await?;
    let log = LogReader::open(&station.log_folder())?;
    log.visit::<anyhow::Error>(0..log.size(), |index, entry| {
        if wanted.holds(index, &entry) {
            tell(index, &entry, json);
        }
        Ok(())
    })?;
    Ok(true)
}

fn tell(index: u64, entry: &Entry, json: bool) {
    if json {
        say_line!("{}", entry.as_str());
        return;
    }
    let who = entry.who().map(ToString::to_string).unwrap_or_default();
    let body: String = entry.body().get().chars().take(90).collect();
    say_line!("{index:>6} {} {:<22} {who:<24} {body}", entry.at(), entry.kind().as_str());
}

fn show(station: &Station, index: u64, out: Option<&Path>, json: bool) -> anyhow::Result<bool> {
    let log = LogReader::open(&station.log_folder())?;
    let (entry, proof) = (log.entry(index)?, log.proof(index)?);
    let key = station.online_keys()?.log.public();
    let head =
        proof.verify(entry.bytes(), &key).context("the log was altered; run loaban log verify")?;
    if json {
        let body: serde_json::Value = serde_json::from_str(entry.as_str())?;
        let proof = proof.to_string();
        print_json(&serde_json::json!({ "index": index, "entry": body, "proof": proof }))?;
    } else {
        let local = station.config.zone.local(entry.at()).format("%d/%m/%Y %H:%M:%S");
        say_line!("entry {index} of {}, {local} ({})", head.size, station.config.zone.tz());
        let who = entry.who().map(ToString::to_string).unwrap_or_default();
        say_line!("{} by {who}, fact {}", entry.kind(), entry.fact());
        show_body(&entry)?;
        say_line!(
            "proven: {} hashes lead from it to the signed root {} of {}",
            proof.path.len(),
            head.root,
            head.origin
        );
    }
    if let Some(out) = out {
        write_atomic(out, proof.to_string().as_bytes())?;
        let beside = out.with_extension("json");
        write_atomic(&beside, entry.bytes())?;
        eprintln!("the proof is in {}, the entry in {}", out.display(), beside.display());
    }
    Ok(true)
}

/// The particulars, one a line; a signed note as it was signed.
fn show_body(entry: &Entry) -> anyhow::Result<()> {
    let body: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(entry.body().get())?;
    for (name, value) in &body {
        match value {
            serde_json::Value::String(text) if text.contains('\n') => {
                say_line!("  {name}:");
                text.lines().for_each(|line| say_line!("    {line}"));
            }
            serde_json::Value::String(text) => say_line!("  {name}: {text}"),
            other => say_line!("  {name}: {other}"),
        }
    }
    Ok(())
}

async fn export(
    which: &Which,
    pick: &Picking,
    out: &Path,
    by: Option<&PersonId>,
) -> anyhow::Result<bool> {
    let station = which.open().await?;
    let key = station.online_keys()?.log.public();
    let devices = station.store.devices().await?;
    let others: Vec<PublicKey> = devices.into_iter().filter_map(|d| d.public_key).collect();
    let log = LogReader::open(&station.log_folder())?;
    let (mut indexes, pick) = (Vec::new(), pick.meant());
    if !pick.is_everything() {
        let wanted = pick.wanted(&station).await?;
        log.visit::<anyhow::Error>(0..log.size(), |index, entry| {
            if wanted.holds(index, &entry) {
                indexes.push(index);
            }
            Ok(())
        })?;
        if indexes.is_empty() {
            bail!("no entry is as you picked; `loaban log list` with the same words shows what is");
        }
    }
    let selection =
        if pick.is_everything() { Selection::All } else { Selection::Entries(&indexes) };
    let mut bytes = std::io::Cursor::new(Vec::new());
    let count = log.export(selection, &key, &others, &mut bytes)?;
    let bytes = bytes.into_inner();
    write_atomic(out, &bytes)?;
    let digest = crate::digest::Digest::of(&bytes);
    station.tell_export(&format!("log {count} entries"), digest, by).await?;
    say_line!("{count} entries are in {}; unpack it and run verify.py", out.display());
    say_line!("the log's key is {key}");
    say_line!("its fingerprint, to be told on another way than the export: {}", key.fingerprint());
    Ok(true)
}

fn checkpoint(station: &Station, out: Option<&Path>) -> anyhow::Result<bool> {
    let log = LogReader::open(&station.log_folder())?;
    let note = log.checkpoint().as_str();
    let qr = Qr::of(note)?;
    let Some(out) = out else {
        say!("{note}\n{}", qr.terminal());
        return Ok(true);
    };
    let bytes = match out.extension().and_then(|ending| ending.to_str()).unwrap_or_default() {
        "txt" => note.as_bytes().to_vec(),
        "svg" => qr.svg().into_bytes(),
        "png" => qr.png(),
        other => bail!("`.{other}` is no form of a checkpoint; end --out in .txt, .svg or .png"),
    };
    write_atomic(out, &bytes)?;
    say_line!("the checkpoint of {} entries is in {}", log.size(), out.display());
    Ok(true)
}

/// A checkpoint that somebody kept.
fn read_checkpoint(path: &Path) -> anyhow::Result<SignedCheckpoint> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    SignedCheckpoint::parse(&bytes).with_context(|| path.display().to_string())
}

/// What the demonstration prints too.
pub(super) fn verdict(station: &Station) -> anyhow::Result<(bool, String, u64)> {
    let key = station.online_keys()?.log.public();
    let verdict = verify(&station.log_folder(), &key, None)?;
    let size = LogReader::open(&station.log_folder())?.size();
    Ok((verdict.is_right(), verdict.to_string(), size))
}
