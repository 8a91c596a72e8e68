//! Whose token came, whether it may, and whether it comes too often.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};

use crate::access::Action;
use crate::id::TokenName;
use crate::server::{Bearer, TOKEN_HEAD};
use crate::time::Uptime;
use crate::web::Site;
use crate::web::api::problem::Problem;
use crate::web::fault::Fault;

/// Requests that one token may send at once after a rest.
const BURST: u32 = 300;

/// Requests a second that one token may send in the long run.
const RATE: u32 = 100;

/// Tokens whose rate is remembered at most: the longest quiet is forgotten first.
const KEPT_MAX: usize = 1_000;

/// How much each token may still send, in memory: a restart forgives.
#[derive(Debug, Default)]
pub(in crate::web) struct Buckets(BTreeMap<TokenName, (u32, Uptime)>);

impl Buckets {
    /// Whether a token may send one more.
    fn take(&mut self, token: &TokenName, now: Uptime) -> bool {
        if self.0.len() >= KEPT_MAX && !self.0.contains_key(token) {
            let quiet = self.0.iter().min_by_key(|(_, (_, last))| *last);
            if let Some(quiet) = quiet.map(|(name, _)| name.clone()) {
                self.0.remove(&quiet);
            }
        }
        let (left, last) = self.0.entry(token.clone()).or_insert((BURST, now));
        let earned = now.since(*last).as_millis() * u128::from(RATE) / 1_000;
        if earned > 0 {
            let earned = u32::try_from(earned).unwrap_or(BURST);
            (*left, *last) = (left.saturating_add(earned).min(BURST), now);
        }
        let Some(rest) = left.checked_sub(1) else { return false };
        *left = rest;
        true
    }
}

/// Whoever sent the token of this request, if it may take what needs `scope`.
pub(in crate::web) async fn bearer(
    site: &Site,
    headers: &HeaderMap,
    scope: Option<Action>,
) -> Result<Bearer, Problem> {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let secret = sent.and_then(|text| text.strip_prefix("Bearer ")).map(str::trim);
    let Some(secret) = secret.filter(|secret| secret.starts_with(TOKEN_HEAD)) else {
        return Err(nobody());
    };
    let bearer = site.station.bearer(secret).await?.ok_or_else(nobody)?;
    let now = site.clock.now().up;
    if !site.buckets().take(&bearer.token.name, now) {
        return Err(too_often());
    }
    match scope {
        Some(action) if !bearer.token.scopes.hold(action) => Err(beyond(action)),
        Some(action) if !bearer.may(action) => Err(Fault::denied(action).into()),
        _ => Ok(bearer),
    }
}

fn nobody() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "token",
        "Yêu cầu không có mã truy cập còn hiệu lực; hãy làm mã ở trang tài khoản.",
        "no token that counts came; make one on the page of your account, and send it as \
         `Authorization: Bearer …`",
    )
}

fn beyond(action: Action) -> Problem {
    let word = action.word();
    Problem::new(
        StatusCode::FORBIDDEN,
        "scope",
        &format!("Mã truy cập này không có phạm vi `{word}`; hãy tạo mã khác."),
        &format!("this token has not the scope `{word}`; make another one"),
    )
}

fn too_often() -> Problem {
    let wait = Duration::from_secs(1).as_secs();
    let vi = "Mã truy cập này gửi quá nhiều yêu cầu; hãy chờ một giây.";
    let en = "this token sends too many requests; wait a second";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate", vi, en).after(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_sends_too_often_waits_and_another_does_not() {
        let (mut buckets, now) = (Buckets::default(), Uptime::START);
        let (busy, calm) = ("busy".parse().unwrap(), "calm".parse().unwrap());
        let sent = (0..1_000).filter(|_| buckets.take(&busy, now)).count();
        assert_eq!(sent, BURST as usize);
        assert!(buckets.take(&calm, now));
        let later = now + Duration::from_secs(1);
        let sent = (0..1_000).filter(|_| buckets.take(&busy, later)).count();
        assert_eq!(sent, RATE as usize);
    }
}
