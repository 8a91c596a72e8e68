//! One contract, two databases.

use std::collections::BTreeSet;

use loaban::audit::commitment::Salt;
use loaban::bulletin::question::{Asked, Channel, Open};
use loaban::bulletin::version::{Step, Text, TextDraft, Version};
use loaban::bulletin::{Bulletin, Class, Kind, Question, SourceLevel};
use loaban::calendar::AirtimePolicy;
use loaban::digest::Digest;
use loaban::id::{ControllerId, QuestionId};
use loaban::manifest::{Item, Manifest, ManifestAiring};
use loaban::note::Signer;
use loaban::receipt::{Event, Evidence, ItemReceipt, Outcome, Receipt};
use loaban::store::{Fact, Person, Secret, Store};
use loaban::time::{Timestamp, Zone};

use crate::cast::Postgres;

/// Runs `contract` on SQLite and on PostgreSQL.
async fn on_both<F, R>(name: &str, contract: F)
where
    F: Fn(Store) -> R,
    R: Future<Output = ()>,
{
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("loaban.db").display());
    contract(Store::open(&url).await.unwrap()).await;
    let postgres = Postgres::start();
    let url = postgres.database(name);
    contract(Store::open(&url).await.unwrap()).await;
    Store::open(&url).await.expect("a second opening changes nothing").close().await;
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn controller() -> ControllerId {
    "mu-ca-1".parse().unwrap()
}

fn manifest(number: u64, issued: i64, airings: &[(u16, i64)]) -> Manifest {
    let airing = |(occurrence, begins): &(u16, i64)| ManifestAiring {
        programme: "sang".parse().unwrap(),
        date: "2026-11-22".parse().unwrap(),
        occurrence: *occurrence,
        at: at(*begins),
        latest: at(*begins + 300),
        chime: true,
        gap_ms: 500,
        volume_percent: None,
        items: vec![Item {
            bulletin: "b".parse().unwrap(),
            language: "hni".parse().unwrap(),
            asset: Digest::of(b"x"),
            length_ms: 4_000,
        }],
    };
    Manifest {
        controller: controller(),
        number,
        issued: at(issued),
        valid_until: at(issued + 86_400),
        areas: vec![],
        languages: vec![],
        zone: Zone::default(),
        policy: AirtimePolicy {
            windows: vec![],
            sessions_a_day_max: 1,
            minutes_a_session_max: 1,
            minutes_a_day_max: 1,
        },
        airings: airings.iter().map(airing).collect(),
        withdrawn: vec![],
        hold: vec![],
    }
}

