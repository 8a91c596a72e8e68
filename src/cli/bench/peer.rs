//! The peers: ffmpeg's two passes of `loudnorm`, and ffmpeg-normalize; and ffmpeg as the judge of all results.
//!
//! **Peers are given the best way to do the same**: mixed to mono before they measure (else stereo ends 3 LU too low),
//! both passes, linear where it can be, libopus at 48 kHz, complexity 10, the recipe's bitrate.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use serde::Serialize;
use serde_json::Value;

use super::cost::{Cost, Run, ran, run};
use crate::audio::recipe::Recipe;

/// What is said where ffmpeg is not there.
const MISSING: &str =
    "ffmpeg is needed to measure beside it; install it with `apt-get install ffmpeg`";

/// Loudness and true peak of a file, decoded and measured by ffmpeg.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Heard {
    pub integrated_lufs: f64,
    pub true_peak_dbtp: f64,
}

/// ffmpeg, with a folder for what it says.
pub(super) struct Ffmpeg {
    folder: PathBuf,
    /// Its first line about itself.
    pub version: String,
}

impl Ffmpeg {
    /// Looks whether it is there.
    pub(super) fn find(folder: &Path) -> anyhow::Result<Self> {
        let told = ran(Command::new("ffmpeg").arg("-version"), folder).context(MISSING)?.stdout;
        let version = told.split_whitespace().nth(2).unwrap_or_default().to_owned();
        Ok(Self { folder: folder.to_owned(), version })
    }

    /// Runs it on one file.
    pub(super) fn run(&self, before: &[&str], file: &Path, after: &[&str]) -> anyhow::Result<Run> {
        run(&mut self.command(before, file, after), &self.folder)
    }

    /// The same, which must go well.
    pub(super) fn ran(&self, before: &[&str], file: &Path, after: &[&str]) -> anyhow::Result<Run> {
        ran(&mut self.command(before, file, after), &self.folder)
    }

    fn command(&self, before: &[&str], file: &Path, after: &[&str]) -> Command {
        let mut command = Command::new("ffmpeg");
        command.args(["-hide_banner", "-nostats", "-nostdin", "-y"]).args(before);
        command.arg("-i").arg(file).args(after).current_dir(&self.folder);
        command
    }

    /// Both passes, as the ffmpeg manual describes them; `None` where it gives up.
    pub(super) fn loudnorm(
        &self,
        file: &Path,
        recipe: &Recipe,
        out: &Path,
    ) -> anyhow::Result<Option<Cost>> {
        let (target, ceiling) = (recipe.target.get(), recipe.ceiling.get());
        let asked =
            format!("aformat=channel_layouts=mono,loudnorm=I={target:.1}:TP={ceiling:.1}:LRA=11");
        let first = self.run(
            &[],
            file,
            &["-vn", "-af", &format!("{asked}:print_format=json"), "-f", "null", "-"],
        )?;
        let Some(measured) = measured(&first.stderr).filter(|_| first.success) else {
            return Ok(None);
        };
        let bitrate = recipe.bitrate.get().to_string();
        let filter = format!("{asked}:linear=true{measured}");
        let out = out.display().to_string();
        let encode =
            ["-vn", "-af", &filter, "-ar", "48000", "-c:a", "libopus", "-compression_level", "10"];
        let second = self.run(&[], file, &[&encode[..], &["-b:a", &bitrate, &out]].concat())?;
        Ok(second.success.then(|| first.cost.and(second.cost)))
    }

    /// What a file measures once decoded; `None` where nothing is decoded or nothing is heard.
    pub(super) fn hear(&self, file: &Path) -> anyhow::Result<Option<Heard>> {
        let meter = "ebur128=peak=true:metadata=1,ametadata=print:key=lavfi.r128.I";
        let told = self.run(&[], file, &["-vn", "-af", meter, "-f", "null", "-"])?.stderr;
        let mut loudness =
            told.lines().filter_map(|line| line.split("lavfi.r128.I=").nth(1)?.trim().parse().ok());
        let summary =
            told.rsplit("Summary:").next().and_then(|summary| summary.split("Peak:").nth(1));
        let peak = summary.and_then(|peak| peak.split_whitespace().next()?.parse().ok());
        let heard = loudness.next_back().zip(peak);
        Ok(heard.map(|(integrated_lufs, true_peak_dbtp)| Heard { integrated_lufs, true_peak_dbtp }))
    }
}

/// What the first pass found, as options of the second; `None` where it found no sound.
fn measured(told: &str) -> Option<String> {
    let json = &told[told.rfind('{')?..=told.rfind('}')?];
    let found: Value = serde_json::from_str(json).ok()?;
    let names = [
        ("measured_I", "input_i"),
        ("measured_TP", "input_tp"),
        ("measured_LRA", "input_lra"),
        ("measured_thresh", "input_thresh"),
        ("offset", "target_offset"),
    ];
    let option = |(option, name): (&str, &str)| {
        let value = found[name].as_str().filter(|value| !value.contains("inf"))?;
        Some(format!(":{option}={value}"))
    };
    names.into_iter().map(option).collect()
}

/// ffmpeg-normalize, which may not be there.
pub(super) struct FfmpegNormalize {
    program: PathBuf,
    folder: PathBuf,
    /// What it calls itself.
    pub version: String,
}

impl FfmpegNormalize {
    /// Looks whether it is there.
    pub(super) fn find(program: &Path, folder: &Path) -> Option<Self> {
        let told = ran(Command::new(program).arg("--version"), folder).ok()?.stdout;
        let version = told.split_whitespace().last()?.trim_start_matches('v').to_owned();
        Some(Self { program: program.to_owned(), folder: folder.to_owned(), version })
    }

    /// Its two passes, to the same target and coding; `None` where it gives up.
    pub(super) fn normalise(
        &self,
        file: &Path,
        recipe: &Recipe,
        out: &Path,
    ) -> anyhow::Result<Option<Cost>> {
        let mut command = Command::new(&self.program);
        let [target, ceiling, bitrate] = [
            recipe.target.get().to_string(),
            recipe.ceiling.get().to_string(),
            recipe.bitrate.get().to_string(),
        ];
        command
            .arg(file)
            .args(["-f", "-vn", "-sn", "-t", &target, "-tp", &ceiling, "-ar", "48000"]);
        command.args(["-prf", "aformat=channel_layouts=mono", "-c:a", "libopus", "-b:a", &bitrate]);
        command.args(["-e=-compression_level 10", "-o"]).arg(out).current_dir(&self.folder);
        let run = run(&mut command, &self.folder)?;
        Ok((run.success && out.exists()).then_some(run.cost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_pass_is_told_what_the_first_found() {
        let told = r#"[Parsed_loudnorm_1 @ 0x5] {"input_i" : "-21.3", "input_tp" : "-1.0", "input_lra" : "3.0",
            "input_thresh" : "-31.0", "target_offset" : "0.1"} end"#;
        let options = measured(told).unwrap();
        assert!(options.starts_with(":measured_I=-21.3:measured_TP=-1.0"), "{options}");
    }

    #[test]
    fn silence_has_no_second_pass() {
        assert_eq!(measured(r#"{"input_i" : "-inf"}"#), None);
        assert_eq!(measured("nothing"), None);
    }
}
