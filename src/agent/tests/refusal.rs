//! What a controller does not take, and what it never lets sound.

use super::*;

#[test]
fn nothing_plays_that_no_approver_signed() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &schedule());
    pole.wait(400);
    assert!(pole.played.is_empty());
    assert_eq!(pole.outcomes(), [(Outcome::Skipped, Some(Cause::Missing))]);
    assert!(pole.refusals()[0].contains("no signature by a key that may sign this"));
}

#[test]
fn a_block_that_was_swapped_is_refused_and_nothing_plays() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    let asset = Digest::of(&sound("vi"));
    let note = lan().sign(&encode(&"x".parse().unwrap(), &descriptor("vi")));
    pole.message(&format!("asset/{asset}/info"), note);
    pole.message(&format!("asset/{asset}/0"), sound("hni")[..16_384].to_vec());
    pole.wait(400);
    assert!(pole.played.is_empty());
    assert!(pole.refusals()[0].contains("block 0"), "{:?}", pole.refusals());
}

#[test]
fn an_item_of_an_expired_bulletin_is_never_heard() {
    let mut pole = Pole::new();
    let mut late = manifest(7, 10, &["vi"]);
    late.airings[0].at = Timestamp::from_seconds(START + 6 * 86_400);
    late.airings[0].latest = late.airings[0].at;
    pole.hold(&late);
    let mut short = descriptor("vi");
    short.valid_until = Timestamp::from_seconds(START + 86_400);
    let note = lan().sign(&encode(&"x".parse().unwrap(), &short));
    let asset = short.asset;
    pole.message(&format!("asset/{asset}/info"), note);
    for (n, block) in sound("vi").chunks(16_384).enumerate() {
        pole.message(&format!("asset/{asset}/{n}"), block);
    }
    pole.now.utc = late.airings[0].at;
    pole.now.up = Uptime::at(Duration::from_hours(144));
    pole.give(Input::Tick);
    assert!(pole.played.is_empty());
    assert_eq!(pole.outcomes(), [(Outcome::Skipped, Some(Cause::Expired))]);
}

#[test]
fn a_withdrawn_recording_is_forgotten_and_never_heard() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    let mut next = manifest(8, 10, &["vi"]);
    next.withdrawn = vec![Digest::of(&sound("vi"))];
    pole.hold(&next);
    pole.wait(400);
    assert!(pole.played.is_empty());
}

#[test]
fn an_older_manifest_is_refused_with_a_receipt() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.hold(&manifest(6, 10, &["hni"]));
    assert_eq!(pole.agent.manifest().unwrap().number, 7);
    assert!(pole.refusals()[0].contains("not newer"), "{:?}", pole.refusals());
}

#[test]
fn a_manifest_signed_by_an_approver_is_refused() {
    let mut pole = Pole::new();
    let note = lan().sign(&encode(&"x".parse().unwrap(), &manifest(7, 10, &["vi"])));
    pole.message("c/c-1/manifest", note);
    assert!(pole.agent.manifest().is_none());
    assert_eq!(pole.refusals().len(), 1);
}

#[test]
fn a_flood_of_forgeries_fills_no_storage() {
    let mut pole = Pole::new();
    for n in 0..200 {
        pole.message("c/c-1/manifest", format!("forgery {n}"));
        pole.message(&format!("asset/{}/info", Digest::of(&[n])), "forgery");
    }
    assert!(pole.refusals().len() <= 20);
}

#[test]
fn an_order_is_carried_out_once_and_only_while_it_is_fresh() {
    let mut pole = Pole::new();
    let order = |number, after: i64| {
        let issued = Timestamp::from_seconds(START + after);
        let order = Order {
            controller: "c-1".parse().unwrap(),
            number,
            issued,
            expires: issued + Duration::from_mins(5),
            command: OrderCommand::Volume { percent: 40 },
        };
        schedule().sign(&encode(&"x".parse().unwrap(), &order))
    };
    let done = |pole: &Pole| {
        let orders = pole.receipts().into_iter();
        orders.filter(|r| matches!(r.event, Event::Order { .. })).count()
    };
    pole.message("c/c-1/order", order(5, 0));
    pole.message("c/c-1/order", order(5, 0));
    pole.message("c/c-1/order", order(4, 0));
    pole.message("c/c-1/order", order(6, -600));
    assert_eq!(done(&pole), 1);
    assert_eq!(pole.refusals().len(), 3);
}

#[test]
fn a_message_on_another_controllers_topic_changes_nothing() {
    let mut pole = Pole::new();
    let mut other = manifest(7, 10, &["vi"]);
    other.controller = "c-2".parse().unwrap();
    pole.hold(&other);
    assert!(pole.agent.manifest().is_none());
    let topics = Topics::new(&"x".parse().unwrap());
    let topic = topics.down(&"c-2".parse().unwrap(), Down::Manifest);
    pole.give(Input::Message { topic, payload: b"x".to_vec() });
    assert_eq!(pole.refusals().len(), 2);
}

