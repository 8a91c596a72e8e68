//! Who may connect, write and read: the access rules, pure.
//!
//! **Default deny.** A controller writes its own four topics and reads its own documents and what is
//! meant for all; the server writes the rest and reads what controllers send. A filter is allowed only
//! if it has one of the shapes listed here, so `#` never is: a filter that nobody foresaw is refused
//! even if everything it matches would be readable.
//!
//! What brokers cannot know is not here: which area lies above which controller is in the signed
//! manifest, so every controller may read every area's emergency.

/// The user name of the server.
pub(super) const SERVER: &str = "server";
/// What the further client ids of the server begin with.
const SERVER_TOO: &str = "server-";
/// What follows the id of a controller in the client id of its second connection.
const BULK: &str = "-bulk";
/// What a controller may send, under `c/{c}/`.
pub(super) const UP: [&str; 4] = ["want", "receipts", "status", "clock"];
/// What the server sends to one controller, under `c/{c}/`.
pub(super) const DOWN: [&str; 6] = ["manifest", "order", "emergency", "trust", "ack", "time"];

/// Who a connection belongs to, by its user name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client<'a> {
    /// The one server.
    Server,
    /// A controller, by its id.
    Controller(&'a str),
}

impl<'a> Client<'a> {
    /// Reads a user name: `server` is the server, any other name that fits into one topic level is a controller.
    ///
    /// A name that begins with `server-` or ends in `-bulk` is nobody's: as a client id it would be that of
    /// a connection of the server, or of the second connection of another controller.
    #[must_use]
    pub fn parse(user: &'a str) -> Option<Self> {
        match user {
            SERVER => Some(Self::Server),
            id if is_name(id) && !id.starts_with(SERVER_TOO) && !id.ends_with(BULK) => {
                Some(Self::Controller(id))
            }
            _ => None,
        }
    }
}

/// The net cannot be part of a topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot name a net: use 1 to 64 letters a-z, digits, `-`, `_` or `.`, e.g. laichau")]
pub struct BadNet(String);

/// The access rules of one net.
#[derive(Debug, Clone)]
pub struct Rules {
    prefix: String,
}

impl Rules {
    /// The rules for the topics under `loaban/1/{net}/`.
    ///
    /// # Errors
    /// If `net` does not fit into one topic level.
    pub fn new(net: &str) -> Result<Self, BadNet> {
        if !is_name(net) {
            return Err(BadNet(net.to_owned()));
        }
        Ok(Self { prefix: format!("loaban/1/{net}/") })
    }

    /// What every topic of this net begins with, slash included.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// May `user` connect with this client id? The password is not looked at here.
    ///
    /// A broker ends the older of two connections with one client id, so a controller that could take
    /// another's could keep it silent.
    #[must_use]
    #[expect(clippy::unused_self, reason = "the rules of every network are asked the same way")]
    pub fn may_connect(&self, user: &str, client_id: &str) -> bool {
        match Client::parse(user) {
            Some(Client::Server) => {
                client_id == SERVER || client_id.strip_prefix(SERVER_TOO).is_some_and(is_name)
            }
            Some(Client::Controller(id)) => client_id.strip_suffix(BULK).unwrap_or(client_id) == id,
            None => false,
        }
    }

    /// May `user` write to `topic`?
    #[must_use]
    pub fn may_publish(&self, user: &str, topic: &str) -> bool {
        self.split(user, topic).is_some_and(|(client, levels)| match client {
            Client::Server => is_down(&levels),
            Client::Controller(id) => {
                matches!(levels[..], ["c", c, leaf] if c == id && UP.contains(&leaf))
            }
        })
    }

    /// May `user` read what matches `filter`?
    #[must_use]
    pub fn may_subscribe(&self, user: &str, filter: &str) -> bool {
        self.split(user, filter).is_some_and(|(client, levels)| match client {
            Client::Server => {
                matches!(levels[..], ["c", c, leaf] if is_one_or_all(c) && UP.contains(&leaf))
            }
            Client::Controller(id) => is_readable_by(id, &levels),
        })
    }

