//! What a person is told of a recording: one line, and one sentence for each thing that is wrong with it.

use super::Lang;
use super::row::{Made, Row};
use crate::audio::report::{Problem, Verdict};

/// The verdict in the words of `lang`.
pub(super) fn verdict(verdict: Verdict, lang: Lang) -> String {
    match lang {
        Lang::Vi => verdict.vi().to_owned(),
        Lang::En => verdict.word().to_owned(),
        Lang::Both => format!("{} / {}", verdict.vi(), verdict.word()),
    }
}

/// `tin.wav: −23.4 → −16.0 LUFS, −1.2 dBTP, tốt / good`, and the problems.
pub(super) fn normalised(row: &Row, made: &Made, lang: Lang) -> String {
    let mut text = format!(
        "{}: {} → {} LUFS, {} dBTP, {}",
        row.file,
        level(row.integrated_lufs),
        level(made.figures.asset.integrated_lufs),
        level(made.figures.asset.true_peak_dbtp),
        judged(row, lang)
    );
    tell_problems(&mut text, &row.problems, lang);
    text
}

/// What was measured, and the problems.
pub(super) fn measured(row: &Row, lang: Lang) -> String {
    let mut text = format!(
        "{}: {} s, {} {} Hz × {}, {} LUFS, {} LU, {} dBTP, {}",
        row.file,
        row.duration_ms.map_or_else(missing, |ms| format!("{}.{}", ms / 1000, ms % 1000 / 100)),
        row.codec.as_deref().unwrap_or("–"),
        row.sample_rate_hz.map_or_else(missing, |hz| hz.to_string()),
        row.channels.map_or_else(missing, |channels| channels.to_string()),
        level(row.integrated_lufs),
        level(row.range_lu),
        level(row.true_peak_dbtp),
        judged(row, lang)
    );
    tell_problems(&mut text, &row.problems, lang);
    text
}

/// Why nothing was made.
pub(super) fn refused(row: &Row, lang: Lang) -> String {
    let word = match lang {
        Lang::Vi => "KHÔNG NHẬN",
        Lang::En => "REFUSED",
        Lang::Both => "KHÔNG NHẬN / REFUSED",
    };
    let mut text = format!("{word} {}", row.file);
    tell_problems(&mut text, &row.problems, lang);
    text
}

/// The last line, where not all went well.
pub(super) fn summary(refused: &[String], all: usize, lang: Lang) -> String {
    let (count, names) = (refused.len(), refused.join(", "));
    match lang {
        Lang::Vi => format!("{count} trong {all} bản ghi không được nhận: {names}"),
        Lang::En => format!("{count} of {all} recordings were refused: {names}"),
        Lang::Both => format!(
            "{count} trong {all} bản ghi không được nhận / {count} of {all} recordings were refused: {names}"
        ),
    }
}

fn judged(row: &Row, lang: Lang) -> String {
    row.verdict.map_or_else(missing, |found| verdict(found, lang))
}

fn tell_problems(text: &mut String, problems: &[Problem], lang: Lang) {
    for problem in problems {
        for sentence in sentences(problem, lang) {
            *text += "\n    ";
            *text += sentence;
        }
    }
}

fn sentences(problem: &Problem, lang: Lang) -> Vec<&str> {
    match lang {
        Lang::Vi => vec![&problem.vi],
        Lang::En => vec![&problem.en],
        Lang::Both => vec![&problem.vi, &problem.en],
    }
}

fn level(value: Option<f64>) -> String {
    value.map_or_else(missing, |value| format!("{value:.1}"))
}

fn missing() -> String {
    "–".to_owned()
}
