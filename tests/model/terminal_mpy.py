"""The whole firmware but its engine, its drawing and its link, told what to do line by line. MicroPython only.

A line of JSON on stdin is [name, argument], the line on stdout is what came of it: one of the methods of Watched. The
clock stands still but for `step`; the flash is the file named in SIM_FLASH.
"""

import preload  # isort: skip

import gc
import json
import sys
import time

import boards
from plomba_wire import chain
from plomba_wire.codec import EnrolRoot, ObjectCommit, ObjectData, ObjectOffer, Receipt
from plomba_wire.terminal_end import Refusal
from terminal import files, presenter
from terminal.link.service import Service
from terminal.terminal import Terminal

assert preload

_TICKS = 3
time.stop()


class Words:
    """Stands in the place of the screens: what they would say, and nothing drawn."""

    def __init__(self) -> None:
        self.said: "list[list[str]]" = []

    def verdict(self, canvas, headline: str, next_step: str, **_) -> None:
        self.said.append(["verdict", headline, next_step])

    def message(self, canvas, headline: str, lines) -> None:
        self.said.append(["message", headline, " ".join(lines)])

    def token(self, canvas, text: bytes, *_) -> None:
        self.said.append(["token", text.decode(), ""])

    def idle(self, canvas, headline: str, hint: str, **_) -> None:
        self.said.append(["idle", headline, hint])

    def enrol(self, canvas, *_, **__) -> None:
        self.said.append(["enrol", "", ""])


class Watched:
    """One board, switched on again and again. `seen` is the newest record that was told of."""

    def __init__(self) -> None:
        self.board = boards.current()
        self.drawn = presenter.screens
        self.words = Words()
        self.tones: "list[str]" = []
        self.board.play = self.tones.append
        self.board.lamp = self.board.show = lambda _: None
        self.mounted = False

    def start(self, _):
        """Power comes; what was in RAM is gone."""
        self.terminal = self.service = None
        if self.mounted:
            files.unmount()
        gc.collect()
        files.mount(self.board.file_range(), self.board.journal_region())
        self.mounted = True
        presenter.screens = self.words
        terminal = self.terminal = Terminal(self.board)
        self.service = Service(terminal)
        self.seen = terminal.journal.next_seq - 1
        # A start makes a record of its own.
        if terminal.identity.root:
            self.seen -= 1
        gc.collect()
        identity = terminal.identity
        return self._told(id=identity.id.hex(), public=identity.public.hex(), held=gc.mem_alloc())

    def everything(self, _):
        """All records that are held."""
        self.seen = self.terminal.journal.oldest_seq - 1
        return self._told()

    def draw(self, on):
        """From here on screens are drawn, or no longer."""
        presenter.screens = self.drawn if on else self.words
        return {}

    def enrol(self, given):
        root, certificate = [bytes.fromhex(text) for text in given]
        self.service.serve(EnrolRoot(root, certificate))
        self.terminal.press("ok")
        return self._told()

    def step(self, given):
        """[ms that pass before, what is done, its arguments]: scan symbology hex, key name, unread count, wait."""
        ms, what, arguments = given
        # A loop that ticks: what is due on the way is done on the way.
        for part in range(_TICKS):
            self._pass(ms // _TICKS if part else ms - ms // _TICKS * (_TICKS - 1))
            self.terminal.tick()
        if what == "scan":
            self.terminal.scan(bytes.fromhex(arguments[1]), arguments[0], 1)
        elif what == "key":
            self.terminal.press(arguments[0])
        elif what == "unread":
            for _ in range(arguments[0]):
                self.terminal.nothing_read()
        gc.collect()
        self.terminal.tick()
        self.terminal.journal.idle()
        return self._told()

    def nonce(self, _):
        return {"nonce": self.service.fresh_nonce().hex()}

    def offer(self, given):
        """[kind, version, size, bytes of the bundle, its SHA-256], as a dock offers an object. `refused`: why not."""
        kind, version, size, bundle, sha256 = given
        return self._served(ObjectOffer(kind, version, size, bundle, bytes.fromhex(sha256)))

    def piece(self, given):
        """[offset, bytes] of the object offered last."""
        return self._served(ObjectData(given[0], bytes.fromhex(given[1])))

    def commit(self, given):
        """[kind, version] is whole."""
        return self._served(ObjectCommit(given[0], given[1]))

    def receipt(self, bundle):
        return self._served(Receipt(bytes.fromhex(bundle)))

    def orders(self, ids):
        """Where this terminal has these orders, null where it does not know them."""
        out = []
        for id in ids:
            parcel = self.terminal.flow.parcels.find([(1, bytes.fromhex(id))])
            out.append(None if parcel is None else parcel.state)
        return {"states": out}

    def _served(self, message):
        try:
            self.service.serve(message)
        except Refusal as refusal:
            return self._told(refused=refusal.code)
        return self._told()

    def _pass(self, ms: int) -> None:
        time.warp(ms)
        time.leap(ms)

    def _told(self, **more):
        """Records made since the last line, what was said and heard, and what a person sees of the state of work."""
        terminal = self.terminal
        records = []
        for seq in range(self.seen + 1, terminal.journal.next_seq):
            body, signature, previous = terminal.journal.read(seq)
            if not signature:
                signature = terminal.identity.sign(chain.step(previous, body))
            records.append([body.hex(), signature.hex()])
        self.seen = terminal.journal.next_seq - 1
        flow = terminal.flow
        typing = flow.entry
        said, self.words.said = self.words.said, []
        tones = self.tones[:]
        self.tones.clear()
        more.update(
            {
                "records": records,
                "said": said,
                "tones": tones,
                "mode": flow.mode,
                "entry": None if typing is None else [typing.purpose, typing.text.decode(), typing.again, typing.sign],
                "challenge": flow.challenge.decode(),
                "lost": terminal.health.lost_scans,
            }
        )
        return more


watched = Watched()
while True:
    line = sys.stdin.readline()
    if not line:
        break
    name, given = json.loads(line)
    print(json.dumps(getattr(watched, name)(given)))
