//! From content and schedule to signed manifests.
//!
//! **The server signs no manifest over a recording whose descriptor it did not verify**: a row of
//! the database is never enough.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tracing::warn;

use crate::bulletin::version::Version;
use crate::bulletin::{Bulletin, Class, Column};
use crate::calendar::AirtimePolicy;
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::fleet::{AreaTree, Controller};
use crate::id::{AreaId, PersonId};
use crate::lang::LangTag;
use crate::manifest::{HOLD_MAX, Item, Manifest, ManifestAiring, VALID_MAX, once_each};
use crate::note::{Note, Signer};
use crate::protocol::{Descriptor, decode, encode};
use crate::schedule::file::{Checked, ScheduleFile, check};
use crate::schedule::{Airable, Airing, History, Pending, Plan, Sound, World, plan};
use crate::server::ServerError;
use crate::server::inquiry::Silences;
use crate::server::station::Station;
use crate::store::{AiringRow, Fact};
use crate::time::{LocalDate, Timestamp};
use crate::trust::{Role, TrustDocument};

/// How far ahead manifests reach: as long as they may be valid.
pub(super) const DAYS: u16 = 8;

/// How long after its time an airing without an outcome stays in the manifest: a controller that
/// was away must still say why it was not heard.
const KEEP_UNTOLD: Duration = Duration::from_hours(7 * 24);

/// A manifest that says nothing new is signed again when it has less than this left.
const RENEW_BELOW: Duration = Duration::from_hours(120);

/// Manifests kept in one transaction at most: an emergency's fact waits for one of these, never for
/// thousands.
const ISSUED_AT_ONCE: usize = 200;

/// How long the store is left alone between two of these transactions.
const BETWEEN_ISSUES: Duration = Duration::from_millis(25);

/// How long a withdrawn recording is named in manifests: longer than any controller stays silent
/// with a valid schedule.
const NAME_WITHDRAWN: Duration = Duration::from_hours(720);

// What is planned fits the wire.
const _: () = assert!(crate::schedule::ITEMS_MAX == crate::manifest::ITEMS_MAX);

impl Station {
    /// Reads and checks the schedule of the store.
    pub async fn schedule(&self) -> Result<Checked, ServerError> {
        Ok(check_files(&self.store.schedule_files().await?)?)
    }

    /// Says everything that is wrong with `files` together with what is there.
    pub async fn check_schedule(&self, files: &[(String, String)]) -> Result<(), ServerError> {
        let mut all: BTreeMap<String, String> =
            self.store.schedule_files().await?.into_iter().collect();
        all.extend(files.iter().cloned());
        let all: Vec<(String, String)> = all.into_iter().collect();
        check_files(&all)?;
        Ok(())
    }

    /// Checks `files` together with what is there and takes them over; all or nothing. Returns how
    /// many changed.
    pub async fn import_schedule(&self, files: &[(String, String)]) -> Result<usize, ServerError> {
        self.import_schedule_as("server", files).await
    }

    /// The same, on behalf of somebody whom the log names.
    pub async fn import_schedule_by(
        &self,
        by: &PersonId,
        files: &[(String, String)],
    ) -> Result<usize, ServerError> {
        self.import_schedule_as(&format!("person:{by}"), files).await
    }

    async fn import_schedule_as(
        &self,
        who: &str,
        files: &[(String, String)],
    ) -> Result<usize, ServerError> {
        self.check_schedule(files).await?;
        let held: BTreeMap<String, String> =
            self.store.schedule_files().await?.into_iter().collect();
        let changed: Vec<_> =
            files.iter().filter(|(name, body)| held.get(name) != Some(body)).collect();
        let mut tx = self.store.begin().await?;
        for (name, body) in &changed {
            tx.put_schedule_file(name, body).await?;
            let digest = Digest::of(body.as_bytes());
            let told = serde_json::json!({ "file": name, "sha256": digest });
            tx.tell(&Fact::new(utc_now(), "schedule.imported", who, &told)).await?;
        }
        tx.commit().await?;
        Ok(changed.len())
    }

    /// Everything that a plan is made of.
    pub async fn world(&self) -> Result<World, ServerError> {
        self.world_on(self.config.zone.date(utc_now())).await
    }

    /// The same with the history of the days before `day`.
    pub async fn world_on(&self, day: LocalDate) -> Result<World, ServerError> {
        let checked = self.schedule().await?;
        let content = airable(self.store.bulletins().await?, &self.store.versions().await?);
        let history = self.history(day).await?;
        Ok(World {
            zone: self.config.zone,
            tree: checked.tree,
            controllers: checked.controllers,
            policies: checked.policies,
            programmes: checked.programmes,
            exceptions: checked.exceptions,
            decisions: self.store.decisions().await?,
            content,
            history,
        })
    }

