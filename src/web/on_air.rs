//! What is on air, what comes next and when: around every page, for the places of whoever looks.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::access::Action;
use crate::clock::utc_now;
use crate::id::AreaId;
use crate::time::{TimeOfDay, Timestamp};
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame;
use crate::web::guard::Visitor;
use crate::web::live::{self, Parts};
use crate::web::programme::{Outlook, Slot, outlook};
use crate::web::tongue::Tongue;

/// Programmes on air that are named one by one.
const NAMED_MAX: usize = 2;

#[derive(Template)]
#[template(path = "on_air.html")]
struct OnAir {
    tongue: Tongue,
    now: Vec<(String, String)>,
    more: usize,
    next: Option<Next>,
}

/// What comes next.
struct Next {
    title: String,
    at: String,
    in_words: String,
}

/// For whom: a language and the places whose loudspeakers are theirs; `None` for all of them.
#[derive(Clone)]
pub(super) struct Whom {
    tongue: Tongue,
    places: Option<Vec<AreaId>>,
}

impl Whom {
    pub(super) fn of(visitor: &Visitor) -> Option<Self> {
        let duties = &visitor.signed_in.as_ref()?.duties;
        // Whoever watches loudspeakers is told of those, whatever else they do for the station.
        let watches = duties.may(Action::Watch);
        let places = duties.reach(if watches { Action::Watch } else { Action::Read });
        Some(Self { tongue: visitor.tongue, places })
    }

    fn key(&self) -> String {
        let places = self.places.as_ref().map_or_else(
            || "everywhere".to_owned(),
            |places| places.iter().map(AreaId::as_str).collect::<Vec<_>>().join(","),
        );
        format!("on air {} {places}", self.tongue)
    }

    fn told(&self, site: &Site, outlook: &Outlook, now: Timestamp) -> Result<String, Fault> {
        let zone = site.station.config.zone;
        let clock = |at| TimeOfDay::of(zone.local(at)).to_string();
        let title = |slot: &Slot| {
            let held = outlook.world().programmes.iter().find(|held| held.id == slot.programme);
            held.map_or_else(|| slot.programme.to_string(), |held| held.title.clone())
        };
        let here = self.places.as_ref().map(|places| outlook.near_in(places));
        let heard = || here.as_ref().unwrap_or(&outlook.near).iter().filter(|s| s.speakers > 0);
        let on_air: Vec<&Slot> = heard().filter(|slot| slot.at <= now && now < slot.ends).collect();
        let next = heard().find(|slot| slot.at > now).map(|slot| Next {
            title: title(slot),
            at: clock(slot.at),
            in_words: self.in_words(slot.at.since(now)),
        });
        frame::part(&OnAir {
            tongue: self.tongue,
            now: on_air.iter().take(NAMED_MAX).map(|s| (title(s), clock(s.ends))).collect(),
            more: on_air.len().saturating_sub(NAMED_MAX),
            next,
        })
    }

    /// How long until then.
    fn in_words(&self, left: std::time::Duration) -> String {
        let minutes = left.as_secs().div_ceil(60);
        let (hours, minutes) = (minutes / 60, minutes % 60);
        let (h, min) = (self.tongue.say("giờ", "h"), self.tongue.say("phút", "min"));
        if hours == 0 { format!("{minutes} {min}") } else { format!("{hours} {h} {minutes} {min}") }
    }
}

/// What is known of it without waiting, for the page as it leaves.
pub(super) fn at_once(site: &Site, visitor: &Visitor) -> String {
    let (whom, outlook) = (Whom::of(visitor), site.outlook.held());
    let told = whom.zip(outlook).map(|(whom, outlook)| whom.told(site, &outlook, utc_now()));
    told.and_then(Result::ok).unwrap_or_default()
}

/// Keeps it fresh on whatever stream a page has.
pub(super) fn along(site: &Arc<Site>, visitor: &Visitor, response: &mut Response) {
    let Some(whom) = Whom::of(visitor) else { return };
    let key = whom.key();
    live::also(site, response, &key, move |site| {
        let whom = whom.clone();
        async move {
            let outlook = outlook(&site).await?;
            let told = whom.told(&site, &outlook, utc_now())?;
            Ok(Parts::from([("on-air", told)]))
        }
    });
}

/// The stream of a page that has nothing else to keep fresh.
pub(super) async fn stream(State(site): State<Arc<Site>>) -> Response {
    live::stream(site, "nothing else", |_| async { Ok(Parts::new()) })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_left_is_told_in_hours_and_begun_minutes() {
        let whom = Whom { tongue: Tongue::Vi, places: None };
        let told = |seconds| whom.in_words(Duration::from_secs(seconds));
        assert_eq!(told(1), "1 phút");
        assert_eq!(told(3540), "59 phút");
        assert_eq!(told(3541), "1 giờ 0 phút");
    }
}
