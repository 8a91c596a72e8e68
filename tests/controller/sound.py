"""Sound: built-in tones, decoding by ffmpeg, and a player that writes in real time what it plays.

A device would hand the samples to its sound card. Here they go into a WAV file at the pace at
which a card would take them, so that a power cut leaves what was heard.
"""

import math
import struct
import subprocess

RATE = 16_000
CHIME_MS = 2_300


def tone(parts, peak):
    """Sine tones one after another: (hertz, milliseconds), 16-bit samples."""
    samples = []
    for hertz, length_ms in parts:
        count = RATE * length_ms // 1000
        for at in range(count):
            # Ten milliseconds of ramp keep the edges from clicking.
            ramp = min(1.0, at / (RATE / 100), (count - at) / (RATE / 100))
            value = math.sin(2 * math.pi * hertz * at / RATE) if hertz else 0.0
            samples.append(round(32_767 * peak * ramp * value))
    return struct.pack(f"<{len(samples)}h", *samples)


CHIME_UP = tone([(523, 600), (659, 600), (784, 1_100)], 0.35)
CHIME_DOWN = tone([(784, 600), (659, 600), (523, 1_100)], 0.35)
ALERT = tone([(853, 500), (960, 500)] * 8, 0.5)
TEST_TONE = tone([(1_000, 5_000)], 10 ** (-18 / 20))


def silence(length_ms):
    return bytes(RATE * length_ms // 1000 * 2)


def decode(path):
    """An Ogg Opus recording as samples; `OSError` or `ValueError` where it cannot be played."""
    command = [
        "ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-f", "s16le", "-ac", "1",
        "-ar", str(RATE), "-",
    ]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    if done.returncode != 0 or not done.stdout:
        raise ValueError(f"{path.name} cannot be decoded: {done.stderr.decode(errors='replace')}")
    return done.stdout


def at_volume(samples, share):
    """The same sound at this share of its amplitude, in ten-thousandths."""
    if share == 10_000:
        return samples
    values = struct.unpack(f"<{len(samples) // 2}h", samples)
    return struct.pack(f"<{len(values)}h", *(value * share // 10_000 for value in values))


class Player:
    """Plays one thing: a list of (mark, samples). A mark is told when its samples have sounded."""

    def __init__(self, path, parts, uptime):
        self.parts = list(parts)
        self.began = uptime
        self.written = 0
        self.file = open(path, "wb")
        total = sum(len(samples) for _, samples in self.parts)
        self.file.write(wav_header(total))

    def advance(self, uptime):
        """Hands over what is due. Returns the marks that have sounded, and whether all has."""
        due = int((uptime - self.began) * RATE) * 2 - self.written
        sounded = []
        while self.parts and due > 0:
            mark, samples = self.parts[0]
            take = min(due, len(samples))
            self.file.write(samples[:take])
            self.written += take
            due -= take
            if take < len(samples):
                self.parts[0] = (mark, samples[take:])
                break
            sounded.append(mark)
            del self.parts[0]
        self.file.flush()
        return sounded, not self.parts

    def close(self):
        self.file.close()


def wav_header(length):
    head = struct.pack("<4sI4s", b"RIFF", 36 + length, b"WAVE")
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    return head + form + struct.pack("<4sI", b"data", length)