    /// What was heard where, of the month before `day`.
    async fn history(&self, day: LocalDate) -> Result<History, ServerError> {
        let from = day.plus_days(-31).to_string();
        // The day's airings are planned anew with the rest of the day; their outcomes must not
        // change what they are.
        let until = day.plus_days(-1).to_string();
        let mut history = History::default();
        for outcome in self.store.outcomes(&from, &until).await? {
            if outcome.begun.is_some() {
                history.sounded(&outcome.key.controller, outcome.key.date);
            }
            for item in outcome.items {
                if item.outcome == crate::receipt::Outcome::Completed {
                    history.heard(&outcome.key.controller, item.bulletin);
                }
            }
        }
        Ok(history)
    }

    /// The plan from today on.
    pub async fn plan(&self) -> Result<(World, Plan), ServerError> {
        let world = self.world().await?;
        let today = self.config.zone.date(utc_now());
        let plan = plan(&world, today, DAYS);
        Ok((world, plan))
    }

    /// Signs a new manifest for every controller for which the plan says something new, or whose
    /// manifest runs out. Returns how many.
    pub async fn issue_manifests(&self, schedule: &Signer) -> Result<usize, ServerError> {
        let now = utc_now();
        let (world, plan) = self.plan().await?;
        let (trust, _) = self.trust().await?;
        let sound = self.verified(&world.tree, &trust, now).await?;
        let withdrawn = self.withdrawn(now).await?;
        let silences = Silences::of(self.store.device_turns().await?);
        let untold = self.untold(now, &silences).await?;
        let held = self.store.manifests().await?;
        let held: BTreeMap<_, _> =
            held.into_iter().map(|m| (m.manifest.controller.clone(), m.manifest)).collect();
        let devices = self.store.devices().await?;
        self.expect(&world.controllers, &devices, now).await?;
        let known: BTreeMap<_, _> = world.controllers.iter().map(|one| (&one.id, one)).collect();
        let mut issued = Vec::new();
        for device in devices.iter().filter(|device| device.revoked.is_none()) {
            let Some(&controller) = known.get(&device.controller) else { continue };
            let before = held.get(&controller.id);
            let (sound, withdrawn, untold) = (&sound, &withdrawn, &untold);
            let drafts = Drafts { world: &world, sound, withdrawn, untold, now };
            let manifest = drafts.manifest(controller, plan.of(&controller.id), before);
            let same = before
                .is_some_and(|before| ahead(before, now).says_the_same(&ahead(&manifest, now)));
            let fresh = before.is_some_and(|before| before.valid_until > now + RENEW_BELOW);
            // What was told to the device before it may name what only that one knows.
            let own = before.is_some_and(|before| {
                silences.since(&controller.id).is_none_or(|enrolled| enrolled <= before.issued)
            });
            if !(same && fresh && own) {
                issued.push(manifest);
            }
        }
        self.keep_issued(&issued, schedule).await?;
        Ok(issued.len())
    }

    async fn keep_issued(
        &self,
        manifests: &[Manifest],
        schedule: &Signer,
    ) -> Result<(), ServerError> {
        for (nth, some) in manifests.chunks(ISSUED_AT_ONCE).enumerate() {
            if nth > 0 {
                // Who waits for the store asks for it now and then; he shall find it free.
                tokio::time::sleep(BETWEEN_ISSUES).await;
            }
            self.keep_some(some, schedule).await?;
        }
        Ok(())
    }

