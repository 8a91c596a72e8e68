//! Forms filled in from the station's records: what is printed, signed and filed.
//!
//! A station that files other columns puts its own `forms/NAME.toml` beside `loaban.toml`'s data;
//! every form names the log's checkpoint as it was when the form was made.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{Duties, Duty};
use crate::bulletin::Bulletin;
use crate::clock::utc_now;
use crate::fleet::{AreaTree, Level};
use crate::id::{AreaId, BulletinId};
use crate::log::LogReader;
use crate::report::figures::{Cross, CrossKey};
use crate::report::form::Rows;
use crate::report::logbook::Names;
use crate::report::{Cell, Dimension, Document, Figures, Form, Gaps, Row, Seal, Share, Tally};
use crate::server::ServerError;
use crate::server::inquiry::{Inquired, Inquiry, Places, commune_name};
use crate::server::station::{FILE_BYTES_MAX, Station};
use crate::store::{Doing, Fact};
use crate::time::LocalDate;
use crate::vault::read_text;

mod evidence;

impl Station {
    /// The form of that name: the station's own, or the usual one.
    pub fn form(&self, name: &str) -> Result<Form, ServerError> {
        let path = self.config.data.join("forms").join(format!("{name}.toml"));
        if let Some(text) = read_text(&path, FILE_BYTES_MAX)? {
            return Ok(Form::parse(name, &path.display().to_string(), &text)?);
        }
        Form::usual(name).ok_or_else(|| ServerError::NoForm(name.to_owned()))
    }

    /// Fills a form in; `by` is what figures are grouped by, where the form has groups.
    pub async fn fill(
        &self,
        form: &Form,
        inquiry: &Inquiry,
        by: Dimension,
        progress: impl FnMut(u64) + Send,
    ) -> Result<Document, ServerError> {
        let seal = self.seal()?;
        let schedule = self.schedule().await?;
        let mut places = self.form_places(form, inquiry, &schedule.tree).await?;
        places.push(("by", by.vi().to_uppercase()));
        let rows = match form.rows {
            Rows::Broadcasts => {
                let within = Places::new(&schedule, inquiry)?;
                let book = self.logbook(inquiry, &within, progress).await?;
                let bulletins = self.bulletins_by_id().await?;
                let programmes = schedule.programmes.iter();
                let programmes = programmes.map(|p| (p.id.clone(), p.title.clone())).collect();
                let zone = self.config.zone;
                book.rows(Names { bulletins: &bulletins, programmes: &programmes, zone })
            }
            Rows::Evidence => {
                let (rows, told) = self.evidence(inquiry, &schedule, progress).await?;
                places.extend(told);
                rows
            }
            Rows::Cross | Rows::Columns | Rows::Indicators | Rows::Groups | Rows::Gaps => {
                let inquired = self.inquire(inquiry, progress).await?;
                places.extend(totals(inquired.figures.total()));
                places.push(("causes", causes(&inquired.gaps)));
                self.summed_rows(form, inquiry, by, &inquired).await?
            }
        };
        Ok(Document::fill(form, &places, &rows, seal))
    }

    async fn summed_rows(
        &self,
        form: &Form,
        inquiry: &Inquiry,
        by: Dimension,
        Inquired { figures, gaps }: &Inquired,
    ) -> Result<Vec<Row>, ServerError> {
        let schedule = self.schedule().await?;
        Ok(match form.rows {
            Rows::Cross => cross_rows(figures, &schedule.tree, &schedule.controllers),
            Rows::Columns => column_rows(figures, &self.bulletins_by_id().await?, inquiry),
            Rows::Indicators => self.indicator_rows(form, inquiry, figures).await?,
            Rows::Groups => group_rows(figures, by),
            Rows::Gaps => {
                let zone = self.config.zone;
                gap_rows(gaps, &Places::new(&schedule, inquiry)?, &schedule.tree, zone)
            }
            Rows::Broadcasts | Rows::Evidence => Vec::new(),
        })
    }