    /// The client, and the levels of the topic below the prefix.
    fn split<'a>(&self, user: &'a str, topic: &'a str) -> Option<(Client<'a>, Vec<&'a str>)> {
        let rest = topic.strip_prefix(&self.prefix)?;
        Some((Client::parse(user)?, rest.split('/').collect()))
    }
}

/// Is this a topic that the server sends on?
fn is_down(levels: &[&str]) -> bool {
    match *levels {
        ["trust"] => true,
        ["c", controller, leaf] => is_name(controller) && DOWN.contains(&leaf),
        ["a", area, "emergency"] => is_name(area),
        ["asset", digest, part] => is_digest(digest) && (part == "info" || is_block(part)),
        _ => false,
    }
}

/// Is this a filter that the controller `id` may subscribe to?
fn is_readable_by(id: &str, levels: &[&str]) -> bool {
    match *levels {
        ["trust"] | ["asset", "+", "info"] => true,
        ["c", controller, leaf] => controller == id && DOWN.contains(&leaf),
        ["a", area, "emergency"] => is_one_or_all(area),
        ["asset", digest, part] => {
            is_digest(digest) && (part == "info" || part == "+" || is_block(part))
        }
        _ => false,
    }
}

fn is_one_or_all(level: &str) -> bool {
    level == "+" || is_name(level)
}

