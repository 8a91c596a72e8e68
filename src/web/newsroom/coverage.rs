//! Who can hear what: bulletin by language in a place, or commune by language of one bulletin.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::clock::utc_now;
use crate::fleet::Level;
use crate::id::{AreaId, BulletinId};
use crate::lang::LangTag;
use crate::schedule::coverage::{Sums, Tally, coverage_of};
use crate::schedule::{Airable, Missing};
use crate::server::ServerError;
use crate::web::Site;
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::newsroom::stock::{Stock, stock};
use crate::web::tongue::Tongue;

/// Bulletins on one page.
const SHOWN_MAX: usize = 25;

/// Which part of the matrix.
#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    area: String,
    #[serde(default)]
    bulletin: String,
    page: Option<usize>,
}

#[derive(Template)]
#[template(path = "coverage.html")]
struct Matrix {
    frame: Frame,
    caption: String,
    /// What the lines are.
    head: &'static str,
    languages: Vec<String>,
    lines: Vec<Line>,
    areas: Vec<(AreaId, String)>,
    area: String,
    /// The bulletin whose communes are shown.
    bulletin: Option<(BulletinId, String)>,
    page: usize,
    pages: usize,
}

/// A bulletin, or a commune.
struct Line {
    name: String,
    path: String,
    cells: Vec<Cell>,
    sums: Sums,
    /// Villages of a hundred that hear it in their first language.
    share: u32,
}

/// A language of it, in words.
struct Cell {
    class: &'static str,
    words: String,
    more: String,
}

/// The matrix.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    let (stock, tongue) = (stock(&site).await?, visitor.tongue);
    let area: Option<AreaId> = wanted.area.parse().ok();
    let area = area.filter(|area| stock.world.tree.get(area).is_some());
    let page = wanted.page.unwrap_or(1).max(1);
    let frame = Frame::new(&site, &visitor, tongue.say("Độ phủ ngôn ngữ", "Language coverage"));
    let bulletin = wanted.bulletin.parse().ok();
    let view = View { stock: &stock, tongue };
    let (lines, pages) = match &bulletin {
        Some(id) => (view.communes(id)?, 1),
        None => view.bulletins(area.as_ref(), page),
    };
    let item = bulletin.as_ref().and_then(|id| stock.items.get(id));
    let bulletin = item.map(|item| (item.bulletin.id.clone(), item.bulletin.title.to_string()));
    let place = stock.area(area.as_ref(), tongue);
    Ok(frame::page(&Matrix {
        frame,
        caption: match &bulletin {
            Some((_, title)) => format!("{title}: {}", tongue.say("theo xã", "by commune")),
            None => format!("{}: {place}", tongue.say("Bản tin còn hạn", "Bulletins in time")),
        },
        head: match &bulletin {
            Some(_) => tongue.say("Xã", "Commune"),
            None => tongue.say("Bản tin", "Bulletin"),
        },
        languages: view.languages(),
        lines,
        areas: communes(&stock),
        area: area.map(|area| area.to_string()).unwrap_or_default(),
        bulletin,
        page: page.min(pages),
        pages,
    }))
}

/// The communes by name.
fn communes(stock: &Stock) -> Vec<(AreaId, String)> {
    let communes = stock.world.tree.iter().filter(|area| area.level == Level::Commune);
    let mut communes: Vec<_> = communes.map(|area| (area.id.clone(), area.name.clone())).collect();
    communes.sort_by(|a, b| a.1.cmp(&b.1));
    communes
}

struct View<'s> {
    stock: &'s Stock,
    tongue: Tongue,
}