#[test]
fn the_length_that_counts_is_the_one_that_the_approver_signed() {
    let mut pole = Pole::new();
    let mut short = manifest(7, 10, &["vi"]);
    short.airings[0].items[0].length_ms = 1;
    pole.hold(&short);
    pole.deliver("vi", &lan());
    pole.wait(400);
    assert!(pole.played.is_empty());
}

#[test]
fn an_airing_stops_when_what_it_plays_is_withdrawn() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.wait(11);
    let mut next = manifest(8, 10, &["vi"]);
    next.withdrawn = vec![Digest::of(&sound("vi"))];
    pole.hold(&next);
    assert_eq!(pole.plays, None);
    assert_eq!(pole.outcomes(), [(Outcome::Interrupted, Some(Cause::Refused))]);
}

#[test]
fn a_provisioned_trust_document_that_the_anchors_did_not_sign_is_refused() {
    let stranger = key(Role::Root, "1", 99);
    let text = trust_note();
    let text = &text[..=text.rfind("\n\n").unwrap()];
    let mut document: TrustDocument = decode(&"x".parse().unwrap(), text).unwrap();
    (document.version, document.roots) = (2, vec![stranger.public()]);
    let note = stranger.sign(&encode(&"x".parse().unwrap(), &document));
    let settings = settings(open_policy(), true);
    let restored = Restored { trust: Some(note), provisioned: true, ..Restored::default() };
    let now = Now { utc: Timestamp::from_seconds(START), up: Uptime::START };
    let refused = Agent::start(settings, key(Role::Device, "c-1", 9), restored, now);
    assert!(matches!(refused, Err(StartError::BadTrust(_))));
}

#[test]
fn a_manifest_that_the_broker_withholds_is_told() {
    let mut pole = Pole::with(open_policy(), false);
    pole.hold(&manifest(7, 7_200, &["vi"]));
    for round in 0..2 {
        let ask: ClockAsk = pole.said(Up::Clock).pop().unwrap();
        let at = Timestamp::from_seconds(START + round * 3_600);
        let (controller, nonce, t1) = (ask.controller, ask.nonce, ask.t1);
        let answer =
            ClockAnswer { controller, nonce, t1, t2: at, t3: at, manifest: 9, emergency: 0 };
        let note = key(Role::Time, "1", 4).sign(&encode(&"x".parse().unwrap(), &answer));
        pole.message("c/c-1/time", note);
        pole.wait(3_601);
    }
    assert!(pole.refusals()[0].contains("withholds"), "{:?}", pole.refusals());
}

/// Delivers a recording under a descriptor that was changed before it was signed.
fn deliver_changed(pole: &mut Pole, change: impl FnOnce(&mut Descriptor)) {
    let mut changed = descriptor("vi");
    change(&mut changed);
    let (asset, net) = (changed.asset, "x".parse().unwrap());
    pole.message(&format!("asset/{asset}/info"), lan().sign(&encode(&net, &changed)));
    for (n, block) in sound("vi").chunks(16_384).enumerate() {
        pole.message(&format!("asset/{asset}/{n}"), block);
    }
}

#[test]
fn a_recording_that_is_not_valid_yet_is_never_heard() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    let later = Timestamp::from_seconds(START + 86_400);
    deliver_changed(&mut pole, |descriptor| descriptor.valid_from = later);
    pole.wait(400);
    assert!(pole.played.is_empty());
}

#[test]
fn a_recording_that_was_approved_for_elsewhere_is_never_heard() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    let elsewhere = vec!["dien-bien".parse().unwrap()];
    deliver_changed(&mut pole, |descriptor| descriptor.areas = elsewhere);
    pole.wait(400);
    assert!(pole.played.is_empty());
}

#[test]
fn a_recording_under_another_bulletins_name_is_never_heard() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    deliver_changed(&mut pole, |descriptor| descriptor.bulletin = "khac".parse().unwrap());
    pole.wait(400);
    assert!(pole.played.is_empty());
}

/// The trust document that follows the first, without the keys that `leaves` names.
fn next_trust(leaves: &Signer) -> String {
    let net: NetId = "x".parse().unwrap();
    let first = trust_note();
    let note = Note::parse(first.as_bytes()).unwrap();
    let mut document: TrustDocument = decode(&net, note.text()).unwrap();
    document.version += 1;
    document.keys.retain(|grant| grant.key != leaves.public());
    key(Role::Root, "1", 1).sign(&encode(&net, &document))
}

#[test]
fn what_a_revoked_approver_signed_is_heard_no_more() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.message("trust", next_trust(&lan()));
    pole.wait(400);
    assert!(pole.played.is_empty());
}

