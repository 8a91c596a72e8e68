//! `report`: figures, gaps, evidence, and the forms that stations file.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Which;
use crate::clock::utc_now;
use crate::digest::Digest;
use crate::id::{AreaId, BulletinId, PersonId};
use crate::report::{Dimension, Document, csv, pdf, xlsx};
use crate::server::{Inquiry, usual_days};
use crate::time::LocalDate;
use crate::vault::write_atomic;

/// Parts of a progress bar.
const PARTS: u64 = 1_000;

/// Figures and forms.
#[derive(Debug, Subcommand)]
pub(super) enum Report {
    /// The programme log book of a week, ready to print and sign.
    Weekly(Ask),
    /// The summary of a month by column, language and commune.
    Monthly(Ask),
    /// The summary of six months.
    HalfYear(Ask),
    /// The summary of a year.
    Annual(Ask),
    /// The table of items by year and channel.
    Items(Ask),
    /// The indicator sheet as at 31 December.
    Indicators(Ask),
    /// Planned, delivered, played and heard, by what you name.
    Figures {
        #[command(flatten)]
        ask: Ask,
        /// day, week, month, area, programme, bulletin, column, topic, campaign, language, class or
        /// controller.
        #[arg(long, default_value = "area")]
        by: Dimension,
    },
    /// What was not played to its end, by cause, each with its entry in the log.
    Gaps(Ask),
    /// A bulletin's page: every village, language, time and outcome.
    Evidence {
        #[command(flatten)]
        ask: Ask,
        /// The bulletin.
        bulletin: BulletinId,
    },
    /// Write the head of every form: who files it.
    Heading {
        #[command(flatten)]
        which: Which,
        /// The authority above, such as UBND TỈNH LAI CHÂU.
        #[arg(long)]
        authority: String,
        /// The office that files, such as TRUNG TÂM TRUYỀN THÔNG.
        #[arg(long)]
        office: String,
    },
}

/// What is asked about, and where it goes.
#[derive(Debug, Args)]
pub(super) struct Ask {
    #[command(flatten)]
    which: Which,
    /// The first day; otherwise the beginning of the week, month, half-year or year of --to, or of
    /// today.
    #[arg(long)]
    from: Option<LocalDate>,
    /// The last day.
    #[arg(long)]
    to: Option<LocalDate>,
    /// The area, with everything below it.
    #[arg(long)]
    area: Option<AreaId>,
    /// The file to write: its ending says how (.pdf, .xlsx, .csv, .json). A table on the terminal
    /// where none is named.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Who asks: the log notes that the file was made.
    #[arg(long)]
    by_person: Option<PersonId>,
}

impl Report {
    pub(super) async fn run(self) -> anyhow::Result<bool> {
        let area = Dimension::Area;
        match self {
            Self::Weekly(ask) => ask.make("weekly", area, None).await,
            Self::Monthly(ask) => ask.make("monthly", area, None).await,
            Self::HalfYear(ask) => ask.make("half-year", area, None).await,
            Self::Annual(ask) => ask.make("annual", area, None).await,
            Self::Items(ask) => ask.make("items", area, None).await,
            Self::Indicators(ask) => ask.make("indicators", area, None).await,
            Self::Figures { ask, by } => ask.make("figures", by, None).await,
            Self::Gaps(ask) => ask.make("gaps", area, None).await,
            Self::Evidence { ask, bulletin } => ask.make("evidence", area, Some(bulletin)).await,
            Self::Heading { which, authority, office } => {
                which.open().await?.set_heading(&authority, &office).await?;
                say_line!("every form is headed {authority} / {office} from now on");
                Ok(true)
            }
        }
    }
}

impl Ask {
    async fn make(
        self,
        name: &str,
        by: Dimension,
        bulletin: Option<BulletinId>,
    ) -> anyhow::Result<bool> {
        let station = self.which.open().await?;
        let today = station.config.zone.date(utc_now());
        let usual = usual_days(name, self.to.or(self.from).unwrap_or(today));
        let (from, until) = (self.from.unwrap_or(usual.0), self.to.unwrap_or(usual.1));
        if from > until {
            bail!("{from} comes after {until}; change --from or --to");
        }
        let inquiry = Inquiry { from, until, area: self.area, bulletin };
        let form = station.form(name)?;
        let bar = bar("reading");
        let document =
            station.fill(&form, &inquiry, by, |done| bar.set_position(done.min(PARTS))).await?;
        bar.finish_and_clear();
        let Some(out) = &self.out else {
            show(&document);
            return Ok(true);
        };
        let bytes = written(&document, out)?;
        write_atomic(out, &bytes)?;
        let what = format!("report {name} {from} {until}");
        station.tell_export(&what, Digest::of(&bytes), self.by_person.as_ref()).await?;
        say_line!("{} rows are in {}", document.rows.len(), out.display());
        Ok(true)
    }
}

fn written(document: &Document, out: &Path) -> anyhow::Result<Vec<u8>> {
    let ending = out.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    Ok(match ending {
        "pdf" => {
            let bar = bar("setting");
            let all = document.rows.len().max(1) as u64;
            let bytes = pdf::pdf(document, |rows| bar.set_position(rows as u64 * PARTS / all))?;
            bar.finish_and_clear();
            bytes
        }
        "xlsx" => xlsx::xlsx(document)?,
        "csv" => csv::csv(document),
        "json" => serde_json::to_vec_pretty(&document.json()).context("the form as JSON")?,
        other => {
            bail!("`.{other}` is no form that is written; end --out in .pdf, .xlsx, .csv or .json")
        }
    })
}

fn bar(doing: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {percent:>3} % {elapsed}");
    let bar = ProgressBar::new(PARTS);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(doing);
    bar
}

/// Characters of a cell on the terminal at most.
const CELL_CHARS: usize = 40;

fn show(document: &Document) {
    let cut = |text: String| -> String {
        let long = text.chars().count() > CELL_CHARS;
        let kept: String = text.chars().take(CELL_CHARS - usize::from(long)).collect();
        if long { format!("{kept}…") } else { kept }
    };
    let headings = document.form.columns.iter().map(|column| cut(column.name.clone())).collect();
    let mut rows: Vec<Vec<String>> = vec![headings];
    let cells = document.rows.iter().chain((!document.sums.is_empty()).then_some(&document.sums));
    rows.extend(cells.map(|row| row.iter().map(|cell| cut(cell.vi())).collect()));
    let widths: Vec<usize> = (0..document.form.columns.len())
        .map(|n| rows.iter().map(|row| row[n].chars().count()).max().unwrap_or(0))
        .collect();
    say_line!("{}", document.form.title);
    document.form.below.iter().for_each(|line| say_line!("{line}"));
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        say_line!("{}", cells.join("  ").trim_end());
    }
    document.form.notes.iter().for_each(|line| say_line!("{line}"));
}
