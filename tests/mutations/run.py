#!/usr/bin/env python3
"""Breaks one rule at a time, and asks the simulator which promise it sees broken.

    tests/mutations/run.py [--only WORD] [--seeds N] [--folder F] [--write]

A copy of the tree is changed so that each rule can be broken by a number in the environment; nothing
in the programs is there for its sake. The copy is built once, optimised, and run once for each rule,
and once with every rule whole. With --write the table in docs/reliability.md is made anew. The copy
is made in a folder of its own, or in F, which is kept; CARGO names the program that builds.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rules import RULES, SCAFFOLD

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reliability.md"
BEGIN, END = "<!-- mutations -->\n", "<!-- /mutations -->"
BUILD = ["build", "--release", "--locked", "--no-default-features", "--features", "sim", "--test", "sim",
         "--message-format", "json"]


def copy(folder):
    """The files that git knows, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if name.startswith(("src/", "Cargo", "benches/", "tests/", "fuzz/")):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists() or target.read_bytes() != (ROOT / name).read_bytes():
                shutil.copyfile(ROOT / name, target)


def change(folder):
    """Makes every rule breakable."""
    edits = [edit for edit in SCAFFOLD]
    for number, (_, changes) in enumerate(RULES):
        for name, old, new in changes:
            edits.append((name, old, new.replace("BROKEN", f"crate::is_broken({number})")))
    for name, old, new in edits:
        path = folder / name
        text = path.read_text()
        if text.count(old) != 1:
            raise SystemExit(f"{name}: {text.count(old)} places instead of one say: {old}")
        path.write_text(text.replace(old, new))


def build(folder):
    """The program that simulates."""
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, *BUILD, "--manifest-path", str(folder / "Cargo.toml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        told = json.loads(line) if line.startswith("{") else {}
        if told.get("executable") and told.get("target", {}).get("name") == "sim":
            return told["executable"]
    raise SystemExit(f"a copy that does not build proves nothing:\n{done.stderr}")


def simulate(program, rule, seeds):
    """The promises that were broken with this rule, and by which seed."""
    env = dict(os.environ, LOABAN_SIM_SEEDS=str(seeds), LOABAN_BROKEN=str(rule), RUST_BACKTRACE="0")
    command = [program, "every_promise_holds", "--test-threads", "1"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    text = done.stdout + done.stderr
    if "test result:" not in text:
        return ["a crash"], ""
    found = sorted({int(n) for n in re.findall(r": promise (\d+): ", text)})
    first = re.search(r"seed (\d+):", text)
    if not found and "FAILED" in text:
        return ["a panic"], ""
    return found, first.group(1) if first else ""


def table(rows):
    lines = ["| rule broken on purpose | promise seen broken | seed |", "|---|---|---|"]
    for rule, promises, seed in rows:
        seen = ", ".join(map(str, promises)) or "**none**"
        lines.append(f"| {rule} | {seen} | {seed} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="rules that contain this word")
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = asked.folder or Path(name)
        copy(folder)
        change(folder)
        program = build(folder)
        whole, _ = simulate(program, len(RULES), asked.seeds)
        if whole:
            raise SystemExit(f"with every rule whole promises {whole} are broken: nothing is proved")
        for number, (rule, _) in enumerate(RULES):
            if asked.only in rule:
                promises, seed = simulate(program, number, asked.seeds)
                rows.append((rule, promises, seed))
                print(f"{rule}: {promises or 'NOT SEEN'} {seed}", flush=True)
    seen = sum(1 for _, promises, _ in rows if promises)
    said = f"{seen} of {len(rows)} seen, {asked.seeds} seeds at most for each"
    if asked.write:
        page = PAGE.read_text()
        before, rest = page.split(BEGIN)
        PAGE.write_text(before + BEGIN + table(rows) + f"\n{said}.\n" + END + rest.split(END)[1])
    print(said)
    return 0 if seen == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
