"""The terminal: what a scan, a key and a signed object do, from input to durable record, tone and screen."""

import struct
import time

from plomba_wire import chain
from plomba_wire.codec import RecordHead
from terminal import files
from terminal.clock import Clock
from terminal.journal.ring import Journal, JournalFull
from terminal.keys.identity import Identity
from terminal.objects.manifest import Manifest
from terminal.objects.rules import Rules
from terminal.objects.slots import Slot
from terminal.presenter import Presenter
from terminal.receipts import Receipts
from terminal.recorder import Recorder
from terminal.work.flow import HANDOUT, Flow

_REPEAT_MS = 1500


class Terminal:
    """`board` brings flash, display, buzzer and lamp; see boards/. Raises OSError when flash fails."""

    def __init__(self, board) -> None:
        self.lost_scans = 0
        self.clock = Clock()
        self.identity = Identity()
        self.boot = _next_boot()
        self.receipts = Receipts(self.identity)
        genesis = chain.genesis(self.identity.public, self.identity.epoch)
        self.journal = Journal(board.journal_region(), genesis, self.receipts.up_to)
        self.rules = Rules()
        first, second = board.manifest_regions()
        self.manifest = Manifest((Slot(first), Slot(second)), self.identity.id)
        self.flow = Flow(self.rules, self.manifest)
        self.recorder = Recorder(self.identity, self.journal, self.clock, self.boot)
        self.presenter = Presenter(board, files.load("language") or b"ru")
        self._last_code = b""
        self._last_scan = 0
        self.recorder.sign()
        if self.identity.root:
            self.rules.load(self.identity.root)
            self.manifest.load(self.identity.root, 0)
            self.replay()
            self._note_boot(board.reset_cause())
        self.idle_screen()

    def scan(self, code: bytes, symbology: int, tries: int) -> None:
        """A decoded text: one decision, one record, one tone."""
        if not self.identity.root:
            self.presenter.not_enrolled()
            return
        now = time.ticks_ms()
        again = code == self._last_code and time.ticks_diff(now, self._last_scan) < _REPEAT_MS
        self._last_code, self._last_scan = code, now
        if again:
            return
        decision = self.flow.scan(code, symbology)
        decision.tries = tries
        self._carry_out(decision, code)

    def press(self, key: str) -> None:
        """A key: ok or back."""
        if self.identity.offered:
            if key == "ok":
                self._enrolled()
            elif key == "back":
                self.identity.decline()
            self.idle_screen()
        elif key == "ok":
            decision = self.flow.hand_out()
            if decision is None:
                self.idle_screen()
            else:
                self._carry_out(decision, b"")
        elif key == "back":
            self.flow.close()
            self.idle_screen()

    def commit(self, decision) -> int:
        """A record that nobody hears: durable and signed. Raises JournalFull, OSError."""
        seq = self.recorder.commit(decision, self.rules.number)
        self.recorder.sign()
        return seq

    def replay(self) -> None:
        """What this terminal did after its manifest was made holds over the manifest."""
        self.flow.states.clear()
        head = self.manifest.head
        if head is None:
            return
        self.recorder.place = head.place
        newer = head.through_seq + 1 if head.epoch == self.identity.epoch else 1
        for seq in range(max(newer, self.journal.first_seq), self.journal.next_seq):
            record = RecordHead.read(self.journal.read(seq)[0], 0)
            if record.order_ref and record.state_after != record.state_before:
                self.flow.replay(record.order_ref, record.state_after)

    def idle_screen(self) -> None:
        """What the screen shows when nothing is asked of anybody."""
        self.presenter.idle(self)

    def _carry_out(self, decision, code: bytes) -> None:
        try:
            self.recorder.commit(decision, self.rules.number)
        except (JournalFull, OSError) as error:
            # Nothing was recorded, so nothing may be released: the parcel stays where it is.
            self.lost_scans += 1
            if isinstance(error, JournalFull):
                self.presenter.journal_full()
            else:
                self.presenter.fault()
            return
        self.flow.done(decision)
        self.presenter.verdict(self, decision, code)
        self.recorder.sign()

    def _note_boot(self, reset_cause: int) -> None:
        """A full journal must not keep the terminal from starting: it has to get to its dock."""
        try:
            self.commit(self.recorder.boot(reset_cause))
        except JournalFull:
            self.presenter.journal_full()

    def _enrolled(self) -> None:
        if self.identity.accept():
            self._note_boot(0)

    @property
    def handing_out(self) -> bool:
        return self.flow.mode == HANDOUT

    @property
    def undocked(self) -> int:
        """Records that have no receipt yet."""
        return self.journal.next_seq - 1 - self.journal.receipted


def _next_boot() -> int:
    stored = files.load("boot")
    boot = (struct.unpack(">H", stored)[0] + 1 if stored else 1) & 0xFFFF
    files.save("boot", struct.pack(">H", boot))
    return boot
