//! Power cuts at every write: an agent on a shelf whose disk loses what was not synced.
//!
//! A day's worth of airings is played on a virtual clock. The power goes at a step of the disk: the
//! step is lost, kept or torn, and of what no sync made sure of a part happens to be there.

mod cast;
mod poor;

use cast::Pole;
use poor::Fate;

/// Power cuts of the long test.
const CUTS: u64 = 200;

/// Steps of the disk until the power goes, at most: about three airings.
const STEPS_MAX: u64 = 20;

/// A small generator, so that a failure names its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[test]
fn two_hundred_power_cuts_lose_no_receipt_and_repeat_no_airing() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let (mut pole, mut cuts) = (Pole::new(), 0);
    for _ in 0..CUTS {
        let fate = Fate::ALL[usize::try_from(dice.below(3)).unwrap()];
        pole.disk.fail_after(1 + dice.below(STEPS_MAX), fate);
        pole.live(600);
        cuts += u64::from(pole.disk.is_down());
        pole.power_cut(1 + dice.below(60), || dice.below(2) == 0);
    }
    pole.live(300);
    pole.nothing_is_lost_or_repeated();
    println!(
        "{cuts} cuts in a write: {} airings begun, {} receipts",
        pole.begun(),
        pole.durable.len()
    );
    assert_eq!(cuts, CUTS, "each hit a controller that wrote");
}

#[test]
fn whichever_step_from_the_first_start_to_the_first_airing_the_power_takes_all_is_well() {
    let mut pole = Pole::new();
    pole.live(30);
    assert_eq!(pole.begun(), 1);
    let steps = pole.disk.count().steps;
    for step in 1..=steps {
        for fate in Fate::ALL {
            for keeps in [true, false] {
                let mut pole = Pole::unborn();
                pole.disk.fail_after(step, fate);
                pole.boot();
                pole.live(30);
                pole.power_cut(20, || keeps);
                pole.live(90);
                pole.nothing_is_lost_or_repeated();
            }
        }
    }
    println!("{steps} steps, each lost, kept and torn");
}

#[test]
fn a_day_costs_few_writes_of_the_flash() {
    let mut pole = Pole::new();
    pole.live(20);
    let before = pole.disk.count();
    let airings = pole.begun();
    pole.live(60 * 12);
    let after = pole.disk.count();
    let aired = pole.begun() - airings;
    let (syncs, bytes) = (after.syncs - before.syncs, after.bytes - before.bytes);
    println!("{aired} airings: {syncs} syncs, {bytes} bytes");
    // Begun; each recording; receipt; acknowledgement.
    assert!(syncs <= 5 * aired as u64 + 4, "{syncs} syncs for {aired} airings");
    assert!(bytes <= 2_500 * aired as u64, "{bytes} bytes for {aired} airings");
}
