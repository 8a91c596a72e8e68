#!/usr/bin/env python3
"""Verifies this export of a broadcast log, trusting neither the station nor its software.

    python3 verify.py [KEY [OLDER]]

KEY is the log's public key as you have it from elsewhere (name+id+base64); without it the key in
keys.txt is taken, and you compare its fingerprint. OLDER is a checkpoint that you kept, as a file:
an export of the whole log must continue it. Needs Python 3.8 and the command openssl 3.0.

The log is a Merkle tree (RFC 6962). A leaf is SHA-256(0x00, entry), a node SHA-256(0x01, left,
right). The file checkpoint is the signed root (c2sp.org/tlog-checkpoint). One changed byte in one
entry changes the root.
"""
import base64, hashlib, pathlib, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent


def fail(sentence):
    sys.exit("WRONG: " + sentence)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def read(path):
    return path.read_bytes().decode("utf-8")


def signed_text(note, key):
    """The text of a signed note (c2sp.org/signed-note), once `key` has signed it."""
    name, key_id, encoded = key.split("+", 2)
    public = base64.b64decode(encoded)
    if public[0] != 1 or sha256(name.encode(), b"\n", public)[:4].hex() != key_id:
        fail(f"{key} is no Ed25519 key")
    text, _, lines = note.rpartition("\n\n")
    for line in lines.splitlines():
        _, signer, blob = line.split(" ")
        blob = base64.b64decode(blob)
        if signer == name and blob[:4].hex() == key_id:
            if not openssl_verifies(public[1:], (text + "\n").encode(), blob[4:]):
                fail(f"the signature by {name} is forged")
            return text + "\n"
    fail(f"the checkpoint is not signed by {name}")


def openssl_verifies(public, text, signature):
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder, name) for name in ("key", "text", "signature")]
        # The 12 bytes say "Ed25519 public key" in DER (RFC 8410).
        contents = (bytes.fromhex("302a300506032b6570032100") + public, text, signature)
        for file, content in zip(files, contents):
            file.write_bytes(content)
        command = "openssl pkeyutl -verify -pubin -keyform DER -rawin -inkey {} -in {} -sigfile {}"
        run = subprocess.run(command.format(*files).split(), capture_output=True)
        return run.returncode == 0


def root_over_path(entry, index, size, path):
    """The root that a proof leads to (RFC 9162, 2.1.3.2)."""
    if index >= size:
        return None
    last, found = size - 1, sha256(b"\0", entry)
    for sibling in path:
        if index % 2 or index == last:
            found = sha256(b"\1", sibling, found)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            found = sha256(b"\1", found, sibling)
        index, last = index // 2, last // 2
    return found if last == 0 else None


def root_over_all(entries):
    """The root of the tree of `entries`: full subtrees are merged as soon as they are twins."""
    peaks = []
    for count, entry in enumerate(entries, 1):
        peaks.append(sha256(b"\0", entry))
        while count % 2 == 0:
            count, right = count // 2, peaks.pop()
            peaks[-1] = sha256(b"\1", peaks[-1], right)
    while len(peaks) > 1:
        right = peaks.pop()
        peaks[-1] = sha256(b"\1", peaks[-1], right)
    return peaks[0] if peaks else sha256(b"")


def head(note, key):
    origin, size, root = signed_text(note, key).split("\n")[:3]
    return origin, int(size), base64.b64decode(root)


def check_selected(checkpoint, size, root):
    files = list((HERE / "entries").glob("*.json"))
    for file in files:
        lines, _, note = read(HERE / "proofs" / (file.stem + ".tlog-proof")).partition("\n\n")
        _, index, *path = lines.split("\n")
        if note != checkpoint or index != f"index {file.stem}":
            fail(f"the proof of entry {file.stem} is of something else")
        path = [base64.b64decode(line) for line in path]
        if root_over_path(file.read_bytes(), int(file.stem), size, path) != root:
            fail(f"entry {file.stem} or its proof was altered: it is not what was signed")
    return f"{len(files)} entries are in the log as signed"


def check_all(entries, size, root):
    if len(entries) != size:
        fail(f"{size} entries were signed and {len(entries)} are here")
    if root_over_all(entries) != root:
        fail("an entry was altered: they do not lead to the signed root")
    return f"all {size} entries are as signed"


def main(key=None, older=None):
    trusted = key is not None
    key = key or read(HERE / "keys.txt").split("\n")[0]
    checkpoint = read(HERE / "checkpoint")
    origin, size, root = head(checkpoint, key)
    everything = HERE / "entries.jsonl"
    entries = everything.read_bytes().split(b"\n")[:-1] if everything.exists() else None
    right = check_selected(checkpoint, size, root) if entries is None else check_all(entries, size, root)
    if older:
        older_origin, older_size, older_root = head(read(pathlib.Path(older)), key)
        if entries is None:
            fail("an older checkpoint needs an export of the whole log")
        if older_origin != origin or root_over_all(entries[:older_size]) != older_root:
            fail(f"the log does not continue your checkpoint of {older_size} entries: it was rewritten")
        right += f", and it continues your checkpoint of {older_size} entries"
    print(f"RIGHT: {right}. Log {origin}, {size} entries, root {root.hex()}.")
    digits = sha256(base64.b64decode(key.split("+", 2)[2])[1:]).hex()[:32]
    print("Key fingerprint:", " ".join(digits[i : i + 4] for i in range(0, 32, 4)))
    if not trusted:
        print("This key came with the export: compare its fingerprint with one you have from elsewhere.")


try:
    main(*sys.argv[1:])
except (OSError, ValueError, IndexError) as error:
    fail(f"a file or the command openssl is missing, or a file is damaged: {error}")
