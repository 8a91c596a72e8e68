//! The status page: one page, server-rendered, no script.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::clock::utc_now;
use crate::lang::Names;
use crate::log::LogReader;
use crate::report::{Fate, Line, cause_vi};
use crate::server::ServerError;
use crate::server::station::Station;
use crate::server::summary::{Summary, timeline_svg};
use crate::time::Timestamp;

/// How far the page looks back and ahead.
const BACK: Duration = Duration::from_hours(24);
const AHEAD: Duration = Duration::from_hours(24);

pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|source| ServerError::Listen { address, source })
}

pub(super) async fn serve(
    listener: TcpListener,
    station: Arc<Station>,
    mut stop: watch::Receiver<bool>,
) {
    let app = Router::new()
        .route("/", get(status))
        .route("/status.json", get(status_json))
        .with_state(station);
    let until = async move { crate::shutdown::told(&mut stop).await };
    if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(until).await {
        tracing::warn!(%error, "the pages ended");
    }
}

#[derive(Template)]
#[template(path = "status.html")]
struct Page {
    net: String,
    now: String,
    planned: u64,
    completed: u64,
    languages: Vec<(String, String, u64)>,
    gaps: Vec<(String, u64)>,
    timeline: String,
    rows: Vec<Row>,
    speakers: Vec<Speaker>,
    log_size: u64,
    log_root: String,
    stand_ins: Vec<String>,
}

struct Row {
    time: String,
    controller: String,
    programme: String,
    languages: String,
    fate: &'static str,
    fate_word: &'static str,
    cause: String,
    log_index: String,
}

struct Speaker {
    controller: String,
    state: String,
    word: &'static str,
    playing: String,
    held: String,
    waiting: u64,
}

async fn status(State(station): State<Arc<Station>>) -> Response {
    match page(&station).await {
        Ok(html) => {
            let headers = [
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
                (header::CACHE_CONTROL, "no-store"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, Html(html)).into_response()
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &ServerError) -> Response {
    tracing::warn!(%error, "a page failed");
    let sentence = "Máy chủ chưa trả lời được; hãy thử lại sau ít phút. (see the server's log)";
    (StatusCode::INTERNAL_SERVER_ERROR, sentence).into_response()
}

async fn status_json(State(station): State<Arc<Station>>) -> Response {
    match recent(&station).await {
        Ok(summary) => axum::Json(summary).into_response(),
        Err(error) => failed(&error),
    }
}

async fn recent(station: &Station) -> Result<Summary, ServerError> {
    let now = utc_now();
    station.summary(now - BACK, now + AHEAD).await
}

async fn page(station: &Station) -> Result<String, ServerError> {
    let now = utc_now();
    let zone = station.config.zone;
    let summary = recent(station).await?;
    let (log_size, log_root) = LogReader::open(&station.log_folder())
        .map(|log| (log.checkpoint().claim().size, log.checkpoint().claim().root.to_string()))
        .unwrap_or_default();
    let names = station.schedule().await?.lists.languages;
    let languages = summary.sums.languages.iter();
    let page = Page {
        net: station.config.net.to_string(),
        now: zone.local(now).format("%d/%m/%Y %H:%M:%S").to_string(),
        planned: summary.sums.planned,
        completed: summary.sums.completed,
        languages: languages.map(|(l, n)| (l.to_string(), names.vi(l).to_owned(), *n)).collect(),
        gaps: summary.sums.other.iter().map(|(gap, n)| (gap_vi(gap), *n)).collect(),
        timeline: timeline_svg(&summary.lines, zone),
        rows: summary.lines.iter().map(|line| row(line, station, &names)).collect(),
        speakers: speakers(station, now).await?,
        log_size,
        log_root,
        stand_ins: stand_ins(station, &names).await?,
    };
    page.render().map_err(|e| ServerError::Task(e.to_string()))
}

fn gap_vi(gap: &str) -> String {
    let (fate, cause) = gap.split_once(':').unwrap_or((gap, ""));
    let fate = match fate {
        "planned" => Fate::Planned.vi(),
        "awaited" => Fate::Awaited.vi(),
        other => Fate::of_outcome(other).map_or("", Fate::vi),
    };
    if cause.is_empty() { fate.to_owned() } else { format!("{fate}: {}", cause_vi(cause)) }
}

fn row(line: &Line, station: &Station, names: &Names) -> Row {
    let languages = if line.heard.is_empty() { &line.languages } else { &line.heard };
    let called: Vec<&str> = languages.iter().map(|tag| names.vi(tag)).collect();
    Row {
        time: station.config.zone.local(line.at).format("%d/%m %H:%M:%S").to_string(),
        controller: line.airing.controller.to_string(),
        programme: line.airing.programme.to_string(),
        languages: called.join(", "),
        fate: line.fate.vi(),
        fate_word: line.fate.as_str(),
        cause: line.cause.as_deref().map(cause_vi).unwrap_or_default().to_owned(),
        log_index: line.log_index.map(|n| n.to_string()).unwrap_or_default(),
    }
}

async fn speakers(station: &Station, now: Timestamp) -> Result<Vec<Speaker>, ServerError> {
    let mut speakers: Vec<Speaker> = Vec::new();
    for row in station.store.statuses().await? {
        let lost = row.is_lost(now);
        let minutes = now.since(row.seen).as_secs() / 60;
        let status = row.status;
        speakers.push(Speaker {
            controller: status.controller.to_string(),
            state: if lost {
                format!("mất liên lạc ({minutes} phút trước)")
            } else {
                format!("có liên lạc ({minutes} phút trước)")
            },
            word: if lost { "lost" } else { "up" },
            playing: status.playing.unwrap_or_default(),
            held: format!("{}/{}", status.assets_held, status.assets_named),
            waiting: status.receipts_waiting,
        });
    }
    speakers.sort_by(|a, b| (a.word, &a.controller).cmp(&(b.word, &b.controller)));
    Ok(speakers)
}

/// Sentences about recordings that are not what they stand for.
async fn stand_ins(station: &Station, names: &Names) -> Result<Vec<String>, ServerError> {
    use crate::bulletin::version::Voice;
    let versions = station.store.versions().await?;
    let sentence = |version: &crate::bulletin::version::Version| {
        let content = version.content()?;
        let what = match content.spoken.voice {
            Voice::Human => return None,
            Voice::Synthetic => "giọng tổng hợp",
            Voice::StandIn => "bản thay thế tổng hợp, không phải tiếng nói thật của ngôn ngữ này",
        };
        Some(format!("{} – {}: {what}", content.text.bulletin, names.vi(&content.text.language)))
    };
    Ok(versions.iter().filter_map(sentence).collect())
}
