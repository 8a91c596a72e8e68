//! Measurements as tables of a document.

use std::fmt::Write as _;

use super::audio::{Case, Measured};
use super::corpus::{Collection, Result, Row};
use super::cost::Cost;
use crate::audio::recipe::Recipe;

/// How far from the target a result may be.
const TOLERATED_LU: f64 = 0.2;

/// Stands over figures that say nothing of what is shipped.
const UNOPTIMISED: &str = if cfg!(debug_assertions) {
    "**Not a release build: these times say nothing.**\n\n"
} else {
    ""
};

/// The tables of `bench audio`.
pub(super) fn of_audio(measured: &Measured) -> String {
    let mut text = format!(
        "{UNOPTIMISED}ffmpeg {}, {} cores. CPU and wall in seconds; memory is the largest single \
         process and all processes of the run together.\n\n",
        measured.ffmpeg, measured.cores
    );
    text += "| speech | chain | CPU | wall | times less CPU than ffmpeg | times less wall | times the encoder alone \
             | encodings | LUFS / dBTP | memory |\n|---|---|---|---|---|---|---|---|---|---|\n";
    for case in &measured.cases {
        rows(&mut text, case);
    }
    text += "\nSeconds in each stage, on the wall of the one thread that does them (`source` is waiting for the \
             decoder's process):\n\n";
    stages(&mut text, &measured.cases);
    let busy = &measured.folder;
    let _ = writeln!(
        text,
        "\nA folder of {} recordings, {} minutes together, recipe {}: {:.1} s CPU in {:.1} s, so {:.2} of {} cores \
         were busy; {}.",
        busy.files,
        busy.minutes,
        busy.recipe,
        busy.cost.cpu_s,
        busy.cost.wall_s,
        busy.cores,
        measured.cores,
        memory(busy.cost)
    );
    for long in &measured.memory {
        let _ = writeln!(
            text,
            "\n{} minutes of MP3, recipe {}: {}; {:.1} s CPU.",
            long.minutes,
            long.recipe,
            memory(long.cost),
            long.cost.cpu_s
        );
    }
    text
}

fn rows(text: &mut String, case: &Case) {
    let speech = format!("{} min {}", case.minutes, case.format);
    let heard = case
        .ffmpeg_heard
        .map_or_else(none, |found| sound(found.integrated_lufs, found.true_peak_dbtp));
    let Cost { cpu_s, wall_s, .. } = case.ffmpeg;
    let memory_ = memory(case.ffmpeg);
    let _ = writeln!(
        text,
        "| {speech} | ffmpeg, two passes of loudnorm | {cpu_s:.1} | {wall_s:.1} | 1 | 1 | | 1 | {heard} | {memory_} |"
    );
    for ours in &case.ours {
        let heard = ours
            .heard
            .map_or_else(none, |found| sound(found.integrated_lufs, found.true_peak_dbtp));
        let _ = writeln!(
            text,
            "| {speech} | recipe {} | {:.1} | {:.1} | **{:.1}** | {:.1} | {:.2} | {} | {heard} | {} |",
            ours.recipe,
            ours.cost.cpu_s,
            ours.cost.wall_s,
            ours.times_less_cpu,
            ours.times_less_wall,
            ours.times_the_encoder,
            ours.encodings,
            memory(ours.cost)
        );
    }
}

/// The stages in the order of the chain.
const STAGES: [&str; 11] = [
    "source", "mix", "meter", "resample", "filter", "keep", "cut", "level", "search", "encode",
    "verify",
];

fn stages(text: &mut String, cases: &[Case]) {
    let _ = writeln!(
        text,
        "| speech | recipe | {} |\n|---|---|{}",
        STAGES.join(" | "),
        "---|".repeat(STAGES.len())
    );
    for case in cases {
        for ours in &case.ours {
            let _ = write!(text, "| {} min {} | {} |", case.minutes, case.format, ours.recipe);
            for stage in STAGES {
                #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run")]
                let seconds =
                    ours.stages_ms.get(stage).copied().unwrap_or_default() as f64 / 1_000.0;
                let _ = write!(text, " {seconds:.2} |");
            }
            text.push('\n');
        }
    }
}