/// Fits into one topic level, holds no wildcard, and cannot break out of a line of a rule file.
pub(super) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// A block number, at most nine digits.
fn is_block(text: &str) -> bool {
    (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules() -> Rules {
        Rules::new("laichau").unwrap()
    }

    fn digest() -> String {
        "0f".repeat(32)
    }

    fn reads(user: &str, below: &str) -> bool {
        rules().may_subscribe(user, &format!("loaban/1/laichau/{below}"))
    }

    fn writes(user: &str, below: &str) -> bool {
        rules().may_publish(user, &format!("loaban/1/laichau/{below}"))
    }

    #[test]
    fn a_net_that_is_no_topic_level_is_refused() {
        for net in ["", "a/b", "+", "#", "lai chau", "a\nb"] {
            assert!(Rules::new(net).is_err(), "{net:?}");
        }
    }

    #[test]
    fn a_controller_connects_with_its_own_id_and_its_bulk_id() {
        assert!(rules().may_connect("mt-1", "mt-1") && rules().may_connect("mt-1", "mt-1-bulk"));
    }

    #[test]
    fn a_controller_does_not_connect_as_another() {
        for id in ["mt-2", "mt-2-bulk", "mt-1-bulk-bulk", "mt-1-", "server", "", "mt-1/bulk"] {
            assert!(!rules().may_connect("mt-1", id), "{id}");
        }
    }

    #[test]
    fn the_server_connects_under_the_ids_that_begin_with_its_name() {
        assert!(
            rules().may_connect("server", "server") && rules().may_connect("server", "server-bulk")
        );
        assert!(
            !rules().may_connect("server", "server-") && !rules().may_connect("server", "mt-1")
        );
    }

    #[test]
    fn a_name_that_would_pass_for_another_connection_is_nobodys() {
        for user in ["server-1", "server-bulk", "mt-1-bulk"] {
            assert_eq!(Client::parse(user), None, "{user}");
        }
    }

    #[test]
    fn a_controller_reads_its_documents_and_what_is_for_all() {
        for leaf in DOWN {
            assert!(reads("mt-1", &format!("c/mt-1/{leaf}")), "{leaf}");
        }
        for filter in ["trust", "a/+/emergency", "a/ka-lang/emergency", "asset/+/info"] {
            assert!(reads("mt-1", filter), "{filter}");
        }
        for part in ["info", "+", "17"] {
            assert!(reads("mt-1", &format!("asset/{}/{part}", digest())), "{part}");
        }
    }

    #[test]
    fn a_controller_reads_nothing_of_another() {
        for filter in
            ["c/mt-2/manifest", "c/+/manifest", "c/mt-2/status", "c/mt-1/status", "c/mt-1/+"]
        {
            assert!(!reads("mt-1", filter), "{filter}");
        }
    }

    #[test]
    fn a_wide_filter_is_denied() {
        for filter in [
            "#",
            "+",
            "asset/#",
            "asset/+/+",
            "asset/+/0",
            "a/#",
            "a/+/+",
            "+/+/emergency",
            "c/mt-1/#",
        ] {
            assert!(!reads("mt-1", filter) && !reads("server", filter), "{filter}");
        }
        for filter in [
            "#",
            "+/#",
            "$SYS/#",
            "loaban/#",
            "loaban/1/+/trust",
            "$share/x/loaban/1/laichau/trust",
        ] {
            assert!(!rules().may_subscribe("mt-1", filter), "{filter}");
        }
    }

    #[test]
    fn a_controller_writes_its_four_topics() {
        for leaf in UP {
            assert!(writes("mt-1", &format!("c/mt-1/{leaf}")), "{leaf}");
        }
    }

    #[test]
    fn the_server_writes_every_topic_that_goes_down() {
        for leaf in DOWN {
            assert!(writes("server", &format!("c/mt-1/{leaf}")), "{leaf}");
        }
        for topic in [
            "trust".to_owned(),
            "a/ka-lang/emergency".to_owned(),
            format!("asset/{}/info", digest()),
            format!("asset/{}/0", digest()),
        ] {
            assert!(writes("server", &topic), "{topic}");
        }
    }

    #[test]
    fn the_server_reads_what_all_controllers_or_one_of_them_send() {
        for leaf in UP {
            assert!(
                reads("server", &format!("c/+/{leaf}"))
                    && reads("server", &format!("c/mt-1/{leaf}")),
                "{leaf}"
            );
        }
    }

    #[test]
    fn the_server_does_not_speak_as_a_controller() {
        assert!(!writes("server", "c/mt-1/status") && !writes("server", "c/server/receipts"));
    }

    #[test]
    fn another_net_is_out_of_reach() {
        assert!(!rules().may_publish("server", "loaban/1/sonla/trust"));
        assert!(!rules().may_subscribe("mt-1", "loaban/1/sonla/trust"));
    }

    #[test]
    fn a_user_name_that_is_no_topic_level_may_do_nothing() {
        for user in ["", "+", "#", "a/b", "mt 1"] {
            let own = format!("c/{user}/status");
            assert!(
                !writes(user, &own) && !reads(user, "trust") && !rules().may_connect(user, user),
                "{user:?}"
            );
        }
    }

    fn level() -> impl Strategy<Value = String> {
        let known = [
            "c",
            "a",
            "asset",
            "trust",
            "mt-1",
            "mt-2",
            "status",
            "want",
            "receipts",
            "clock",
            "manifest",
            "emergency",
            "info",
            "+",
            "#",
            "",
        ];
        prop_oneof![
            proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
            Just(digest()),
            "[a-z0-9+#$/]{0,6}"
        ]
    }

    fn below() -> impl Strategy<Value = String> {
        proptest::collection::vec(level(), 1..5).prop_map(|levels| levels.join("/"))
    }

    proptest! {
        #[test]
        fn a_controller_never_writes_outside_its_four_topics(topic in below()) {
            let own = UP.map(|leaf| format!("c/mt-1/{leaf}"));
            prop_assert_eq!(writes("mt-1", &topic), own.contains(&topic));
        }

        #[test]
        fn a_filter_with_another_wildcard_than_the_allowed_ones_is_denied(filter in below()) {
            let allowed = ["a/+/emergency".to_owned(), "asset/+/info".to_owned(), format!("asset/{}/+", digest())];
            if filter.contains(['+', '#']) {
                prop_assert_eq!(reads("mt-1", &filter), allowed.contains(&filter));
            }
        }

        #[test]
        fn nobody_writes_to_a_topic_with_a_wildcard(topic in below(), user in "server|mt-1") {
            prop_assert!(!topic.contains(['+', '#']) || !writes(&user, &topic));
        }

        #[test]
        fn what_one_side_reads_of_a_controller_only_the_other_side_writes(leaf in level()) {
            let topic = format!("c/mt-1/{leaf}");
            prop_assert!(!(writes("mt-1", &topic) && writes("server", &topic)));
            prop_assert!(!(reads("mt-1", &topic) && writes("mt-1", &topic)));
        }
    }
}
