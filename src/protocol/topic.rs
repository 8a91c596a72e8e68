//! Topics: where a document belongs. Prefix `loaban/1/{net}/`.

use crate::digest::Digest;
use crate::id::{AreaId, ControllerId, NetId};

/// A topic of the server's to a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// What it shall hold and play; retained.
    Manifest,
    /// A command.
    Order,
    /// An emergency, again, to one that has not accepted it.
    Emergency,
    /// Receipts that are in the log.
    Ack,
    /// What time it is.
    Time,
    /// Trust documents that it missed, in turn.
    Trust,
}

/// A topic of a controller's to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Up {
    /// Blocks that it lacks.
    Want,
    /// What it did.
    Receipts,
    /// How it is; retained, and its last will.
    Status,
    /// The question what time it is.
    Clock,
}

const DOWN: [(Down, &str); 6] = [
    (Down::Manifest, "manifest"),
    (Down::Order, "order"),
    (Down::Emergency, "emergency"),
    (Down::Ack, "ack"),
    (Down::Time, "time"),
    (Down::Trust, "trust"),
];

const UP: [(Up, &str); 4] =
    [(Up::Want, "want"), (Up::Receipts, "receipts"), (Up::Status, "status"), (Up::Clock, "clock")];

/// A topic that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The trust document; retained.
    Trust,
    /// To one controller.
    Down(ControllerId, Down),
    /// From one controller.
    Up(ControllerId, Up),
    /// An emergency for an area.
    AreaEmergency(AreaId),
    /// The descriptor of a recording.
    Info(Digest),
    /// One block of a recording.
    Block(Digest, u32),
}

/// The topics of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    prefix: String,
}

impl Topics {
    /// The topics of `net`.
    pub fn new(net: &NetId) -> Self {
        Self { prefix: format!("loaban/{}/{net}/", super::VERSION) }
    }

    /// `trust`
    pub fn trust(&self) -> String {
        format!("{}trust", self.prefix)
    }

    /// `c/{c}/…` from the server.
    pub fn down(&self, controller: &ControllerId, down: Down) -> String {
        let word = DOWN.iter().find(|(d, _)| *d == down).map_or("", |(_, word)| word);
        format!("{}c/{controller}/{word}", self.prefix)
    }

    /// `c/{c}/…` from the controller.
    pub fn up(&self, controller: &ControllerId, up: Up) -> String {
        let word = UP.iter().find(|(u, _)| *u == up).map_or("", |(_, word)| word);
        format!("{}c/{controller}/{word}", self.prefix)
    }

    /// `a/{a}/emergency`
    pub fn area_emergency(&self, area: &AreaId) -> String {
        format!("{}a/{area}/emergency", self.prefix)
    }

    /// `asset/{digest}/info`
    pub fn info(&self, asset: Digest) -> String {
        format!("{}asset/{asset}/info", self.prefix)
    }

    /// `asset/{digest}/{n}`
    pub fn block(&self, asset: Digest, n: u32) -> String {
        format!("{}asset/{asset}/{n}", self.prefix)
    }

    /// The filters of a controller's main connection.
    pub fn main_filters(&self, controller: &ControllerId) -> Vec<String> {
        let mut filters = vec![self.trust(), format!("{}a/+/emergency", self.prefix)];
        filters.extend(DOWN.iter().map(|(down, _)| self.down(controller, *down)));
        filters
    }

    /// The filter of a controller's bulk connection for one recording.
    pub fn asset_filter(&self, asset: Digest) -> String {
        format!("{}asset/{asset}/+", self.prefix)
    }

    /// The filters of the server.
    pub fn server_filters(&self) -> Vec<String> {
        UP.iter().map(|(_, word)| format!("{}c/+/{word}", self.prefix)).collect()
    }

    /// Reads a topic; `None` for one that is not of this network and protocol.
    pub fn parse(&self, topic: &str) -> Option<Topic> {
        let rest = topic.strip_prefix(&self.prefix)?;
        let levels: Vec<&str> = rest.split('/').collect();
        match levels[..] {
            ["trust"] => Some(Topic::Trust),
            ["c", controller, word] => controller_topic(controller.parse().ok()?, word),
            ["a", area, "emergency"] => Some(Topic::AreaEmergency(area.parse().ok()?)),
            ["asset", digest, "info"] => Some(Topic::Info(digest.parse().ok()?)),
            ["asset", digest, n] => Some(Topic::Block(digest.parse().ok()?, block(n)?)),
            _ => None,
        }
    }
}

/// A block's number, which has one spelling.
fn block(text: &str) -> Option<u32> {
    text.parse().ok().filter(|n: &u32| n.to_string() == text)
}

fn controller_topic(controller: ControllerId, word: &str) -> Option<Topic> {
    if let Some((down, _)) = DOWN.iter().find(|(_, name)| *name == word) {
        return Some(Topic::Down(controller, *down));
    }
    let (up, _) = UP.iter().find(|(_, name)| *name == word)?;
    Some(Topic::Up(controller, *up))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_reads_back() {
        let topics = Topics::new(&"laichau".parse().unwrap());
        let controller: ControllerId = "mu-ca-1".parse().unwrap();
        let asset = Digest::of(b"x");
        let mut cases = vec![
            (topics.trust(), Topic::Trust),
            (topics.info(asset), Topic::Info(asset)),
            (topics.block(asset, 7), Topic::Block(asset, 7)),
        ];
        for (down, _) in DOWN {
            cases.push((topics.down(&controller, down), Topic::Down(controller.clone(), down)));
        }
        for (up, _) in UP {
            cases.push((topics.up(&controller, up), Topic::Up(controller.clone(), up)));
        }
        for (text, topic) in cases {
            assert_eq!(topics.parse(&text), Some(topic), "{text}");
        }
    }

    #[test]
    fn a_block_has_one_topic() {
        let topics = Topics::new(&"laichau".parse().unwrap());
        let block = topics.block(Digest::of(b"x"), 7);
        for second in [block.replace("/7", "/07"), block.replace("/7", "/+7")] {
            assert_eq!(topics.parse(&second), None, "{second}");
        }
    }

    #[test]
    fn a_topic_of_another_network_or_protocol_is_none() {
        let topics = Topics::new(&"laichau".parse().unwrap());
        for bad in ["loaban/1/dienbien/trust", "loaban/2/laichau/trust", "loaban/1/laichau/c/A/ack"]
        {
            assert_eq!(topics.parse(bad), None, "{bad}");
        }
    }
}
