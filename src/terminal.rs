//! Standard output, as a program in a pipe should treat it.
//!
//! Whoever reads only the first lines (`loaban fleet list | head`) closes the pipe. A command is not cut
//! in half for that: it says no more and does the rest of its work. An answer that could not be written
//! for another reason, such as a full disk, is a failure of the command: see [`finish`].

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

/// Why nothing more is written.
static ENDED: OnceLock<io::Error> = OnceLock::new();

/// Writes to standard output, as `print!` does.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::terminal::write(format_args!($($text)*)) };
}

/// Writes a line to standard output, as `println!` does.
#[macro_export]
macro_rules! say_line {
    () => { $crate::terminal::write(format_args!("\n")) };
    ($($text:tt)*) => { $crate::terminal::write(format_args!("{}\n", format_args!($($text)*))) };
}

/// What [`say!`](crate::say) and [`say_line!`](crate::say_line) do.
pub fn write(text: Arguments<'_>) {
    if ENDED.get().is_none()
        && let Err(error) = io::stdout().lock().write_fmt(text)
    {
        // The first reason counts.
        let _ = ENDED.set(error);
    }
}

/// Writes what is still held back; to be called once, when everything was said.
///
/// # Errors
/// If not all that was said could be written. That nobody reads on is no error.
pub fn finish() -> io::Result<()> {
    if let Err(error) = io::stdout().lock().flush() {
        let _ = ENDED.set(error);
    }
    match ENDED.get() {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(io::Error::new(error.kind(), format!("cannot write the answer: {error}")))
        }
        _ => Ok(()),
    }
}
