#!/usr/bin/env python3
"""Holds the recordings against samples.toml. Run: python3 audio-samples/check.py

Needs Python 3.11 and ffmpeg, nothing else. It takes about a minute, most of it for the correlations. It says what
every file measures and ends with an error when one of these promises is broken:

* every file is listed, every listed file is there, and each is at most 250 KB (2.5 MB for the folder);
* duration (within 2 ms) and integrated loudness (within 0.1 LU) are those of samples.toml;
* each version lasts 3.0 to 5.0 s, and the versions of a bulletin stay inside their sum;
* no two versions resemble each other: the largest normalised cross-correlation of any pair, at any shift,
  stays below 0.3, so that a program (and a listener) can tell which of them is sounding.
"""

import array
import cmath
import itertools
import pathlib
import re
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
FILE_BYTES_MAX = 250_000
FOLDER_BYTES_MAX = 2_500_000
SUM_MS_MAX = {"phong-chong-sat-lo": 21_000, "lich-tiem-chung": 13_000}
CORRELATION_MAX = 0.3
RATE_HZ = 8_000  # enough for telling voices apart, and quick without a number library


def decode(path: pathlib.Path, *options: str) -> bytes:
    """The samples of a recording as ffmpeg decodes it: 16 bit, with `options` for rate and channels."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), *options, "-f", "s16le", "-"]
    return subprocess.run(command, capture_output=True, check=False).stdout


def duration_ms(path: pathlib.Path) -> int:
    """How long the decoded sound is; what the header says is not asked."""
    return round(len(decode(path, "-ac", "1", "-ar", "48000")) / 2 / 48)


def loudness_lufs(path: pathlib.Path) -> float | None:
    """Integrated loudness by ffmpeg's ebur128 filter; None where it is not defined."""
    command = ["ffmpeg", "-nostdin", "-nostats", "-hide_banner", "-i", str(path), "-af", "ebur128", "-f", "null", "-"]
    log = subprocess.run(command, capture_output=True, check=False, text=True, errors="replace").stderr
    found = re.findall(r"^\s+I:\s+(-?[\d.]+) LUFS", log, re.MULTILINE)
    return float(found[-1]) if found and float(found[-1]) > -70.0 else None


def fourier(values: list[complex]) -> list[complex]:
    """The discrete Fourier transform; the length must be a power of two."""
    n = len(values)
    if n == 1:
        return values
    even, odd = fourier(values[0::2]), fourier(values[1::2])
    turned = [cmath.rect(1.0, -2.0 * cmath.pi * k / n) * odd[k] for k in range(n // 2)]
    return [e + t for e, t in zip(even, turned)] + [e - t for e, t in zip(even, turned)]


def spectrum(path: pathlib.Path) -> list[complex]:
    """The transform of a recording of energy 1, with room behind it for every shift."""
    samples = array.array("h", decode(path, "-ac", "1", "-ar", str(RATE_HZ)))
    energy = sum(s * s for s in samples) ** 0.5
    length = 1 << (2 * 5 * RATE_HZ - 1).bit_length()
    return fourier([complex(s / energy) for s in samples] + [0j] * (length - len(samples)))


def resemblance(one: list[complex], other: list[complex]) -> float:
    """The largest normalised cross-correlation over all shifts: 1 for the same sound, near 0 for strangers."""
    product = [a * b.conjugate() for a, b in zip(one, other)]
    return max(abs(value) for value in fourier(product)) / len(product)


def main() -> int:
    faults = []
    listed = tomllib.loads((HERE / "samples.toml").read_text(encoding="utf-8"))
    entries = listed["sample"] + listed["hard"]
    present = {str(p.relative_to(HERE)) for p in HERE.rglob("*") if p.suffix in {".wav", ".flac", ".mp3"}}
    faults += [f"{name} is not listed in samples.toml" for name in present - {e["file"] for e in entries}]
    for entry in entries:
        path = HERE / entry["file"]
        if not path.is_file():
            faults.append(f"{entry['file']} is listed in samples.toml but missing; run make.sh")
            continue
        length, loudness = duration_ms(path), loudness_lufs(path)
        print(f"{entry['file']:32} {path.stat().st_size:7} bytes {length:5} ms {loudness} LUFS")
        if path.stat().st_size > FILE_BYTES_MAX:
            faults.append(f"{entry['file']} is larger than {FILE_BYTES_MAX} bytes")
        if abs(length - entry.get("duration_ms", 0)) > 2:
            faults.append(f"{entry['file']}: measured {length} ms, samples.toml says {entry.get('duration_ms')}")
        wanted = entry.get("integrated_lufs")
        if (loudness is None) != (wanted is None) or (wanted is not None and abs(loudness - wanted) > 0.101):
            faults.append(f"{entry['file']}: measured {loudness} LUFS, samples.toml says {wanted}")
    for bulletin, limit in SUM_MS_MAX.items():
        lengths = [e["duration_ms"] for e in listed["sample"] if e["bulletin"] == bulletin]
        print(f"{bulletin}: {len(lengths)} versions, {sum(lengths)} ms of {limit}")
        if sum(lengths) > limit or not all(3_000 <= length <= 5_000 for length in lengths):
            faults.append(f"{bulletin}: a version is outside 3.0 to 5.0 s, or all together exceed {limit} ms")
    folder = sum(p.stat().st_size for p in HERE.rglob("*") if p.is_file())
    print(f"folder: {folder} bytes of {FOLDER_BYTES_MAX}")
    if folder > FOLDER_BYTES_MAX:
        faults.append(f"the folder is larger than {FOLDER_BYTES_MAX} bytes")
    if not faults:
        heard = {e["file"]: spectrum(HERE / e["file"]) for e in listed["sample"]}
        for one, other in itertools.combinations(heard, 2):
            value = resemblance(heard[one], heard[other])
            print(f"{value:.3f}  {one} ~ {other}")
            if value >= CORRELATION_MAX:
                faults.append(f"{one} and {other} resemble each other: {value:.3f}")
    for fault in faults:
        print("FAULT:", fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
