//! One local day of one group of controllers: what of the candidates airs.
//!
//! Candidates are taken in order of time. One that overlaps an airing with a lesser claim puts it
//! out, and the day is taken up anew without that one: nothing that an airing took (minutes, a
//! bulletin) stays taken when it does not air, and what it had put out itself comes back. An
//! airing that began the day before is let finish.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::audience::Group;
use super::candidate::Candidate;
use super::claim::{Claim, collision};
use super::compose::{Composed, Desk};
use super::remark::{Reason, Remark, WallClock};
use super::serve::{Profile, Said};
use super::{Airing, Item, LATE_MS_MAX, Plan};
use crate::calendar::{AirtimePolicy, OverLimit, Spent};
use crate::fleet::Controller;
use crate::id::{BulletinId, ProgrammeId};
use crate::time::{Timestamp, Zone};

/// All days of one group.
pub(super) struct Settled<'w> {
    airings: Vec<Accepted<'w>>,
    said: Vec<(Candidate<'w>, Said)>,
}

impl Settled<'_> {
    /// Writes what holds for the group as what holds for one of its controllers.
    pub(super) fn write(&self, controller: &Controller, plan: &mut Plan) {
        let key = |candidate: &Candidate<'_>| candidate.key(&controller.id);
        plan.airings.extend(self.airings.iter().map(|accepted| Airing {
            key: key(&accepted.candidate),
            at: accepted.candidate.at,
            latest: accepted.latest,
            ends: accepted.ends,
            chime: accepted.candidate.programme.chime,
            gap_ms: accepted.candidate.programme.gap_ms,
            items: Arc::clone(&accepted.items),
        }));
        plan.remarks.extend(self.said.iter().map(|(candidate, said)| Remark {
            key: Some(key(candidate)),
            programme: candidate.programme.id.clone(),
            area: Some(controller.area.clone()),
            bulletin: said.bulletin.clone(),
            language: said.language.clone(),
            reason: said.reason.clone(),
        }));
    }
}

/// Settles every day for one group, each with the history of those before it.
pub(super) fn settle<'w>(
    desk: &Desk<'w>,
    group: &Group<'w>,
    calendar: &[Vec<Candidate<'w>>],
) -> Settled<'w> {
    let mut settled = Settled { airings: Vec::new(), said: Vec::new() };
    let mut aired = group.aired.clone();
    let mut running = group.running.map(|running| (running.ends, &running.programme));
    for candidates in calendar {
        let meant = candidates.iter().filter(|c| group.programmes.binary_search(&c.number).is_ok());
        let meant: Vec<Candidate<'w>> = meant.copied().collect();
        let day = Day::settle(Terms { desk, group, aired: &aired, running }, &meant);
        for accepted in &day.accepted {
            aired.extend(&accepted.bulletins);
            running = running.max(Some((accepted.ends, &accepted.candidate.programme.id)));
        }
        settled.airings.extend(day.accepted);
        let said = day.said.into_iter().zip(meant);
        settled
            .said
            .extend(said.flat_map(|(said, of)| said.into_iter().map(move |said| (of, said))));
    }
    settled
}

/// What holds all day.
#[derive(Clone, Copy)]
struct Terms<'a, 'w> {
    desk: &'a Desk<'w>,
    group: &'a Group<'w>,
    aired: &'a BTreeSet<&'w BulletinId>,
    running: Option<(Timestamp, &'w ProgrammeId)>,
}

/// A candidate that airs.
struct Accepted<'w> {
    candidate: Candidate<'w>,
    /// Its place among the day's candidates.
    place: usize,
    latest: Timestamp,
    ends: Timestamp,
    items: Arc<[Item]>,
    bulletins: Vec<&'w BulletinId>,
    claim: Claim<'w>,
    spent_before: Spent,
    spent: Spent,
}

/// What became of a candidate.
enum Outcome<'w> {
    Airs(Box<Accepted<'w>>),
    Refused(Vec<Said>),
    /// It airs, if the airing before it gives way.
    PutsOut(Vec<Said>),
}

/// Times that one airing may be put out on a day. What airs instead may change what others
/// consist of, and so their claims; this ends a day on which they go round in a circle.
const PUT_OUT_MAX: u8 = 4;

/// Who put an airing out, by place among the candidates, and what there is to say.
#[derive(Clone)]
struct PutOut {
    by: usize,
    said: Vec<Said>,
}

/// Which candidates are put out, by place.
struct Contest {
    out: Vec<Option<PutOut>>,
    times: Vec<u8>,
}

impl Contest {
    fn put_out(&mut self, loser: usize, put_out: PutOut) {
        assert!(self.out[loser].is_none(), "what is out cannot be put out");
        self.out[loser] = Some(put_out);
        self.times[loser] += 1;
    }

    /// Takes back what was put out by one that is `gone` itself; whether there was any.
    fn take_back(&mut self, gone: impl Fn(usize) -> bool) -> bool {
        let mut any = false;
        for (out, times) in self.out.iter_mut().zip(&self.times) {
            if *times < PUT_OUT_MAX && out.as_ref().is_some_and(|out| gone(out.by)) {
                *out = None;
                any = true;
            }
        }
        any
    }
}

/// A day while it is settled.
struct Day<'w> {
    accepted: Vec<Accepted<'w>>,
    /// By place among the candidates.
    said: Vec<Vec<Said>>,
}

