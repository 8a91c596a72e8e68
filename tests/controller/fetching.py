"""Fetching recordings: descriptor first, then missing blocks. Section 8 of docs/protocol.md."""

import random

FETCHED_AT_ONCE = 4
SPREAD_S = 0.2
ANSWER_S = 10
ANSWER_S_MAX = 120
NEXT_BLOCK_S = 5


class Question:
    """One recording that is being fetched."""

    def __init__(self):
        self.subscribed = False
        self.due = 0.0  # uptime at which to ask (again)
        self.patience = ANSWER_S
        self.answered = True


class Fetcher:
    """Which recordings are asked for, and when to ask again."""

    def __init__(self, device, library):
        self.device, self.holdings = device, library
        self.questions = {}  # digest -> Question
        self.quiet_until = 0.0  # uptime before which nothing is asked for

    def poll(self, uptime, missing):
        """`missing`: digests that are not whole, those needed soonest first."""
        chosen = missing[:FETCHED_AT_ONCE]
        for digest in [digest for digest in self.questions if digest not in chosen]:
            del self.questions[digest]
        for digest in chosen:
            self.questions.setdefault(digest, Question())
        self.device.watch(set(chosen))
        if uptime < self.quiet_until:
            return
        for digest, question in self.questions.items():
            if question.subscribed and uptime >= question.due:
                self._ask(digest, question, uptime)

    def _ask(self, digest, question, uptime):
        asset = self.holdings.assets.get(digest)
        members = {
            "controller": self.device.id, "asset": digest, "info": asset is None,
            "missing": asset.bitmap() if asset else "",
        }
        if not self.device.send("want", members):
            return
        if not question.answered:
            question.patience = min(question.patience * 2, ANSWER_S_MAX)
        question.answered = False
        question.due = uptime + question.patience

    def subscribed(self, digest):
        """The broker granted the filter: only now a block that is asked for can arrive."""
        if digest in self.questions:
            self.questions[digest].subscribed = True
            self.questions[digest].due = 0.0

    def spread(self, uptime):
        """Thousands learn of a recording in the same moment: their questions are spread."""
        self.quiet_until = uptime + random.uniform(0, SPREAD_S)

    def bulk_down(self):
        self.questions.clear()

    def came(self, digest, uptime, info=False):
        """Something came: after a descriptor ask for blocks at once, after a block wait for the next."""
        question = self.questions.get(digest)
        if question:
            question.answered, question.patience = True, ANSWER_S
            question.due = 0.0 if info else uptime + NEXT_BLOCK_S
            if info:
                self.spread(uptime)
