//! `/metrics`: numbers for Prometheus, in its text form.
//!
//! Who asks sends a token with the scope `watch` of somebody who watches the whole station. Numbers
//! that come from the database are read when they are asked for.

use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::access::Action;
use crate::clock::utc_now;
use crate::server::Health;
use crate::web::Site;
use crate::web::api::{self, Problem};
use crate::web::commune::town;

/// Upper ends of the times that answers are sorted by, in milliseconds.
const BUCKETS_MS: [u64; 10] = [5, 10, 25, 50, 100, 200, 500, 1_000, 2_500, 10_000];

/// How long answers took: pages, and the interface for programs.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pages: Histogram,
    api: Histogram,
    failed: AtomicU64,
    live: AtomicI64,
}

#[derive(Debug, Default)]
struct Histogram {
    /// How many took at most as long, and longer than the bucket before.
    buckets: [AtomicU64; BUCKETS_MS.len()],
    count: AtomicU64,
    sum_us: AtomicU64,
}

impl Histogram {
    fn note(&self, took: Duration) {
        let ms = took.as_secs_f64() * 1e3;
        #[expect(clippy::cast_precision_loss, reason = "the ends of the buckets are small")]
        let place = BUCKETS_MS.iter().position(|end| ms <= *end as f64);
        if let Some(place) = place {
            self.buckets[place].fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    fn write(&self, out: &mut String, kind: &str) {
        let name = "loaban_answer_seconds";
        let mut below = 0;
        for (end, count) in BUCKETS_MS.iter().zip(&self.buckets) {
            below += count.load(Ordering::Relaxed);
            let le = Duration::from_millis(*end).as_secs_f64();
            let _ = writeln!(out, "{name}_bucket{{kind=\"{kind}\",le=\"{le}\"}} {below}");
        }
        let count = self.count.load(Ordering::Relaxed);
        let sum = Duration::from_micros(self.sum_us.load(Ordering::Relaxed)).as_secs_f64();
        let _ = writeln!(out, "{name}_bucket{{kind=\"{kind}\",le=\"+Inf\"}} {count}");
        let _ = writeln!(out, "{name}_sum{{kind=\"{kind}\"}} {sum}");
        let _ = writeln!(out, "{name}_count{{kind=\"{kind}\"}} {count}");
    }
}

impl Meter {
    /// Counts one live page for as long as the answer is held.
    pub(super) fn live(site: &Arc<Site>) -> Live {
        site.meter.live.fetch_add(1, Ordering::Relaxed);
        Live(Arc::clone(site))
    }
}

/// A live page that is open.
pub(super) struct Live(Arc<Site>);

impl Drop for Live {
    fn drop(&mut self) {
        self.0.meter.live.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Notes how long an answer took to begin.
pub(super) async fn timed(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let histogram = match path {
        path if path.starts_with("/api/v1/") => Some(&site.meter.api),
        path if path.starts_with("/static/") || path.ends_with("/live") => None,
        _ => Some(&site.meter.pages),
    };
    let begun = site.clock.now().up;
    let response = next.run(request).await;
    if let Some(histogram) = histogram {
        histogram.note(site.clock.now().up.since(begun));
    }
    if response.status().is_server_error() {
        site.meter.failed.fetch_add(1, Ordering::Relaxed);
    }
    response
}

/// The numbers.
pub(super) async fn show(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    match told(&site, &headers).await {
        Ok(text) => {
            let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
            (kind, text).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

async fn told(site: &Arc<Site>, headers: &HeaderMap) -> Result<String, Problem> {
    let who = api::bearer(site, headers, Some(Action::Watch)).await?;
    who.allow(Action::Watch, &[])?;
    let mut out = String::new();
    fleet(site, &mut out).await?;
    ledger(site, &mut out).await?;
    if let Some(connections) = &site.connections {
        let help = "Clients of the embedded broker, the server's own among them";
        gauge(&mut out, "loaban_broker_connections", help, &[("", connections.count())]);
    }
    let live = site.meter.live.load(Ordering::Relaxed);
    gauge(&mut out, "loaban_live_pages", "Pages that are kept fresh", &[("", live)]);
    let failed = site.meter.failed.load(Ordering::Relaxed);
    counter(
        &mut out,
        "loaban_answers_failed_total",
        "Answers with a status of 500 or more",
        failed,
    );
    out.push_str("# HELP loaban_answer_seconds Until an answer begins\n");
    out.push_str("# TYPE loaban_answer_seconds histogram\n");
    site.meter.pages.write(&mut out, "page");
    site.meter.api.write(&mut out, "api");
    Ok(out)
}

/// How the loudspeakers are.
async fn fleet(site: &Arc<Site>, out: &mut String) -> Result<(), Problem> {
    let town = town(site).await?;
    let ids = || town.schedule.controllers.iter().map(|controller| &controller.id);
    let of = |health| ids().filter(|id| town.health(id) == health).count();
    let by = [
        ("{health=\"good\"}", of(Health::Good)),
        ("{health=\"warn\"}", of(Health::Warn)),
        ("{health=\"bad\"}", of(Health::Bad)),
    ];
    gauge(out, "loaban_controllers", "Loudspeakers by how well they are", &by);
    let up = ids().filter(|id| town.reachable(id)).count();
    gauge(out, "loaban_controllers_reachable", "Loudspeakers heard of lately", &[("", up)]);
    let statuses = site.station.store.statuses().await?;
    let waiting: u64 = statuses.iter().map(|row| row.status.receipts_waiting).sum();
    gauge(
        out,
        "loaban_controller_receipts_waiting",
        "Receipts that loudspeakers said they hold",
        &[("", waiting)],
    );
    Ok(())
}

/// What was taken in, and what waits.
async fn ledger(site: &Arc<Site>, out: &mut String) -> Result<(), Problem> {
    let store = &site.station.store;
    let (size, _) = store.log_position().await?;
    gauge(out, "loaban_log_entries", "Entries of the broadcast log", &[("", size)]);
    let waiting = store.facts_waiting_count().await?;
    gauge(out, "loaban_facts_waiting", "Facts that are not in the log yet", &[("", waiting)]);
    let receipts: u64 = store.progress().await?.iter().map(|(_, _, upto, _)| upto).sum();
    counter(out, "loaban_receipts_total", "Receipts that were taken", receipts);
    let now = utc_now();
    let emergencies = store.emergencies().await?;
    let open = emergencies.iter().filter(|row| row.expires > now);
    let (raised, asked): (Vec<_>, Vec<_>) = open.partition(|row| row.raised.is_some());
    let by = [("{state=\"raised\"}", raised.len()), ("{state=\"waiting\"}", asked.len())];
    gauge(out, "loaban_emergencies", "Emergencies that have not ended", &by);
    Ok(())
}

fn gauge<N: Display>(out: &mut String, name: &str, help: &str, values: &[(&str, N)]) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (labels, value) in values {
        let _ = writeln!(out, "{name}{labels} {value}");
    }
}

fn counter(out: &mut String, name: &str, help: &str, value: impl Display) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_counted_in_its_bucket_and_all_above() {
        let histogram = Histogram::default();
        for ms in [1, 60, 60_000] {
            histogram.note(Duration::from_millis(ms));
        }
        let mut out = String::new();
        histogram.write(&mut out, "page");
        for line in ["le=\"0.005\"} 1", "le=\"0.1\"} 2", "le=\"10\"} 2", "le=\"+Inf\"} 3"] {
            assert!(out.contains(line), "{line} is not in {out}");
        }
        assert!(out.contains("loaban_answer_seconds_sum{kind=\"page\"} 60.061"), "{out}");
    }
}
