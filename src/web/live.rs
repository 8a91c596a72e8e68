//! Parts of a page that stay fresh: server-sent events, each a whole part.
//!
//! A part leaves when it changed. After a lost connection the browser comes back and gets every
//! part whole, so nothing can be missed.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use crate::web::Site;
use crate::web::fault::Fault;

/// How often a part may change.
const EVERY: Duration = Duration::from_secs(2);

/// A stream ends after this, and the browser opens a new one: whoever lost their duty meanwhile is
/// not shown more.
const LASTS: Duration = Duration::from_mins(5);

/// Parts of a page with their ids.
pub(super) type Parts = Vec<(&'static str, String)>;

/// Streams what `look` sees for as long as the browser listens.
pub(super) fn stream<F, L>(site: Arc<Site>, look: L) -> Response
where
    F: Future<Output = Result<Parts, Fault>> + Send,
    L: Fn(Arc<Site>) -> F + Send + Sync + 'static,
{
    let (send, receive) = mpsc::channel::<Event>(16);
    tokio::spawn(async move {
        let mut stop = site.stop.clone();
        let feed = feed(&site, &look, &send);
        tokio::select! {
            () = crate::shutdown::told(&mut stop) => {}
            _ = tokio::time::timeout(LASTS, feed) => {}
        }
    });
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    Sse::new(ReceiverStream::new(receive).map(Ok::<_, Infallible>))
        .keep_alive(keep_alive)
        .into_response()
}

async fn feed<F, L>(site: &Arc<Site>, look: &L, send: &mpsc::Sender<Event>)
where
    F: Future<Output = Result<Parts, Fault>> + Send,
    L: Fn(Arc<Site>) -> F + Sync,
{
    let mut sent: BTreeMap<&'static str, String> = BTreeMap::new();
    loop {
        // A look that failed leaves the page as it is; the next one comes soon.
        for (id, html) in look(Arc::clone(site)).await.unwrap_or_default() {
            if sent.get(id) == Some(&html) {
                continue;
            }
            let event = Event::default().event("part").data(format!("{id}\n{html}"));
            if send.send(event).await.is_err() {
                return;
            }
            sent.insert(id, html);
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = send.closed() => return,
        }
    }
}
