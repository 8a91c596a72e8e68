"""The rules of docs/protocol.md on the second controller, one claim a test.

    /usr/bin/python3 -B -m unittest -v test_controller      in this folder

No broker and no clock here: a station of the test's own signs documents, and time is an argument.
The whole path with real processes is in tests/whole/second.rs.
"""

import hashlib
import json
import re
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import documents
import sound
from agent import Agent
from controller import Config, code_key
from documents import DAY, SECOND, read_first_trust, text_of, zone
from note import Note, PublicKey, Refused, SigningKey
from storage import Diary

PAGE = Path(__file__).parents[2] / "docs/protocol.md"
NET = "laichau"
ME = "mu-ca-1"
NOON = 1_795_323_600 * SECOND  # 12:00 in Lai Châu
SOUND_S = 2
BLOCK = 1_024


def key(name):
    """The keys of the page's examples."""
    return SigningKey(f"{NET}/{name}", hashlib.sha256(f"loaban/1 example {NET}/{name}".encode()).digest())


def signed(typ, members, *names):
    text = text_of(typ, NET, members)
    return text + b"\n" + b"".join(key(name).line(text) for name in names)


def grant(name, role, area="lai-chau", until=2**62):
    return {"key": str(key(name).public), "role": role, "areas": [area], "until": until}


def trust(version=1, signers=("root/1",), **more):
    members = {
        "version": version, "issued": NOON, "root_threshold": 1,
        "roots": [str(key("root/1").public)], "emergency_threshold": 2,
        "keys": [
            grant("schedule/1", "schedule"), grant("time/1", "time"), grant("ack/1", "ack"),
            grant("content/dung", "content"), grant("content/xa", "content", "sin-suoi-ho"),
            grant("emergency/lan", "emergency"), grant("emergency/minh", "emergency"),
        ],
        "revoked": [], **more,
    }
    return signed("trust", members, *signers)


class Recording:
    """Bytes that stand for a recording, and their descriptor."""

    def __init__(self, language, seed):
        self.data = hashlib.shake_256(seed.encode()).digest(2_500)
        self.digest = hashlib.sha256(self.data).hexdigest()
        self.blocks = [self.data[at : at + BLOCK] for at in range(0, len(self.data), BLOCK)]
        self.members = {
            "asset": self.digest, "bulletin": "sat-lo", "language": language, "class": "normal",
            "codec": "opus", "bytes": len(self.data), "block_bytes": BLOCK,
            "blocks": [hashlib.sha256(block).hexdigest() for block in self.blocks],
            "length_ms": SOUND_S * 1_000, "areas": ["lai-chau"], "valid_from": NOON - DAY,
            "valid_until": NOON + 30 * DAY,
        }

    def item(self):
        same = ("bulletin", "language", "asset", "length_ms")
        return {member: self.members[member] for member in same}


HNI, VI = Recording("hni", "một"), Recording("vi", "hai")


