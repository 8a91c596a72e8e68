//! A request that is sent twice under one key is done once, and answered twice alike.
//!
//! The key and a digest of the request are written before the work begins, the answer after it.
//! **A request that was refused changed nothing and frees its key**; one whose end nobody saw,
//! because the server was killed, is never done again under the same key.

use std::future::Future;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};

use crate::clock::utc_now;
use crate::digest::Digest;
use crate::id::TokenName;
use crate::web::Site;
use crate::web::api::problem::Problem;

/// The header with the key.
pub(super) const HEADER: &str = "idempotency-key";

/// Characters of a key at most: a UUID and some air.
pub(super) const KEY_CHARS_MAX: usize = 200;

/// How long an answer is kept: longer than any program goes on trying.
const KEPT: Duration = Duration::from_hours(24);

/// Answers that are kept for one token at most.
const ANSWERS_MAX: u32 = 2_000;

/// Bytes of an answer that is kept at most; all that writing operations answer is shorter.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What an operation answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: String,
    /// Whether it was kept from an earlier time.
    pub(super) again: bool,
}

/// The key of a request, where it has one.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > KEY_CHARS_MAX || !visible {
        return Err(Problem::unreadable(
            "an Idempotency-Key has 1 to 200 visible ASCII characters, such as a UUID",
        ));
    }
    Ok(Some(text.to_owned()))
}

/// Does `work`, unless the same request was done under this key before.
pub(super) async fn once(
    site: &Site,
    token: &TokenName,
    key: &str,
    request: Digest,
    work: impl Future<Output = Result<Answer, Problem>>,
) -> Result<Answer, Problem> {
    let store = &site.station.store;
    let now = utc_now();
    let mut tx = store.begin().await?;
    let first = tx.begin_answer((token, key), request, (now, now - KEPT), ANSWERS_MAX).await?;
    tx.commit().await?;
    if !first {
        return kept(site, token, key, request).await;
    }
    let done = work.await;
    let answer = done.as_ref().ok().filter(|answer| answer.body.len() <= ANSWER_BYTES_MAX);
    let mut tx = store.begin().await?;
    let told = answer.map(|answer| (answer.status.as_u16(), answer.body.as_str()));
    tx.end_answer((token, key), told).await?;
    tx.commit().await?;
    done
}

async fn kept(
    site: &Site,
    token: &TokenName,
    key: &str,
    request: Digest,
) -> Result<Answer, Problem> {
    let held = site.station.store.answered(token, key).await?;
    let conflict = |vi: &str, en: &str| Problem::new(StatusCode::CONFLICT, "key", vi, en);
    match held {
        Some(held) if held.request != request => Err(conflict(
            "Khoá này đã dùng cho một yêu cầu khác; hãy dùng khoá mới.",
            "this Idempotency-Key was used for another request; use a new key",
        )),
        Some(held) => match held.answer {
            Some((status, body)) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                Ok(Answer { status, body, again: true })
            }
            None => Err(conflict(
                "Yêu cầu này đang được làm, hoặc không rõ kết quả; hãy xem lại rồi dùng khoá mới.",
                "this request is being done, or the server ended while it was; look what became \
                 of it, then use a new key",
            )
            .after(2)),
        },
        None => Err(conflict(
            "Yêu cầu này vừa bị từ chối; hãy gửi lại.",
            "this request was refused a moment ago; send it again",
        )
        .after(1)),
    }
}