impl View<'_> {
    fn languages(&self) -> Vec<String> {
        let name = |tag: &LangTag| self.stock.language(tag, self.tongue).to_owned();
        self.stock.languages.iter().map(name).collect()
    }

    /// Every bulletin that is valid, in the villages of an area.
    fn bulletins(&self, area: Option<&AreaId>, page: usize) -> (Vec<Line>, usize) {
        let now = utc_now();
        let valid = self.stock.items.values().filter(|item| item.bulletin.is_valid(now));
        let mut valid: Vec<_> = valid.filter(|item| !item.is_announced()).collect();
        valid.sort_by_key(|item| std::cmp::Reverse(item.bulletin.valid_from));
        let pages = valid.len().div_ceil(SHOWN_MAX).max(1);
        let here = valid.into_iter().skip((page.min(pages) - 1) * SHOWN_MAX).take(SHOWN_MAX);
        let here: Vec<_> = here.collect();
        let content: Vec<&Airable> = here.iter().map(|item| &item.airable).collect();
        let coverage = coverage_of(&self.stock.world, &content, now, area);
        let (tallies, sums) = (coverage.tallies(), coverage.sums());
        let line = |item: &&super::stock::Item| {
            let id = &item.bulletin.id;
            let cell = |tag| self.cell(tallies.get(&(id, tag)));
            Line::new(
                item.bulletin.title.to_string(),
                format!("/coverage?bulletin={id}"),
                self.stock.languages.iter().map(cell).collect(),
                sums.get(id).copied().unwrap_or_default(),
            )
        };
        (here.iter().map(line).collect(), pages)
    }

    /// Every commune for one bulletin.
    fn communes(&self, id: &BulletinId) -> Result<Vec<Line>, ServerError> {
        let (item, tree) = (self.stock.item(id)?, &self.stock.world.tree);
        let coverage = coverage_of(&self.stock.world, &[&item.airable], utc_now(), None);
        let tallies = coverage.tallied(|entry| Some(tree.commune(entry.village)));
        let mut sums: std::collections::BTreeMap<&AreaId, Sums> = std::collections::BTreeMap::new();
        for entry in &coverage.entries {
            sums.entry(tree.commune(entry.village)).or_default().add(&entry.hears);
        }
        let line = |(commune, sums): (&AreaId, Sums)| {
            let cell = |tag| self.cell(tallies.get(&(commune, tag)));
            Line::new(
                tree.get(commune).map_or_else(|| commune.to_string(), |area| area.name.clone()),
                format!("/coverage?area={commune}"),
                self.stock.languages.iter().map(cell).collect(),
                sums,
            )
        };
        let mut lines: Vec<Line> = sums.into_iter().map(line).collect();
        // Those that hear it least come first.
        lines.sort_by(|a, b| a.share.cmp(&b.share).then_with(|| a.name.cmp(&b.name)));
        Ok(lines)
    }

    fn cell(&self, tally: Option<&Tally>) -> Cell {
        let Some(tally) = tally else {
            let words = self.tongue.say("không bản nào cần", "no village asks").to_owned();
            return Cell { class: "", words, more: String::new() };
        };
        let (ready, stand_in, lacking) = (tally.ready, tally.stand_in, tally.lacking);
        let all = ready + stand_in + lacking;
        let more = match stand_in {
            0 => String::new(),
            some => format!("{some} {}", self.tongue.say("bản nghe thay", "by a stand-in")),
        };
        let (class, words) = match (lacking, tally.version) {
            (0, _) if stand_in > 0 => ("warn", format!("{ready} / {all}")),
            (0, _) => ("good", format!("{ready} / {all}")),
            (_, version) => ("bad", format!("{ready} / {all}, {}", self.missing(version))),
        };
        Cell { class, words, more }
    }

    fn missing(&self, version: Option<Missing>) -> &'static str {
        match version {
            None | Some(Missing::NotMade) => self.tongue.say("thiếu", "missing"),
            Some(Missing::Draft) => self.tongue.say("bản nháp", "draft"),
            Some(Missing::InReview) => self.tongue.say("chờ duyệt", "awaits approval"),
            Some(Missing::Withdrawn) => self.tongue.say("đã thu hồi", "withdrawn"),
            Some(Missing::ApprovedLater) => self.tongue.say("vừa duyệt", "just approved"),
        }
    }
}

impl Line {
    fn new(name: String, path: String, cells: Vec<Cell>, sums: Sums) -> Self {
        let share = sums.first * 100 / sums.villages().max(1);
        Self { name, path, cells, sums, share }
    }
}