class Town:
    """A controller with the station that speaks to it."""

    def __init__(self, case, clock=True):
        self.folder = Path(case.enterContext(tempfile.TemporaryDirectory()))
        case.enterContext(mock.patch.object(sound, "decode", self._decode))
        case.enterContext(mock.patch.object(Agent, "say", lambda _, sentence: None))
        self.windows = [{"days": [1, 2, 3, 4, 5, 6, 7], "from": 0, "until": 86_400}]
        self.time, self.number = 1_000.0, 0
        self.sent, self.watched, self.agent = [], set(), None
        self.start()
        if clock:
            self.trust_clock()

    @staticmethod
    def _decode(_path):
        return sound.silence(SOUND_S * 1_000)

    def start(self):
        """The process begins, as after a power cut."""
        if self.agent and self.agent.stage.player:
            self.agent.stage.player.close()
        (self.folder / "played").mkdir(exist_ok=True)
        root = key("root/1").public
        config = Config(
            net=NET, controller=ME, host="", port=0, password="", tls=None, state=self.folder,
            folder=self.folder / "played", trust=trust(), roots=[root], root_threshold=1,
            windows=self.windows, zone=zone("Asia/Ho_Chi_Minh"), rtc=False, reconnect_max_s=60,
        )
        diary = Diary(self.folder / "diary.jsonl")
        diary.compact(0)
        diary.keep({"do": "boot", "boot": diary.boot + 1})
        document = read_first_trust(config.trust, NET, [root], 1)
        device = key(f"device/{ME}")
        self.agent = Agent(config, device, document, diary, self, uptime=lambda: self.time)
        self.agent.link_up()

    # What the agent asks of its links.

    def publish(self, topic, payload, _retain):
        note = Note.parse(payload)
        note.demand([key(f"device/{ME}").public], 1, "the device")
        self.sent.append((topic, json.loads(note.text)))
        return True

    def watch(self, digests):
        for digest in digests - self.watched:
            self.agent.fetcher.questions[digest].subscribed = True
        self.watched = set(digests)

    # What the station says.

    @property
    def now(self):
        return NOON + round((self.time - 1_000) * SECOND)

    def says(self, topic, payload):
        self.agent.message(f"loaban/1/{NET}/{topic}", payload)

    def trust_clock(self):
        self.agent.tick()
        asked = self.last("clock")
        answer = {
            "controller": ME, "nonce": asked["nonce"], "t1": asked["t1"], "t2": self.now,
            "t3": self.now, "manifest": 0, "emergency": 0,
        }
        self.says(f"c/{ME}/time", signed("time", answer, "time/1"))

    def manifest(self, *items, at=60, latest=300, signer="schedule/1", **more):
        self.number += 1
        airing = {
            "programme": "sang", "date": "2026-11-22", "occurrence": 0, "chime": False,
            "at": NOON + at * SECOND, "latest": NOON + latest * SECOND, "gap_ms": 300,
            "items": [recording.item() for recording in items],
        }
        members = {
            "controller": ME, "number": self.number, "issued": NOON, "valid_until": NOON + 7 * DAY,
            "areas": ["lai-chau", "mu-ca"], "languages": ["hni", "vi"],
            "zone": "Asia/Ho_Chi_Minh",
            "policy": {
                "windows": [{"days": [1, 2, 3, 4, 5, 6, 7], "from": "00:00", "until": "24:00"}],
                "sessions_a_day_max": 4, "minutes_a_session_max": 30, "minutes_a_day_max": 60,
            },
            "airings": [airing] if items else [], "withdrawn": [], **more,
        }
        self.says(f"c/{ME}/manifest", signed("manifest", members, signer))

    def describe(self, recording, signer="content/dung", **more):
        members = {**recording.members, **more}
        self.says(f"asset/{recording.digest}/info", signed("asset", members, signer))

    def deliver(self, *recordings):
        for recording in recordings:
            self.describe(recording)
            for n, block in enumerate(recording.blocks):
                self.says(f"asset/{recording.digest}/{n}", block)

    def emergency(self, *recordings, name="lu-quet", lasts=3_600, repeat=1, officers=("lan", "minh"),
                  areas=("mu-ca",), topic="a/mu-ca/emergency", cancel=False):
        sounds = [{"language": r.members["language"], "asset": r.digest} for r in recordings]
        action = {"do": "play", "sounds": sounds, "repeat": repeat, "gap_ms": 500}
        members = {
            "id": name, "sequence": 7, "issued": self.now, "expires": self.now + lasts * SECOND,
            "areas": list(areas), "action": {"do": "cancel"} if cancel else action,
        }
        note = signed("emergency", members, *[f"emergency/{officer}" for officer in officers])
        self.says(topic, note)
        return note

    def order(self, number, do, lasts=60, **more):
        members = {
            "controller": ME, "number": number, "issued": self.now,
            "expires": self.now + lasts * SECOND, "command": {"do": do, **more},
        }
        self.says(f"c/{ME}/order", signed("order", members, "schedule/1"))

    def ack(self, upto, chain=None, signer="ack/1"):
        members = {
            "controller": ME, "chain": chain or self.agent.diary.chain, "upto": upto,
            "log_size": 9, "log_root": "0" * 64,
        }
        self.says(f"c/{ME}/ack", signed("ack", members, signer))

    def pass_time(self, seconds):
        until = self.time + seconds
        while self.time < until:
            self.time += 0.5
            self.agent.tick()

    # What can be seen of it.

    def last(self, typ):
        return [document for topic, document in self.sent if topic.endswith("/" + typ)][-1]

    def count(self, typ):
        return sum(topic.endswith("/" + typ) for topic, _ in self.sent)

    def receipts(self, kind=None):
        lines = [json.loads(line) for _, line, _ in self.agent.diary.receipts]
        return [line for line in lines if kind in (None, line["kind"])]

    def steps(self):
        return [(r["step"], r["attempt"]) for r in self.receipts("emergency")]

    def outcome(self):
        receipt = self.receipts("airing")[-1]
        return receipt["outcome"], receipt.get("cause")


