//! The child: limits itself, decodes its standard input, answers on its standard output, ends.
//!
//! **The limits stand before the first byte of the file is read**: address space, CPU time, no core dump, no file
//! written, and no file, socket or process opened ever again. What the libraries make of a hostile file after that
//! hurts only this process. The container is recognised by its content; the file's name never gets here.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::sync::Arc;

use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

use super::confine::confine;
use super::input::Input;
use super::mend;
use super::session::Session;
use super::wire::{Failure, Writer};
use crate::unit::Millis;

/// What stops the decoding.
pub(super) enum Stop {
    /// Said to the parent as the last frame.
    Because(Failure),
    /// The parent no longer listens.
    Unheard,
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::Unheard
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Because(failure)
    }
}

/// Where the child says what it found.
pub(super) type Answer<'a> = Writer<&'a mut dyn Write>;

/// Runs the child. `arguments` are those after the subcommand: memory in bytes, CPU time in seconds, length of the
/// decoded sound in milliseconds.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    // A panic in a library is told by the exit status; its text could carry anything.
    std::panic::set_hook(Box::new(|_| {}));
    let mut output = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let said = match alone(arguments.into_iter()) {
        Ok((file, length)) => answer(file, length, &mut output),
        Err(why) => {
            let refusal = Failure::Unlimited(why.to_owned());
            Writer::new(&mut output as &mut dyn Write).and_then(|mut it| it.failed(&refusal))
        }
    };
    if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Takes standard input as a file and gives up everything that is not needed to decode it.
fn alone(arguments: impl Iterator<Item = String>) -> Result<(File, Millis), &'static str> {
    let numbers: Option<Vec<u64>> = arguments.map(|argument| argument.parse().ok()).collect();
    let Some([memory_bytes, cpu_s, length_ms]) = numbers.as_deref() else {
        return Err(
            "decode-child needs memory, CPU time and length; it is called by loaban itself",
        );
    };
    let input = io::stdin().as_fd().try_clone_to_owned().map_err(|_| "no standard input")?;
    confine(*memory_bytes, *cpu_s)?;
    Ok((File::from(input), Millis::new(*length_ms)))
}

/// Decodes a file and says what is in it, **in this very process and without limits** but that of the length: for
/// [`run`], which has limited itself before, and for tests of what the libraries do.
///
/// # Errors
/// When the answer cannot be written.
pub fn answer(file: File, length: Millis, output: &mut dyn Write) -> io::Result<()> {
    let mut answer = Writer::new(output)?;
    match decode(file, length, &mut answer) {
        Ok(frames) => answer.end(frames),
        Err(Stop::Because(failure)) => answer.failed(&failure),
        Err(Stop::Unheard) => Err(io::ErrorKind::BrokenPipe.into()),
    }
}

/// Decodes the first sound track and answers all but the last frame.
fn decode(file: File, length: Millis, answer: &mut Answer<'_>) -> Result<u64, Stop> {
    let file = Arc::new(file);
    let counted = mend::counts_frames(&file);
    let mut container = probe(&file)?;
    let name = container.format_info().short_name;
    if name == "mp3" && !counted {
        // From its length, how long it lasts would be guessed, and what goes beyond the guess cut off.
        container = again(Input::new(&file).unseekable())?;
    }
    match follow(container, counted, length, answer) {
        Err(Stop::Because(Failure::NoSound(why))) if name == "isomp4" => {
            named(&file)?;
            // Sound that was cut off behind its index is not whole, and passed over by who can look ahead.
            let plain = recognise(Input::new(&file).unseekable());
            follow(plain.map_err(|_| Failure::NoSound(why))?, counted, length, answer)
        }
        outcome => outcome,
    }
}

/// Decodes what a container holds.
fn follow(
    mut container: Box<dyn FormatReader>,
    counted: bool,
    length: Millis,
    answer: &mut Answer<'_>,
) -> Result<u64, Stop> {
    let mut session = Session::new(container.as_ref(), counted, length, answer)?;
    loop {
        let more = match container.next_packet() {
            Ok(Some(packet)) => session.packet(&packet)?,
            Ok(None) => false,
            Err(Error::ResetRequired) => session.link(container.as_ref()),
            // An error of the container is an early end.
            Err(fault) => session.break_off(&fault),
        };
        if !more {
            return session.finish();
        }
    }
}

/// Recognises the container, if need be at a second look.
fn probe(file: &Arc<File>) -> Result<Box<dyn FormatReader>, Failure> {
    recognise(Input::new(file)).or_else(|fault| {
        named(file)?;
        // Of a file that was cut off, who can look ahead sees only that its end is missing.
        again(mend::flac(file).unwrap_or_else(|| Input::new(file).unseekable()))
            .map_err(|_| Failure::NotAudio(fault.to_string()))
    })
}

/// Refuses a file in a codec that is none of ours by its name.
fn named(file: &File) -> Result<(), Failure> {
    mend::foreign(file).map_or(Ok(()), |codec| Err(Failure::Unsupported(codec.to_owned())))
}

fn again(input: Input) -> Result<Box<dyn FormatReader>, Failure> {
    recognise(input).map_err(|fault| Failure::NotAudio(fault.to_string()))
}

fn recognise(input: Input) -> Result<Box<dyn FormatReader>, Error> {
    let stream = MediaSourceStream::new(Box::new(input), MediaSourceStreamOptions::default());
    let probe = symphonia::default::get_probe();
    probe.probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
}