    /// The state of the log behind a form.
    fn seal(&self) -> Result<Seal, ServerError> {
        let made = self.config.zone.local(utc_now());
        let head = LogReader::open(&self.log_folder())?.checkpoint().clone();
        let (size, root) = (head.claim().size, head.claim().root.to_string());
        Ok(Seal { checkpoint: head.as_str().to_owned(), size, root, made })
    }

    /// What stands for `{from}` and the like.
    async fn form_places(
        &self,
        form: &Form,
        inquiry: &Inquiry,
        tree: &AreaTree,
    ) -> Result<Vec<(&'static str, String)>, ServerError> {
        let root = self.root_area().await?;
        let area = inquiry.area.as_ref().unwrap_or(&root);
        let area = tree.get(area).map_or_else(|| area.to_string(), |area| area.name.clone());
        let vi = |date| Cell::Date(date).vi();
        let year = inquiry.from.to_string()[..4].to_owned();
        let month = inquiry.from.to_string()[5..7].to_owned();
        let half = if month.as_str() <= "06" { "đầu" } else { "cuối" };
        let said = |name| self.store.get(name);
        let bulletin = match &inquiry.bulletin {
            Some(id) => self.bulletin(id).await?.title.as_str().to_owned(),
            None => form.name.clone(),
        };
        Ok(vec![
            ("from", vi(inquiry.from)),
            ("until", vi(inquiry.until)),
            ("area", area.clone()),
            ("year", year),
            ("month", month),
            ("half", half.to_owned()),
            ("authority", said("authority").await?.unwrap_or_else(|| area.to_uppercase())),
            ("office", said("office").await?.unwrap_or_default()),
            ("bulletin", bulletin),
        ])
    }

    pub(super) async fn bulletins_by_id(
        &self,
    ) -> Result<BTreeMap<BulletinId, Bulletin>, ServerError> {
        let all = self.store.bulletins().await?;
        Ok(all.into_iter().map(|bulletin| (bulletin.id.clone(), bulletin)).collect())
    }

    /// Notes in the log that something was taken out of it, and by whom.
    pub async fn tell_export(
        &self,
        what: &str,
        sha256: crate::digest::Digest,
        by: Option<&crate::id::PersonId>,
    ) -> Result<(), ServerError> {
        let who = by.map_or_else(|| "server".to_owned(), |by| format!("person:{by}"));
        let body = serde_json::json!({ "what": what, "sha256": sha256 });
        let mut tx = self.store.begin().await?;
        tx.tell(&Fact::new(utc_now(), "export.made", who, &body)).await?;
        Ok(tx.commit().await?)
    }

    /// Who files: the lines at the upper left of every form.
    pub async fn set_heading(&self, authority: &str, office: &str) -> Result<(), ServerError> {
        let body = serde_json::json!({ "authority": authority, "office": office });
        let mut tx = self.store.begin().await?;
        tx.set("authority", authority).await?;
        tx.set("office", office).await?;
        tx.tell(&Fact::new(utc_now(), "station.headed", "server", &body)).await?;
        Ok(tx.commit().await?)
    }

    async fn indicator_rows(
        &self,
        form: &Form,
        inquiry: &Inquiry,
        figures: &Figures,
    ) -> Result<Vec<Row>, ServerError> {
        let known = self.indicators(inquiry, figures).await?;
        let row = |(number, indicator): (u64, &crate::report::form::Indicator)| {
            let value = indicator.value.as_deref().and_then(|value| known.get(value));
            Row::from([
                ("number", Cell::Whole(number)),
                ("indicator", Cell::Text(indicator.name.clone())),
                ("unit", Cell::Text(indicator.unit.clone())),
                ("value", value.cloned().unwrap_or(Cell::Blank)),
                ("note", Cell::Text(indicator.note.clone())),
            ])
        };
        Ok((1..).zip(&form.indicators).map(row).collect())
    }