impl<'w> Day<'w> {
    fn settle(terms: Terms<'_, 'w>, candidates: &[Candidate<'w>]) -> Self {
        let count = candidates.len();
        let mut contest = Contest { out: vec![None; count], times: vec![0; count] };
        loop {
            match Self::attempt(terms, candidates, &contest.out) {
                Err((loser, put_out)) => contest.put_out(loser, put_out),
                Ok(day) => {
                    let airs = |place| day.accepted.iter().any(|airing| airing.place == place);
                    if !contest.take_back(|by| !airs(by)) {
                        return day;
                    }
                }
            }
        }
    }

    /// The day without those in `out`; else the place of one more that is put out.
    fn attempt(
        terms: Terms<'_, 'w>,
        candidates: &[Candidate<'w>],
        out: &[Option<PutOut>],
    ) -> Result<Self, (usize, PutOut)> {
        let mut day = Self { accepted: Vec::new(), said: Vec::with_capacity(candidates.len()) };
        for (place, candidate) in candidates.iter().enumerate() {
            if let Some(out) = &out[place] {
                day.said.push(out.said.clone());
                continue;
            }
            let mut said = Vec::new();
            match day.consider(terms, place, candidate, &mut said) {
                Outcome::Airs(accepted) => day.accepted.push(*accepted),
                Outcome::Refused(refusal) => said.extend(refusal),
                Outcome::PutsOut(why) => {
                    let loser = day.accepted.last().expect("somebody is put out");
                    return Err((loser.place, PutOut { by: place, said: why }));
                }
            }
            day.said.push(said);
        }
        Ok(day)
    }

    fn consider(
        &self,
        terms: Terms<'_, 'w>,
        place: usize,
        candidate: &Candidate<'w>,
        said: &mut Vec<Said>,
    ) -> Outcome<'w> {
        match self.fit(terms, place, candidate, said) {
            Err(reason) => Outcome::Refused(vec![Said::airing(reason)]),
            Ok(new) => self.meet(terms, new),
        }
    }

    /// The candidate as an airing, if nothing else were there at its time.
    fn fit(
        &self,
        terms: Terms<'_, 'w>,
        place: usize,
        candidate: &Candidate<'w>,
        said: &mut Vec<Said>,
    ) -> Result<Accepted<'w>, Reason> {
        let profile: Profile<'w> = terms.group.profile.ok_or(Reason::NoProfile)?;
        let policy = terms.group.policy.ok_or(Reason::NoPolicy)?;
        if !profile.asks_for(&candidate.programme.languages) {
            return Err(Reason::NotAsked);
        }
        let aired = |bulletin: &BulletinId| terms.aired.contains(bulletin) || self.aired(bulletin);
        let composed = terms
            .desk
            .compose(candidate.programme, profile, candidate.at, &aired, said)
            .ok_or(Reason::NothingToAir)?;
        let ends = candidate.at + Duration::from_millis(composed.length_ms);
        let latest = latest(policy, terms.desk.zone, candidate.at, ends, composed.slack)?;
        let spent_before = self.spent_without(candidate.at);
        let spent = policy
            .admit(spent_before, composed.length_ms)
            .map_err(|over| over_limit(over, policy))?;
        let claim = Claim::of(candidate, &composed.content);
        let Composed { items, content, .. } = composed;
        let bulletins = content.into_iter().map(|airable| &airable.bulletin).collect();
        let items = items.into();
        Ok(Accepted {
            candidate: *candidate,
            place,
            latest,
            ends,
            items,
            bulletins,
            claim,
            spent_before,
            spent,
        })
    }

    fn aired(&self, bulletin: &BulletinId) -> bool {
        self.accepted.iter().any(|accepted| accepted.bulletins.contains(&bulletin))
    }

    /// What the day spent, less an airing that is still there at `at`: only one of the two airs.
    fn spent_without(&self, at: Timestamp) -> Spent {
        let last = self.accepted.last();
        last.map_or(
            Spent::default(),
            |last| if at < last.ends { last.spent_before } else { last.spent },
        )
    }

    /// What becomes of an airing that is fit, next to those that are there.
    fn meet(&self, terms: Terms<'_, 'w>, new: Accepted<'w>) -> Outcome<'w> {
        let at = new.candidate.at;
        if let Some((_, winner)) = terms.running.filter(|(ends, _)| at < *ends) {
            let winner = winner.clone();
            return Outcome::Refused(vec![Said::airing(Reason::Collision { winner })]);
        }
        // Airings are disjoint and in order of time: only the last one can still be there.
        let Some(last) = self.accepted.last().filter(|last| at < last.ends) else {
            return Outcome::Airs(Box::new(new));
        };
        if last.claim > new.claim {
            return Outcome::Refused(collision(&last.claim, &new.claim));
        }
        Outcome::PutsOut(collision(&new.claim, &last.claim))
    }
}

/// The last instant at which an airing from `at` until `ends` may begin.
fn latest(
    policy: &AirtimePolicy,
    zone: Zone,
    at: Timestamp,
    ends: Timestamp,
    slack: Duration,
) -> Result<Timestamp, Reason> {
    let late = Duration::from_millis(LATE_MS_MAX);
    let closes = policy.open_until(zone, at, ends + late).ok_or(Reason::OutsideWindow)?;
    if closes < ends {
        let closes = WallClock::of(zone, closes);
        return Err(Reason::RunsPastWindow { closes });
    }
    Ok(at + late.min(closes.since(ends)).min(slack))
}

fn over_limit(over: OverLimit, policy: &AirtimePolicy) -> Reason {
    match over {
        OverLimit::Session => Reason::SessionTooLong { minutes_max: policy.minutes_a_session_max },
        OverLimit::Sessions => Reason::TooManySessions { sessions_max: policy.sessions_a_day_max },
        OverLimit::Day => Reason::DayFull { minutes_max: policy.minutes_a_day_max },
    }
}