class Page(unittest.TestCase):
    """The examples of the page, opened by what was written from the page."""

    def setUp(self):
        notes = re.findall(r'\{"v":1[^\n]*\}\n\n(?:— [^\n]*\n)+', PAGE.read_text())
        self.notes = [note.encode() for note in notes]

    def test_every_example_is_signed_by_the_keys_of_the_page(self):
        self.assertEqual(len(self.notes), 13)
        for raw in self.notes:
            note = Note.parse(raw)
            names = [name.removeprefix(f"{NET}/") for name, _ in note.lines]
            known = [key(name).public for name in names if not name.startswith("code/")]
            note.demand(known, len(known), "the page")

    def test_the_code_of_the_page_signs_its_enrolment(self):
        config = mock.Mock(net=NET, controller=ME)
        code = re.search(r"With the code `([^`]*)`", PAGE.read_text()).group(1)
        enrolment = [note for note in self.notes if b'"typ":"enrolment"' in note]
        Note.parse(enrolment[0]).demand([code_key(config, code).public], 1, "the box")

    def test_every_example_that_goes_down_is_taken(self):
        readers = {
            "trust": documents.read_trust, "manifest": documents.read_manifest,
            "asset": documents.read_asset, "order": documents.read_order,
            "emergency": documents.read_emergency,
            "ack": lambda n, net: documents.body(n, "ack", net, documents.ACK),
            "time": lambda n, net: documents.body(n, "time", net, documents.ANSWER),
        }
        seen = set()
        for raw in self.notes:
            typ = json.loads(raw.split(b"\n")[0])["typ"]
            if typ in readers:
                readers[typ](Note.parse(raw), NET)
                seen.add(typ)
        self.assertEqual(seen, readers.keys())


class Envelope(unittest.TestCase):
    """Section 3."""

    def setUp(self):
        self.note = trust()
        self.roots = [key("root/1").public]

    def refuses(self, raw, why):
        with self.assertRaisesRegex(Refused, why):
            read_first_trust(raw, NET, self.roots, 1)

    def test_any_changed_byte_refuses_the_note(self):
        for at in range(0, len(self.note), 7):
            raw = bytearray(self.note)
            raw[at] ^= 1
            with self.assertRaises(Refused, msg=f"byte {at}"):
                read_first_trust(bytes(raw), NET, self.roots, 1)

    def test_a_fraction_a_strange_member_and_a_member_twice_are_refused(self):
        line = self.note.split(b"\n")[0]
        for old, new, why in [
            (b'"version":1', b'"version":1.0', "no integer"),
            (b'"version":1', b'"version":1,"version":1', "twice"),
            (b'"version":1', b'"version":1,"v":1', "twice"),
            (b'"version":1', b'"version":true', "no integer"),
            (b'"version":1', b'"version":1,"more":1', "unknown"),
            (b'"version":1,', b"", "missing"),
            (b'"net":"laichau"', b'"net":"khac"', "network"),
            (b'{"v":1,', b'{ "v":1,', "network"),
        ]:
            text = line.replace(old, new, 1) + b"\n"
            self.refuses(key("root/1").note(text), why)

    def test_one_wrong_signature_of_a_known_key_refuses_beside_a_right_one(self):
        wrong = key("root/1").line(b"something else\n")
        self.refuses(self.note + wrong, "is wrong")

    def test_a_point_of_small_order_is_no_key(self):
        point = PublicKey("laichau/root/1", bytes([1]) + bytes(31))
        with self.assertRaises(Refused):
            PublicKey.parse(str(point))


