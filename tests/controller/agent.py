"""The controller: which documents it takes, what it holds, what it says. docs/protocol.md.

Bad input raises `Refused` before anything was changed, and ends as a refusal receipt.
"""

import os
import re
import secrets
import sys
import time

from documents import (
    ACK, ANSWER, SECOND, body, read_asset, read_emergency, read_manifest, read_order, read_trust,
    text_of,
)
from fetching import Fetcher
from ledger import Ledger
from note import Note, Refused, people
from playing import Stage
from storage import Library, write_durably

SOFTWARE = "python-controller/1"
EMERGENCIES_MAX = 32
STATUS_S_MIN, STATUS_S_MAX = 5, 900
CLOCK_AGAIN_S, CLOCK_VALID_S, CLOCK_EVERY_S = 5, 10, 3_600


class Clock:
    """UTC as the server said it, plus the monotonic clock since."""

    def __init__(self, uptime, rtc):
        self.uptime = uptime
        self.born = uptime()
        self.offset = None  # UTC micros at uptime 0
        self.trusted_since = self.started = None
        self.nonce = self.asked_at = None
        self.due = 0.0
        self.step_ms = 0
        if rtc:
            self._set(system_micros() - round(uptime() * SECOND))

    def utc(self):
        return None if self.offset is None else self.offset + round(self.uptime() * SECOND)

    def utc_or_zero(self):
        return self.utc() or 0

    def _set(self, offset):
        first = self.offset is None
        self.offset = offset
        if first:
            self.trusted_since = self.utc()
            self.started = self.offset + round(self.born * SECOND)

    def question(self):
        self.nonce, self.asked_at = secrets.token_hex(8), self.uptime()
        self.due = self.asked_at + CLOCK_AGAIN_S
        return {"nonce": self.nonce, "t1": system_micros()}

    def take(self, answer):
        """An answer to the nonce that waits; any other says nothing."""
        now = self.uptime()
        if answer["nonce"] != self.nonce or now - self.asked_at > CLOCK_VALID_S:
            return False
        if answer["t3"] < answer["t2"]:
            raise Refused("`t3` is before `t2`")
        trip = round((now - self.asked_at) * SECOND)
        utc = answer["t3"] + max(trip - (answer["t3"] - answer["t2"]), 0) // 2
        self.step_ms = (system_micros() - utc) // 1_000
        self._set(utc - round(now * SECOND))
        self.nonce, self.due = None, now + CLOCK_EVERY_S
        return True


def system_micros():
    return time.time_ns() // 1_000


