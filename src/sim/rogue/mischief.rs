//! Manifests that a rebel at the server signs with the real schedule key.

use std::time::Duration;

use crate::digest::Digest;
use crate::manifest::{Item, Manifest, ManifestAiring};
use crate::sim::site::windows;
use crate::sim::station::{date, utc_at};
use crate::sim::world::World;

/// How soon the airing is due that must not sound.
const SOON: Duration = Duration::from_mins(3);

/// Controllers at which one withdrawn recording is aired all the same, at most.
const REBELLIONS_MAX: usize = 3;

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// The controller's own quiet hours forbid it, whatever the policy says.
    Night,
    /// The policy of the very manifest forbids it.
    Policy,
    /// The approver's descriptor is past its end.
    Expired,
    /// The recording is withdrawn.
    Withdrawn,
    /// It says that the recording is shorter than it is.
    Length,
}

impl World {
    pub(in crate::sim) fn make_mischief(&mut self, site: usize) {
        let id = self.sites[site].id.clone();
        let Some(held) = self.desk.manifest(&id).cloned() else { return };
        if self.desk.dispatch.is_none() || self.station.stolen.contains(&id) {
            return;
        }
        let kinds = [Wrong::Night, Wrong::Policy, Wrong::Expired, Wrong::Withdrawn, Wrong::Length];
        let wrong = self.chance.pick(&kinds).copied().unwrap_or(Wrong::Night);
        let Some(asset) = self.suspect(site, wrong) else { return };
        self.pass_on(site, &held, wrong, asset);
    }

    /// The rebel airs what was withdrawn a moment ago, where it is still held; `false` where it is
    /// held nowhere.
    pub(in crate::sim) fn air_anyway(&mut self, asset: Digest) -> bool {
        let holds = |site: &usize| self.sites[*site].flash.holds(asset);
        let holding: Vec<usize> = (0..self.sites.len()).filter(holds).collect();
        let is_held = !holding.is_empty();
        for site in holding.into_iter().take(REBELLIONS_MAX) {
            let Some(mut held) = self.desk.manifest(&self.sites[site].id).cloned() else {
                continue;
            };
            if self.desk.dispatch.is_some() && !self.station.stolen.contains(&held.controller) {
                held.withdrawn.push(asset);
                self.pass_on(site, &held, Wrong::Withdrawn, asset);
            }
        }
        is_held
    }

    fn pass_on(&mut self, site: usize, held: &Manifest, wrong: Wrong, asset: Digest) {
        let id = self.sites[site].id.clone();
        let Some(manifest) = self.mischief(held, wrong, asset) else { return };
        self.observer.fault(match wrong {
            Wrong::Night => "airing in quiet hours",
            Wrong::Policy => "airing outside its policy",
            Wrong::Expired => "airing of an expired recording",
            Wrong::Withdrawn => "airing of a withdrawn recording",
            Wrong::Length => "airing of a false length",
        });
        let note = self.station.sign(&self.station.schedule_key(), &manifest);
        self.station.note_manifest(&manifest, &note);
        let number = manifest.number;
        self.desk.keep_manifest(manifest, &note);
        let input = crate::dispatch::Input::Manifest { controller: id, number, note };
        self.tell_server(input);
    }

    /// A recording in a language of the village that this mischief can use.
    fn suspect(&mut self, site: usize, wrong: Wrong) -> Option<Digest> {
        let utc = utc_at(self.now);
        let languages = &self.station.villages[self.sites[site].village].languages;
        let fits = |(_, recording): &(&Digest, &crate::sim::station::Recording)| {
            let descriptor = &recording.descriptor;
            let is_over = descriptor.valid_until <= utc + SOON;
            languages.contains(&descriptor.language)
                && (is_over == (wrong == Wrong::Expired))
                && (recording.withdrawn.is_some() == (wrong == Wrong::Withdrawn))
        };
        let fitting = self.station.recordings.iter().filter(fits);
        let fitting: Vec<Digest> = fitting.map(|(asset, _)| *asset).collect();
        self.chance.pick(&fitting).copied()
    }

    fn mischief(&self, held: &Manifest, wrong: Wrong, asset: Digest) -> Option<Manifest> {
        let hour = self.now.as_secs() / 3_600 % 24;
        let closes = Duration::from_secs((self.now + SOON).as_secs().next_multiple_of(60));
        let begins = closes.saturating_sub(Duration::from_secs(2));
        let policy = match wrong {
            Wrong::Night if !(4..22).contains(&hour) && hour != 4 => windows(&[("00:00", "24:00")]),
            Wrong::Policy if (13..16).contains(&hour) => held.policy.clone(),
            Wrong::Expired | Wrong::Withdrawn if (8..20).contains(&hour) => {
                windows(&[("05:00", "21:00")])
            }
            // It closes a moment after the airing begins.
            Wrong::Length if (8..20).contains(&hour) => {
                let minutes = closes.as_secs() / 60 % (24 * 60);
                windows(&[("05:00", &format!("{:02}:{:02}", minutes / 60, minutes % 60))])
            }
            _ => return None,
        };
        let item = self.station.item(asset);
        let length_ms = if wrong == Wrong::Length { 1_000 } else { item.length_ms };
        let airing = ManifestAiring {
            programme: "noi-loan".parse().expect("an id"),
            date: date(u32::try_from(self.now.as_secs() / 86_400).unwrap_or(0)),
            occurrence: u16::try_from(self.now.as_secs() / 10 % 50_000).unwrap_or(0),
            at: utc_at(begins),
            latest: utc_at(begins + SOON),
            chime: false,
            gap_ms: 0,
            volume_percent: None,
            items: vec![Item { length_ms, ..item }],
        };
        let mut manifest = held.clone();
        manifest.number = Manifest::next_number(Some(held.number), utc_at(self.now));
        manifest.issued = utc_at(self.now);
        manifest.policy = policy;
        manifest.airings.push(airing);
        manifest.airings.sort_by_key(|airing| airing.at);
        Some(manifest)
    }
}
