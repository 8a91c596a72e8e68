"""Receipts: written once, chained, sent in signed batches until a signed ack names them.

Sections 9 and 16 of docs/protocol.md.
"""

import json
import secrets

from documents import head

RECEIPTS_MAX = 64
BATCH_BYTES_MAX = 28_672
ACK_PATIENCE_S = 10
WAITING_MAX = 20_000
REFUSALS_AN_HOUR = 20
HOUR_S = 3_600


class Ledger:
    """What the controller swears, and how far the server has it."""

    def __init__(self, device, diary, clock):
        self.device, self.diary, self.clock = device, diary, clock
        self.sent_at = None  # uptime of the batch that waits for its ack
        self.refusals = {}  # (topic, why) -> uptime
        self.unsworn = []  # refusals from before the clock was trusted

    @property
    def full(self):
        return self.diary.waiting >= WAITING_MAX

    def write(self, kind, *before, **members):
        """Keeps the records `before` durably, then a receipt. Nothing while the clock is not trusted."""
        if before:
            self.diary.keep(*before)
        now = self.clock.utc()
        if now is None:
            return
        if self.diary.chain is None:
            chain = {"do": "chain", "id": secrets.token_hex(8), "after": 0, "link": "0" * 64}
            self.diary.keep(chain)
        receipt = {"n": self.diary.newest + 1, "at": now, "kind": kind, **members}
        line = json.dumps(receipt, ensure_ascii=False, separators=(",", ":"))
        self.diary.keep({"do": "receipt", "line": line})

    def refuse(self, topic, why, uptime):
        """A refusal receipt; a hostile broker cannot fill the storage with them."""
        past = uptime - HOUR_S
        self.refusals = {key: at for key, at in self.refusals.items() if at > past}
        key = (topic[:200], why[:300])
        if key in self.refusals or len(self.refusals) >= REFUSALS_AN_HOUR:
            return
        self.refusals[key] = uptime
        if self.clock.utc() is None:
            self.unsworn.append(key)
        else:
            self.write("refusal", topic=key[0], why=key[1])

    def clock_trusted(self):
        """Swears to what was refused before there was a time to write down."""
        for topic, why in self.unsworn:
            self.write("refusal", topic=topic, why=why)
        self.unsworn.clear()

    def link_up(self):
        self.sent_at = None

    def poll(self, uptime):
        """Sends the first batch after the last ack, again when no ack came."""
        if self.diary.waiting <= 0:
            return
        if self.sent_at is None or uptime >= self.sent_at + ACK_PATIENCE_S:
            if self.device.send_text("receipts", self.batch()):
                self.sent_at = uptime

    def batch(self):
        waiting = [(n, line) for n, line, _ in self.diary.receipts if n > self.diary.acked]
        lines, size = [], 0
        for _, line in waiting[:RECEIPTS_MAX]:
            size += len(line) + 1
            if lines and size > BATCH_BYTES_MAX:
                break
            lines.append(line)
        first = waiting[0][0]
        members = {
            "controller": self.device.id, "chain": self.diary.chain, "first": first,
            "kept": self.diary.receipts[0][0], "prev": self.diary.link_before(first).hex(),
        }
        inner = json.dumps(members, separators=(",", ":"))[1:-1].encode()
        start = head("receipts", self.device.net) + inner
        # Byte for byte as they were chained.
        return start + b',"receipts":[' + b",".join(lines) + b"]}\n"

    def take(self, ack):
        """A signed ack. A lower one than before is a server that was restored: all goes again."""
        if ack["chain"] != self.diary.chain or ack["upto"] > self.diary.newest:
            return
        if ack["upto"] != self.diary.acked:
            self.diary.keep({"do": "acked", "upto": ack["upto"]})
        self.sent_at = None