    async fn indicators(
        &self,
        inquiry: &Inquiry,
        figures: &Figures,
    ) -> Result<BTreeMap<&'static str, Cell>, ServerError> {
        let schedule = self.schedule().await?;
        let places = Places::new(&schedule, inquiry)?;
        let within = |area: &AreaId| {
            let wanted = inquiry.area.as_ref();
            wanted.is_none_or(|wanted| schedule.tree.chain(area).contains(wanted))
        };
        let at = |level| schedule.tree.iter().filter(move |a| a.level == level && within(&a.id));
        let here: Vec<_> = schedule.controllers.iter().filter(|c| places.hold(&c.id)).collect();
        let villages: BTreeSet<&AreaId> = here.iter().map(|c| &c.area).collect();
        let communes: BTreeSet<&AreaId> =
            villages.iter().map(|a| schedule.tree.commune(a)).collect();
        let devices = self.store.devices().await?;
        let of = |wanted: fn(&crate::store::Device) -> bool| {
            count(devices.iter().filter(|d| places.hold(&d.controller) && wanted(d)).count())
        };
        let people = self.store.people().await?;
        let held: Vec<Duties> = people.iter().filter_map(|p| p.roles.parse().ok()).collect();
        let with = |duty| count(held.iter().filter(|duties| duties.hold(duty)).count());
        let emergencies = self.store.emergencies().await?;
        let zone = self.config.zone;
        let raised = emergencies.iter().filter(|row| {
            let day = row.raised.map(|at| zone.date(at));
            row.doing == Doing::Play
                && day.is_some_and(|day| inquiry.from <= day && day <= inquiry.until)
        });
        let total = figures.total();
        let active = figures.by(Dimension::Controller);
        let staff = people.iter().filter(|person| !person.roles.is_empty()).count();
        Ok(BTreeMap::from([
            ("communes", count(at(Level::Commune).count())),
            ("communes_covered", count(communes.len())),
            ("villages", count(at(Level::Village).count())),
            ("villages_covered", count(villages.len())),
            ("controllers", count(here.len())),
            ("controllers_enrolled", of(|d| d.public_key.is_some() && d.revoked.is_none())),
            ("controllers_revoked", of(|d| d.revoked.is_some())),
            ("controllers_active", count(active.iter().filter(|g| g.tally.played > 0).count())),
            ("people", count(staff)),
            ("leaders", with(Duty::Leader)),
            ("announcers", with(Duty::Announcer)),
            ("bulletins", count(self.store.bulletins().await?.len())),
            ("versions", Cell::Whole(figures.versions_played())),
            ("languages", count(played(figures, Dimension::Language))),
            ("planned", Cell::Whole(total.planned.into())),
            ("played", Cell::Whole(total.played.into())),
            ("share", Cell::Share(total.played_share())),
            ("minutes", Cell::minutes(total.played_ms)),
            ("emergencies", count(raised.count())),
        ]))
    }
}

fn count(n: usize) -> Cell {
    Cell::Whole(n as u64)
}

fn played(figures: &Figures, dimension: Dimension) -> usize {
    figures.by(dimension).iter().filter(|group| group.tally.played > 0).count()
}

/// The counts of all airings, for the lines below a table.
fn totals(tally: Tally) -> Vec<(&'static str, String)> {
    let share = |part: u32, of: u32| Share { part: part.into(), of: of.into() }.to_string();
    vec![
        ("planned", Cell::Whole(tally.planned.into()).vi()),
        ("delivered", share(tally.delivered, tally.planned)),
        ("played", share(tally.played, tally.planned)),
        ("heard", share(tally.heard, tally.played)),
        ("awaited", Cell::Whole(tally.awaited.into()).vi()),
    ]
}

