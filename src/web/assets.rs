//! Style, script and fonts, inside the binary.
//!
//! An address holds the digest of what it serves, so a browser keeps it for ever and a new release
//! has new addresses.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::digest::Digest;

struct Asset {
    name: &'static str,
    kind: &'static str,
    body: &'static [u8],
}

macro_rules! asset {
    ($name:literal, $kind:literal) => {
        Asset { name: $name, kind: $kind, body: include_bytes!(concat!("../../static/", $name)) }
    };
}

const WOFF2: &str = "font/woff2";

static ASSETS: [Asset; 11] = [
    asset!("style.css", "text/css; charset=utf-8"),
    asset!("live.js", "text/javascript; charset=utf-8"),
    asset!("record.js", "text/javascript; charset=utf-8"),
    asset!("week.js", "text/javascript; charset=utf-8"),
    Asset { kind: WOFF2, ..asset!("fonts/be-vietnam-pro-latin-400-normal.woff2", "") },
    Asset { kind: WOFF2, ..asset!("fonts/be-vietnam-pro-latin-600-normal.woff2", "") },
    Asset { kind: WOFF2, ..asset!("fonts/be-vietnam-pro-latin-ext-400-normal.woff2", "") },
    Asset { kind: WOFF2, ..asset!("fonts/be-vietnam-pro-latin-ext-600-normal.woff2", "") },
    Asset { kind: WOFF2, ..asset!("fonts/be-vietnam-pro-vietnamese-400-normal.woff2", "") },
    Asset { kind: WOFF2, ..asset!("fonts/be-vietnam-pro-vietnamese-600-normal.woff2", "") },
    Asset { kind: WOFF2, ..asset!("fonts/noto-sans-tai-viet-tai-viet-400-normal.woff2", "") },
];

/// The digest of all of them: the part of every address that changes with a release.
static RELEASE: LazyLock<String> = LazyLock::new(|| {
    let parts: Vec<&[u8]> = ASSETS.iter().map(|asset| asset.body).collect();
    Digest::of_parts(&parts).to_string()[..12].to_owned()
});

/// The address of an asset.
pub(super) fn address(name: &str) -> String {
    format!("/static/{}/{name}", *RELEASE)
}

/// Serves one of them.
pub(super) async fn serve(Path((release, name)): Path<(String, String)>) -> Response {
    let found = ASSETS.iter().find(|asset| asset.name == name && release == *RELEASE);
    let Some(asset) = found else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, asset.body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_visit_stays_under_150_kb() {
        // A page in Vietnamese loads style, script, and the fonts that its letters ask for.
        let loaded = |asset: &&Asset| !asset.name.contains("tai-viet");
        let bytes: usize = ASSETS.iter().filter(loaded).map(|asset| asset.body.len()).sum();
        assert!(bytes < 130_000, "{bytes} bytes and the page itself");
    }

    #[test]
    fn the_style_names_only_fonts_that_are_there() {
        let style = std::str::from_utf8(ASSETS[0].body).unwrap();
        let named: Vec<&str> =
            style.split("url(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(named.len() >= 7, "{named:?}");
        for name in named {
            assert!(ASSETS.iter().any(|asset| asset.name == name), "{name}");
        }
    }
}
