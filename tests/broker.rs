//! What the server and a controller may rely on from any broker, run on the embedded broker and on a real
//! Mosquitto; and what our link does when the network is bad.
#![cfg(feature = "server")]

#[path = "broker/stand.rs"]
mod stand;
#[path = "broker/tls.rs"]
mod tls;

use std::time::Duration;

use loaban::broker::{LinkError, LinkEvent, LinkOptions, Qos, Relay};
use stand::{Deaf, Member, Stand, options, topic, will};

/// Runs each claim on both brokers.
macro_rules! contract {
    ($($claim:ident)*) => {
        mod embedded {
            $(#[tokio::test] async fn $claim() { super::$claim(super::Stand::embedded().await).await; })*
        }
        mod mosquitto {
            $(#[tokio::test] async fn $claim() { super::$claim(super::Stand::mosquitto().await).await; })*
        }
    };
}

contract! {
    a_controller_with_its_password_comes_in
    a_wrong_password_is_refused_with_a_sentence_that_names_the_user
    a_user_nobody_knows_is_refused
    a_controller_connects_twice_under_its_two_client_ids
    a_controller_reads_its_own_manifest
    a_controller_hears_nothing_that_is_meant_for_another
    a_controller_hears_every_emergency
    the_server_hears_every_controller
    a_controller_cannot_write_the_status_of_another
    a_controller_cannot_write_its_own_manifest
    a_controller_cannot_raise_an_emergency
    a_last_will_on_the_topic_of_another_is_dropped
    a_retained_message_comes_with_the_subscription
    a_retained_message_is_cleared_by_an_empty_one
    a_persistent_session_delivers_what_was_published_in_absence
    a_block_at_most_once_is_not_queued_for_the_absent
    a_clean_session_delivers_nothing_that_was_published_in_absence
    a_controller_that_vanishes_is_reported_by_its_will
    a_controller_that_says_goodbye_leaves_no_will
    a_block_of_16_kib_passes_whole
    a_document_of_200_kib_passes_whole
    a_thousand_messages_come_in_their_order
    who_takes_no_events_can_still_send
    a_link_that_was_cut_comes_back
    a_second_connection_under_one_client_id_ends_the_first
    who_is_revoked_is_cut_off_and_does_not_come_back
}

async fn a_controller_with_its_password_comes_in(stand: Stand) {
    stand.link("mt-1").await.close().await;
}

async fn a_wrong_password_is_refused_with_a_sentence_that_names_the_user(stand: Stand) {
    let options = LinkOptions { password: "wrong".into(), ..stand.options("mt-1") };
    let reason = Member::open(options).refused().await;
    assert!(
        reason.contains("refused the login of mt-1") && reason.contains("check the password"),
        "{reason}"
    );
}

async fn a_user_nobody_knows_is_refused(stand: Stand) {
    let reason = Member::open(stand.options("mt-9")).refused().await;
    assert!(reason.contains("that the broker knows mt-9"), "{reason}");
}

async fn a_controller_connects_twice_under_its_two_client_ids(stand: Stand) {
    let mut main = stand.link("mt-1").await;
    let bulk = LinkOptions { client_id: "mt-1-bulk".into(), ..stand.options("mt-1") };
    let _bulk = Member::open(bulk).connected().await;
    main.tell("c/mt-1/status", b"both are up", false).await;
}

async fn a_controller_reads_its_own_manifest(stand: Stand) {
    let (mut server, mut controller) = (stand.link("server").await, stand.link("mt-1").await);
    assert!(controller.subscribe("c/mt-1/manifest").await);
    server.tell("c/mt-1/manifest", b"number 1", false).await;
    assert_eq!(controller.text().await, "number 1");
}

async fn a_controller_hears_nothing_that_is_meant_for_another(stand: Stand) {
    let (mut server, mut controller) = (stand.link("server").await, stand.link("mt-1").await);
    for filter in ["c/mt-2/manifest", "c/+/manifest", "#", "c/mt-1/manifest"] {
        controller.subscribe(filter).await;
    }
    server.tell("c/mt-2/manifest", b"for another", false).await;
    server.tell("c/mt-1/manifest", b"for me", false).await;
    assert_eq!(controller.text().await, "for me");
}

async fn a_controller_hears_every_emergency(stand: Stand) {
    let (mut server, mut controller) = (stand.link("server").await, stand.link("mt-1").await);
    assert!(controller.subscribe("a/+/emergency").await);
    server.tell("a/ka-lang/emergency", b"flood", false).await;
    assert_eq!(controller.message().await, (topic("a/ka-lang/emergency"), b"flood".to_vec()));
}

async fn the_server_hears_every_controller(stand: Stand) {
    let (mut server, mut controller) = (stand.link("server").await, stand.link("mt-1").await);
    assert!(server.subscribe("c/+/receipts").await);
    controller.tell("c/mt-1/receipts", b"played", false).await;
    assert_eq!(server.message().await, (topic("c/mt-1/receipts"), b"played".to_vec()));
}

/// What `liar` publishes to `forbidden` is acknowledged and then heard by nobody, not even by the server.
async fn is_dropped(
    stand: &Stand,
    liar: &str,
    forbidden: &str,
    listener: &str,
    filter: &str,
    truth: (&str, &str),
) {
    let mut liar = stand.link(liar).await;
    let mut listener_link = stand.link(listener).await;
    assert!(listener_link.subscribe(filter).await);
    liar.tell(forbidden, b"a lie", false).await;
    let (author, allowed) = truth;
    stand.link(author).await.tell(allowed, b"the truth", false).await;
    assert_eq!(listener_link.text().await, "the truth");
}

async fn a_controller_cannot_write_the_status_of_another(stand: Stand) {
    is_dropped(&stand, "mt-1", "c/mt-2/status", "server", "c/+/status", ("mt-2", "c/mt-2/status"))
        .await;
}

async fn a_controller_cannot_write_its_own_manifest(stand: Stand) {
    is_dropped(
        &stand,
        "mt-2",
        "c/mt-1/manifest",
        "mt-1",
        "c/mt-1/manifest",
        ("server", "c/mt-1/manifest"),
    )
    .await;
}

async fn a_controller_cannot_raise_an_emergency(stand: Stand) {
    is_dropped(
        &stand,
        "mt-2",
        "a/ka-lang/emergency",
        "mt-1",
        "a/+/emergency",
        ("server", "a/ka-lang/emergency"),
    )
    .await;
}

async fn a_last_will_on_the_topic_of_another_is_dropped(stand: Stand) {
    let relay = Relay::start(stand.address()).await.expect("a relay");
    let mut server = stand.link("server").await;
    server.subscribe("c/+/status").await;
    let liar = LinkOptions { will: Some(will("mt-2")), ..options("mt-1", relay.address()) };
    let mut liar = Member::open(liar).connected().await;
    relay.cut();
    liar.down().await;
    stand.link("mt-2").await.tell("c/mt-2/status", b"alive", false).await;
    assert_eq!(server.text().await, "alive");
}

async fn a_retained_message_comes_with_the_subscription(stand: Stand) {
    stand.link("server").await.tell("c/mt-1/manifest", b"number 1", true).await;
    let mut controller = stand.link("mt-1").await;
    controller.0.subscribe(&[topic("c/mt-1/manifest")]).await.expect("a link that is up");
    let kept = LinkEvent::Message {
        topic: topic("c/mt-1/manifest"),
        payload: b"number 1".to_vec(),
        retained: true,
    };
    controller.event("the retained manifest", |event| (event == kept).then_some(())).await;
}

async fn a_retained_message_is_cleared_by_an_empty_one(stand: Stand) {
    let mut server = stand.link("server").await;
    server.tell("c/mt-1/manifest", b"number 1", true).await;
    server.tell("c/mt-1/manifest", b"", true).await;
    let mut controller = stand.link("mt-1").await;
    controller.0.subscribe(&[topic("c/mt-1/manifest")]).await.expect("a link that is up");
    server.tell("c/mt-1/manifest", b"number 2", false).await;
    server.tell("c/mt-1/manifest", b"number 2", false).await;
    assert_eq!(controller.text().await, "number 2");
}

fn persistent(stand: &Stand) -> LinkOptions {
    LinkOptions { clean_session: false, ..stand.options("mt-1") }
}

async fn a_persistent_session_delivers_what_was_published_in_absence(stand: Stand) {
    let mut controller = Member::open(persistent(&stand)).connected().await;
    assert!(controller.subscribe("c/mt-1/order").await);
    controller.close().await;
    stand.link("server").await.tell("c/mt-1/order", b"stop", false).await;
    let mut controller = Member::open(persistent(&stand));
    assert!(controller.up().await, "the session was not kept");
    assert_eq!(controller.text().await, "stop");
}

async fn a_block_at_most_once_is_not_queued_for_the_absent(stand: Stand) {
    let mut controller = Member::open(persistent(&stand)).connected().await;
    assert!(controller.subscribe("c/mt-1/order").await);
    controller.close().await;
    let mut server = stand.link("server").await;
    server.send("c/mt-1/order", b"at most once", Qos::AtMostOnce, false).await;
    server.tell("c/mt-1/order", b"at least once", false).await;
    let mut controller = Member::open(persistent(&stand)).connected().await;
    assert_eq!(controller.text().await, "at least once");
}

async fn a_clean_session_delivers_nothing_that_was_published_in_absence(stand: Stand) {
    let mut controller = stand.link("mt-1").await;
    controller.subscribe("c/mt-1/order").await;
    controller.close().await;
    // The goodbye travels alone: the answer to a second login shows that it has arrived.
    stand.link("mt-1").await.close().await;
    let mut server = stand.link("server").await;
    server.tell("c/mt-1/order", b"too early", false).await;
    let mut controller = stand.link("mt-1").await;
    controller.subscribe("c/mt-1/order").await;
    server.tell("c/mt-1/order", b"in time", false).await;
    assert_eq!(controller.text().await, "in time");
}

async fn a_controller_that_vanishes_is_reported_by_its_will(stand: Stand) {
    let relay = Relay::start(stand.address()).await.expect("a relay");
    let mut server = stand.link("server").await;
    server.subscribe("c/+/status").await;
    let _controller =
        Member::open(LinkOptions { will: Some(will("mt-1")), ..options("mt-1", relay.address()) })
            .connected()
            .await;
    relay.cut();
    assert_eq!(server.message().await, (topic("c/mt-1/status"), b"lost".to_vec()));
}

async fn a_controller_that_says_goodbye_leaves_no_will(stand: Stand) {
    let mut server = stand.link("server").await;
    server.subscribe("c/+/status").await;
    let leaving = LinkOptions { will: Some(will("mt-1")), ..stand.options("mt-1") };
    Member::open(leaving).connected().await.close().await;
    stand.link("mt-2").await.tell("c/mt-2/status", b"alive", false).await;
    assert_eq!(server.text().await, "alive");
}

async fn passes_whole(stand: Stand, bytes: usize) {
    let (server, mut controller) = (stand.link("server").await, stand.link("mt-1").await);
    let block = format!("asset/{}/0", "0f".repeat(32));
    controller.subscribe(&block).await;
    let payload: Vec<u8> = (0..bytes).map(|n| n.to_le_bytes()[0]).collect();
    server.send(&block, &payload, Qos::AtMostOnce, false).await;
    assert!(controller.message().await.1 == payload, "the payload came changed");
}

async fn a_block_of_16_kib_passes_whole(stand: Stand) {
    passes_whole(stand, 16 * 1024).await;
}

async fn a_document_of_200_kib_passes_whole(stand: Stand) {
    passes_whole(stand, 200 * 1024).await;
}

async fn a_thousand_messages_come_in_their_order(stand: Stand) {
    let (mut server, mut controller) = (stand.link("server").await, stand.link("mt-1").await);
    controller.subscribe("c/mt-1/order").await;
    let sender = server.0.sender();
    let sending = tokio::spawn(async move {
        for n in 0..1000 {
            let text = n.to_string().into_bytes();
            sender
                .publish(&topic("c/mt-1/order"), text, Qos::AtLeastOnce, false)
                .await
                .expect("a link that is up");
        }
    });
    let acknowledged = tokio::spawn(async move {
        for _ in 0..1000 {
            server
                .event("an acknowledgement", |event| {
                    matches!(event, LinkEvent::Published(_)).then_some(())
                })
                .await;
        }
    });
    for n in 0..1000 {
        assert_eq!(controller.text().await, n.to_string());
    }
    sending.await.expect("all were taken");
    acknowledged.await.expect("all were acknowledged");
}

async fn who_takes_no_events_can_still_send(stand: Stand) {
    let (server, mut controller) = (stand.link("server").await, stand.link("mt-1").await);
    controller.subscribe("c/mt-1/order").await;
    let sender = server.0.sender();
    // Each brings an acknowledgement, and nobody takes one.
    let sending = tokio::spawn(async move {
        for n in 0..1500 {
            let text = n.to_string().into_bytes();
            sender
                .publish(&topic("c/mt-1/order"), text, Qos::AtLeastOnce, false)
                .await
                .expect("a link that waits for nobody");
        }
    });
    for n in 0..1500 {
        assert_eq!(controller.text().await, n.to_string());
    }
    sending.await.expect("all were taken");
    drop(server);
}

async fn a_link_that_was_cut_comes_back(stand: Stand) {
    let relay = Relay::start(stand.address()).await.expect("a relay");
    let mut controller = Member::open(options("mt-1", relay.address())).connected().await;
    relay.cut();
    controller.down().await;
    relay.restore();
    controller.up().await;
    controller.tell("c/mt-1/status", b"back", false).await;
}

async fn a_second_connection_under_one_client_id_ends_the_first(stand: Stand) {
    let mut first = stand.link("mt-1").await;
    let _second = stand.link("mt-1").await;
    let reason = first.down().await;
    assert!(reason.contains("another connection uses the client id mt-1"), "{reason}");
}

async fn who_is_revoked_is_cut_off_and_does_not_come_back(stand: Stand) {
    let mut stolen = stand.link("mt-1").await;
    let mut other = stand.link("mt-2").await;
    stand.revoke("mt-1");
    stolen.down().await;
    let reason = stolen.refused().await;
    assert!(reason.contains("refused the login of mt-1"), "{reason}");
    other.tell("c/mt-2/status", b"still here", false).await;
}

#[tokio::test]
async fn a_controller_cannot_take_the_client_id_of_another_from_the_embedded_broker() {
    let stand = Stand::embedded().await;
    let thief = LinkOptions { client_id: "mt-2".into(), ..stand.options("mt-1") };
    let reason = Member::open(thief).refused().await;
    assert!(reason.contains("mt-1 may use this client id"), "{reason}");
}

#[tokio::test]
async fn the_embedded_broker_answers_a_forbidden_subscription_with_a_refusal() {
    let stand = Stand::embedded().await;
    let mut controller = stand.link("mt-1").await;
    let asked = [topic("trust"), topic("c/mt-2/manifest"), topic("asset/#")];
    controller.0.subscribe(&asked).await.expect("a link that is up");
    let denied = LinkEvent::Denied { filters: asked[1..].to_vec() };
    controller.event("the refusal of two filters", |event| (event == denied).then_some(())).await;
}

#[tokio::test]
async fn a_stopped_broker_tells_its_clients_and_frees_its_port() {
    let stand = Stand::embedded().await;
    let address = stand.address();
    let mut controller = stand.link("mt-1").await;
    stand.stop().await;
    controller.down().await;
    std::net::TcpListener::bind(address).expect("the port is free");
}

#[tokio::test]
async fn a_link_finds_a_broker_that_was_started_again_and_forgot_it() {
    let stand = Stand::embedded().await;
    let address = stand.address();
    let mut controller = Member::open(persistent(&stand)).connected().await;
    stand.stop().await;
    controller.down().await;
    let _again = Stand::embedded_on(address).await;
    assert!(!controller.up().await, "a broker in memory cannot know a session from before");
}

#[tokio::test]
async fn an_address_where_nobody_listens_gives_a_reason() {
    let reason = Member::open(options("mt-1", ([127, 0, 0, 1], 1).into())).down().await;
    assert!(reason.contains("mqtt://127.0.0.1:1 cannot be reached"), "{reason}");
}

#[tokio::test]
async fn a_link_notices_a_network_that_fell_silent() {
    let stand = Stand::embedded().await;
    let relay = Relay::start(stand.address()).await.expect("a relay");
    let impatient =
        LinkOptions { keep_alive: Duration::from_secs(1), ..options("mt-1", relay.address()) };
    let mut controller = Member::open(impatient).connected().await;
    relay.freeze();
    let reason = controller.down().await;
    assert!(reason.contains("did not answer a ping"), "{reason}");
}

#[tokio::test]
async fn a_publish_fails_at_once_while_the_link_is_down() {
    let controller = Member::open(options("mt-1", ([127, 0, 0, 1], 1).into()));
    let outcome =
        controller.0.publish(&topic("c/mt-1/status"), vec![], Qos::AtLeastOnce, false).await;
    assert_eq!(outcome, Err(LinkError::LinkDown));
}

#[tokio::test]
async fn a_publish_on_a_network_that_takes_nothing_fails_after_a_while() {
    let stand = Stand::embedded().await;
    let relay = Relay::start(stand.address()).await.expect("a relay");
    let controller = Member::open(options("mt-1", relay.address())).connected().await;
    relay.freeze();
    let mut outcome = Ok(());
    for _ in 0..2000 {
        let block = vec![0; 64 * 1024];
        outcome = controller
            .0
            .publish(&topic("c/mt-1/status"), block, Qos::AtMostOnce, false)
            .await
            .map(|_| ());
        if outcome.is_err() {
            break;
        }
    }
    assert_eq!(outcome, Err(LinkError::Busy(256)));
}

#[tokio::test]
async fn a_link_whose_writes_are_stuck_is_given_up_as_silent() {
    let stand = Stand::embedded().await;
    let relay = Relay::start(stand.address()).await.expect("a relay");
    let mut impatient =
        LinkOptions { keep_alive: Duration::from_secs(1), ..options("mt-1", relay.address()) };
    impatient.pace.queue_messages_max = 8;
    let mut controller = Member::open(impatient).connected().await;
    relay.freeze();
    let sender = controller.0.sender();
    let flood = async {
        let block = vec![0; 512 * 1024];
        while sender
            .publish(&topic("c/mt-1/status"), block.clone(), Qos::AtMostOnce, false)
            .await
            .is_ok()
        {}
    };
    let (reason, ()) = tokio::join!(controller.down(), flood);
    assert!(reason.contains("was silent"), "{reason}");
}

#[tokio::test]
async fn a_message_over_the_packet_limit_is_refused_before_it_is_sent() {
    let stand = Stand::embedded().await;
    let controller = stand.link("mt-1").await;
    let outcome = controller
        .0
        .publish(&topic("c/mt-1/status"), vec![0; 1 << 20], Qos::AtLeastOnce, false)
        .await;
    assert!(matches!(outcome, Err(LinkError::TooLarge { .. })), "{outcome:?}");
}

#[tokio::test]
async fn what_is_no_topic_or_filter_is_refused_before_it_is_sent() {
    let stand = Stand::embedded().await;
    let controller = stand.link("mt-1").await;
    let published = controller.0.publish("a/+", vec![], Qos::AtMostOnce, false).await;
    let subscribed = controller.0.subscribe(&["a/#/b".to_owned()]).await;
    assert_eq!(published, Err(LinkError::BadTopic("a/+".into())));
    assert_eq!(subscribed, Err(LinkError::BadFilter("a/#/b".into())));
}

#[tokio::test]
async fn a_link_that_is_dropped_without_a_goodbye_leaves_its_will() {
    let stand = Stand::embedded().await;
    let mut server = stand.link("server").await;
    server.subscribe("c/+/status").await;
    drop(
        Member::open(LinkOptions { will: Some(will("mt-1")), ..stand.options("mt-1") })
            .connected()
            .await,
    );
    assert_eq!(server.text().await, "lost");
}

#[tokio::test]
async fn a_client_that_reads_nothing_does_not_hold_up_the_stop() {
    let stand = Stand::embedded().await;
    let _deaf = Deaf::subscribe(&stand, "mt-1", &topic("trust")).await;
    let mut server = stand.link("server").await;
    // More than the buffers of two sockets: the broker waits in the middle of a packet.
    for _ in 0..100 {
        server.tell("trust", &vec![0; 200 * 1024], false).await;
    }
    let address = stand.address();
    stand.stop().await;
    std::net::TcpListener::bind(address).expect("the port is free");
}
