"""Signed notes and keys: sections 3 and 4 of docs/protocol.md.

Nothing here knows what a document says. A note is opened in the order of the page: its form, its
signatures, and only then its text.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOTE_BYTES_MAX = 262_144
SIGNATURES_MAX = 16
KEY_NAME_CHARACTERS_MAX = 160

P = 2**255 - 19
# The y coordinates of the points of small order: a "key" there verifies what nobody signed.
SMALL_ORDER_Y = {
    0,
    1,
    P - 1,
    int.from_bytes(
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
    ),
    int.from_bytes(
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
    ),
}


class Refused(Exception):
    """A document that is not taken; the sentence says why. It has changed nothing."""


def key_id(name, key):
    return hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4]


@dataclass(frozen=True)
class PublicKey:
    """One Ed25519 key and the name it signs under."""

    name: str
    key: bytes

    @classmethod
    def parse(cls, text):
        name, _, rest = text.partition("+")
        identity, _, encoded = rest.partition("+")
        raw = unbase64(encoded)
        if len(raw) != 33 or raw[0] != 1:
            raise Refused(f"`{text}` is no Ed25519 key")
        key = cls(name, raw[1:])
        if not is_key_name(name) or identity != key.id.hex():
            raise Refused(f"`{text}`: the id does not fit name and key")
        if not is_strict_point(key.key):
            raise Refused(f"`{text}` is a point that signs for everybody")
        return key

    @property
    def id(self):
        return key_id(self.name, self.key)

    @property
    def fingerprint(self):
        digits = hashlib.sha256(self.key).hexdigest()[:32]
        return " ".join(digits[at : at + 4] for at in range(0, 32, 4))

    def __str__(self):
        encoded = base64.b64encode(b"\x01" + self.key).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    def signed(self, text, signature):
        """Whether this signature over `text` is right, with canonical encodings alone."""
        if not is_strict_point(signature[:32]):
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text)
        except InvalidSignature:
            return False
        return True


def is_key_name(name):
    plain = all(not c.isspace() and c != "+" and not is_control(c) for c in name)
    return 1 <= len(name) <= KEY_NAME_CHARACTERS_MAX and plain


def is_control(character):
    return ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0


def is_strict_point(encoded):
    y = int.from_bytes(encoded, "little") & ((1 << 255) - 1)
    return y < P and y not in SMALL_ORDER_Y


def unbase64(text):
    """Standard base64 with padding, canonical; empty bytes where it is not."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if base64.b64encode(raw).decode() == text else b""


class SigningKey:
    """A private key with its name."""

    def __init__(self, name, seed):
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = PublicKey(name, raw)

    def line(self, text):
        """The signature line under `text`."""
        blob = self.public.id + self._key.sign(text)
        return f"— {self.public.name} {base64.b64encode(blob).decode()}\n".encode()

    def note(self, text):
        return text + b"\n" + self.line(text)


@dataclass(frozen=True)
class Note:
    """A note of the right form; nobody has looked at its signatures yet."""

    text: bytes
    lines: tuple  # of (name, blob)

    @classmethod
    def parse(cls, raw):
        if len(raw) > NOTE_BYTES_MAX:
            raise Refused(f"the note has {len(raw)} bytes, more than {NOTE_BYTES_MAX}")
        try:
            whole = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("the note is not UTF-8") from None
        if any(is_control(c) and c != "\n" for c in whole):
            raise Refused("the note holds a control character")
        text, cut, signatures = whole.rpartition("\n\n")
        if not cut or not signatures.endswith("\n"):
            raise Refused("the note has no signatures under a blank line")
        lines = tuple(signature_line(line) for line in signatures[:-1].split("\n"))
        if len(lines) > SIGNATURES_MAX:
            raise Refused(f"the note has {len(lines)} signatures, more than {SIGNATURES_MAX}")
        return cls((text + "\n").encode(), lines)

    def signers(self, keys):
        """Those of `keys` that signed. One wrong signature under a known name refuses the note."""
        found = []
        for name, blob in self.lines:
            for key in keys:
                if len(blob) != 68 or key.name != name or key.id != blob[:4]:
                    continue
                if not key.signed(self.text, blob[4:]):
                    raise Refused(f"the signature of {name} is wrong")
                found.append(key)
        return found

    def demand(self, keys, needed, whose):
        """Refuses the note without `needed` different keys out of `keys`."""
        have = people(self.signers(keys))
        if have < needed:
            raise Refused(f"{have} of the {needed} signatures of {whose} needed")


def people(keys):
    """How many hold these keys at least: one name has one holder, and so has one key."""
    holders = []
    for key in keys:
        same = [held for held in holders if any(k.name == key.name or k.key == key.key for k in held)]
        holders = [held for held in holders if held not in same] + [sum(same, [key])]
    return len(holders)


def signature_line(line):
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—" or not is_key_name(parts[1]) or not parts[2]:
        raise Refused("a line under the blank line is no signature")
    blob = unbase64(parts[2])
    if not blob:
        raise Refused(f"the signature of {parts[1]} is no base64")
    return parts[1], blob