    async fn keep_some(
        &self,
        manifests: &[Manifest],
        schedule: &Signer,
    ) -> Result<(), ServerError> {
        let notes = manifests.iter().map(|manifest| {
            let note = schedule.sign(&encode(&self.config.net, manifest));
            (manifest, note)
        });
        let signed: Vec<(&Manifest, String)> = notes.collect();
        let mut tx = self.store.begin().await?;
        for (manifest, note) in signed {
            let body = serde_json::json!({
                "controller": manifest.controller,
                "number": manifest.number,
                "valid_until": manifest.valid_until,
                "airings": manifest.airings.len(),
                "sha256": Digest::of(note.as_bytes()),
            });
            let fact = Fact::new(manifest.issued, "manifest.issued", "server", &body);
            tx.tell(&fact).await?;
            tx.issue(manifest, &note, &fact.id).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Airings whose time has passed and of which no receipt tells, though one may come: a device that
    /// takes the place of another cannot know what that one did.
    async fn untold(
        &self,
        now: Timestamp,
        silences: &Silences,
    ) -> Result<Vec<AiringRow>, ServerError> {
        let rows = self.store.airings(now - KEEP_UNTOLD, now).await?;
        let zone = self.config.zone;
        let (from, until) = (zone.date(now - KEEP_UNTOLD).plus_days(-1), zone.date(now));
        let told = self.store.outcomes(&from.to_string(), &until.to_string()).await?;
        let told: BTreeSet<_> = told.into_iter().map(|outcome| outcome.key).collect();
        let open = |row: &AiringRow| {
            let unknown = row.dropped.is_none() && !told.contains(&row.key);
            row.latest < now && unknown && silences.why(&row.key.controller, row.at).is_none()
        };
        Ok(rows.into_iter().filter(open).collect())
    }

    /// The recordings whose descriptors an approver signed, for areas in which that key counts.
    async fn verified(
        &self,
        tree: &AreaTree,
        trust: &TrustDocument,
        now: Timestamp,
    ) -> Result<BTreeMap<Digest, Descriptor>, ServerError> {
        let mut verified = BTreeMap::new();
        for row in self.store.assets().await? {
            let open = || -> Result<Descriptor, ServerError> {
                let note = Note::parse(row.descriptor.as_bytes())?;
                let (text, _) = trust.open(&note, Role::Content, &[], now)?;
                let descriptor: Descriptor = decode(&self.config.net, text)?;
                for area in &descriptor.areas {
                    trust.open(&note, Role::Content, &tree.chain(area), now)?;
                }
                Ok(descriptor)
            };
            match open() {
                Ok(descriptor) if descriptor.asset == row.digest => {
                    verified.insert(row.digest, descriptor);
                }
                Ok(_) => warn!(asset = %row.digest, "a descriptor of another recording; not aired"),
                Err(error) => warn!(asset = %row.digest, %error, "no valid descriptor; not aired"),
            }
        }
        Ok(verified)
    }

    async fn withdrawn(&self, now: Timestamp) -> Result<Vec<Digest>, ServerError> {
        let rows = self.store.assets().await?;
        let recent = rows
            .iter()
            .filter(|row| row.withdrawn.is_some_and(|at| now.since(at) < NAME_WITHDRAWN));
        Ok(recent.map(|row| row.digest).collect())
    }
}

fn check_files(files: &[(String, String)]) -> Result<Checked, crate::config::Faults> {
    let mut parsed = Vec::new();
    let mut faults = Vec::new();
    for (name, body) in files {
        match ScheduleFile::parse(name, body) {
            Ok(file) => parsed.push(file),
            Err(wrong) => faults.extend(wrong.0),
        }
    }
    if !faults.is_empty() {
        return Err(crate::config::Faults(faults));
    }
    let columns: BTreeSet<Column> = Column::usual().collect();
    check(parsed, &columns, None)
}

pub(super) fn airable(bulletins: Vec<Bulletin>, versions: &[Version]) -> Vec<Airable> {
    bulletins.into_iter().map(|bulletin| airable_one(bulletin, versions)).collect()
}

fn airable_one(bulletin: Bulletin, versions: &[Version]) -> Airable {
    let mut voices = BTreeMap::new();
    let mut pending = BTreeMap::new();
    for version in versions.iter().filter(|version| version.text().bulletin == bulletin.id) {
        let language = version.text().language.clone();
        match version {
            // Both wait for the same people: the newsroom says which step is next.
            Version::Text(_) | Version::Draft(_) => {
                pending.insert(language, Pending::Draft);
            }
            Version::Reviewed(_) => drop(pending.insert(language, Pending::InReview)),
            Version::Withdrawn(_) => drop(pending.insert(language, Pending::Withdrawn)),
            Version::Approved(approved) => {
                let recording = approved.publish().recording;
                let sound = Sound {
                    asset: recording.asset,
                    length_ms: recording.length_ms,
                    approved_at: approved.approved().at,
                };
                voices.insert(language, sound);
            }
        }
    }
    Airable {
        bulletin: bulletin.id,
        column: bulletin.column,
        class: bulletin.class,
        source_level: bulletin.source_level,
        valid_from: bulletin.valid_from,
        valid_until: bulletin.valid_until,
        voices,
        pending,
    }
}

/// What manifests are drafted from.
struct Drafts<'a> {
    world: &'a World,
    sound: &'a BTreeMap<Digest, Descriptor>,
    withdrawn: &'a [Digest],
    untold: &'a [AiringRow],
    now: Timestamp,
}

impl Drafts<'_> {
    fn manifest(
        &self,
        controller: &Controller,
        airings: &[Airing],
        before: Option<&Manifest>,
    ) -> Manifest {
        let areas = self.world.tree.chain(&controller.area);
        let ahead = airings
            .iter()
            .filter(|airing| airing.latest >= self.now && airing.at < self.now + VALID_MAX);
        let ahead = ahead.map(|airing| self.airing(airing, &areas));
        let mine = self.untold.iter().filter(|row| row.key.controller == controller.id);
        let airings = once_each(mine.map(untold), ahead.filter(|airing| !airing.items.is_empty()));
        let languages = languages(&self.world.tree, &controller.area);
        let hold = self.hold(&areas, &languages);
        Manifest {
            controller: controller.id.clone(),
            number: Manifest::next_number(before.map(|before| before.number), self.now),
            issued: self.now,
            valid_until: self.now + VALID_MAX,
            languages,
            policy: self.policy(&controller.area),
            areas,
            zone: self.world.zone,
            airings,
            withdrawn: self.withdrawn.to_vec(),
            hold,
        }
    }