class Agent:
    """Everything a controller decides. `link` carries out what it wants of MQTT."""

    def __init__(self, config, key, trust, diary, link, uptime=time.monotonic):
        self.config, self.key, self.diary, self.link = config, key, diary, link
        self.id, self.net = config.controller, config.net
        self.trust = trust
        self.uptime = uptime
        self.clock = Clock(self.uptime, config.rtc)
        self.holdings = Library(config.state / "assets")
        self.ledger = Ledger(self, diary, self.clock)
        self.fetcher = Fetcher(self, self.holdings)
        self.stage = Stage(self)
        self.manifest = self.manifest_text = None
        self.emergencies = {}  # id -> document, those that are not over
        self.early = []  # emergencies that came before the clock was trusted
        self.connection = 0
        self.volume = 100
        self.said, self.said_at = None, None
        self.booted = False
        self.main_up = False
        self._remember()

    def _remember(self):
        """Takes the kept notes again, where their signatures still hold."""
        path = self.config.state / "manifest.note"
        if path.exists():
            self._again(self._hold_manifest, path.read_bytes())
        for digest, raw in self.holdings.notes():
            if self.manifest:
                self._again(lambda note, of=digest: self._describe_again(of, note), raw)
        for name, held in list(self.diary.emergencies.items()):
            if held["note"] and not held["over"]:
                note = Note.parse(held["note"].encode())
                self.emergencies[name] = read_emergency(note, self.net)

    def _describe_again(self, digest, note):
        self.holdings.describe(self._describe(digest, note))

    def _again(self, take, raw):
        try:
            take(Note.parse(raw))
        except Refused as why:
            self.say(f"what was kept is not taken again: {why}")

    @staticmethod
    def say(sentence):
        print(sentence, file=sys.stderr, flush=True)

    # Keys

    def grants(self, role):
        now = self.clock.utc_or_zero()
        return [g for g in self.trust["keys"] if g["role"] == role and now < g["until"]]

    def keys(self, role):
        return [grant["key"] for grant in self.grants(role)]

    def keys_here(self, role):
        """Keys of this role that are granted for an area of this controller."""
        here = set(self.manifest["areas"])
        return [grant["key"] for grant in self.grants(role) if here & set(grant["areas"])]

    def sure_time(self):
        """The newest time that the station has signed, in seconds: it has surely passed."""
        signed = [self.trust, self.manifest] if self.manifest else [self.trust]
        return max(document["issued"] for document in signed) // 1_000_000

    # Sending

    def send(self, typ, members, retain=False):
        return self.send_text(typ, text_of(typ, self.net, members), retain)

    def send_text(self, typ, text, retain=False):
        if not self.main_up:
            return False
        return self.link.publish(f"c/{self.id}/{typ}", self.key.note(text), retain)

    def watch(self, digests):
        self.link.watch(digests)

    # What comes

    def link_up(self):
        self.main_up = True
        self.ledger.link_up()
        self.said = None
        if self.clock.utc() is None:
            self.clock.due = 0.0

    def link_down(self):
        self.main_up = False

    def message(self, topic, payload):
        """One message. Refused ones change nothing and are sworn to."""
        try:
            self._dispatch(topic, payload)
        except Refused as why:
            self.say(f"refused {topic}: {why}")
            self.ledger.refuse(topic, str(why), self.uptime())

    def _dispatch(self, topic, payload):
        prefix = f"loaban/1/{self.net}/"
        parts = topic[len(prefix) :].split("/") if topic.startswith(prefix) else []
        match parts:
            case ["trust"]:
                self._take_trust(payload)
            case ["c", self.id, "trust"]:
                self._take_trust(payload)
            case ["c", self.id, "manifest"]:
                self._take_manifest(Note.parse(payload), payload)
            case ["c", self.id, "order"]:
                self._take_order(Note.parse(payload))
            case ["c", self.id, "ack"]:
                self._take_ack(Note.parse(payload))
            case ["c", self.id, "time"]:
                self._take_time(Note.parse(payload))
            case ["c", self.id, "emergency"]:
                self._take_emergency(topic, payload)
            case ["a", _, "emergency"]:
                self._take_emergency(topic, payload)
            case ["asset", digest, "info"]:
                self._take_asset(digest, payload)
            case ["asset", digest, n] if re.fullmatch(r"0|[1-9]\d{0,5}", n):
                self._take_block(digest, int(n), payload)

    def _take_trust(self, raw):
        note = Note.parse(raw)
        note.demand(self.trust["roots"], self.trust["root_threshold"], "the roots held")
        document = read_trust(note, self.net)
        held = self.trust["version"]
        if document["version"] < held:
            raise Refused(f"version {document['version']} is older than {held}, which is held")
        if document["version"] != held + 1:
            # Held already, or too new: the status names what is held, and the server fills the gap.
            return
        note.demand(document["roots"], document["root_threshold"], "its own roots")
        write_durably(self.config.state / "trust.note", raw)
        self.trust = document

    def _take_manifest(self, note, raw):
        document = self._read_manifest(note)
        if self.manifest and document["number"] <= self.manifest["number"]:
            if note.text == self.manifest_text:
                return
            held = self.manifest["number"]
            raise Refused(f"number {document['number']} is not above {held}, which is held")
        now = self.clock.utc()
        if now is not None and document["valid_until"] <= now:
            raise Refused("the manifest is past its `valid_until`")
        write_durably(self.config.state / "manifest.note", raw)
        self.manifest, self.manifest_text = document, note.text
        self._tidy_library()

    def _read_manifest(self, note):
        note.demand(self.keys("schedule"), 1, "a schedule key")
        document = read_manifest(note, self.net)
        self._for_me(document)
        return document

    def _hold_manifest(self, note):
        self.manifest, self.manifest_text = self._read_manifest(note), note.text

    def _for_me(self, document):
        if document["controller"] != self.id:
            raise Refused(f"this is for {document['controller']}")

    def _take_order(self, note):
        now = self.clock.utc()
        note.demand(self.keys("schedule"), 1, "a schedule key")
        order = read_order(note, self.net)
        self._for_me(order)
        if now is None:
            raise Refused("the clock is not trusted yet")
        if order["number"] <= self.diary.order:
            raise Refused(f"order {order['number']} is not above {self.diary.order}")
        if order["expires"] <= now:
            raise Refused(f"order {order['number']} has expired")
        self.diary.keep({"do": "order", "number": order["number"]})
        self._carry_out(order["command"])
        self.ledger.write("order", number=order["number"], what=order["command"]["do"])

    def _carry_out(self, command):
        match command["do"]:
            case "stop":
                if self.stage.current and self.stage.current["kind"] != "emergency":
                    self.stage.stop("interrupted", "stopped")
            case "volume":
                self.volume = min(command["percent"], 100)
            case "selftest":
                self.stage.selftest(self.uptime())
                self.said = None
            case "report":
                self.said = None

    def _take_ack(self, note):
        note.demand(self.keys("ack"), 1, "an ack key")
        ack = body(note, "ack", self.net, ACK)
        self._for_me(ack)
        self.ledger.take(ack)

    def _take_time(self, note):
        note.demand(self.keys("time"), 1, "a time key")
        answer = body(note, "time", self.net, ANSWER)
        self._for_me(answer)
        if not self.clock.take(answer):
            return
        held = self.manifest["number"] if self.manifest else 0
        if answer["manifest"] > held:
            self.say(f"manifest {answer['manifest']} exists; {held} is held")
        self._boot()
        early, self.early = self.early, []
        for came_on, raw in early:
            self.message(came_on, raw)

    def _boot(self):
        """Once for each start, as soon as the clock is trusted."""
        if self.booted:
            return
        self.booted = True
        self.ledger.write("boot", boot=self.diary.boot, software=SOFTWARE)
        self.stage.after_power_cut()
        self.ledger.clock_trusted()
        self.diary.compact(self.clock.utc())

    # Emergencies

    def held(self):
        """Emergencies that are not over, in the order in which they were accepted."""
        marks = self.diary.emergencies
        return [name for name in self.emergencies if name in marks and not marks[name]["over"]]

    def _take_emergency(self, topic, raw):
        if self.manifest is None:
            return
        note = Note.parse(raw)
        signers = note.signers(self.keys("emergency"))
        if not signers:
            raise Refused("no officer signed it")
        document = read_emergency(note, self.net)
        if not set(document["areas"]) & set(self.manifest["areas"]):
            return
        here = {key.key for key in self.keys_here("emergency")}
        have = people([k for k in signers if k.key in here])
        needed = self.trust["emergency_threshold"]
        if have < needed:
            raise Refused(f"{have} of the {needed} officers needed here signed it")
        now = self.clock.utc()
        if now is None:
            self.early = [*self.early, (topic, raw)][-EMERGENCIES_MAX:]
            return
        if document["expires"] <= now:
            raise Refused(f"emergency {document['id']} has expired")
        self._believe(document, raw)

    def _believe(self, document, raw):
        name, known = document["id"], self.diary.emergencies.get(document["id"])
        if known and known["over"]:
            return
        if document["action"]["do"] == "cancel":
            self.stage.cancel(name, document)
            self._tidy_library()
            return
        if known:
            return
        if len(self.held()) >= EMERGENCIES_MAX:
            raise Refused(f"{EMERGENCIES_MAX} emergencies are held already")
        self.diary.keep({"do": "emergency", "id": name, "note": raw.decode()})
        self.emergencies[name] = document
        self.ledger.write("emergency", emergency=name, step="accepted", attempt=0)

    # Recordings

    def named(self):
        """Every recording that emergencies and manifest name, those needed soonest first."""
        urgent = [
            sound["asset"]
            for name in self.held()
            for sound in self.emergencies[name]["action"]["sounds"]
            if sound["language"] in self.manifest["languages"]
        ]
        now = self.clock.utc_or_zero()
        airings = self.manifest["airings"] if self.manifest else []
        soon = sorted(airings, key=lambda airing: airing["latest"] < now)
        wanted = urgent + [item["asset"] for airing in soon for item in airing["items"]]
        wanted += self.manifest.get("hold", []) if self.manifest else []
        withdrawn = self.manifest["withdrawn"] if self.manifest else []
        return [digest for digest in dict.fromkeys(wanted) if digest not in withdrawn], urgent

    def _missing(self):
        named, urgent = self.named()
        missing = [digest for digest in named if not self.holdings.whole(digest)]
        return [digest for digest in missing if digest in urgent] or missing

    def _tidy_library(self):
        self.holdings.forget_all_but(set(self.named()[0]))

    def _describe(self, digest, note):
        note.demand(self.keys_here("content"), 1, "an approver for this place")
        document = read_asset(note, self.net)
        if document["asset"] != digest:
            raise Refused(f"it describes {document['asset']}")
        return document

    def _take_asset(self, digest, raw):
        if self.manifest is None or digest not in self.named()[0]:
            return
        document = self._describe(digest, Note.parse(raw))
        known = self.holdings.assets.get(digest)
        if known is None or known.descriptor != document:
            self.holdings.keep_note(digest, raw)
            self.holdings.describe(document)
        self.fetcher.came(digest, self.uptime(), info=known is None)

    def _take_block(self, digest, n, block):
        asset = self.holdings.assets.get(digest)
        if asset is None or n not in asset.missing:
            return
        if not asset.fits(n, block):
            raise Refused("the block is not what the descriptor says")
        self.fetcher.came(digest, self.uptime())
        if not self.holdings.put(digest, n, block):
            raise Refused("every block is right and the whole is not; all are missing again")

    # Time goes by

    def tick(self):
        uptime = self.uptime()
        if self.clock.utc() is not None:
            self._boot()
        self.stage.tick(uptime)
        if not self.main_up:
            return
        if uptime >= self.clock.due:
            self.send("clock", {"controller": self.id, **self.clock.question()})
        self.fetcher.poll(uptime, self._missing())
        self.ledger.poll(uptime)
        self._status(uptime)

    def _status(self, uptime):
        if self.said is not None and uptime < self.said_at + STATUS_S_MIN:
            return
        status = self.status("up")
        changed = {k: v for k, v in status.items() if k not in ("at", "storage_free_kib")}
        if changed == self.said and uptime < self.said_at + STATUS_S_MAX:
            return
        if self.send("status", status, retain=True):
            self.said, self.said_at = changed, uptime

    def status(self, state):
        named, _ = self.named()
        withdrawn = self.manifest["withdrawn"] if self.manifest else []
        disk = os.statvfs(self.config.state)
        members = {
            "controller": self.id, "state": state, "boot": self.diary.boot,
            "connection": self.connection, "at": self.clock.utc_or_zero(), "software": SOFTWARE,
            "trust": self.trust["version"],
            "manifest": self.manifest["number"] if self.manifest else 0,
            "assets_held": sum(self.holdings.whole(digest) for digest in named),
            "assets_named": len(named),
            "withdrawn_held": [d for d in withdrawn if self.holdings.path(d, "opus").exists()],
            "receipts_waiting": self.diary.waiting, "clock_trusted": self.clock.utc() is not None,
            "clock_offset_ms": self.clock.step_ms,
            "storage_free_kib": disk.f_bavail * disk.f_frsize // 1024,
            "volume_percent": self.volume,
        }
        if self.stage.playing and state == "up":
            members["playing"] = self.stage.playing
        return members

    def will(self):
        """The status that the broker publishes when this connection is lost."""
        self.connection += 1
        text = text_of("status", self.net, self.status("lost"))
        return f"c/{self.id}/status", self.key.note(text)