fn memory(cost: Cost) -> String {
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    format!("{} MB, {} MB together", megabytes(cost.largest_bytes), megabytes(cost.together_bytes))
}

/// The table of `bench corpus`, its sums first.
pub(super) fn of_collection(found: &Collection) -> String {
    let mut text = sums(found);
    text += "\n| recording | what it is | before | verdict, or why it is refused | ours | ffmpeg, two passes | \
             ffmpeg-normalize |\n|---|---|---|---|---|---|---|\n";
    for row in &found.rows {
        let before = row
            .before
            .map_or_else(none, |heard| sound(heard.integrated_lufs, heard.true_peak_dbtp));
        let verdict = match (&row.refusal, &row.shortfall) {
            (Some(sentence), _) => format!("refused: {sentence}").replace('|', "/"),
            (None, Some(why)) => format!("{} ({why})", row.verdict),
            (None, None) => row.verdict.clone(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {before} | {verdict} | {} | {} | {} |",
            row.file,
            row.what,
            cell(row.ours, &found.recipe),
            cell(row.ffmpeg, &found.recipe),
            cell(row.ffmpeg_normalize, &found.recipe)
        );
    }
    text
}

/// What one chain made of a recording.
type Of = fn(&Row) -> Option<Result>;

fn sums(found: &Collection) -> String {
    let Recipe { target, ceiling, .. } = found.recipe;
    let mut text = format!(
        "{UNOPTIMISED}Target {target}, ceiling {ceiling}. Each cell: LUFS / dBTP of the result, \
         decoded and measured by ffmpeg {}; CPU seconds. A result within {TOLERATED_LU} LU of the target and below the ceiling is kept; one that is not is \
         **bold**.\n\n| chain | results | on target | below the ceiling | CPU of those that all chains made |\n\
         |---|---|---|---|---|\n",
        found.ffmpeg
    );
    let other =
        found.ffmpeg_normalize.as_deref().map(|version| format!("ffmpeg-normalize {version}"));
    let chains: [(String, Of); 3] = [
        ("ours".to_owned(), |row| row.ours),
        ("ffmpeg, two passes of loudnorm".to_owned(), |row| row.ffmpeg),
        (other.clone().unwrap_or_default(), |row| row.ffmpeg_normalize),
    ];
    let used = if other.is_some() { 3 } else { 2 };
    let all = |row: &&Row| chains[..used].iter().all(|(_, of)| of(row).is_some());
    for (name, of) in &chains[..used] {
        let made: Vec<Result> = found.rows.iter().filter_map(of).collect();
        let on = made.iter().filter(|result| on_target(result, target.get())).count();
        let below = made.iter().filter(|result| below(result, ceiling.get())).count();
        let cpu: f64 =
            found.rows.iter().filter(all).filter_map(of).map(|result| result.cost.cpu_s).sum();
        let _ = writeln!(text, "| {name} | {} | {on} | {below} | {cpu:.1} s |", made.len());
    }
    text
}

fn on_target(result: &Result, target: f64) -> bool {
    (result.heard.integrated_lufs - target).abs() <= TOLERATED_LU
}

fn below(result: &Result, ceiling: f64) -> bool {
    result.heard.true_peak_dbtp <= ceiling
}

fn cell(result: Option<Result>, recipe: &Recipe) -> String {
    let Some(result) = result else { return none() };
    let kept = on_target(&result, recipe.target.get()) && below(&result, recipe.ceiling.get());
    let heard = sound(result.heard.integrated_lufs, result.heard.true_peak_dbtp);
    let mark = if kept { "" } else { "**" };
    format!("{mark}{heard}{mark}; {:.2} s", result.cost.cpu_s)
}

fn sound(loudness: f64, peak: f64) -> String {
    format!("{loudness:.1} / {peak:.1}")
}

fn none() -> String {
    "–".to_owned()
}
