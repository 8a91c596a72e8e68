//! `loaban-controller`: what runs at the loudspeaker.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use loaban::controller::{self, ControllerError, Glance};
use loaban::trust::Code;
use loaban::{say, say_line, terminal};
use tokio::sync::watch;

/// Plays the signed schedule of one loudspeaker.
#[derive(Debug, Parser)]
#[command(
    name = "loaban-controller",
    version,
    about = "A loudspeaker controller: plays the signed schedule of its station, and swears to what it did"
)]
struct Arguments {
    /// The configuration that `loaban fleet provision` wrote.
    #[arg(long, default_value = "/etc/loaban/controller.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play until stopped (the default).
    Run,
    /// Make this device's keys where it has none, and print what the station enrols.
    Enrol {
        /// The one-time code that lay in the box.
        code: Code,
    },
    /// Print what the station certifies this device anew by, once it is enrolled.
    Request,
    /// Play the test tone and look at storage, link, clock and amplifier.
    SelfTest,
    /// Show what it holds, what comes next and what it waits for.
    Status {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let done = match arguments.command.unwrap_or(Command::Run) {
        Command::Run => run(&arguments.config).map(|()| true),
        Command::Enrol { code } => enrol(&arguments.config, Some(&code)).map(|()| true),
        Command::Request => enrol(&arguments.config, None).map(|()| true),
        Command::SelfTest => self_test(&arguments.config),
        Command::Status { json } => status(&arguments.config, json).map(|()| true),
    };
    match (done, terminal::finish()) {
        (Ok(true), Ok(())) => ExitCode::SUCCESS,
        (Ok(false), Ok(())) => ExitCode::FAILURE,
        (Err(error), _) => failed(&error),
        (Ok(_), Err(error)) => failed(&error),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("loaban-controller: {error}");
    ExitCode::FAILURE
}

/// Whether all is well.
#[tokio::main(flavor = "current_thread")]
async fn self_test(path: &Path) -> Result<bool, ControllerError> {
    let told = controller::self_test(controller::read_config(path)?).await?;
    say!("{}", told.words(std::io::stdout().is_terminal()));
    Ok(told.is_well())
}

fn status(path: &Path, json: bool) -> Result<(), ControllerError> {
    let picture = controller::picture(&controller::read_config(path)?)?;
    if json {
        let text = serde_json::to_string(&picture).expect("a picture has text keys");
        say_line!("{text}");
    } else {
        say!("{}", picture.words());
    }
    Ok(())
}

/// The note goes to the standard output, what a person reads out to the terminal.
fn enrol(path: &Path, code: Option<&Code>) -> Result<(), ControllerError> {
    let (note, key) = controller::enrolment(&controller::read_config(path)?, code)?;
    eprintln!("đọc qua điện thoại / read out by telephone: {}", key.fingerprint());
    say!("{note}");
    Ok(())
}

// One thread: a small board has little memory, and the speaker has its own.
#[tokio::main(flavor = "current_thread")]
async fn run(path: &Path) -> Result<(), ControllerError> {
    let config = controller::read_config(path)?;
    let (stop, stopped) = watch::channel(false);
    let (glance, _) = watch::channel(Glance::default());
    tokio::spawn(async move {
        loaban::shutdown::asked().await;
        stop.send_replace(true);
    });
    controller::run(config, stopped, glance).await
}
