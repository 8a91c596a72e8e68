//! `loaban-controller`: what runs at the loudspeaker.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use loaban::controller::{self, ControllerError, Glance};
use loaban::trust::Code;
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
        Command::Run => run(&arguments.config),
        Command::Enrol { code } => enrol(&arguments.config, Some(&code)),
        Command::Request => enrol(&arguments.config, None),
        Command::SelfTest => return self_test(&arguments.config),
        Command::Status { json } => status(&arguments.config, json),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &ControllerError) -> ExitCode {
    eprintln!("loaban-controller: {error}");
    ExitCode::FAILURE
}

/// Exits with 1 where anything is not well.
#[tokio::main(flavor = "current_thread")]
async fn self_test(path: &Path) -> ExitCode {
    let told = match controller::read_config(path) {
        Ok(config) => controller::self_test(config).await,
        Err(error) => Err(error),
    };
    match told {
        Ok(told) => {
            print!("{}", told.words(std::io::stdout().is_terminal()));
            if told.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => failed(&error),
    }
}

fn status(path: &Path, json: bool) -> Result<(), ControllerError> {
    let picture = controller::picture(&controller::read_config(path)?)?;
    if json {
        let text = serde_json::to_string(&picture).expect("a picture has text keys");
        println!("{text}");
    } else {
        print!("{}", picture.words());
    }
    Ok(())
}

/// The note goes to the standard output, what a person reads out to the terminal.
fn enrol(path: &Path, code: Option<&Code>) -> Result<(), ControllerError> {
    let (note, key) = controller::enrolment(&controller::read_config(path)?, code)?;
    eprintln!("đọc qua điện thoại / read out by telephone: {}", key.fingerprint());
    print!("{note}");
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
