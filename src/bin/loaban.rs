//! `loaban`: the server and the tools of a station.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The confined child limits itself before anything else is done.
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(loaban::decoder::SUBCOMMAND) {
        return loaban::decoder::child::run(arguments);
    }
    loaban::cli::run()
}