    fn policy(&self, area: &AreaId) -> AirtimePolicy {
        let nearest = self.world.tree.upward(area).find_map(|a| self.world.policies.get(&a.id));
        let silent = AirtimePolicy {
            windows: vec![],
            sessions_a_day_max: 0,
            minutes_a_session_max: 0,
            minutes_a_day_max: 0,
        };
        nearest.map_or(silent, |airtime| airtime.signed().clone())
    }

    fn airing(&self, airing: &Airing, areas: &[AreaId]) -> ManifestAiring {
        let item = |item: &crate::schedule::Item| Item {
            bulletin: item.bulletin.clone(),
            language: item.language.clone(),
            asset: item.asset,
            length_ms: item.length_ms,
        };
        let items = airing.items.iter().map(item).filter(|item| self.may_sound(item, areas));
        ManifestAiring {
            programme: airing.key.programme.clone(),
            date: airing.key.date,
            occurrence: airing.key.occurrence,
            at: airing.at,
            latest: airing.latest,
            chime: airing.chime,
            gap_ms: airing.gap_ms,
            items: items.collect(),
            volume_percent: airing.volume_percent,
        }
    }

    /// Approved emergency recordings in the languages of a place: held in advance, an emergency
    /// needs no more than a note.
    fn hold(&self, areas: &[AreaId], languages: &[LangTag]) -> Vec<Digest> {
        let meant = |descriptor: &Descriptor| {
            descriptor.class == Class::Emergency
                && self.now < descriptor.valid_until
                && languages.contains(&descriptor.language)
                && descriptor.areas.iter().any(|area| areas.contains(area))
        };
        let fits = self.sound.values().filter(|descriptor| meant(descriptor));
        let fits = fits.map(|descriptor| descriptor.asset);
        fits.filter(|asset| !self.withdrawn.contains(asset)).take(HOLD_MAX).collect()
    }

    fn may_sound(&self, item: &Item, areas: &[AreaId]) -> bool {
        self.sound.get(&item.asset).is_some_and(|descriptor| {
            descriptor.bulletin == item.bulletin
                && descriptor.language == item.language
                && descriptor.areas.iter().any(|area| areas.contains(area))
        })
    }
}

/// An airing whose time has passed, as a manifest names it: only its outcome is still wanted.
fn untold(row: &AiringRow) -> ManifestAiring {
    ManifestAiring {
        programme: row.key.programme.clone(),
        date: row.key.date,
        occurrence: row.key.occurrence,
        at: row.at,
        latest: row.latest,
        chime: false,
        gap_ms: 0,
        items: row.items.clone(),
        volume_percent: None,
    }
}

/// The manifest without airings whose time has passed: those change nothing that is heard.
fn ahead(manifest: &Manifest, now: Timestamp) -> Manifest {
    let mut manifest = manifest.clone();
    manifest.airings.retain(|airing| airing.latest >= now);
    manifest
}

/// Every language that may be heard in an area: what it asks for, what it accepts, its fallback.
fn languages(tree: &AreaTree, area: &AreaId) -> Vec<LangTag> {
    let Some(profile) = tree.profile(area) else { return vec![] };
    let wishes = profile
        .listens
        .iter()
        .flat_map(|wish| std::iter::once(&wish.language).chain(&wish.stand_ins));
    let mut languages: Vec<LangTag> = Vec::new();
    for language in wishes.chain(&profile.fallback) {
        if !languages.contains(language) {
            languages.push(language.clone());
        }
    }
    languages
}
