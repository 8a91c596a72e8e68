"""A second controller, written from docs/protocol.md alone. For tests: no sound card, WAV files.

    /usr/bin/python3 controller.py --config controller.toml enrol CODE  makes its keys, prints them
    /usr/bin/python3 controller.py --config controller.toml request     the same, for a new certificate
    /usr/bin/python3 controller.py --config controller.toml             runs until it is stopped

It needs Python 3.11, paho-mqtt 1.6 or 2, cryptography, and ffmpeg to decode.
"""

import argparse
import fcntl
import hashlib
import os
import queue
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat, load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from agent import Agent
from documents import read_first_trust, read_trust, text_of, time_of_day, zone
from link import Link
from note import Note, PublicKey, Refused, SigningKey
from storage import Diary, write_durably

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TICK_S = 0.05


@dataclass
class Config:
    """The folder of `loaban fleet provision`; firmware-config/controller.toml says each key."""

    net: str
    controller: str
    host: str
    port: int
    password: str
    tls: dict | None
    state: Path
    folder: Path
    trust: bytes
    roots: list
    root_threshold: int
    windows: list
    zone: object
    rtc: bool
    reconnect_max_s: int

    @classmethod
    def read(cls, path):
        home, table = path.parent, tomllib.loads(path.read_text())
        scheme, _, address = table["broker"].partition("://")
        host, _, port = address.rpartition(":")
        if not port.isdigit():
            host, port = address, "8883" if scheme == "mqtts" else "1883"
        password = table.get("password_file")
        return cls(
            net=table["net"], controller=table["controller"], host=host, port=int(port),
            password=(home / password).read_text().strip() if password else "",
            tls=tls_files(table["tls"], home, home / table["state"]) if scheme == "mqtts" else None,
            state=home / table["state"], folder=home / table["speaker"].get("folder", "played"),
            trust=(home / table["trust"]).read_bytes(),
            roots=[PublicKey.parse(root) for root in table["roots"]],
            root_threshold=table["root_threshold"],
            windows=[window(entry) for entry in table["window"]],
            zone=zone(table.get("zone", "Asia/Ho_Chi_Minh")), rtc=table.get("rtc", False),
            reconnect_max_s=table.get("reconnect_max_s", 60),
        )


def tls_files(table, home, state):
    """`[tls]`: where the certificates lie. The key was made here and lies in the state folder."""
    certificate = table.get("certificate")
    return {
        "ca": home / table["ca"], "certificate": home / certificate if certificate else None,
        "key": state / "tls.key",
    }


