//! Sound as numbers: filters, meters, the limiter, Opus, tones, and the chain that makes an asset of a recording.
//!
//! Everything here is a pure function of samples: **no file, no clock, no randomness, no process**. The same input
//! and the same recipe give the same bytes on the same machine. Opening hostile files is the work of the `decoder`
//! room; here sound arrives as blocks through [`source::Source`].
//!
//! ```text
//! source ─ sanitise ─ downmix ─ filter ─ resample ─▶ scratch ─ cut ─ gain ─ limit ─ encode ─▶ asset
//!    └─ meter (before)                                        └─▶ wav         decode, meter (after) ─┘
//! ```
//!
//! What is where: [`chain::measure`] gives an [`chain::Examination`], [`chain::normalise`] a [`chain::Measurement`]
//! that holds one (`recording`) and what came out (`after`, `wave`). [`report`] draws verdict and sentences from
//! either, [`figures`] the same for machines, [`waveform`] the drawings.
//!
//! Standards: ITU-R BS.1770-4 (loudness, true peak), EBU R 128 with Tech 3341 and 3342, ITU-R BS.775 (downmix),
//! RFC 6716 and RFC 7845 (Opus, Ogg Opus).

#[cfg(feature = "server")]
pub mod chain;
#[cfg(feature = "server")]
pub mod cut;
#[cfg(feature = "server")]
pub mod downmix;
#[cfg(feature = "server")]
pub mod encode;
#[cfg(feature = "server")]
pub mod figures;
#[cfg(feature = "server")]
pub mod filter;
#[cfg(feature = "server")]
pub mod level;
#[cfg(feature = "server")]
pub mod limiter;
#[cfg(feature = "server")]
pub mod loudness;
pub mod opus;
#[cfg(feature = "server")]
pub mod peak;
#[cfg(feature = "server")]
pub mod recipe;
#[cfg(feature = "server")]
pub mod report;
#[cfg(feature = "server")]
pub mod resample;
#[cfg(feature = "server")]
pub mod retag;
#[cfg(feature = "server")]
pub mod scratch;
#[cfg(feature = "server")]
pub mod source;
#[cfg(feature = "server")]
pub mod survey;
pub mod tone;
#[cfg(feature = "server")]
pub mod voice;
#[cfg(feature = "server")]
pub mod wav;
#[cfg(feature = "server")]
pub mod waveform;
