"""The firmware with stopwatches, for the bench: what each scan costs in time and in flash. MicroPython only.

The whole firmware runs but its face, its engine and its link. A line of JSON on stdin is one thing to do, a line on
stdout is what came of it:

    {"scan": [symbology, text]}   one reading      {"key": name}        one key
    {"unread": 1}                 none was read    {"clock": utc}       the time
    {"find": [kind, text]}        one lookup       {"receipt": hex}     a dock's receipt
    {"seal": text}                one check        {"verify": 1}        an issuer's key
    {"head": 1}, {"memory": 1}, {"stand_in": 1}
"""

import preload  # isort: skip

import gc
import json
import sys
import time

from faceless import NoFace

import boards
from terminal import files
from terminal.heap import Compact
from terminal.keys import p256
from terminal.terminal import Terminal

assert preload


class Watched:
    """One terminal. Times are µs; `ring` and `lists` are the flash of the journal and of the manifests."""

    def __init__(self, board) -> None:
        self.ring = board.journal_region()
        self.lists = board.manifest_regions()
        board.journal_region = lambda: self.ring
        board.manifest_regions = lambda: self.lists
        terminal = self.terminal = Terminal(board)
        terminal.presenter = NoFace()
        self._decide = terminal.flow.scan
        self._commit = terminal.recorder.commit
        self._sign = terminal.identity.sign
        terminal.flow.scan = self._deciding
        terminal.recorder.commit = self._committing
        terminal.identity.sign = self._signing
        self._began = self._verdict = self._durable = self._signed = self._before_tone = 0
        self._answer = (0, 0)

    def scan(self, given):
        return self._measured(lambda: self.terminal.scan(given[1].encode(), given[0], 1))

    def key(self, name: str):
        return self._measured(lambda: self.terminal.press(name))

    def unread(self, _):
        return self._measured(self.terminal.nothing_read)

    def clock(self, utc: int):
        self.terminal.clock.set(utc)
        return {}

    def find(self, given):
        """A lookup as the flow makes it: the code, then its order."""
        manifest = self.terminal.manifest
        before = self._list_reads()
        began = time.ticks_us()
        found = manifest.find(given[1].encode(), given[0])
        if found is not None:
            manifest.order(found[0])
        took = time.ticks_diff(time.ticks_us(), began)
        return {"found": found is not None, "us": took, "reads": self._list_reads() - before}

    def receipt(self, bundle: str):
        """As link/service.py takes one."""
        terminal = self.terminal
        raw = bytes.fromhex(bundle)
        up_to = terminal.receipts.accept(raw, terminal.journal, terminal.clock.utc(), terminal.revocations)
        terminal.recorder.note_receipt(raw)
        return {"up_to": up_to}

    def head(self, _):
        journal = self.terminal.journal
        return {"seq": journal.next_seq - 1, "head": journal.head.hex(), "lost": self.terminal.health.lost_scans}

    def memory(self, _):
        """Bytes held, garbage gone."""
        gc.collect()
        return {"held": gc.mem_alloc(), "free": gc.mem_free()}

    def seal(self, text: str):
        """A check of a seal of ours, from its text to the verdict."""
        code = text.encode()
        gc.collect()
        began = time.ticks_us()
        verdict = self.terminal.seals.check(code)[0]
        return {"verdict": verdict, "us": time.ticks_diff(time.ticks_us(), began)}

    def verify(self, _):
        """What a seal costs beside its text: an issuer's key prepared once, then one verification."""
        identity = self.terminal.identity
        digest = identity.id * 4
        signature = self._sign(digest)
        gc.collect()
        began = time.ticks_us()
        table = p256.Table(identity.public)
        prepared = time.ticks_us()
        assert p256.verify(table, digest, signature)
        done = time.ticks_us()
        return {"table": time.ticks_diff(prepared, began), "verify": time.ticks_diff(done, prepared)}

    def stand_in(self, _):
        """From here on every record gets the same signature: a long run is not about signing."""
        signature = bytes(64)
        self.terminal.identity.sign = lambda digest: signature
        return {}

    def _measured(self, act):
        journal = self.terminal.journal
        ring = self.ring
        seq, programs, erases = journal.next_seq, ring.programs, ring.erases
        reads = self._list_reads()
        self._verdict = self._durable = self._signed = self._before_tone = 0
        self._began = time.ticks_us()
        act()
        reads = self._list_reads() - reads
        # Between two scans, as main.py does.
        gc.collect()
        self.terminal.tick()
        journal.idle()
        return {
            "answer": self._answer,
            "records": journal.next_seq - seq,
            "verdict": self._verdict,
            "durable": self._durable,
            "sign": self._signed,
            "reads": reads,
            "before_tone": self._before_tone,
            "programs": ring.programs - programs,
            "erases": ring.erases - erases,
        }

    def _deciding(self, code: bytes, symbology: int, now: int):
        began = time.ticks_us()
        decisions = self._decide(code, symbology, now)
        self._verdict = time.ticks_diff(time.ticks_us(), began)
        return decisions

    def _committing(self, decision, rules: int, actor: int, route: int) -> int:
        programs = self.ring.programs
        seq = self._commit(decision, rules, actor, route)
        self._before_tone = self.ring.programs - programs
        self._answer = (decision.action, decision.verdict)
        self._durable = time.ticks_diff(time.ticks_us(), self._began)
        return seq

    def _signing(self, digest: bytes) -> bytes:
        began = time.ticks_us()
        signature = self._sign(digest)
        self._signed = time.ticks_diff(time.ticks_us(), began)
        return signature

    def _list_reads(self) -> int:
        return self.lists[0].reads + self.lists[1].reads


board = boards.current()
files.mount(board.file_range(), board.journal_region())
with Compact():
    watched = Watched(board)
while True:
    line = sys.stdin.readline()
    if not line:
        break
    for name, given in json.loads(line).items():
        print(json.dumps(getattr(watched, name)(given)))
