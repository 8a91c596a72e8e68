#!/usr/bin/env python3
"""Breaks one rule at a time in a copy of the tree, and asks the simulator which promise it sees broken.

    tests/mutations/run.py [--only WORD] [--seeds N] [--folder F] [--write]

A mutation is a change of source text: nothing in the programs is there for its sake. Each is built
and simulated alone. With --write the table in docs/reliability.md is made anew. The copy is made in a
folder of its own, or in F, which is kept; CARGO names the program that builds.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rules import MUTATIONS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reliability.md"
BEGIN, END = "<!-- mutations -->\n", "<!-- /mutations -->"
FEATURES = ["--no-default-features", "--features", "sim"]


def copy(folder):
    """The files that git knows, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if name.startswith(("src/", "tests/sim.rs", "Cargo", "benches/", "tests/")):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)


def simulate(folder, seeds):
    """What the test printed."""
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "test", "--locked", *FEATURES, "--test", "sim", "every_promise_holds"]
    env = dict(os.environ, LOABAN_SIM_SEEDS=str(seeds), RUST_BACKTRACE="0")
    env.setdefault("CARGO_TARGET_DIR", str(ROOT / "target/mutations"))
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    if "test result:" not in done.stdout:
        raise SystemExit(f"no test ran; a mutation that does not build proves nothing:\n{done.stderr}")
    return done.stdout + done.stderr


def broken(text):
    """The promises that were broken, and the seed."""
    found = sorted({int(n) for n in re.findall(r": promise (\d+): ", text)})
    first = re.search(r"seed (\d+):", text)
    panic = "panicked" in text and not found
    return found, first.group(1) if first else "", panic


def mutate(folder, edits):
    """Applies the edits; returns the originals."""
    originals = {}
    for name, old, new in edits:
        path = folder / name
        text = path.read_text()
        originals.setdefault(path, text)
        if text.count(old) != 1:
            raise SystemExit(f"{name}: {text.count(old)} places instead of one say: {old}")
        path.write_text(text.replace(old, new))
    return originals


def table(rows):
    lines = ["| rule broken on purpose | promise seen broken | seed |", "|---|---|---|"]
    for rule, promises, seed in rows:
        seen = ", ".join(map(str, promises)) or "**none**"
        lines.append(f"| {rule} | {seen} | {seed} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="rules that contain this word")
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    rows, missed = [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = asked.folder or Path(name)
        copy(folder)
        for rule, edits in MUTATIONS:
            if asked.only not in rule:
                continue
            originals = mutate(folder, edits)
            text = simulate(folder, asked.seeds)
            promises, seed, panic = broken(text)
            if panic:
                promises, seed = ["a panic"], ""
            missed += not promises
            rows.append((rule, promises, seed))
            print(f"{rule}: {promises or 'NOT SEEN'} {seed}", flush=True)
            for path, original in originals.items():
                path.write_text(original)
    if asked.write:
        page = PAGE.read_text()
        before, rest = page.split(BEGIN)
        PAGE.write_text(before + BEGIN + table(rows) + END + rest.split(END)[1])
    print(f"{len(rows) - missed} of {len(rows)} seen")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