def certificate_request(config):
    """What the station signs: the controller id for a key that never leaves this device."""
    path = config.state / "tls.key"
    if not path.exists():
        made = ec.generate_private_key(ec.SECP256R1())
        forms = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_durably(path, made.private_bytes(*forms), mode=0o600)
    tls_key = load_pem_private_key(path.read_bytes(), None)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, config.controller)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name)
    return request.sign(tls_key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def enrolment(config, code):
    """What the station enrols: our keys, under their own signature and that of the box's code."""
    key = device_key(config)
    members = {"controller": config.controller, "key": str(key.public)}
    if config.tls and config.tls["certificate"]:
        members["request"] = certificate_request(config)
    text = text_of("enrolment", config.net, members)
    return key.note(text) + (code_key(config, code).line(text) if code else b"")


def code_key(config, typed):
    """The key that a one-time code makes: Crockford's base 32, as people type it."""
    plain = "".join(typed.upper().split()).replace("-", "")
    letters = plain.replace("O", "0").replace("I", "1").replace("L", "1")
    secret = f"loaban code\n{config.net}\n{config.controller}\n{letters}\n"
    name = f"{config.net}/code/{config.controller}"
    return SigningKey(name, hashlib.sha256(secret.encode()).digest())


def window(entry):
    days = DAYS if entry["days"] == ["all"] else entry["days"]
    return {
        "days": [DAYS.index(day) + 1 for day in days],
        "from": time_of_day(entry["from"]), "until": time_of_day(entry["until"]),
    }


def device_key(config):
    """The key of this device: made here, and never shown."""
    path = config.state / "device.key"
    if not path.exists():
        write_durably(path, os.urandom(32), mode=0o600)
    return SigningKey(f"{config.net}/device/{config.controller}", path.read_bytes())


def held_trust(config):
    """The newest trust document kept, else the one it was provisioned with."""
    first = read_first_trust(config.trust, config.net, config.roots, config.root_threshold)
    kept = config.state / "trust.note"
    if not kept.exists():
        return first
    note = Note.parse(kept.read_bytes())
    document = read_trust(note, config.net)
    note.demand(document["roots"], document["root_threshold"], "its own roots")
    return document if document["version"] > first["version"] else first


class Links:
    """Both connections, as the agent uses them."""

    def __init__(self, config, events):
        self.prefix = f"loaban/1/{config.net}/"
        self.main = Link(config, config.controller, events, clean=False)
        self.bulk = Link(config, f"{config.controller}-bulk", events, clean=True)
        own = [f"c/{config.controller}/{down}" for down in DOWN]
        self.filters = ["trust", "a/+/emergency", *own]
        self.watched = set()

    def publish(self, topic, payload, retain):
        return self.main.publish(self.prefix + topic, payload, retain)

    def main_is_up(self):
        for topic in self.filters:
            self.main.subscribe(self.prefix + topic)

    def bulk_is_up(self):
        for digest in self.watched:
            self.bulk.subscribe(f"{self.prefix}asset/{digest}/+")

    def watch(self, digests):
        """Subscribes to what is fetched; the bulk connection is open only for that."""
        before, self.watched = self.watched, set(digests)
        if self.bulk.connected:
            for digest in self.watched - before:
                self.bulk.subscribe(f"{self.prefix}asset/{digest}/+")
            for digest in before - self.watched:
                self.bulk.unsubscribe(f"{self.prefix}asset/{digest}/+")
        if self.watched:
            self.bulk.wanted.set()
        else:
            self.bulk.wanted.clear()


DOWN = ["manifest", "order", "emergency", "ack", "time", "trust"]


class Controller:
    """Carries what happens on the links to the agent, one after another."""

    def __init__(self, config):
        self.events = queue.Queue()
        diary = Diary(config.state / "diary.jsonl")
        diary.compact(0)
        diary.keep({"do": "boot", "boot": diary.boot + 1})
        self.links = Links(config, self.events)
        self.agent = Agent(config, device_key(config), held_trust(config), diary, self.links)
        self.links.main.before_connect = self._set_will
        self.links.main.sure_time = self.links.bulk.sure_time = self.agent.sure_time

    def _set_will(self, client):
        topic, payload = self.agent.will()
        client.will_set(self.links.prefix + topic, payload, 1, True)

    def run(self):
        self.links.main.wanted.set()
        self.links.main.start()
        self.links.bulk.start()
        while True:
            try:
                self._happened(self.events.get(timeout=TICK_S))
            except queue.Empty:
                pass
            self.agent.tick()

    def _happened(self, event):
        main = event.link is self.links.main
        match event.what, main:
            case "up", True:
                self.agent.say("link up")
                self.links.main_is_up()
                self.agent.link_up()
            case "up", False:
                self.agent.fetcher.spread(self.agent.uptime())
                self.links.bulk_is_up()
            case "down", True:
                self.agent.say("link down")
                self.agent.link_down()
            case "down", False:
                self.agent.fetcher.bulk_down()
            case "subscribed", False:
                self.agent.fetcher.subscribed(event.topic.split("/")[-2])
            case "message", _:
                self.agent.message(event.topic, event.payload)
        event.handled.set()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--config", type=Path, required=True)
    arguments.add_argument("do", nargs="?", choices=["run", "enrol", "request"], default="run")
    arguments.add_argument("code", nargs="?", help="the one-time code of the box, for enrol")
    chosen = arguments.parse_args()
    try:
        config = Config.read(chosen.config.absolute())
        config.state.mkdir(exist_ok=True)
        config.folder.mkdir(exist_ok=True)
        lock = open(config.state / "lock", "w")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if chosen.do != "run":
            print(enrolment(config, chosen.code).decode(), end="")
            fingerprint = device_key(config).public.fingerprint
            print(f"read out by telephone: {fingerprint}", file=sys.stderr)
            return
        Controller(config).run()
    except BlockingIOError:
        sys.exit(f"another process uses {config.state}; stop it first")
    except (Refused, OSError, KeyError, ValueError) as error:
        sys.exit(f"controller: {error!r}")


if __name__ == "__main__":
    # An error in a thread would leave a controller that looks alive.
    main()