#[test]
fn what_plays_stops_when_its_approver_is_revoked() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.wait(11);
    assert!(pole.plays.is_some());
    pole.message("trust", next_trust(&lan()));
    assert_eq!(pole.plays, None);
    assert_eq!(pole.outcomes(), [(Outcome::Interrupted, Some(Cause::Refused))]);
}

#[test]
fn a_battery_that_died_is_no_clock() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.now.utc = Timestamp::EPOCH;
    let receipts = pole.receipts().len();
    pole.power_cut(Duration::from_mins(1));
    pole.wait(60);
    assert_eq!(pole.receipts().len(), receipts, "no time, no receipt");
    assert!(pole.played.is_empty());
}

#[test]
fn an_older_manifest_is_refused_though_the_newer_was_damaged() {
    let mut pole = Pole::new();
    let newest = manifest(7, 10, &["vi"]);
    pole.hold(&newest);
    pole.stored.manifest = Some("damaged".to_owned());
    pole.power_cut(Duration::from_secs(1));
    pole.hold(&manifest(6, 10, &["hni"]));
    assert!(pole.agent.manifest().is_none());
    pole.hold(&newest);
    assert_eq!(pole.agent.manifest(), Some(&newest));
}

#[test]
fn an_airing_whose_schedule_came_too_late_was_missing() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 86_400, &["vi"]));
    pole.deliver("vi", &lan());
    pole.wait(400);
    pole.hold(&manifest(8, 10, &["vi"]));
    assert_eq!(pole.outcomes(), [(Outcome::Skipped, Some(Cause::Missing))]);
}

#[test]
fn a_manifest_whose_key_was_revoked_begins_nothing_and_its_recordings_stay() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.message("trust", next_trust(&schedule()));
    pole.wait(60);
    assert!(pole.played.is_empty());
    assert!(pole.agent.is_stocked());
    pole.power_cut(Duration::from_secs(5));
    pole.wait(60);
    assert!(pole.played.is_empty());
}

#[test]
fn a_recording_whose_approval_was_revoked_and_not_renewed_is_told_as_missing() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 10, &["vi"]));
    pole.deliver("vi", &lan());
    pole.message("trust", next_trust(&lan()));
    pole.wait(400);
    assert_eq!(pole.outcomes(), [(Outcome::Skipped, Some(Cause::Missing))]);
}

#[test]
fn a_refusal_of_before_the_clock_is_trusted_is_told_after() {
    let mut pole = Pole::with(open_policy(), false);
    pole.message("c/c-1/manifest", "nonsense");
    assert!(pole.refusals().is_empty());
    let ask: ClockAsk = pole.said(Up::Clock).pop().unwrap();
    let at = Timestamp::from_seconds(START);
    let (controller, nonce, t1) = (ask.controller, ask.nonce, ask.t1);
    let answer = ClockAnswer { controller, nonce, t1, t2: at, t3: at, manifest: 0, emergency: 0 };
    pole.message(
        "c/c-1/time",
        key(Role::Time, "1", 4).sign(&encode(&"x".parse().unwrap(), &answer)),
    );
    assert!(pole.refusals()[0].contains("not a signed note"), "{:?}", pole.refusals());
    assert!(matches!(pole.receipts()[0].event, Event::Boot { .. }));
}

#[test]
fn a_renewed_approval_is_asked_for_and_lets_the_recording_sound() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 7_200, &["vi"]));
    let soon = Timestamp::from_seconds(START + 5);
    deliver_changed(&mut pole, |descriptor| descriptor.valid_until = soon);
    pole.hold(&manifest(8, 30, &["vi"]));
    pole.wait(1);
    let asked = pole.said::<crate::protocol::Want>(Up::Want).pop().unwrap();
    assert_eq!((asked.info, asked.missing.as_str()), (true, ""), "no block is fetched again");
    let note = lan().sign(&encode(&"x".parse().unwrap(), &descriptor("vi")));
    pole.message(&format!("asset/{}/info", descriptor("vi").asset), note);
    pole.wait(31);
    assert_eq!(pole.played.len(), 1);
}

#[test]
fn a_descriptor_that_covers_too_little_is_asked_for_a_few_times_only() {
    let mut pole = Pole::new();
    pole.hold(&manifest(7, 7_200, &["vi"]));
    let soon = Timestamp::from_seconds(START + 5);
    deliver_changed(&mut pole, |descriptor| descriptor.valid_until = soon);
    let before = pole.said::<crate::protocol::Want>(Up::Want).len();
    pole.hold(&manifest(8, 7_000, &["vi"]));
    pole.wait(3_600);
    assert_eq!(pole.said::<crate::protocol::Want>(Up::Want).len() - before, 5);
}