class Trust(unittest.TestCase):
    """Section 6."""

    def test_the_next_version_is_taken_under_old_and_new_roots_alone(self):
        town = Town(self)
        second = [str(key("root/2").public)]
        town.says("trust", trust(2, ["root/2"], roots=second))
        self.assertEqual(town.agent.trust["version"], 1)
        town.says("trust", trust(2, ["root/1"], roots=second))
        self.assertEqual(town.agent.trust["version"], 1)
        town.says("trust", trust(2, ["root/1", "root/2"], roots=second))
        self.assertEqual(town.agent.trust["version"], 2)
        self.assertEqual(len(town.receipts("refusal")), 2)

    def test_a_version_is_never_skipped_nor_taken_back(self):
        town = Town(self)
        town.says("trust", trust(3))
        self.assertEqual(town.agent.trust["version"], 1)
        town.says(f"c/{ME}/trust", trust(2))
        town.says(f"c/{ME}/trust", trust(3))
        self.assertEqual(town.receipts("refusal"), [])
        town.says("trust", trust(2))
        self.assertEqual(town.agent.trust["version"], 3)
        self.assertEqual(len(town.receipts("refusal")), 1)

    def test_two_names_for_one_key_count_once(self):
        town = Town(self)
        seed = hashlib.sha256(f"loaban/1 example {NET}/emergency/lan".encode()).digest()
        twin = SigningKey(f"{NET}/emergency/minh", seed)
        grants = [grant("schedule/1", "schedule"), grant("emergency/lan", "emergency"),
                  {**grant("emergency/lan", "emergency"), "key": str(twin.public)},
                  grant("emergency/minh", "emergency")]
        town.says("trust", trust(2, keys=grants))
        self.assertEqual(town.agent.trust["version"], 2)
        town.manifest(HNI)
        text = text_of("emergency", NET, {
            "id": "lu-quet", "sequence": 1, "issued": NOON, "expires": NOON + DAY,
            "areas": ["mu-ca"], "action": {"do": "cancel"}})
        note = text + b"\n" + key("emergency/lan").line(text) + twin.line(text)
        town.says("a/mu-ca/emergency", note)
        self.assertIn("1 of the 2", town.receipts("refusal")[-1]["why"])


    def test_a_grant_counts_until_its_end(self):
        town = Town(self)
        keys = [grant("schedule/1", "schedule", until=NOON + 60 * SECOND)]
        town.says("trust", trust(2, keys=keys))
        town.manifest()
        town.time += 60
        town.manifest()
        self.assertEqual(town.agent.manifest["number"], 1)


class Manifest(unittest.TestCase):
    """Section 7."""

    def refused(self, why, **more):
        town = Town(self)
        town.manifest(HNI, **more)
        self.assertIsNone(town.agent.manifest)
        self.assertRegex(town.receipts("refusal")[-1]["why"], why)

    def test_a_content_key_signs_no_manifest(self):
        self.refused("signatures", signer="content/dung")

    def test_it_is_for_this_controller(self):
        self.refused("muong-te-1", controller="muong-te-1")

    def test_it_lasts_seven_days_at_most(self):
        self.refused("7 days", valid_until=NOON + 7 * DAY + 1)

    def test_no_language_is_spoken_that_was_not_asked_for(self):
        self.refused("hni", languages=["vi"])

    def test_an_old_one_is_not_taken_again(self):
        self.refused("past", issued=NOON - 8 * DAY, valid_until=NOON - DAY)
        town = Town(self)
        town.manifest(HNI)
        town.manifest(HNI)
        town.number = 0
        town.manifest(VI)
        self.assertEqual(town.agent.manifest["number"], 2)

    def test_the_kept_one_is_held_after_a_power_cut(self):
        town = Town(self)
        town.manifest(HNI)
        town.start()
        self.assertEqual(town.agent.manifest["number"], 1)


