//! `loaban-controller`: what runs at the loudspeaker.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use loaban::controller::{self, ControllerError, Glance};
use tokio::sync::watch;

/// Plays the signed schedule of one loudspeaker.
#[derive(Debug, Parser)]
#[command(version, about)]
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
    /// Make this device's key where it has none, and print the line that the station enrols.
    Enrol,
    /// Print the request that the station certifies this device for TLS, with a key made here.
    Request,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let done = match arguments.command.unwrap_or(Command::Run) {
        Command::Run => run(&arguments.config),
        Command::Enrol => enrol(&arguments.config),
        Command::Request => request(&arguments.config),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loaban-controller: {error}");
            ExitCode::FAILURE
        }
    }
}

fn enrol(path: &std::path::Path) -> Result<(), ControllerError> {
    let key = controller::enrol(&controller::read_config(path)?)?;
    eprintln!("compare by telephone: {}", key.fingerprint());
    println!("{key}");
    Ok(())
}

fn request(path: &std::path::Path) -> Result<(), ControllerError> {
    print!("{}", controller::request(&controller::read_config(path)?)?);
    Ok(())
}

#[tokio::main]
async fn run(path: &std::path::Path) -> Result<(), ControllerError> {
    let config = controller::read_config(path)?;
    let (stop, stopped) = watch::channel(false);
    let (glance, _) = watch::channel(Glance::default());
    tokio::spawn(async move {
        loaban::shutdown::asked().await;
        stop.send_replace(true);
    });
    controller::run(config, stopped, glance).await
}
