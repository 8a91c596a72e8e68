"""The documents of docs/protocol.md: bytes to members and back.

A function `read_…` raises `Refused` for what the limits of the document's own section forbid, and
knows nothing of the controller's state.
"""

import json
import re
import zoneinfo
from datetime import date

from form import (
    boolean, choice, integer, listing, one_of, parsed, read_json, record, text,
)
from note import Note, PublicKey, Refused

SECOND = 1_000_000
DAY = 24 * 3600 * SECOND

TYPES = {
    "trust", "manifest", "order", "emergency", "ack", "time", "asset", "want", "receipts",
    "status", "clock",
}


def time_of_day(value):
    """Seconds since midnight."""
    if value == "24:00" or value == "24:00:00":
        return 86_400
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", value)
    if not match:
        raise ValueError(f"{value} is no time of day")
    hour, minute, second = match.groups()
    return int(hour) * 3600 + int(minute) * 60 + int(second or 0)


def calendar_date(value):
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise ValueError(f"{value} is no date")
    date.fromisoformat(value)
    return value


def zone(value):
    try:
        return zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, OSError):
        raise ValueError(f"{value} is no IANA zone") from None


TIME = integer()
ID = text(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", 48)
DIGEST = text(r"[0-9a-f]{64}", 64)
LANGUAGE = text(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*", 35)
SIXTEEN = text(r"[0-9a-f]{16}", 16)
KEY = parsed(PublicKey.parse)

TRUST = record(
    version=integer(1), issued=TIME, root_threshold=integer(1),
    roots=listing(KEY, length_min=1), emergency_threshold=integer(1),
    keys=listing(
        record(
            key=KEY, areas=listing(ID), until=TIME,
            role=one_of("content", "emergency", "schedule", "time", "ack", "log"),
        ),
        500,
    ),
    revoked=listing(ID),
)
POLICY = record(
    windows=listing(
        record(
            days=listing(integer(1, 7), 7, 1),
            **{"from": parsed(time_of_day), "until": parsed(time_of_day)},
        )
    ),
    sessions_a_day_max=integer(0, 65_535), minutes_a_session_max=integer(0, 65_535),
    minutes_a_day_max=integer(0, 65_535),
)
ITEM = record(bulletin=ID, language=LANGUAGE, asset=DIGEST, length_ms=integer())
MANIFEST = record(
    controller=ID, number=integer(), issued=TIME, valid_until=TIME, areas=listing(ID),
    languages=listing(LANGUAGE), zone=parsed(zone), policy=POLICY,
    airings=listing(
        record(
            programme=ID, date=parsed(calendar_date), occurrence=integer(0, 65_535), at=TIME,
            latest=TIME, chime=boolean, gap_ms=integer(), items=listing(ITEM, 100),
            left_out={"volume_percent": integer(0, 100)},
        ),
        1_008,
    ),
    withdrawn=listing(DIGEST), left_out={"hold": listing(DIGEST, 64)},
)
ASSET = record(
    asset=DIGEST, bulletin=ID, language=LANGUAGE, codec=one_of("opus"), length_ms=integer(),
    **{"class": one_of("normal", "priority", "emergency")},
    bytes=integer(1, 31_457_280), block_bytes=integer(1_024, 65_536), blocks=listing(DIGEST),
    areas=listing(ID), valid_from=TIME, valid_until=TIME,
)
EMERGENCY = record(
    id=ID, sequence=integer(), issued=TIME, expires=TIME, areas=listing(ID),
    action=choice(
        "do",
        play=record(
            sounds=listing(record(language=LANGUAGE, asset=DIGEST)), repeat=integer(),
            gap_ms=integer(),
        ),
        cancel=record(),
    ),
)
ORDER = record(
    controller=ID, number=integer(), issued=TIME, expires=TIME,
    command=choice(
        "do", stop=record(), volume=record(percent=integer()), selftest=record(), report=record(),
    ),
)
ACK = record(controller=ID, chain=SIXTEEN, upto=integer(), log_size=integer(), log_root=DIGEST)
ANSWER = record(
    controller=ID, nonce=SIXTEEN, t1=TIME, t2=TIME, t3=TIME, manifest=integer(),
    emergency=integer(),
)


def head(typ, net):
    return f'{{"v":1,"typ":"{typ}","net":"{net}",'.encode()


def body(note, typ, net, form):
    """The members of a note whose signatures were found good."""
    line = note.text[:-1]
    if b"\n" in line:
        raise Refused("the document has more than one line")
    start = head(typ, net)
    if not line.startswith(start):
        raise Refused(f"this is no {typ} of network {net}, version 1")
    members = read_json(b"{" + line[len(start) :])
    if members.keys() & {"v", "typ", "net"}:
        raise Refused("a member is there twice")
    return form(members, typ)


def text_of(typ, net, members):
    """The text of a document, to be signed."""
    inner = json.dumps(members, ensure_ascii=False, separators=(",", ":"))
    return head(typ, net) + inner[1:].encode() + b"\n"


def read_trust(note, net):
    document = body(note, "trust", net, TRUST)
    if document["root_threshold"] > len({root.name for root in document["roots"]}):
        raise Refused("`root_threshold` is more than there are roots")
    officers = {grant["key"].name for grant in document["keys"] if grant["role"] == "emergency"}
    if officers and document["emergency_threshold"] > len(officers):
        raise Refused("`emergency_threshold` is more than there are officers")
    return document


def read_first_trust(raw, net, roots, threshold):
    """The document a controller was provisioned with."""
    note = Note.parse(raw)
    note.demand(roots, threshold, "the roots provisioned")
    return read_trust(note, net)


def read_manifest(note, net):
    document = body(note, "manifest", net, MANIFEST)
    if document["valid_until"] > document["issued"] + 7 * DAY:
        raise Refused("`valid_until` is more than 7 days after `issued`")
    for window in document["policy"]["windows"]:
        if window["from"] >= window["until"] or sorted(set(window["days"])) != window["days"]:
            raise Refused("a window of the policy is empty, or its days do not rise")
    seen, last = set(), 0
    for airing in document["airings"]:
        identity = (airing["programme"], airing["date"], airing["occurrence"])
        if identity in seen:
            raise Refused(f"airing {identity} is there twice")
        if airing["at"] < last or airing["latest"] < airing["at"]:
            raise Refused(f"airing {identity} is out of order, or ends before it begins")
        seen.add(identity)
        last = airing["at"]
        for item in airing["items"]:
            if item["language"] not in document["languages"]:
                raise Refused(f"airing {identity} speaks {item['language']}, not asked for here")
    return document


def read_asset(note, net):
    document = body(note, "asset", net, ASSET)
    blocks = -(-document["bytes"] // document["block_bytes"])
    if len(document["blocks"]) != blocks:
        raise Refused(f"{len(document['blocks'])} blocks where the size makes {blocks}")
    return document


def read_emergency(note, net):
    document = body(note, "emergency", net, EMERGENCY)
    if document["expires"] > document["issued"] + DAY:
        raise Refused("the emergency lasts more than 24 hours")
    if document["action"]["do"] == "play":
        document["action"]["repeat"] = min(max(document["action"]["repeat"], 1), 10)
    return document


def read_order(note, net):
    document = body(note, "order", net, ORDER)
    if document["expires"] > document["issued"] + 300 * SECOND:
        raise Refused("the order lasts more than 5 minutes")
    return document
