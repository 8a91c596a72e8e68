//! What is there: versions with their states, one bulletin whole, what was found, whom a
//! withdrawal has not reached.

use crate::bulletin::search::Query;
use crate::bulletin::version::{Step, Version};
use crate::cli::print_json;
use crate::id::BulletinId;
use crate::server::{Judged, Station};
use crate::time::Zone;

/// Lists every version.
pub(super) async fn list(station: &Station, json: bool) -> anyhow::Result<bool> {
    for version in station.store.versions().await? {
        let judged = match version.spoken() {
            Some(spoken) => station.judged(&spoken.recording).await?,
            None => None,
        };
        if json {
            print_json(&line(&version, judged.as_ref()))?;
            continue;
        }
        let verdict = judged.as_ref().map_or("", |judged| &judged.verdict);
        let (text, state) = (version.text(), version.state());
        let length = version.spoken().map_or_else(
            || "-".to_owned(),
            |spoken| format!("{} s", spoken.recording.length_ms / 1_000),
        );
        say_line!("{:<28} {:<4} {state:<10} {length:>7}  {verdict}", text.bulletin, text.language);
    }
    Ok(true)
}

/// One version as a line of JSON.
fn line(version: &Version, judged: Option<&Judged>) -> serde_json::Value {
    let text = version.text();
    let spoken = version.spoken();
    serde_json::json!({
        "bulletin": text.bulletin, "language": text.language, "state": version.state(),
        "variety": text.variety, "contributor": text.contributor, "translator": text.translator,
        "voice": spoken.map(|spoken| spoken.voice),
        "announcer": spoken.map(|spoken| &spoken.announcer),
        "asset": spoken.map(|spoken| spoken.recording.asset),
        "length_ms": spoken.map(|spoken| spoken.recording.length_ms),
        "verdict": judged.map(|judged| &judged.verdict),
        "problems": judged.map(|judged| &judged.problems),
        "returned": version.returns().last(),
    })
}

/// Shows one bulletin whole.
pub(super) async fn show(station: &Station, id: &BulletinId, json: bool) -> anyhow::Result<bool> {
    let bulletin = station.bulletin(id).await?;
    let versions = station.store.versions_of(id).await?;
    if json {
        print_json(&serde_json::json!({ "bulletin": bulletin, "versions": versions }))?;
        return Ok(true);
    }
    let zone = station.config.zone;
    let day = |at| zone.local(at).format("%d/%m/%Y %H:%M").to_string();
    say_line!("{}  {}", bulletin.id, bulletin.title);
    say_line!(
        "  {} · {} · {} · {}",
        bulletin.column,
        bulletin.kind.word(),
        bulletin.class.word(),
        bulletin.source_level.word()
    );
    let area = bulletin.area.as_ref().map_or("whole station", |area| area.as_str());
    say_line!("  {}, for {area}", bulletin.issuing_body);
    if let Some(number) = &bulletin.document_number {
        say_line!("  document {number}");
    }
    let topics: Vec<&str> = bulletin.topics.iter().map(AsRef::as_ref).collect();
    if !topics.is_empty() {
        say_line!("  topics: {}", topics.join("; "));
    }
    if let Some(campaign) = &bulletin.campaign {
        say_line!("  campaign: {campaign}");
    }
    say_line!("  valid from {} to {}", day(bulletin.valid_from), day(bulletin.valid_until));
    for version in &versions {
        show_version(version, zone);
    }
    Ok(true)
}

fn show_version(version: &Version, zone: Zone) {
    let text = version.text();
    let variety = text.variety.as_ref().map(|v| format!(" ({v})")).unwrap_or_default();
    say_line!("\n{}{variety}: {}", text.language, version.state());
    let said = |word: &str, step: &Step| {
        say_line!("  {word} by {} on {}", step.by, zone.local(step.at).format("%d/%m/%Y %H:%M"));
    };
    if let Some(contributor) = &text.contributor {
        say_line!("  handed in by {contributor}");
    }
    if let Some(translator) = &text.translator {
        say_line!("  translated by {translator}");
    }
    if let Some(spoken) = version.spoken() {
        let seconds = spoken.recording.length_ms / 1_000;
        say_line!("  spoken by {}, {}, {seconds} s", spoken.announcer, spoken.voice.word());
    }
    for returned in version.returns().all() {
        said("returned", &returned.step);
        say_line!("    {}", returned.comment);
    }
    match version {
        Version::Text(_) | Version::Draft(_) => {}
        Version::Reviewed(reviewed) => said("reviewed", reviewed.reviewed()),
        Version::Approved(approved) => {
            said("reviewed", approved.reviewed());
            said("approved", approved.approved());
        }
        Version::Withdrawn(withdrawn) => {
            said("reviewed", withdrawn.reviewed());
            said("approved", withdrawn.approved());
            said("withdrawn", withdrawn.withdrawn());
            say_line!("    {}", withdrawn.reason());
        }
    }
    say_line!("  {}", text.script.as_str().replace('\n', "\n  "));
}

/// Finds bulletins; `false` where there is none.
pub(super) async fn search(station: &Station, words: &str, json: bool) -> anyhow::Result<bool> {
    let query: Query = words.parse()?;
    let found = station.search(&query).await?;
    for hit in &found.hits {
        if json {
            print_json(hit)?;
            continue;
        }
        let state =
            |(language, state): &(crate::lang::LangTag, &str)| format!("{language} {state}");
        let versions: Vec<String> = hit.versions.iter().map(state).collect();
        let (id, title) = (&hit.bulletin.id, &hit.bulletin.title);
        say_line!("{:>5}  {id:<28} {title}  [{}]", hit.score, versions.join(", "));
    }
    if found.more > 0 {
        eprintln!(
            "{} more bulletins have these words; add a word that tells them apart",
            found.more
        );
    }
    if found.hits.is_empty() {
        eprintln!("no bulletin has all of these words; leave one out");
    }
    Ok(!found.hits.is_empty())
}

/// Shows whom a withdrawal has not reached; `false` while there is somebody.
pub(super) async fn withdrawn(
    station: &Station,
    id: &BulletinId,
    json: bool,
) -> anyhow::Result<bool> {
    let reaches = station.withdrawal_reach(id).await?;
    if reaches.is_empty() && !json {
        say_line!("no recording of {id} was withdrawn");
    }
    for reach in &reaches {
        if json {
            print_json(reach)?;
            continue;
        }
        let at = station.config.zone.local(reach.withdrawn).format("%d/%m/%Y %H:%M");
        let reached = reach.told - reach.unreached.len();
        say_line!(
            "{} in {}, withdrawn on {at}: reached {reached} of {} controllers that were told to play it",
            id,
            reach.language,
            reach.told
        );
        for controller in &reach.unreached {
            let area = controller.area.as_ref().map_or("-", |area| area.as_str());
            say_line!("  {:<24} {area:<20} {}", controller.controller, controller.sentence());
        }
    }
    Ok(reaches.iter().all(|reach| reach.unreached.is_empty()))
}
