//! Parts of a page that stay fresh: server-sent events, each a whole part.
//!
//! A part leaves when it changed. After a lost connection the browser comes back and gets every
//! part whole, so nothing can be missed.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use crate::time::Uptime;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::metrics::{Live, Meter};

/// How often a part may change.
const EVERY: Duration = Duration::from_secs(2);

/// A stream ends after this, and the browser opens a new one: whoever lost their duty meanwhile is
/// not shown more.
const LASTS: Duration = Duration::from_mins(5);

/// Parts of a page with their ids.
pub(super) type Parts = Vec<(&'static str, String)>;

/// How old a look may be that another page of the same kind has made.
const FRESH: Duration = Duration::from_millis(1_500);

/// The newest look of one kind of page, with when it was made.
type Newest = Arc<tokio::sync::Mutex<Option<(Uptime, Arc<Parts>)>>>;

/// Looks that open pages share, by what they show: a hundred pages of one commune ask once.
#[derive(Debug, Default)]
pub(super) struct Shared(Mutex<BTreeMap<String, Newest>>);

impl Shared {
    /// The place for looks of this kind; places that no page holds any more go.
    fn place(&self, key: &str) -> Newest {
        // A thread that panicked left whole places behind.
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|held, place| held == key || Arc::strong_count(place) > 1);
        Arc::clone(places.entry(key.to_owned()).or_default())
    }
}

/// Streams what `look` sees for as long as the browser listens. Pages with the same `key` see the
/// same: it names everything that the look depends on.
pub(super) fn stream<F, L>(site: Arc<Site>, key: &str, look: L) -> Response
where
    F: Future<Output = Result<Parts, Fault>> + Send,
    L: Fn(Arc<Site>) -> F + Send + Sync + 'static,
{
    let (send, receive) = mpsc::channel::<Event>(16);
    let line = Line(send.clone());
    let open = Meter::live(&site);
    run(site, key, look, send, Some(open));
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    let mut response = Sse::new(ReceiverStream::new(receive).map(Ok::<_, Infallible>))
        .keep_alive(keep_alive)
        .into_response();
    // The guard takes it out and sends over it what is around every page.
    response.extensions_mut().insert(line);
    response
}

/// The way to a browser that listens.
#[derive(Clone)]
struct Line(mpsc::Sender<Event>);

/// Sends what `look` sees over the stream that this response opens, if it is one: a page has one
/// stream, whatever is on it.
pub(super) fn also<F, L>(site: &Arc<Site>, response: &mut Response, key: &str, look: L)
where
    F: Future<Output = Result<Parts, Fault>> + Send,
    L: Fn(Arc<Site>) -> F + Send + Sync + 'static,
{
    if let Some(Line(send)) = response.extensions_mut().remove::<Line>() {
        run(Arc::clone(site), key, look, send, None);
    }
}

/// Sends for as long as the browser listens, the stream lasts and the server runs.
fn run<F, L>(site: Arc<Site>, key: &str, look: L, send: mpsc::Sender<Event>, open: Option<Live>)
where
    F: Future<Output = Result<Parts, Fault>> + Send,
    L: Fn(Arc<Site>) -> F + Send + Sync + 'static,
{
    let place = site.shared.place(key);
    tokio::spawn(async move {
        let _open = open;
        let mut stop = site.stop.clone();
        let feed = feed(&site, &place, &look, &send);
        tokio::select! {
            () = crate::shutdown::told(&mut stop) => {}
            _ = tokio::time::timeout(LASTS, feed) => {}
        }
    });
}

/// What `look` sees, or what another page of the same kind saw a moment ago.
async fn seen<F, L>(site: &Arc<Site>, place: &Newest, look: &L) -> Arc<Parts>
where
    F: Future<Output = Result<Parts, Fault>> + Send,
    L: Fn(Arc<Site>) -> F + Sync,
{
    let mut newest = place.lock().await;
    let now = site.clock.now().up;
    match newest.as_ref() {
        Some((at, parts)) if now.since(*at) < FRESH => Arc::clone(parts),
        _ => {
            // A look that failed leaves the page as it is; the next one comes soon.
            let parts = Arc::new(look(Arc::clone(site)).await.unwrap_or_default());
            *newest = Some((now, Arc::clone(&parts)));
            parts
        }
    }
}

async fn feed<F, L>(site: &Arc<Site>, place: &Newest, look: &L, send: &mpsc::Sender<Event>)
where
    F: Future<Output = Result<Parts, Fault>> + Send,
    L: Fn(Arc<Site>) -> F + Sync,
{
    let mut sent: BTreeMap<&'static str, String> = BTreeMap::new();
    loop {
        for (id, html) in seen(site, place, look).await.iter() {
            if sent.get(id) == Some(html) {
                continue;
            }
            let event = Event::default().event("part").data(format!("{id}\n{html}"));
            if send.send(event).await.is_err() {
                return;
            }
            sent.insert(id, html.clone());
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = send.closed() => return,
        }
    }
}