class Recordings(unittest.TestCase):
    """Section 8."""

    def test_descriptor_first_then_exactly_the_missing_blocks(self):
        town = Town(self)
        town.manifest(HNI)
        town.pass_time(0.5)
        self.assertEqual((town.last("want")["info"], town.last("want")["missing"]), (True, ""))
        town.describe(HNI)
        town.pass_time(0.5)
        self.assertEqual((town.last("want")["info"], town.last("want")["missing"]), (False, "e0"))
        town.says(f"asset/{HNI.digest}/1", HNI.blocks[1])
        town.pass_time(6)
        self.assertEqual(town.last("want")["missing"], "a0")

    def test_verified_blocks_are_never_asked_for_again_after_a_power_cut(self):
        town = Town(self)
        town.manifest(HNI)
        town.describe(HNI)
        town.says(f"asset/{HNI.digest}/0", HNI.blocks[0])
        town.start()
        town.watched = set()
        town.pass_time(0.5)
        self.assertEqual(town.last("want")["missing"], "60")

    def test_a_block_that_is_not_what_was_signed_stays_missing(self):
        town = Town(self)
        town.manifest(HNI)
        town.describe(HNI)
        town.says(f"asset/{HNI.digest}/0", HNI.blocks[1])
        self.assertIn(0, town.agent.holdings.assets[HNI.digest].missing)
        self.assertIn("block", town.receipts("refusal")[-1]["why"])

    def test_a_descriptor_of_an_approver_of_elsewhere_is_refused(self):
        town = Town(self)
        town.manifest(HNI)
        town.describe(HNI, signer="content/xa")
        self.assertEqual(town.agent.holdings.assets, {})

    def test_a_question_without_answer_waits_longer_each_time(self):
        town = Town(self)
        town.manifest(HNI)
        town.pass_time(600)
        # 0, 10, 30, 70, 150, 270, 390, 510 s
        self.assertEqual(town.count("want"), 8)

    def test_what_is_withdrawn_is_deleted_and_not_played(self):
        town = Town(self)
        town.manifest(HNI)
        town.deliver(HNI)
        town.manifest(HNI, withdrawn=[HNI.digest])
        self.assertEqual(list((town.folder / "assets").iterdir()), [])
        town.pass_time(400)
        self.assertEqual(town.outcome(), ("skipped", "missing"))


class Receipts(unittest.TestCase):
    """Section 9."""

    def test_they_are_chained_and_sent_until_a_signed_ack(self):
        town = Town(self)
        town.pass_time(0.5)
        batch = town.last("receipts")
        self.assertEqual((batch["first"], batch["prev"]), (1, "0" * 64))
        town.pass_time(11)
        self.assertEqual(town.count("receipts"), 2)
        town.ack(1, signer="time/1")
        town.ack(1, chain="0" * 16)
        town.ack(99)
        self.assertEqual(town.agent.diary.acked, 0)
        town.ack(1)
        self.assertEqual(town.agent.diary.acked, 1)
        town.order(1, "report")
        town.pass_time(0.5)
        line = town.agent.diary.receipts[0][1]
        link = hashlib.sha256(bytes(32) + line).hexdigest()
        self.assertEqual(town.last("receipts")["prev"], town.agent.diary.link_before(
            town.last("receipts")["first"]).hex())
        self.assertEqual(town.agent.diary.link_before(2).hex(), link)

    def test_what_nobody_can_ask_for_any_more_is_forgotten_at_a_start(self):
        town = Town(self)
        town.order(1, "report")
        town.ack(1)
        town.time += 31 * 24 * 3_600
        town.start()
        town.trust_clock()
        self.assertEqual([r["n"] for r in town.receipts()], [2, 3])
        town.pass_time(0.5)
        batch = town.last("receipts")
        self.assertEqual(batch["first"], 2)
        self.assertNotEqual(batch["prev"], "0" * 64)

    def test_a_lower_ack_sends_the_rest_again(self):
        town = Town(self)
        town.ack(1)
        town.ack(0)
        town.pass_time(0.5)
        self.assertEqual(town.last("receipts")["first"], 1)

    def test_a_batch_has_64_receipts_at_most(self):
        town = Town(self)
        for number in range(1, 101):
            town.order(number, "report")
        town.pass_time(0.5)
        self.assertEqual(len(town.last("receipts")["receipts"]), 64)

    def test_a_refusal_is_written_once_an_hour_and_20_in_all(self):
        town = Town(self)
        for at in range(50):
            town.says(f"c/{ME}/manifest", b"noise")
            town.says(f"a/area-{at}/emergency", b"noise")
        self.assertEqual(len(town.receipts("refusal")), 1)
        town.manifest(HNI)
        for at in range(50):
            town.says(f"a/area-{at}/emergency", b"noise")
        self.assertEqual(len(town.receipts("refusal")), 20)
        town.pass_time(3_601)
        town.says(f"c/{ME}/manifest", b"noise")
        self.assertEqual(len(town.receipts("refusal")), 21)

    def test_a_torn_last_line_is_forgotten_and_nothing_else(self):
        town = Town(self)
        with open(town.folder / "diary.jsonl", "ab") as file:
            file.write(b'{"do": "receipt", "li')
        town.start()
        town.trust_clock()
        self.assertEqual([r["n"] for r in town.receipts()], [1, 2])


