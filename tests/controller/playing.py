"""What sounds, and when: sections 13 and 15 of docs/protocol.md.

The stage plays one thing at a time. Marks are durable before the first sample; the outcome is
sworn after the last.
"""

from datetime import datetime, timezone

import sound
from documents import DAY, SECOND
from storage import airing_text

LATE_RECORDINGS = 20 * SECOND
ATTEMPTS_MAX = 3
TEST_TONE_S = 5
REMEMBERED = 3_600 * SECOND


def open_until(windows, zone, begin, end):
    """Whether windows (days, from, until in seconds) cover `begin`..`end`, one after another."""
    at = begin
    for _ in range(16):
        local = datetime.fromtimestamp(at // SECOND, timezone.utc).astimezone(zone)
        midnight_s = local.hour * 3600 + local.minute * 60 + local.second
        fitting = [
            window["until"]
            for window in windows
            if local.isoweekday() in window["days"]
            and window["from"] <= midnight_s < window["until"]
        ]
        if not fitting:
            return False
        at = (at // SECOND + max(fitting) - midnight_s) * SECOND
        if at >= end:
            return True
    return False


def length_of(airing):
    """Micros that an airing lasts: its items, its gaps, its chimes."""
    items = airing["items"]
    total = sum(item["length_ms"] for item in items) + airing["gap_ms"] * max(len(items) - 1, 0)
    return (total + (2 * sound.CHIME_MS if airing["chime"] else 0)) * 1_000


class Stage:
    """The one loudspeaker of a controller, and the rules of who gets it."""

    def __init__(self, device):
        self.device = device
        self.player = None
        self.current = None  # {"kind": "airing" | "emergency" | "selftest", "name": …}

    @property
    def playing(self):
        return self.current["name"] if self.current else None

    @property
    def diary(self):
        return self.device.diary

    def tick(self, uptime):
        if self.player:
            self._advance(uptime)
        if self.device.clock.utc() is None:
            return
        self._emergencies(uptime)
        for airing in self.device.manifest["airings"] if self.device.manifest else []:
            self._airing(airing, uptime)

    def _start(self, kind, name, parts, uptime, **more):
        path = self.device.config.folder / (name.replace("/", "_") + more.pop("mark", "") + ".wav")
        self.player = sound.Player(path, parts, uptime)
        self.current = {"kind": kind, "name": name, **more}
        self.device.say(f"plays {name}")

    def _clear(self):
        self.player.close()
        self.player = self.current = None

    def _advance(self, uptime):
        sounded, done = self.player.advance(uptime)
        for item in sounded:
            if item is not None and self.current["kind"] == "airing":
                entry = {"do": "item", "airing": self.current["name"], "item": item}
                self.diary.keep(entry)
        if done:
            self._finished()

    def _finished(self):
        current = self.current
        self._clear()
        if current["kind"] == "airing":
            self._swear(current["name"], None, None)
        elif current["kind"] == "emergency":
            self._heard(current["id"], current["languages"])

    # Airings

    def _airing(self, airing, uptime):
        key = {
            "programme": airing["programme"], "controller": self.device.id,
            "date": airing["date"], "occurrence": airing["occurrence"],
        }
        name, now = airing_text(key), self.device.clock.utc()
        if name in self.diary.airings or now < airing["at"]:
            return
        cause = self._hindered(airing, now)
        if cause:
            self._skip(key, airing, cause)
        elif not self.player and not self._emergency_waits():
            ready = [self._ready(item, now) for item in airing["items"]]
            if all(ready) or (any(ready) and now >= airing["at"] + LATE_RECORDINGS):
                self._begin(key, airing, ready, now, uptime)

    def _emergency_waits(self):
        """Whether an emergency is held that this village could hear once its recording is here;
        one that was heard and lacks a language does not hold up the rest."""
        now = self.device.clock.utc()
        return any(
            not self.diary.emergencies[name]["heard"] or self._covers_sound(wanted, now)
            for name in self.device.held()
            for wanted in self._open_sounds(name)
        )

    def _hindered(self, airing, now):
        """The cause for which this airing does not sound; `None` while it still may."""
        device = self.device
        if now > airing["latest"]:
            return self._too_late(airing)
        if device.manifest["valid_until"] <= now or self._all_expired(airing, now):
            return "expired"
        end = now + length_of(airing)
        if not open_until(device.config.windows, device.config.zone, now, end):
            return "quiet"
        policy = device.manifest["policy"]["windows"]
        if not open_until(policy, device.manifest["zone"], now, end):
            return "policy"
        if not self._affordable(device.manifest["policy"], now, length_of(airing)):
            return "policy"
        return "storage" if device.ledger.full else None

    def _affordable(self, policy, now, length):
        """Whether the policy's sums have room, counting what was begun on this local date."""
        today = self._date(now)
        begun = self.diary.airings.values()
        spent = [mark["length"] for mark in begun if mark.get("day") == today]
        minute = 60 * SECOND
        return (
            length <= policy["minutes_a_session_max"] * minute
            and len(spent) < policy["sessions_a_day_max"]
            and sum(spent) + length <= policy["minutes_a_day_max"] * minute
        )

    def _date(self, at):
        zone = self.device.manifest["zone"]
        return str(datetime.fromtimestamp(at // SECOND, timezone.utc).astimezone(zone).date())

    def _too_late(self, airing):
        device = self.device
        if device.clock.started > airing["latest"]:
            return "power"
        if device.clock.trusted_since > airing["latest"]:
            return "clock"
        if all(device.holdings.whole(item["asset"]) for item in airing["items"]):
            return "busy" if self.player else "refused"
        return "missing"

    def _all_expired(self, airing, now):
        known = [self.device.holdings.assets.get(item["asset"]) for item in airing["items"]]
        known = [asset for asset in known if asset]
        return bool(known) and all(asset.descriptor["valid_until"] <= now for asset in known)

    def _ready(self, item, now):
        if not self.covered(item["asset"], now):
            return False
        descriptor = self.device.holdings.assets[item["asset"]].descriptor
        return all(descriptor[same] == item[same] for same in ("bulletin", "language", "length_ms"))

    def covered(self, digest, now):
        """Whether this recording is whole, not withdrawn, and its descriptor allows here and now."""
        manifest = self.device.manifest
        if not self.device.holdings.whole(digest) or digest in manifest["withdrawn"]:
            return False
        descriptor = self.device.holdings.assets[digest].descriptor
        here = set(descriptor["areas"]) & set(manifest["areas"])
        return bool(here) and descriptor["valid_from"] <= now < descriptor["valid_until"]

    def _skip(self, key, airing, cause):
        items = [told(item, "skipped") for item in airing["items"]]
        self.device.ledger.write(
            "airing", airing=key, manifest=self.device.manifest["number"], outcome="skipped",
            cause=cause, evidence="commanded", items=items,
        )

    def _begin(self, key, airing, ready, now, uptime):
        name = airing_text(key)
        pairs = list(zip(airing["items"], ready))
        items = [told(item, "interrupted" if well else "skipped") for item, well in pairs]
        mark = {
            "do": "begun", "airing": name, "key": key, "at": now, "items": items,
            "manifest": self.device.manifest["number"],
            "day": self._date(now), "length": length_of(airing),
        }
        self.diary.keep(mark)
        try:
            parts = self._parts(airing, ready)
        except (OSError, ValueError) as error:
            self.device.say(str(error))
            self._swear(name, "failed", "sound")
            return
        share = airing.get("volume_percent", 100) * self.device.volume
        parts = [(item, sound.at_volume(samples, share)) for item, samples in parts]
        self._start("airing", name, parts, uptime)

    def _parts(self, airing, ready):
        parts = [(None, sound.CHIME_UP)] if airing["chime"] else []
        playable = [(n, item) for n, item in enumerate(airing["items"]) if ready[n]]
        for position, (n, item) in enumerate(playable):
            if position:
                parts.append((None, sound.silence(airing["gap_ms"])))
            parts.append((n, sound.decode(self.device.holdings.path(item["asset"], "opus"))))
        return parts + ([(None, sound.CHIME_DOWN)] if airing["chime"] else [])

    def _swear(self, name, outcome, cause, ended=True):
        """The receipt of an airing that was begun; its mark says what of it sounded."""
        mark = self.diary.airings[name]
        if outcome is None:
            left_out = any(item["outcome"] != "completed" for item in mark["items"])
            outcome, cause = ("interrupted", "missing") if left_out else ("completed", None)
        sounded = any(item["outcome"] == "completed" for item in mark["items"])
        self.device.ledger.write(
            "airing", airing=mark["key"], manifest=mark["manifest"], outcome=outcome,
            **({"cause": cause} if cause else {}), begun=mark["at"],
            evidence="rendered" if sounded else "commanded",
            **({"ended": self.device.clock.utc()} if ended else {}),
            items=[dict(item) for item in mark["items"]],
        )

    def stop(self, outcome, cause):
        """Ends the routine airing that plays, or the test tone."""
        current = self.current
        self._clear()
        if current["kind"] == "airing":
            self._swear(current["name"], outcome, cause)

    def selftest(self, uptime):
        now, config = self.device.clock.utc(), self.device.config
        end = now + TEST_TONE_S * SECOND
        if not self.player and open_until(config.windows, config.zone, now, end):
            self._start("selftest", "selftest", [(None, sound.TEST_TONE)], uptime)

    def after_power_cut(self):
        """Receipts that a power cut kept from being written; once the clock is trusted."""
        for name, mark in list(self.diary.airings.items()):
            if not mark["over"] and name != self.playing:
                self._swear(name, "interrupted", "power", ended=False)
        for name, held in self.diary.emergencies.items():
            if held["note"] and "accepted" not in held["steps"] and not held["over"]:
                self._step(name, "accepted", 0)
            if held["over"] and held["over"]["step"] not in held["steps"]:
                self._step(name, held["over"]["step"], self._attempt_told(name))

    # Emergencies

    def _emergencies(self, uptime):
        now = self.device.clock.utc()
        for name in self.device.held():
            sounds = bool(self.current) and self.current.get("id") == name
            attempt = self.diary.emergencies[name]["attempt"]
            expired = self.device.emergencies[name]["expires"] <= now
            if not sounds and (expired or attempt >= ATTEMPTS_MAX):
                self.over(name, "failed")
        if self.current and self.current["kind"] == "emergency":
            return
        for name in self.device.held():
            sounds = [s for s in self._open_sounds(name) if self._covers_sound(s, now)]
            if sounds:
                self._raise(name, sounds, uptime)
                return

    def _open_sounds(self, name):
        """What is still to sound in the village's languages, in the manifest's order."""
        order, withdrawn = self.device.manifest["languages"], self.device.manifest["withdrawn"]
        heard = self.diary.emergencies[name]["heard"]
        sounds = [
            s for s in self.device.emergencies[name]["action"]["sounds"]
            if s["language"] in order and s["language"] not in heard and s["asset"] not in withdrawn
        ]
        return sorted(sounds, key=lambda s: order.index(s["language"]))

    def _heard(self, name, languages):
        """Its languages sounded whole; it is completed when none is left."""
        attempt = self.diary.emergencies[name]["attempt"]
        self.diary.keep({"do": "heard", "id": name, "languages": languages})
        if self._open_sounds(name):
            self._step(name, "accepted", attempt)
        else:
            self.over(name, "completed", attempt=attempt)

    def _covers_sound(self, wanted, now):
        if not self.covered(wanted["asset"], now):
            return False
        descriptor = self.device.holdings.assets[wanted["asset"]].descriptor
        return descriptor["language"] == wanted["language"]

    def _raise(self, name, sounds, uptime):
        if self.player:
            self.stop("preempted", "emergency")
        attempt = self.diary.emergencies[name]["attempt"] + 1
        self.diary.keep({"do": "attempt", "id": name, "attempt": attempt})
        self._step(name, "begun", attempt)
        action = self.device.emergencies[name]["action"]
        try:
            round_ = [sound.decode(self.device.holdings.path(s["asset"], "opus")) for s in sounds]
        except (OSError, ValueError) as error:
            self.device.say(str(error))
            return
        parts = [(None, sound.ALERT)]
        for _ in range(action["repeat"]):
            parts += [(None, samples) for samples in round_]
            parts.append((None, sound.silence(action["gap_ms"])))
        languages = [s["language"] for s in sounds]
        self._start(
            "emergency", f"emergency/{name}", parts, uptime, id=name, languages=languages,
            mark=f"_{len(self.diary.emergencies[name]['heard'])}_{attempt}",
        )

    def over(self, name, step, until=0, attempt=None):
        """Marks an emergency over, durably, then swears how it ended."""
        if self.current and self.current.get("id") == name:
            self._clear()
        held = self.device.emergencies.get(name)
        until = max(until, held["expires"] + REMEMBERED if held else 0)
        self.diary.keep({"do": "over", "id": name, "step": step, "until": until})
        self._step(name, step, self._attempt_told(name) if attempt is None else attempt)

    def cancel(self, name, note):
        # A play under this id that nobody here has seen may last a day from now.
        self.over(name, "cancelled", max(note["expires"], note["issued"] + DAY) + REMEMBERED)

    def _attempt_told(self, name):
        held = self.diary.emergencies[name]
        return 0 if held["over"]["step"] == "cancelled" else held["attempt"]

    def _step(self, name, step, attempt):
        heard = self.diary.emergencies[name]["heard"]
        languages = {"languages": list(heard)} if heard else {}
        self.device.ledger.write(
            "emergency", emergency=name, step=step, attempt=attempt, **languages
        )


def told(item, outcome):
    return {
        "bulletin": item["bulletin"], "language": item["language"], "asset": item["asset"],
        "outcome": outcome,
    }