async fn issue(store: &Store, manifest: &Manifest) {
    let mut tx = store.begin().await.unwrap();
    let fact = Fact::new(manifest.issued, "manifest.issued", "server", &manifest.number);
    tx.tell(&fact).await.unwrap();
    tx.issue(manifest, "note", &fact.id).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn what_is_not_committed_never_was() {
    on_both("uncommitted", |store| async move {
        let person =
            Person { id: "lan".parse().unwrap(), name: "Lan".into(), roles: String::new() };
        let mut tx = store.begin().await.unwrap();
        tx.put_person(&person).await.unwrap();
        tx.tell(&Fact::new(at(1), "person.added", "server", &"lan")).await.unwrap();
        drop(tx);
        assert_eq!(store.people().await.unwrap(), []);
        assert_eq!(store.facts_waiting(10).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn facts_wait_in_order_until_they_are_marked() {
    on_both("facts", |store| async move {
        let mut tx = store.begin().await.unwrap();
        for second in [3, 1, 2, 1] {
            tx.tell(&Fact::new(at(second), "k", "server", &second)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let waiting = store.facts_waiting(10).await.unwrap();
        let order: Vec<i64> = waiting.iter().map(|fact| fact.at.seconds()).collect();
        assert_eq!(order, [1, 2, 3], "in order, and the same fact twice is one");
        let mut tx = store.begin().await.unwrap();
        tx.logged(&waiting[0].id, 0).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.log_position().await.unwrap(), (2, Some(0)));
    })
    .await;
}

#[tokio::test]
async fn an_airing_that_a_newer_manifest_leaves_out_is_dropped_only_if_it_lay_ahead() {
    on_both("airings", |store| async move {
        issue(&store, &manifest(1, 1_000, &[(0, 900), (1, 2_000), (2, 3_000)])).await;
        issue(&store, &manifest(2, 1_500, &[(2, 3_500)])).await;
        let airings = store.airings(at(0), at(10_000)).await.unwrap();
        let seen: Vec<(u16, i64, bool)> = airings
            .iter()
            .map(|airing| (airing.key.occurrence, airing.at.seconds(), airing.dropped.is_some()))
            .collect();
        assert_eq!(seen, [(0, 900, false), (1, 2_000, true), (2, 3_500, false)]);
        let newest = store.manifests().await.unwrap();
        assert_eq!((newest.len(), newest[0].manifest.number, newest[0].logged), (1, 2, false));
    })
    .await;
}

#[tokio::test]
async fn the_first_receipt_of_an_airing_is_its_outcome_and_a_controller_speaks_for_itself_alone() {
    on_both("receipts", |store| async move {
        let fact = Fact::new(at(5), "receipts.taken", "controller:mu-ca-1", &1);
        let receipt = |n, whose: &str, outcome| Receipt {
            n,
            at: at(5),
            event: Event::Airing {
                airing: format!("sang/{whose}/2026-11-22/0").parse().unwrap(),
                manifest: 1,
                outcome,
                cause: None,
                evidence: Evidence::Rendered,
                begun: Some(at(4)),
                ended: None,
                items: vec![ItemReceipt {
                    bulletin: "b".parse().unwrap(),
                    language: "hni".parse().unwrap(),
                    asset: Digest::of(b"x"),
                    outcome,
                }],
            },
        };
        let mut tx = store.begin().await.unwrap();
        tx.tell(&fact).await.unwrap();
        for receipt in [
            receipt(1, "mu-ca-1", Outcome::Interrupted),
            receipt(1, "mu-ca-1", Outcome::Interrupted),
            receipt(2, "mu-ca-1", Outcome::Completed),
            receipt(3, "other-1", Outcome::Completed),
        ] {
            tx.put_receipt(&controller(), "ab", &receipt, &fact.id).await.unwrap();
        }
        tx.put_progress(&controller(), ("ab", 3, Digest::of(b"l")), &fact.id).await.unwrap();
        tx.commit().await.unwrap();
        let outcomes = store.outcomes("2026-11-22", "2026-11-22").await.unwrap();
        assert_eq!(outcomes.len(), 1);
        assert_eq!(outcomes[0].outcome, "interrupted");
        assert_eq!(store.receipts("airing", 10).await.unwrap().len(), 3);
        let progress = store.progress().await.unwrap();
        assert_eq!(progress, [(controller(), "ab".to_owned(), 3, Digest::of(b"l"))]);
    })
    .await;
}

#[tokio::test]
async fn a_device_keeps_its_key_when_it_gets_a_new_password() {
    on_both("devices", |store| async move {
        let key = Signer::from_seed("x/device/mu-ca-1".parse().unwrap(), &[1; 32]).public();
        let mut tx = store.begin().await.unwrap();
        assert!(!tx.enrol(&controller(), &key).await.unwrap(), "it must be provisioned first");
        tx.provision(&controller(), Digest::of(b"one")).await.unwrap();
        assert!(tx.enrol(&controller(), &key).await.unwrap());
        tx.provision(&controller(), Digest::of(b"two")).await.unwrap();
        tx.commit().await.unwrap();
        let devices = store.devices().await.unwrap();
        assert_eq!(devices[0].public_key.as_ref(), Some(&key));
        assert_eq!(devices[0].password, Digest::of(b"two"));
    })
    .await;
}

#[tokio::test]
async fn a_code_is_used_once_and_a_new_one_takes_its_place() {
    on_both("codes", |store| async move {
        let key = |seed| Signer::from_seed("x/code/mu-ca-1".parse().unwrap(), &[seed; 32]).public();
        let mut tx = store.begin().await.unwrap();
        tx.put_code(&controller(), &key(1), at(10)).await.unwrap();
        assert!(!tx.use_code(&controller(), &key(2), at(5)).await.unwrap(), "another code");
        assert!(tx.use_code(&controller(), &key(1), at(5)).await.unwrap());
        assert!(!tx.use_code(&controller(), &key(1), at(6)).await.unwrap(), "used before");
        tx.commit().await.unwrap();
        let used = store.code(&controller()).await.unwrap().unwrap().used;
        assert_eq!(used, Some(at(5)));
        let mut tx = store.begin().await.unwrap();
        tx.put_code(&controller(), &key(2), at(20)).await.unwrap();
        assert!(tx.use_code(&controller(), &key(2), at(15)).await.unwrap());
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_controller_that_fell_silent_is_shown_as_lost_however_well_it_was() {
    on_both("silence", |store| async move {
        let text = r#"{"controller":"mu-ca-1","state":"up","boot":1,"connection":1,"at":1000000,
            "software":"t","trust":1,"manifest":1,"assets_held":0,"assets_named":0,
            "withdrawn_held":[],"receipts_waiting":0,"clock_trusted":true,"clock_offset_ms":0,
            "storage_free_kib":1,"volume_percent":100}"#;
        let mut tx = store.begin().await.unwrap();
        tx.put_status(&serde_json::from_str(text).unwrap(), at(1_000)).await.unwrap();
        tx.commit().await.unwrap();
        let status = store.statuses().await.unwrap().remove(0);
        assert!(!status.is_lost(at(1_000 + 20 * 60)));
        assert!(status.is_lost(at(1_001 + 20 * 60)));
    })
    .await;
}

fn text_version(bulletin: &str, script: &str) -> Version {
    Version::Text(TextDraft::new(Text {
        bulletin: bulletin.parse().unwrap(),
        language: "vi".parse().unwrap(),
        variety: None,
        script: script.parse().unwrap(),
        contributor: None,
        translator: None,
    }))
}

fn bulletin(id: &str, title: &str) -> Bulletin {
    Bulletin {
        id: id.parse().unwrap(),
        title: title.parse().unwrap(),
        title_en: None,
        area: None,
        column: "Hỏi đáp pháp luật".parse().unwrap(),
        kind: Kind::News,
        class: Class::Normal,
        source_level: SourceLevel::Province,
        issuing_body: "Sở Tư pháp".parse().unwrap(),
        document_number: "168/2024/NĐ-CP".parse().ok(),
        topics: BTreeSet::new(),
        campaign: None,
        valid_from: at(0),
        valid_until: at(1),
    }
}

#[tokio::test]
async fn of_two_steps_from_one_state_only_the_first_is_kept() {
    on_both("steps", |store| async move {
        let (one, two) = (text_version("b", "một"), text_version("b", "hai"));
        let three = text_version("b", "ba");
        let mut tx = store.begin().await.unwrap();
        assert!(tx.put_version(None, &one).await.unwrap());
        assert!(!tx.put_version(None, &two).await.unwrap(), "it is there already");
        assert!(tx.put_version(Some(&one), &two).await.unwrap());
        assert!(!tx.put_version(Some(&one), &three).await.unwrap(), "it was changed meanwhile");
        tx.commit().await.unwrap();
        assert_eq!(store.versions().await.unwrap(), [two]);
    })
    .await;
}

#[tokio::test]
async fn bulletins_are_found_by_folded_words_of_what_they_say_now() {
    on_both("search", |store| async move {
        let mut tx = store.begin().await.unwrap();
        let old = text_version("b", "mưa lũ");
        tx.put_bulletin(&bulletin("b", "Sạt lở")).await.unwrap();
        tx.put_bulletin(&bulletin("c", "Đất đai")).await.unwrap();
        tx.put_version(None, &old).await.unwrap();
        tx.put_version(Some(&old), &text_version("b", "hạn hán")).await.unwrap();
        tx.put_bulletin(&bulletin("b", "Cháy rừng")).await.unwrap();
        tx.commit().await.unwrap();
        let found = async |word: &str| {
            let ids = store.bulletins_with(word).await.unwrap();
            ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        for (word, ids) in
            [("rung", "b"), ("han", "b"), ("dai", "c"), ("168", "b c"), ("lo", ""), ("mua", "")]
        {
            assert_eq!(found(word).await, ids, "{word}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_question_keeps_who_asked_apart() {
    on_both("questions", |store| async move {
        let id: QuestionId = "hoi-1".parse().unwrap();
        let step = Step { by: "hoa".parse().unwrap(), at: at(7) };
        let asked = Asked {
            id: id.clone(),
            channel: Channel::Phone,
            village: "mu-ca".parse().unwrap(),
            language: "hni".parse().unwrap(),
            topic: None,
            text: "Làm sổ đỏ ở đâu?".parse().unwrap(),
            taken: step.clone(),
        };
        let open = Question::Open(Open::new(asked.clone()));
        let answer = Open::new(asked).answer("Ở xã.".parse().unwrap(), step.by, at(8));
        let answered = Question::Answered(answer);
        let secret =
            Secret { part: "asker", salt: Salt::from_random([7; 32]), body: "Páo".to_owned() };
        let mut tx = store.begin().await.unwrap();
        assert!(tx.put_question(None, &open).await.unwrap());
        tx.put_secret(&id, &secret).await.unwrap();
        assert!(tx.put_question(Some(&open), &answered).await.unwrap());
        assert!(!tx.put_question(Some(&open), &answered).await.unwrap(), "changed meanwhile");
        tx.commit().await.unwrap();
        assert_eq!(store.questions().await.unwrap(), [answered]);
        assert_eq!(store.asker(&id).await.unwrap().as_deref(), Some("Páo"));
    })
    .await;
}

#[tokio::test]
async fn a_withdrawal_is_told_by_the_first_manifest_that_names_it() {
    on_both("reach", |store| async move {
        let asset = Digest::of(b"x");
        issue(&store, &manifest(1_000, 1_000, &[(0, 2_000)])).await;
        assert_eq!(store.told_to_drop(asset, at(500)).await.unwrap().len(), 0);
        for number in [1_500, 1_600] {
            let mut telling = manifest(number, 1_500, &[]);
            telling.withdrawn = vec![Digest::of(b"y"), asset];
            issue(&store, &telling).await;
        }
        let told = store.told_to_drop(asset, at(1_200)).await.unwrap();
        assert_eq!(told, [(controller(), 1_500)].into());
        assert_eq!(store.told_to_play(asset, at(0)).await.unwrap(), [controller()].into());
        assert_eq!(store.told_to_play(asset, at(2_001)).await.unwrap().len(), 0);
        assert_eq!(store.told_to_play(Digest::of(b"y"), at(0)).await.unwrap().len(), 0);
    })
    .await;
}
