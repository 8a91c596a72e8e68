//! A small timeline of a few controllers, and the last events of one that is watched.

use std::collections::VecDeque;
use std::time::Duration;

use crate::agent::{Output, Record};
use crate::sim::site::Site;
use crate::sim::verdict::clock;

/// Controllers in the timeline.
const SHOWN: usize = 4;

/// How long one character of the timeline stands for.
const CELL: Duration = Duration::from_hours(2);

/// Events that are remembered of the one that is watched.
const LAST: usize = 60;

/// What each mark says, the strongest first.
const MARKS: [char; 4] = ['!', '♪', 'x', '-'];

/// Marks and notes.
#[derive(Debug)]
pub(super) struct Film {
    cells: Vec<Vec<char>>,
    watched: Option<usize>,
    notes: VecDeque<String>,
    closed: bool,
}

impl Film {
    pub(super) fn new(sites: usize, watched: Option<usize>) -> Self {
        let cells = vec![vec![]; sites.min(SHOWN)];
        Self { cells, watched, notes: VecDeque::new(), closed: false }
    }

    /// Draws a mark where a stronger one does not stand already.
    pub(super) fn mark(&mut self, site: usize, now: Duration, mark: char) {
        let Some(cells) = self.cells.get_mut(site) else { return };
        let nth = usize::try_from(now.as_secs() / CELL.as_secs()).unwrap_or(usize::MAX);
        if cells.len() <= nth {
            cells.resize(nth + 1, '·');
        }
        let rank = |mark: char| MARKS.iter().position(|m| *m == mark).unwrap_or(MARKS.len());
        if rank(mark) < rank(cells[nth]) {
            cells[nth] = mark;
        }
    }

    pub(super) fn note(&mut self, site: usize, now: Duration, what: impl FnOnce() -> String) {
        if self.watched != Some(site) || self.closed {
            return;
        }
        if self.notes.len() == LAST {
            self.notes.pop_front();
        }
        self.notes.push_back(format!("{} {}", clock(now), what()));
    }

    /// Nothing after the first violation is of interest.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn output(&mut self, site: usize, now: Duration, output: &Output) {
        self.note(site, now, || short(output));
    }

    pub(super) fn develop(self, sites: &[Site]) -> (Vec<String>, Vec<String>) {
        let line = |(cells, site): (&Vec<char>, &Site)| {
            let cells: String = cells.iter().collect();
            format!("{:<6} {cells}", site.id)
        };
        let mut lines: Vec<String> = self.cells.iter().zip(sites).map(line).collect();
        lines.push("each mark is two hours: ♪ routine, ! emergency, x power, - link".to_owned());
        (lines, self.notes.into())
    }
}

/// An output in one line.
pub(super) fn short(output: &Output) -> String {
    let text = match output {
        Output::Keep(Record::Receipt { line }) => format!("receipt {line}"),
        Output::Keep(Record::Emergency { id, .. }) => format!("keeps emergency {id}"),
        Output::Keep(record) => format!("keeps {record:?}"),
        Output::KeepNote(slot, note) => format!("keeps note {slot:?} {}", clip(note, 160)),
        Output::KeepBlock { asset, offset, .. } => format!("keeps block {asset} {offset}"),
        Output::Publish(message) => format!("sends {}", message.topic),
        Output::Play(list) => format!("plays {}", list.title),
        Output::Bulk(filters) => format!("bulk {}", filters.len()),
        Output::Assemble(_) | Output::Forget(_) | Output::Stop | Output::Volume(_) => {
            format!("{output:?}")
        }
    };
    clip(&text, 300)
}

fn clip(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}
