//! Words from a person to calls, and answers back to words.

mod bench;
mod content;
mod demo;
mod emergency;
mod explain;
mod fleet;
mod log;
mod question;
mod report;
mod schedule;
mod sim;
mod sound;
mod station;
mod token;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::server::Station;
use crate::terminal;

/// Audio bulletins in five languages, for the villages that speak them, with a log that anyone can
/// verify.
#[derive(Debug, Parser)]
#[command(name = "loaban", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the whole path on this machine: a station, a server, seven villages, one round.
    Demo(demo::Demo),
    /// Make a new station in an empty folder.
    Init(station::Init),
    /// Serve a station until Ctrl-C.
    Serve(station::Serve),
    /// Look at every part of a station and say what is not well.
    Doctor(station::Doctor),
    Normalise(sound::Normalise),
    Measure(sound::Measure),
    Audition(sound::Audition),
    #[command(subcommand)]
    Bench(bench::Bench),
    /// People and their duties.
    #[command(subcommand)]
    Person(station::Person),
    /// Programs that act for a person.
    #[command(subcommand)]
    Token(token::Token),
    /// Bulletins, their versions and recordings.
    #[command(subcommand)]
    Bulletin(content::Bulletin),
    /// What villagers ask.
    #[command(subcommand)]
    Question(question::Question),
    /// Areas, controllers, policies and programmes.
    #[command(subcommand)]
    Schedule(schedule::Schedule),
    /// Emergencies.
    #[command(subcommand)]
    Emergency(emergency::Emergency),
    /// Say why a village did not hear a bulletin on a day, or when it did.
    Explain(explain::Explain),
    /// Controllers in the field.
    #[command(subcommand)]
    Fleet(fleet::Fleet),
    /// The broadcast log.
    #[command(subcommand)]
    Log(log::Log),
    /// Figures, gaps, evidence, and the forms that stations file.
    #[command(subcommand)]
    Report(report::Report),
    /// Hold the design's promises against days in which everything fails.
    Sim(sim::Sim),
    /// Files for a Mosquitto broker with the same access rules as the embedded one.
    Mosquitto(fleet::Mosquitto),
}

/// Which station a command is about.
#[derive(Clone, Debug, clap::Args)]
struct Which {
    /// The station's configuration.
    #[arg(long, default_value = "loaban.toml", env = "LOABAN_CONFIG")]
    config: PathBuf,
}

impl Which {
    async fn open(&self) -> anyhow::Result<Station> {
        Ok(Station::open(&self.config).await?)
    }
}

/// Reads the arguments, does what they say, and returns 0 only where all went well.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let done = runtime.block_on(obey(arguments.command));
    match done.and_then(|well| Ok(terminal::finish().map(|()| well)?)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("loaban: {error:#}");
    ExitCode::FAILURE
}

/// `false` where the answer itself is that something is not well.
async fn obey(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::Demo(demo) => demo.run().await,
        Command::Init(init) => init.run().await,
        Command::Serve(serve) => serve.run().await,
        Command::Doctor(doctor) => doctor.run().await,
        Command::Normalise(normalise) => normalise.run(),
        Command::Measure(measure) => measure.run(),
        Command::Audition(audition) => audition.run(),
        Command::Bench(bench) => bench.run().await,
        Command::Person(person) => person.run().await,
        Command::Token(token) => token.run().await,
        Command::Bulletin(bulletin) => bulletin.run().await,
        Command::Question(question) => question.run().await,
        Command::Schedule(schedule) => schedule.run().await,
        Command::Emergency(emergency) => emergency.run().await,
        Command::Explain(explain) => explain.run().await,
        Command::Fleet(fleet) => fleet.run().await,
        Command::Log(log) => log.run().await,
        Command::Report(report) => report.run().await,
        Command::Sim(sim) => sim.run(),
        Command::Mosquitto(mosquitto) => mosquitto.run().await,
    }
}

/// Log lines go to standard error, at the level that `LOABAN_LOG` names.
fn start_logging(default: &str) {
    let filter = std::env::var("LOABAN_LOG").unwrap_or_else(|_| default.to_owned());
    let filter = tracing_subscriber::EnvFilter::new(filter);
    // Only the first start counts.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
}

/// A passphrase from a file, or asked for without an echo.
fn passphrase(file: Option<&Path>, what: &str) -> anyhow::Result<String> {
    match file {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the passphrase in {}", path.display()))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        None => rpassword::prompt_password(format!("Passphrase for {what}: "))
            .with_context(|| format!("no terminal to ask on; name a file for {what}")),
    }
}

fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    say_line!("{}", serde_json::to_string(value)?);
    Ok(())
}