/// Every cause with its number of airings, in a sentence.
fn causes(gaps: &Gaps) -> String {
    let causes: Vec<String> =
        gaps.causes().into_iter().map(|(why, n)| format!("{}: {n}", why.vi())).collect();
    let more = match gaps.unlisted() {
        0 => String::new(),
        n => format!(" Còn {n} lượt nữa không liệt kê ở đây."),
    };
    format!("{}.{more}", causes.join("; "))
}

fn cross_rows(
    figures: &Figures,
    tree: &AreaTree,
    controllers: &[crate::fleet::Controller],
) -> Vec<Row> {
    let mut all: BTreeMap<&AreaId, BTreeSet<&AreaId>> = BTreeMap::new();
    for controller in controllers {
        all.entry(tree.commune(&controller.area)).or_default().insert(&controller.area);
    }
    let cross = figures.cross();
    let row = |(number, (key, cell)): (u64, (&CrossKey, &Cross))| {
        let (column, language, commune) = key;
        let area = tree.get(commune);
        let code = area.and_then(|area| area.code.clone());
        let villages = all.get(commune).map_or(0, BTreeSet::len);
        Row::from([
            ("number", Cell::Whole(number)),
            ("column", Cell::Text(column.clone())),
            ("language", Cell::Text(language.name_vi().to_owned())),
            ("language_tag", Cell::Text(language.to_string())),
            ("commune", Cell::Text(area.map_or_else(|| commune.to_string(), |a| a.name.clone()))),
            ("commune_code", code.map_or(Cell::Blank, Cell::Text)),
            ("items", Cell::Whole(cell.items.into())),
            ("planned", Cell::Whole(cell.tally.planned.into())),
            ("delivered", Cell::Whole(cell.tally.delivered.into())),
            ("played", Cell::Whole(cell.tally.played.into())),
            ("heard", Cell::Whole(cell.tally.heard.into())),
            ("awaited", Cell::Whole(cell.tally.awaited.into())),
            ("minutes", Cell::minutes(cell.tally.played_ms)),
            ("minutes_planned", Cell::minutes(cell.tally.planned_ms)),
            ("villages", Cell::Whole(cell.villages.into())),
            ("villages_all", count(villages)),
            ("share", Cell::Share(cell.tally.played_share())),
        ])
    };
    (1..).zip(&cross).map(row).collect()
}

fn column_rows(
    figures: &Figures,
    bulletins: &BTreeMap<BulletinId, Bulletin>,
    inquiry: &Inquiry,
) -> Vec<Row> {
    let mut items: BTreeMap<&str, BTreeSet<&BulletinId>> = BTreeMap::new();
    let mut languages: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut documents: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (id, language) in figures.planned_versions() {
        let Some(bulletin) = bulletins.get(id) else { continue };
        let column = bulletin.column.as_str();
        items.entry(column).or_default().insert(id);
        languages.entry(column).or_default().insert(language.name_vi());
        documents
            .entry(column)
            .or_default()
            .extend(bulletin.document_number.as_ref().map(crate::bulletin::DocumentNumber::as_str));
    }
    let year = inquiry.from.to_string()[..4].to_owned();
    let joined = |of: &BTreeMap<&str, BTreeSet<&str>>, column: &str| {
        let all = of.get(column).into_iter().flatten().copied().collect::<Vec<_>>().join("; ");
        if all.is_empty() { Cell::Blank } else { Cell::Text(all) }
    };
    let row = |(number, group): (u64, crate::report::Group)| {
        Row::from([
            ("number", Cell::Whole(number)),
            ("year", Cell::Text(year.clone())),
            ("documents", joined(&documents, &group.key)),
            ("items", count(items.get(group.key.as_str()).map_or(0, BTreeSet::len))),
            ("languages", joined(&languages, &group.key)),
            ("planned", Cell::Whole(group.tally.planned.into())),
            ("played", Cell::Whole(group.tally.played.into())),
            ("minutes", Cell::minutes(group.tally.played_ms)),
            ("villages", group.villages.map_or(Cell::Blank, |n| Cell::Whole(n.into()))),
            ("share", Cell::Share(group.tally.played_share())),
            ("column", Cell::Text(group.name)),
        ])
    };
    (1..).zip(figures.by(Dimension::Column)).map(row).collect()
}

