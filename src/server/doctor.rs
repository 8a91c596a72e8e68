//! Whether a station is well: every part looked at, each with a sentence.

use std::time::Duration;

use crate::broker::{Link, LinkEvent, LinkOptions};
use crate::clock::utc_now;
use crate::log::{LogReader, verify};
use crate::server::ServerError;
use crate::server::config::BrokerChoice;
use crate::server::station::Station;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What.
    pub part: &'static str,
    /// Whether it is well.
    pub well: bool,
    /// A sentence; where it is not well, with what to do.
    pub sentence: String,
}

fn finding(part: &'static str, result: Result<String, ServerError>) -> Finding {
    match result {
        Ok(sentence) => Finding { part, well: true, sentence },
        Err(error) => Finding { part, well: false, sentence: error.to_string() },
    }
}

/// How long the broker may take to let us in.
const BROKER_WAIT: Duration = Duration::from_secs(10);

/// Looks at every part of a station that was opened.
pub async fn examine(station: &Station) -> Vec<Finding> {
    vec![
        finding("trust", trust(station).await),
        finding(
            "keys",
            station.online_keys().map(|_| "the server's four keys are there".to_owned()),
        ),
        finding("schedule", schedule(station).await),
        finding("log", log(station).await),
        finding("recordings", recordings(station).await),
        finding("broker", broker(station).await),
    ]
}

async fn trust(station: &Station) -> Result<String, ServerError> {
    let (document, _) = station.trust().await?;
    let soon = utc_now() + Duration::from_hours(1440);
    let ending = document.keys.iter().filter(|grant| grant.until < soon).count();
    let keys = document.keys.len();
    Ok(format!(
        "trust document {} names {keys} keys, {ending} end within 60 days",
        document.version
    ))
}

async fn schedule(station: &Station) -> Result<String, ServerError> {
    let (world, plan) = station.plan().await?;
    let refused = plan.remarks.iter().filter(|remark| remark.reason.refuses()).count();
    Ok(format!(
        "{} programmes for {} controllers: {} airings ahead, {refused} refused",
        world.programmes.len(),
        world.controllers.len(),
        plan.airings.len()
    ))
}

async fn log(station: &Station) -> Result<String, ServerError> {
    let key = station.online_keys()?.log.public();
    let folder = station.log_folder();
    if LogReader::open(&folder).is_err() {
        return Ok("the log is empty; `loaban serve` begins it".to_owned());
    }
    let verdict = tokio::task::spawn_blocking(move || verify(&folder, &key, None)).await;
    let verdict = verdict.map_err(|e| ServerError::Task(e.to_string()))??;
    if verdict.is_right() {
        Ok(verdict.to_string())
    } else {
        Err(ServerError::Unwell(verdict.to_string()))
    }
}

async fn recordings(station: &Station) -> Result<String, ServerError> {
    let rows = station.store.assets().await?;
    for row in &rows {
        station.assets.read(row.digest)?;
    }
    Ok(format!("{} approved recordings are whole", rows.len()))
}

async fn broker(station: &Station) -> Result<String, ServerError> {
    let address = match &station.config.broker {
        BrokerChoice::Embedded { listen, tls } => {
            let door = tls.as_ref().map(|door| format!(" and under TLS on {}", door.listen));
            let door = door.unwrap_or_default();
            return Ok(format!("embedded, on {listen}{door} while `loaban serve` runs"));
        }
        BrokerChoice::External { address, .. } => address.clone(),
    };
    let mut link = Link::open(LinkOptions {
        client_id: "server-doctor".to_owned(),
        clean_session: true,
        ..station.link_options(address.clone())?
    });
    let event = tokio::time::timeout(BROKER_WAIT, link.next()).await;
    link.close().await;
    match event {
        Ok(LinkEvent::Up { .. }) => Ok(format!("{address} lets the server in")),
        Ok(LinkEvent::Down { reason } | LinkEvent::Refused { reason }) => {
            Err(ServerError::Unwell(reason))
        }
        _ => Err(ServerError::Unwell(format!(
            "{address} does not answer; start it, or correct [broker] in loaban.toml"
        ))),
    }
}
