//! Two controllers in earshot begin together: over links whose every message takes up to 200 ms,
//! with crystals that are off by up to 50 ppm, one this way and one that way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;

/// Pairs of controllers.
const PAIRS: u64 = 6;

/// The longest that a message takes, in microseconds.
const JITTER_US: u64 = 200_000;

/// Crystals are off by this at most, in millionths.
const DRIFT_PPM: i64 = 50;

/// When airings begin, in minutes after the start of the test.
const AIRINGS_MIN: [i64; 18] = [
    10, 25, 55, 100, 180, 300, 420, 540, 660, 780, 900, 1_020, 1_140, 1_260, 1_500, 1_800, 2_100,
    2_700,
];

struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// One board: its crystal, and what is on its way to it, by true time in microseconds.
struct Board {
    agent: Agent,
    booted: i64,
    ppm: i64,
    coming: BinaryHeap<Reverse<(i64, u64)>>,
    inputs: std::collections::BTreeMap<u64, Input>,
    sent: u64,
    /// When each airing was begun.
    begun: Vec<i64>,
}

impl Board {
    fn new(booted: i64, ppm: i64) -> Self {
        let stored =
            Restored { trust: Some(trust_note()), provisioned: true, ..Restored::default() };
        let now = Now { utc: Timestamp::EPOCH, up: Uptime::START };
        let agent = start(&stored, open_policy(), false, now);
        let (coming, inputs) = (BinaryHeap::new(), std::collections::BTreeMap::new());
        Self { agent, booted, ppm, coming, inputs, sent: 0, begun: vec![] }
    }

    /// Its clocks at this true time; the system's own stayed in 1970.
    fn now(&self, at: i64) -> Now {
        let ran = at - self.booted;
        let up = u64::try_from(ran + ran * self.ppm / 1_000_000).unwrap();
        Now { utc: Timestamp::EPOCH, up: Uptime::at(Duration::from_micros(up)) }
    }

    fn true_time(&self, up: Uptime) -> i64 {
        let up = i64::try_from(up.since(Uptime::START).as_micros()).unwrap();
        // Exactly, and rounded up: a wake that comes too early would be set again and again.
        self.booted + up * 1_000_000 / (1_000_000 + self.ppm) + 2
    }

    fn send(&mut self, at: i64, input: Input) {
        self.sent += 1;
        self.inputs.insert(self.sent, input);
        self.coming.push(Reverse((at, self.sent)));
    }

    fn message(&mut self, at: i64, topic: &str, payload: impl Into<Vec<u8>>) {
        let topic = format!("loaban/1/x/{topic}");
        self.send(at, Input::Message { topic, payload: payload.into() });
    }

    /// Lives until this true time.
    fn live(&mut self, until: i64, dice: &mut Dice) {
        let mut at = self.booted;
        while at < until {
            while let Some(output) = self.agent.poll() {
                self.carry_out(at, output, dice);
            }
            let wake = self.true_time(self.agent.wake_at(self.now(at)));
            let input = match self.coming.peek() {
                Some(Reverse((next, n))) if *next <= wake => {
                    let (next, n) = (*next, *n);
                    self.coming.pop();
                    at = at.max(next);
                    self.inputs.remove(&n).unwrap()
                }
                _ => {
                    at = at.max(wake);
                    Input::Tick
                }
            };
            self.agent.handle(self.now(at), input);
        }
    }

    fn carry_out(&mut self, at: i64, output: Output, dice: &mut Dice) {
        match output {
            Output::Publish(publish) if publish.topic.ends_with("/clock") => {
                let note = Note::parse(&publish.payload).unwrap();
                let ask: ClockAsk = decode(&"x".parse().unwrap(), note.text()).unwrap();
                self.answer(at, ask, dice);
            }
            Output::Assemble(asset) => {
                self.agent.handle(self.now(at), Input::Assembled { asset, whole: true });
            }
            Output::Play(list) => {
                self.begun.push(at);
                let sounded = Sounded::Finished;
                self.send(at + 10_000_000, Input::Speaker { token: list.token, sounded });
            }
            _ => {}
        }
    }