fn group_rows(figures: &Figures, by: Dimension) -> Vec<Row> {
    let share = |part: u32, of: u32| Cell::Share(Share { part: part.into(), of: of.into() });
    let row = |(number, group): (u64, crate::report::Group)| {
        let tally = group.tally;
        Row::from([
            ("number", Cell::Whole(number)),
            ("key", Cell::Text(group.key)),
            ("name", Cell::Text(group.name)),
            ("planned", Cell::Whole(tally.planned.into())),
            ("delivered", Cell::Whole(tally.delivered.into())),
            ("delivered_share", share(tally.delivered, tally.planned)),
            ("played", Cell::Whole(tally.played.into())),
            ("share", share(tally.played, tally.planned)),
            ("heard", Cell::Whole(tally.heard.into())),
            ("heard_share", share(tally.heard, tally.played)),
            ("awaited", Cell::Whole(tally.awaited.into())),
            ("minutes", Cell::minutes(tally.played_ms)),
            ("minutes_planned", Cell::minutes(tally.planned_ms)),
            ("villages", group.villages.map_or(Cell::Blank, |n| Cell::Whole(n.into()))),
        ])
    };
    (1..).zip(figures.by(by)).map(row).collect()
}

fn gap_rows(gaps: &Gaps, places: &Places, tree: &AreaTree, zone: crate::time::Zone) -> Vec<Row> {
    let causes = gaps.causes();
    let lines = causes.iter().flat_map(|(why, _)| gaps.lines(why).iter().map(move |l| (*why, l)));
    let row =
        |(number, (why, line)): (u64, (&crate::report::gap::Why, &crate::report::gap::GapLine))| {
            let area = places.area(&line.airing.controller);
            let village = area.and_then(|area| tree.get(area));
            let village = village
                .map(|village| format!("{}, {}", village.name, commune_name(tree, &village.id)));
            Row::from([
                ("number", Cell::Whole(number)),
                ("cause", Cell::Text(why.vi())),
                ("airing", Cell::Text(line.airing.to_string())),
                ("programme", Cell::Text(line.airing.programme.to_string())),
                ("controller", Cell::Text(line.airing.controller.to_string())),
                ("village", village.map_or(Cell::Blank, Cell::Text)),
                ("at", Cell::Moment(zone.local(line.at))),
                ("entry", line.entry.map_or(Cell::Blank, Cell::Whole)),
            ])
        };
    (1..).zip(lines).map(row).collect()
}

/// The usual days of a form: of the week, month, half-year or year in which `day` lies.
pub fn usual_days(form: &str, day: LocalDate) -> (LocalDate, LocalDate) {
    use chrono::Datelike as _;
    let date = day.naive();
    let of = |year: i32, month: u32, day: u32| -> LocalDate {
        format!("{year:04}-{month:02}-{day:02}").parse().expect("the first of a month is a date")
    };
    let year = date.year();
    match form {
        "monthly" => {
            let (month, next) = (
                date.month(),
                if date.month() == 12 { (year + 1, 1) } else { (year, date.month() + 1) },
            );
            (of(year, month, 1), of(next.0, next.1, 1).plus_days(-1))
        }
        "half-year" if date.month() <= 6 => (of(year, 1, 1), of(year, 6, 30)),
        "half-year" => (of(year, 7, 1), of(year, 12, 31)),
        "annual" | "items" | "indicators" => (of(year, 1, 1), of(year, 12, 31)),
        _ => {
            let monday = day.plus_days(-i64::from(date.weekday().num_days_from_monday()));
            (monday, monday.plus_days(6))
        }
    }
}
