"""What survives a power cut: section 16 of docs/protocol.md.

A write that fails raises `OSError`, which nothing here or above catches: the process ends, and the
next start continues from what the storage holds.
"""

import hashlib
import json
import os

from documents import DAY

RECEIPTS_KEPT = 30 * DAY
MARKS_KEPT = 9 * DAY
ZERO_LINK = bytes(32)


def write_durably(path, data, mode=0o644):
    """Temporary file, sync, rename, sync of the folder."""
    fresh = path.with_name(path.name + ".new")
    with open(fresh, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    sync_folder(path.parent)


def sync_folder(folder):
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Diary:
    """Everything the controller did, one record a line, each synced before what follows it."""

    def __init__(self, path):
        self.path = path
        self.boot = 0
        self.chain = None
        self.receipts = []  # of (n, line, at), rising, without a hole
        self._after = 0  # number before the first receipt kept
        self.base_link = ZERO_LINK  # link before the first receipt kept
        self.acked = 0
        self.order = 0
        self.airings = {}  # airing key as text -> mark
        self.emergencies = {}  # id -> {"note", "attempt", "steps", "heard", "over"}
        for line in self._lines():
            self._apply(json.loads(line))

    def _lines(self):
        """Whole lines alone: the last may be torn by a power cut, and then nothing followed it."""
        if not self.path.exists():
            return []
        whole, _, _ = self.path.read_bytes().rpartition(b"\n")
        return whole.split(b"\n") if whole else []

    def keep(self, *entries):
        """Keeps records durably, together or not at all as far as a later start can tell."""
        lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        with open(self.path, "ab") as file:
            file.write(lines.encode())
            file.flush()
            os.fsync(file.fileno())
        for entry in entries:
            self._apply(entry)

    def _apply(self, entry):
        getattr(self, "_" + entry["do"])(entry)

    def _boot(self, entry):
        self.boot = entry["boot"]

    def _chain(self, entry):
        self.chain = entry["id"]
        self.base_link = bytes.fromhex(entry["link"])
        self._after = entry["after"]

    def _acked(self, entry):
        self.acked = entry["upto"]

    def _order(self, entry):
        self.order = entry["number"]

    def _begun(self, entry):
        self.airings[entry["airing"]] = {**entry, "over": False}

    def _item(self, entry):
        self.airings[entry["airing"]]["items"][entry["item"]]["outcome"] = "completed"

    def _emergency(self, entry):
        fresh = {"note": None, "attempt": 0, "steps": [], "heard": [], "over": None}
        held = self.emergencies.setdefault(entry["id"], fresh)
        held["note"] = entry["note"]

    def _attempt(self, entry):
        self.emergencies[entry["id"]]["attempt"] = entry["attempt"]

    def _heard(self, entry):
        held = self.emergencies[entry["id"]]
        held["heard"], held["attempt"] = [*held["heard"], *entry["languages"]], 0

    def _over(self, entry):
        fresh = {"note": None, "attempt": 0, "steps": [], "heard": []}
        held = self.emergencies.setdefault(entry["id"], fresh)
        held["over"] = {"step": entry["step"], "until": entry["until"]}

    def _closed(self, entry):
        day, length = entry.get("day"), entry.get("length", 0)
        self.airings[entry["airing"]] = {
            "at": entry["at"], "over": True, "day": day, "length": length,
        }

    def _receipt(self, entry):
        receipt = json.loads(entry["line"])
        self.receipts.append((receipt["n"], entry["line"].encode(), receipt["at"]))
        if receipt["kind"] == "airing":
            key = airing_text(receipt["airing"])
            begun = self.airings.get(key, {})
            day, length = begun.get("day"), begun.get("length", 0)
            self.airings[key] = {"at": receipt["at"], "over": True, "day": day, "length": length}
        if receipt["kind"] == "emergency" and receipt["emergency"] in self.emergencies:
            self.emergencies[receipt["emergency"]]["steps"].append(receipt["step"])

    @property
    def newest(self):
        """Number of the last receipt written."""
        return self.receipts[-1][0] if self.receipts else self._after

    @property
    def waiting(self):
        return self.newest - self.acked

    def link_before(self, number):
        link = self.base_link
        for n, line, _ in self.receipts:
            if n >= number:
                break
            link = hashlib.sha256(link + line).digest()
        return link

    def compact(self, now):
        """Writes the diary anew without what nothing can ask for any more."""
        old = [r for r in self.receipts if r[0] <= self.acked and r[2] < now - RECEIPTS_KEPT]
        after = old[-1][0] if old else self.receipts[0][0] - 1 if self.receipts else self.newest
        entries = [{"do": "boot", "boot": self.boot}, {"do": "order", "number": self.order}]
        if self.chain:
            link = self.link_before(after + 1).hex()
            entries.append({"do": "chain", "id": self.chain, "after": after, "link": link})
        for name, held in self.emergencies.items():
            entries += emergency_entries(name, held, now)
        kept = [(line, at) for n, line, at in self.receipts if n > after]
        written = {airing_of(line) for line, _ in kept}
        for airing, mark in self.airings.items():
            if mark["at"] < now - MARKS_KEPT or airing in written:
                continue
            closed = {
                "do": "closed", "airing": airing, "at": mark["at"], "day": mark.get("day"),
                "length": mark.get("length", 0),
            }
            entries.append(closed if mark["over"] else {**mark, "do": "begun"})
        entries += [{"do": "receipt", "line": line.decode()} for line, _ in kept]
        entries.append({"do": "acked", "upto": self.acked})
        lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        write_durably(self.path, lines.encode())
        self.__init__(self.path)


def emergency_entries(name, held, now):
    if held["over"] and held["over"]["until"] < now:
        return
    if held["note"]:
        yield {"do": "emergency", "id": name, "note": held["note"]}
    if held["heard"]:
        yield {"do": "heard", "id": name, "languages": held["heard"]}
    if held["attempt"]:
        yield {"do": "attempt", "id": name, "attempt": held["attempt"]}
    if held["over"]:
        yield {"do": "over", "id": name, **held["over"]}


def airing_text(key):
    return f"{key['programme']}/{key['controller']}/{key['date']}/{key['occurrence']}"


def airing_of(line):
    receipt = json.loads(line)
    return airing_text(receipt["airing"]) if receipt["kind"] == "airing" else None


class Asset:
    """A descriptor and the blocks that were verified against it."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.missing = set(range(len(descriptor["blocks"])))

    @property
    def whole(self):
        return not self.missing

    def bitmap(self):
        count = len(self.descriptor["blocks"])
        bits = bytearray(-(-count // 8))
        for n in self.missing:
            bits[n // 8] |= 0x80 >> (n % 8)
        return bits.hex()

    def block_length(self, n):
        size, whole = self.descriptor["block_bytes"], self.descriptor["bytes"]
        return min(size, whole - n * size)

    def fits(self, n, block):
        right = 0 <= n < len(self.descriptor["blocks"])
        right = right and len(block) == self.block_length(n)
        return right and hashlib.sha256(block).hexdigest() == self.descriptor["blocks"][n]


class Library:
    """Recordings on disk: `{digest}.note`, and `{digest}.part` until `{digest}.opus` is whole."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.assets = {}  # digest -> Asset

    def path(self, digest, kind):
        return self.folder / f"{digest}.{kind}"

    def notes(self):
        for path in sorted(self.folder.glob("*.note")):
            yield path.stem, path.read_bytes()

    def describe(self, descriptor):
        """Takes a descriptor, and looks which of its blocks are on the disk already."""
        digest, asset = descriptor["asset"], Asset(descriptor)
        for kind in ("opus", "part"):
            if self.path(digest, kind).exists():
                self._look(asset, self.path(digest, kind))
                break
        self.assets[digest] = asset

    def _look(self, asset, path):
        with open(path, "rb") as file:
            for n in range(len(asset.descriptor["blocks"])):
                if asset.fits(n, file.read(asset.block_length(n))):
                    asset.missing.discard(n)
        if asset.whole:
            self._finish(asset, path)
        elif path.suffix == ".opus":
            path.rename(path.with_suffix(".part"))

    def keep_note(self, digest, raw):
        write_durably(self.path(digest, "note"), raw)

    def put(self, digest, n, block):
        """Keeps a verified block. False where the whole turned out to be wrong."""
        asset = self.assets[digest]
        path = self.path(digest, "part")
        with open(path, "r+b" if path.exists() else "w+b") as file:
            file.seek(n * asset.descriptor["block_bytes"])
            file.write(block)
        asset.missing.discard(n)
        return self._finish(asset, path) if asset.whole else True

    def _finish(self, asset, path):
        digest, data = asset.descriptor["asset"], path.read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            path.unlink()
            asset.missing = set(range(len(asset.descriptor["blocks"])))
            return False
        if path.suffix == ".part":
            write_durably(self.path(digest, "opus"), data)
            path.unlink()
        return True

    def forget(self, digest):
        self.assets.pop(digest, None)
        for kind in ("opus", "part", "note"):
            self.path(digest, kind).unlink(missing_ok=True)

    def forget_all_but(self, named):
        for digest in {path.stem for path in self.folder.iterdir()} - named:
            self.forget(digest)

    def whole(self, digest):
        return digest in self.assets and self.assets[digest].whole