class Clocks(unittest.TestCase):
    """Section 11."""

    def test_nothing_plays_and_nothing_is_written_on_a_clock_that_is_not_trusted(self):
        town = Town(self, clock=False)
        town.manifest(HNI)
        town.deliver(HNI)
        town.pass_time(400)
        self.assertEqual((town.receipts(), town.agent.stage.playing), ([], None))

    def test_an_answer_counts_once_and_to_the_nonce_that_waits(self):
        town = Town(self, clock=False)
        town.agent.tick()
        old = town.last("clock")
        town.pass_time(6)
        answer = {"controller": ME, "nonce": old["nonce"], "t1": 0, "t2": 5, "t3": 5,
                  "manifest": 0, "emergency": 0}
        town.says(f"c/{ME}/time", signed("time", answer, "time/1"))
        self.assertIsNone(town.agent.clock.utc())

    def test_what_was_refused_before_is_sworn_to_afterwards(self):
        town = Town(self, clock=False)
        town.says(f"c/{ME}/manifest", b"noise")
        town.trust_clock()
        self.assertEqual([r["kind"] for r in town.receipts()], ["boot", "refusal"])


class Airings(unittest.TestCase):
    """Section 15."""

    def ready(self, **more):
        town = Town(self)
        town.manifest(HNI, VI, **more)
        town.deliver(HNI, VI)
        return town

    def test_it_plays_at_its_time_to_its_end(self):
        town = self.ready()
        town.pass_time(59)
        self.assertIsNone(town.agent.stage.playing)
        town.pass_time(2)
        self.assertEqual(town.agent.stage.playing, f"sang/{ME}/2026-11-22/0")
        town.pass_time(10)
        self.assertEqual(town.outcome(), ("completed", None))
        size = next((town.folder / "played").iterdir()).stat().st_size
        self.assertEqual(size, 44 + 2 * 16_000 * 43 // 10)

    def test_a_power_cut_ends_it_and_it_is_never_begun_again(self):
        town = self.ready()
        town.pass_time(63)
        town.start()
        town.trust_clock()
        town.pass_time(60)
        receipt = town.receipts("airing")[-1]
        self.assertEqual(town.outcome(), ("interrupted", "power"))
        self.assertNotIn("ended", receipt)
        self.assertEqual([i["outcome"] for i in receipt["items"]], ["completed", "interrupted"])
        self.assertEqual(len(town.receipts("airing")), 1)

    def test_what_is_missing_is_left_out_after_twenty_seconds(self):
        town = Town(self)
        town.manifest(HNI, VI)
        town.deliver(VI)
        town.pass_time(70)
        self.assertIsNone(town.agent.stage.playing)
        town.pass_time(30)
        self.assertEqual(town.outcome(), ("interrupted", "missing"))
        items = town.receipts("airing")[-1]["items"]
        self.assertEqual([item["outcome"] for item in items], ["skipped", "completed"])

    def test_its_own_quiet_hours_hold_whatever_is_signed(self):
        town = self.ready()
        town.agent.config.windows = [{"days": [1, 2, 3, 4, 5, 6, 7], "from": 0, "until": 43_262}]
        town.pass_time(61)
        self.assertEqual(town.outcome(), ("skipped", "quiet"))

    def test_the_policy_holds(self):
        day = {"days": [1], "from": "00:00", "until": "24:00"}
        limits = {"sessions_a_day_max": 4, "minutes_a_session_max": 3, "minutes_a_day_max": 3}
        town = self.ready(policy={"windows": [day], **limits})
        town.pass_time(61)
        self.assertEqual(town.outcome(), ("skipped", "policy"))

    def test_the_sums_of_the_policy_hold(self):
        day = {"days": [1, 2, 3, 4, 5, 6, 7], "from": "00:00", "until": "24:00"}
        limits = {"sessions_a_day_max": 0, "minutes_a_session_max": 30, "minutes_a_day_max": 60}
        town = self.ready(policy={"windows": [day], **limits})
        town.pass_time(61)
        self.assertEqual(town.outcome(), ("skipped", "policy"))

    def test_recordings_to_hold_are_fetched_though_no_airing_names_them(self):
        town = self.ready(hold=["ab" * 32])
        self.assertIn("ab" * 32, town.agent.named()[0])

    def test_an_expired_manifest_and_an_expired_recording_stay_silent(self):
        town = self.ready(valid_until=NOON + 30 * SECOND)
        town.pass_time(61)
        self.assertEqual(town.outcome(), ("skipped", "expired"))
        town = Town(self)
        town.manifest(HNI)
        town.describe(HNI, valid_until=NOON + 30 * SECOND)
        for n, block in enumerate(HNI.blocks):
            town.says(f"asset/{HNI.digest}/{n}", block)
        town.pass_time(61)
        self.assertEqual(town.outcome(), ("skipped", "expired"))

    def test_a_recording_of_another_bulletin_is_refused(self):
        town = Town(self)
        town.manifest(HNI)
        town.describe(HNI, bulletin="khac")
        for n, block in enumerate(HNI.blocks):
            town.says(f"asset/{HNI.digest}/{n}", block)
        town.pass_time(400)
        self.assertEqual(town.outcome(), ("skipped", "refused"))

    def test_a_start_and_a_clock_that_came_too_late_are_told_apart(self):
        town = self.ready()
        town.time += 400
        town.start()
        town.trust_clock()
        town.agent.tick()
        self.assertEqual(town.outcome(), ("skipped", "power"))
        town = self.ready()
        town.start()
        town.time += 400
        town.trust_clock()
        town.agent.tick()
        self.assertEqual(town.outcome(), ("skipped", "clock"))

    def test_an_order_stops_it_once(self):
        town = self.ready()
        town.pass_time(61)
        town.order(5, "stop")
        self.assertEqual(town.outcome(), ("interrupted", "stopped"))
        town.order(5, "volume", percent=3)
        self.assertEqual(town.agent.volume, 100)
        town.order(6, "volume", percent=300, lasts=301)
        town.order(6, "volume", percent=40)
        self.assertEqual(town.agent.volume, 40)
        self.assertEqual([r["number"] for r in town.receipts("order")], [5, 6])


class Emergencies(unittest.TestCase):
    """Section 13."""

    def town(self, *items):
        town = Town(self)
        town.manifest(*items or (HNI, VI), at=60)
        town.deliver(HNI, VI)
        return town

    def test_it_takes_the_place_of_an_airing_and_plays_to_its_end(self):
        town = self.town()
        town.pass_time(61)
        town.emergency(VI, HNI, repeat=2)
        town.pass_time(1)
        self.assertEqual(town.outcome(), ("preempted", "emergency"))
        self.assertEqual(town.agent.stage.playing, "emergency/lu-quet")
        # The alert, then twice two recordings and a gap.
        town.pass_time(8 + 2 * (2 * SOUND_S + 0.5))
        self.assertEqual(town.steps(), [("accepted", 0), ("begun", 1), ("completed", 1)])

    def test_it_is_not_played_again_after_its_completion(self):
        town = self.town()
        note = town.emergency(HNI)
        town.pass_time(20)
        town.says(f"c/{ME}/emergency", note)
        town.start()
        town.trust_clock()
        town.says(f"c/{ME}/emergency", note)
        town.pass_time(20)
        self.assertEqual([step for step, _ in town.steps()], ["accepted", "begun", "completed"])

    def test_it_needs_both_officers(self):
        town = self.town()
        town.emergency(HNI, officers=["lan"])
        town.pass_time(20)
        self.assertEqual(town.steps(), [])
        self.assertIn("1 of the 2", town.receipts("refusal")[-1]["why"])

    def test_one_for_other_areas_is_passed_over_in_silence(self):
        town = self.town()
        town.emergency(HNI, areas=["muong-te"], topic="a/muong-te/emergency")
        self.assertEqual((town.steps(), town.receipts("refusal")), ([], []))

    def test_its_body_says_whom_it_is_for_and_not_its_topic(self):
        town = self.town()
        town.emergency(HNI, topic="a/muong-te/emergency")
        self.assertEqual(town.steps(), [("accepted", 0)])

    def test_after_a_power_cut_it_plays_again_three_times_at_most(self):
        town = self.town()
        town.emergency(HNI)
        for _ in range(4):
            town.pass_time(2)
            town.start()
            town.trust_clock()
        town.pass_time(2)
        begun = [attempt for step, attempt in town.steps() if step == "begun"]
        self.assertEqual(begun, [1, 2, 3])
        self.assertEqual(town.steps()[-1], ("failed", 3))

    def test_it_does_not_sound_after_its_expiry(self):
        town = Town(self)
        town.manifest()
        town.emergency(HNI, lasts=30)
        town.pass_time(31)
        town.deliver(HNI)
        town.pass_time(20)
        self.assertEqual(town.steps(), [("accepted", 0), ("failed", 0)])

    def test_a_cancel_stops_it_and_is_remembered(self):
        town = self.town()
        note = town.emergency(HNI)
        town.pass_time(2)
        town.emergency(cancel=True)
        town.says("a/mu-ca/emergency", note)
        town.pass_time(20)
        self.assertEqual(town.steps()[-1], ("cancelled", 0))
        self.assertIsNone(town.agent.stage.playing)

    def test_a_cancel_that_came_first_outlives_the_play_it_cancels(self):
        town = self.town()
        with mock.patch.object(town, "says"):
            note = town.emergency(HNI, lasts=20 * 3_600)
        town.emergency(cancel=True, lasts=60)
        town.time += 2 * 3_600
        town.start()
        town.trust_clock()
        town.says("a/mu-ca/emergency", note)
        town.pass_time(20)
        self.assertEqual(town.steps(), [("cancelled", 0)])

    def test_one_that_came_before_the_clock_waits_for_it(self):
        town = Town(self, clock=False)
        town.manifest(HNI)
        town.deliver(HNI)
        town.emergency(HNI)
        self.assertEqual(town.steps(), [])
        town.trust_clock()
        town.pass_time(20)
        self.assertEqual(town.steps()[-1], ("completed", 1))

    def test_its_recordings_are_fetched_before_all_others(self):
        town = Town(self)
        town.manifest(HNI)
        town.emergency(VI)
        town.pass_time(0.5)
        self.assertEqual(town.watched, {VI.digest})

    def test_one_in_a_language_of_elsewhere_holds_up_no_airing(self):
        town = self.town()
        town.emergency(Recording("twh", "ba"))
        town.pass_time(70)
        self.assertEqual(town.outcome(), ("completed", None))

    def test_one_whose_recording_is_on_its_way_holds_up_an_airing(self):
        town = self.town()
        town.emergency(Recording("hni", "bốn"))
        town.pass_time(70)
        self.assertEqual(town.receipts("airing"), [])

    def test_no_order_stops_it(self):
        town = self.town()
        town.emergency(HNI)
        town.pass_time(2)
        town.order(1, "stop")
        self.assertEqual(town.agent.stage.playing, "emergency/lu-quet")


class Status(unittest.TestCase):
    """Section 14."""

    def test_a_change_is_told_and_not_sooner_than_after_five_seconds(self):
        town = Town(self)
        town.pass_time(0.5)
        told = town.count("status")
        town.manifest(HNI)
        town.pass_time(3)
        self.assertEqual(town.count("status"), told)
        town.pass_time(3)
        self.assertEqual(town.last("status")["manifest"], 1)

    def test_the_will_is_a_signed_status_that_says_lost(self):
        town = Town(self)
        topic, payload = town.agent.will()
        self.assertEqual(topic, f"c/{ME}/status")
        self.assertEqual(json.loads(Note.parse(payload).text)["state"], "lost")


if __name__ == "__main__":
    unittest.main()