    fn answer(&mut self, at: i64, ask: ClockAsk, dice: &mut Dice) {
        let way = |dice: &mut Dice| i64::try_from(dice.below(JITTER_US)).unwrap();
        let there = at + way(dice);
        let back = there + way(dice);
        let there = Timestamp::from_micros(there);
        let ClockAsk { controller, nonce, t1 } = ask;
        let answer =
            ClockAnswer { controller, nonce, t1, t2: there, t3: there, manifest: 7, emergency: 0 };
        let note = key(Role::Time, "1", 4).sign(&encode(&"x".parse().unwrap(), &answer));
        self.message(back, "c/c-1/time", note);
    }
}

fn week() -> Manifest {
    let mut all = manifest(7, 0, &["vi"]);
    let first = all.airings.pop().unwrap();
    for (n, minutes) in (0_u16..).zip(AIRINGS_MIN) {
        let mut airing = first.clone();
        airing.occurrence = n;
        airing.at = Timestamp::from_seconds(START + minutes * 60);
        airing.latest = airing.at + Duration::from_mins(1);
        all.airings.push(airing);
    }
    all.policy.sessions_a_day_max = 50;
    all
}

fn begins(booted: i64, ppm: i64, dice: &mut Dice) -> Vec<i64> {
    let mut board = Board::new(booted, ppm);
    let net = "x".parse().unwrap();
    board.send(booted, Input::MainUp);
    board.message(booted, "c/c-1/manifest", schedule().sign(&encode(&net, &week())));
    let (asset, bytes) = (descriptor("vi").asset, sound("vi"));
    let info = lan().sign(&encode(&net, &descriptor("vi")));
    board.message(booted + 1, &format!("asset/{asset}/info"), info);
    for (n, block) in bytes.chunks(16_384).enumerate() {
        board.message(booted + 2, &format!("asset/{asset}/{n}"), block);
    }
    board.live((START + 2_800 * 60) * 1_000_000, dice);
    board.begun
}

/// `cargo test --lib agent::tests::step -- --nocapture` prints the distribution.
#[test]
fn two_controllers_in_earshot_begin_within_fifty_milliseconds() {
    let mut dice = Dice(0x2545_F491_4F6C_DD1D);
    let mut apart_us: Vec<u64> = Vec::new();
    for pair in 0..PAIRS {
        let mut drift = || match pair % 2 {
            // The worst there is, and any.
            0 => DRIFT_PPM,
            _ => i64::try_from(dice.below(101)).unwrap() - DRIFT_PPM,
        };
        let (one, other) = (drift(), -drift());
        let mut booted = || START * 1_000_000 - i64::try_from(dice.below(3_600_000_000)).unwrap();
        let (first, second) = (booted(), booted());
        let (ones, others) = (begins(first, one, &mut dice), begins(second, other, &mut dice));
        assert_eq!((ones.len(), others.len()), (AIRINGS_MIN.len(), AIRINGS_MIN.len()));
        apart_us.extend(ones.iter().zip(&others).map(|(a, b)| a.abs_diff(*b)));
    }
    apart_us.sort_unstable();
    let at = |percent: usize| apart_us[(apart_us.len() - 1) * percent / 100] / 1_000;
    println!("{} begins: p50 {} ms, p95 {} ms, p99 {} ms", apart_us.len(), at(50), at(95), at(99));
    for bin in 0..10 {
        let inside = |us: &&u64| **us / 5_000 == bin;
        println!(
            "{:>2}–{:>2} ms {:>5}",
            bin * 5,
            bin * 5 + 5,
            apart_us.iter().filter(inside).count()
        );
    }
    let worst = apart_us.last().unwrap();
    println!("worst {worst} µs");
    assert!(*worst < 50_000, "{worst} µs apart");
}
