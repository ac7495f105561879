"""The terminal: what a scan, a key and a signed object do, from input to durable record, tone and screen."""

import struct
import time

from plomba_wire import chain, tlv
from plomba_wire.codec import Malformed, RecordHead
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Action, Check, Error, ObjectKind, Tlv, Verdict
from terminal import files, selftest
from terminal.clock import Clock
from terminal.diary import Diary
from terminal.health import Health
from terminal.heap import Compact
from terminal.journal import epoch
from terminal.journal.ring import Journal, JournalFull
from terminal.keys import answers, signer
from terminal.keys.entropy import EntropyFailure
from terminal.keys.identity import Identity
from terminal.notes import Notes
from terminal.objects.manifest import Manifest
from terminal.objects.newest import Newest
from terminal.objects.revocations import Revocations
from terminal.objects.rules import Rules
from terminal.objects.seals import Seals
from terminal.objects.slots import Slot
from terminal.objects.staff import Staff
from terminal.presenter import Presenter
from terminal.receipts import Receipts
from terminal.recorder import Recorder
from terminal.update import Images
from terminal.version import FIRMWARE
from terminal.work import codes, counter, handover, ladder, shift, token
from terminal.work.decision import Decision
from terminal.work.flow import Flow
from terminal.work.people import NotCounted

_REPEAT_MS = 1500
_ALARM_MS = 2000
_TRIES = 3
_FEED = 32

_TELL_HEALTH = (Action.BOOT, Action.TIME_SET, Action.SHIFT_CLOSE, Action.RECORDS_LOST)


class Terminal:
    """`board` brings flash, display, buzzer and lamp; see boards/. Raises OSError when flash fails.

    `on_record` is called when a record is durable and signed. `restart_due`: a new image waits for the next start.
    """

    def __init__(self, board) -> None:
        self.board = board
        self.on_record = _nobody
        self.restart_due = False
        self.health = Health(board)
        self.images = Images(board.image_regions(), FIRMWARE)
        self.diary = Diary()
        self.clock = Clock()
        self.identity = Identity(signer.choose(board.secure_element()))
        self.boot = _next_boot()
        self.ring = board.journal_region()
        epoch.finish(self.identity, self.ring)
        self._open_journal()
        self.revocations = Revocations()
        self.seals = Seals(self.revocations)
        self.rules = Rules()
        self.staff = Staff()
        first, second = board.manifest_regions()
        self.manifest = Manifest((Slot(first), Slot(second)), self.identity.id)
        self.newest = Newest()
        self.flow = self._new_flow()
        self.presenter = Presenter(board, files.load("language") or b"ru")
        self._last_code = b""
        self._last_scan = 0
        self._unread = 0
        self._alarmed = 0
        self._touched = 0
        self.notes = Notes(self)
        board.feed()
        self.recorder.sign()
        if self.identity.root:
            for load, kind in (
                (self.revocations.load, ObjectKind.REVOCATIONS),
                (self.seals.load, ObjectKind.SEALS),
                (self.rules.load, ObjectKind.RULES),
                (self.staff.load, ObjectKind.STAFF),
                (self.manifest.load, ObjectKind.MANIFEST),
            ):
                load(self.identity.roots, self.newest.held(kind))
                # Each verifies two signatures and takes their garbage away.
                board.feed()
            self.note_own_key()
            self.note_newest()
            self.replay()
            self.notes.epoch()
            self.notes.boot()
        self.diary.note("boot %d, firmware %x, torn %d" % (self.boot, FIRMWARE, self.journal.torn))
        self.idle_screen()

    def scan(self, code: bytes, symbology: int, tries: int) -> None:
        """A decoded text: one decision, one record, one tone."""
        if not self.identity.root:
            self.presenter.not_enrolled()
            return
        if self.images.too_old:
            # What is built in is older than an image that came up: it may mend, not work.
            self._lose_scan(Check.BELOW_FLOOR)
            return
        self._alarmed = 0
        self._unread = 0
        now = time.ticks_ms()
        again = code == self._last_code and time.ticks_diff(now, self._last_scan) < _REPEAT_MS
        self._last_code, self._last_scan = code, now
        if again:
            return
        self._touched = self.clock.mono_ms()
        try:
            decisions = self.flow.scan(code, symbology, self._touched)
        except (OSError, Malformed):
            # The list cannot be read where this code would stand: without it there is no answer.
            self.manifest.damaged = True
            self._lose_scan(Check.MANIFEST_DAMAGED)
            return
        except NotCounted:
            self._not_counted()
            return
        if not decisions:
            # A sign of what is being typed: the screen follows, and the same sign may come again at once.
            self._last_code = b""
            self.idle_screen()
            return
        decisions[0].tries = tries
        if not self._carry_out_all(decisions, code):
            self._lose_scan(0)

    def nothing_read(self) -> None:
        """The engine gave up. Three times for a parcel on the counter is a record of its own."""
        self._unread += 1
        if self._unread >= (self.rules.limit("tries") or _TRIES) and self.identity.root:
            decision = ladder.unreadable(self.flow, self._unread)
            self._unread = 0
            if decision is not None:
                self.carry_out(decision, b"")

    def press(self, key: str) -> None:
        """A key: ok or back."""
        self._alarmed = 0
        # What was scanned before a key and is scanned after it is no repeat.
        self._last_code = b""
        self._touched = self.clock.mono_ms()
        if self.presenter.seen():
            self.idle_screen()
            return
        if self.identity.offered:
            if key == "ok":
                self._enrolled()
            elif key == "back":
                self.identity.decline()
            self.idle_screen()
        elif not self.identity.root:
            self.idle_screen()
        elif key == "ok":
            self._ok()
        elif key == "back":
            number = shift.unread(self.flow)
            if number and number != self.rules.number:
                # It is not in force yet: there is time to read it.
                self.flow.put_off = number
            self.flow.back()
            self.idle_screen()

    def _ok(self) -> None:
        flow = self.flow
        try:
            decisions = flow.confirm(self._touched)
        except NotCounted:
            self._not_counted()
            return
        except (OSError, Malformed):
            self.manifest.damaged = True
            self.presenter.failed(Check.MANIFEST_DAMAGED)
            return
        for decision in decisions:
            if not self.carry_out(decision, b""):
                return
        self._tell_rule()
        if decisions:
            return
        if flow.entry is None and flow.mode in handover.ACTIONS and flow.handover.count:
            self.presenter.token(token.text(self.identity.id, self.journal.next_seq - 1, self.journal.head))
        else:
            self.idle_screen()

    def tick(self) -> None:
        """Time passes: a parcel that waits too long for its seal sounds, and goes on until somebody answers."""
        self.flow.parcels.forget_before(self.journal.oldest_seq)
        now = self.clock.mono_ms()
        self.notes.tick(now)
        if self.rules.turn(self.clock.utc()):
            self.diary.note("rules %d take force" % self.rules.number)
            self.flow.rule_shown = self.flow.put_off = 0
        self._tell_rule()
        self._lock(now)
        decision = counter.overdue(self.flow, now)
        if decision is not None:
            # It sounds whether there is room for its record or not.
            self.carry_out(decision, b"")
            self._alarmed = now
        elif self._alarmed and now - self._alarmed >= _ALARM_MS:
            self._alarmed = now
            self.presenter.alarm()

    def commit(self, decision) -> int:
        """A record that nobody hears: durable and signed. Raises JournalFull, OSError."""
        seq = self._write(decision, self.flow.actor)
        self.recorder.sign()
        self.on_record()
        return seq

    def certify(self, certificate: bytes) -> None:
        """Takes a certificate by the root for this terminal's key; one for the next epoch opens that.

        What was known from the old epoch's records goes with them, as after a restart: the shift is opened anew.
        Raises Refusal, OSError, and epoch.Unfinished, which nobody may survive.
        """
        identity = self.identity
        assert identity.root is not None
        if identity.certified_epoch(identity.root, certificate) == identity.epoch:
            if certificate != identity.certificate:
                identity.take(certificate)
            return
        if self.undocked:
            raise Refusal(Error.UNSYNCED_RECORDS, self.journal.next_seq - 1)
        epoch.begin(identity, certificate, self.ring)
        try:
            self._open_journal()
            self.flow = self._new_flow()
            self.replay()
            self.notes.epoch()
        except (OSError, MemoryError):
            raise epoch.Unfinished
        self.diary.note("epoch %d" % identity.epoch)
        self.idle_screen()

    def replay(self, started: bool = True) -> None:
        """What this terminal did after its manifest was made holds over the manifest. `started`: nothing is known yet
        of the shift either; else a dock would count all of it once more."""
        self.flow.parcels.forget()
        head = self.manifest.head
        newer = 1
        if head is not None:
            self.recorder.place = head.place
            newer = head.through_seq + 1 if head.epoch == self.identity.epoch else 1
        with Compact():
            for seq in range(self.journal.oldest_seq, self.journal.next_seq):
                try:
                    body = self.journal.read(seq)[0]
                except OSError:
                    # Flash has lost it: what stands around it still holds.
                    continue
                record = RecordHead.read(body, 0)
                self.flow.replay(record, tlv.unpack(body, RecordHead.SIZE), seq >= newer, started)
                if not seq % _FEED:
                    self.board.feed()
        if started:
            shift.resume(self.flow)
        else:
            self.flow.relisted()

    def note_newest(self) -> None:
        """What is in force now is the least that may come. Raises OSError."""
        for kind, version in (
            (ObjectKind.RULES, self.rules.newest),
            (ObjectKind.STAFF, self.staff.number),
            (ObjectKind.MANIFEST, self.manifest.version),
            (ObjectKind.REVOCATIONS, self.revocations.number),
            (ObjectKind.SEALS, self.seals.number),
        ):
            self.newest.rise(kind, version)

    def note_own_key(self) -> None:
        """A terminal whose key is revoked goes on recording: what it saw is evidence, and the dock decides."""
        if self.revocations.damaged:
            self.diary.note("revocation list damaged")
        elif self.revocations.holds(self.identity.id):
            self.diary.note("the key of this terminal is revoked")

    def idle_screen(self) -> None:
        """What the screen shows when nothing is asked of anybody."""
        self.presenter.idle(self)

    def challenge(self, ref: int) -> bytes:
        """Eight digits that an owner has to answer, others for each record; b"" where nobody can answer any."""
        if not self.staff.owner:
            return b""
        return answers.challenge(self.identity.id, self.identity.epoch, self.journal.next_seq, ref)

    def newest_move(self, ref: int) -> "tuple[int, RecordHead, dict[int, bytes]] | None":
        """Number, head and parts of the newest record in the journal that moved an order and was not taken back."""
        undone = set()
        for seq in range(self.journal.next_seq - 1, self.journal.oldest_seq - 1, -1):
            try:
                body = self.journal.read(seq)[0]
            except OSError:
                continue
            head = RecordHead.read(body, 0)
            if head.order_ref != ref or head.state_after == head.state_before:
                continue
            parts = tlv.unpack(body, RecordHead.SIZE)
            if head.action == Action.UNDO:
                undone.add(parts.get(Tlv.REF_SEQ))
            elif struct.pack(">I", seq) not in undone:
                return seq, head, parts
        return None

    def answer(self, order: bytes, need: int, challenge: bytes) -> "bytes | None":
        """What the owner has to say to a challenge; None where nobody can."""
        identity = self.identity
        return answers.expected(identity.signer, self.staff.owner, identity.id, order, need, challenge)

    def _not_counted(self) -> None:
        """A PIN's try that flash does not count is none."""
        self.flow.entry = None
        self.presenter.failed(Check.MEMORY_WORN)

    def _carry_out_all(self, decisions, code: bytes) -> bool:
        """One scan that is several records sounds once, by the last of them."""
        for decision in decisions[:-1]:
            if not self.carry_out(decision, b"", False):
                return False
        hidden = decisions[0].secret or code.startswith(codes.COMMAND)
        told = self.carry_out(decisions[-1], b"" if hidden else code)
        self._tell_rule()
        return told

    def _tell_rule(self) -> None:
        """A rule that the person of this shift has not read is shown, and that it was shown is recorded."""
        decision = None if self.flow.busy else shift.show_rule(self.flow)
        if decision is not None and not self.carry_out(decision, b""):
            # No room for the record: said once, not at every tick.
            self.flow.rule_shown = shift.unread(self.flow)

    def _lock(self, now: int) -> None:
        """A shift that nobody works in, or whose badge has ended, is locked until a badge is scanned."""
        lock = self.rules.lock_s * 1000
        people = self.flow.people
        if lock and people.actor and not people.locked and now - self._touched >= lock:
            shift.lock(self.flow)
            self.idle_screen()
        elif shift.check(self.flow):
            self.idle_screen()

    def carry_out(self, decision, code: bytes, aloud: bool = True) -> bool:
        """Makes a decision a record, and says it; `code` is what may be shown of what was read.

        False when nothing could be recorded: then nothing may be released, and the parcel stays where it is.
        """
        actor = self.flow.actor if decision.actor < 0 else decision.actor
        try:
            seq = self._write(decision, actor)
        except (JournalFull, OSError, EntropyFailure) as error:
            self.presenter.failed(selftest.prevents(error))
            return False
        self.flow.done(decision, seq)
        if aloud:
            self.presenter.verdict(self, decision, code)
        try:
            self.recorder.sign()
        except (OSError, EntropyFailure) as error:
            # What was heard is in flash and holds. It is signed before the next record, or at the next start.
            self.presenter.failed(selftest.prevents(error))
            return True
        self.on_record()
        return True

    def _write(self, decision, actor: int) -> int:
        """Makes a decision durable. Raises JournalFull, OSError."""
        if self.health.untold:
            # There is room again: how many scans were refused stands before the first that is not.
            self.recorder.commit(self._with_health(Decision(Action.SCANS_LOST, Verdict.NOTED)), 0, actor)
            self.recorder.sign()
            self.health.told()
        if decision.action in _TELL_HEALTH:
            self._with_health(decision)
        return self.recorder.commit(decision, self.rules.number, actor, decision.route or self.flow.routes.number)

    def _new_flow(self) -> Flow:
        return Flow(self.rules, self.manifest, self.staff, self.seals, self.identity.id, self.clock, self)

    def _open_journal(self) -> None:
        """The journal of the epoch at hand, and who writes into it."""
        identity = self.identity
        self.receipts = Receipts(identity)
        genesis = chain.genesis(identity.public, identity.epoch)
        self.journal = Journal(self.ring, genesis, self.receipts.up_to, self.receipts.head)
        self.recorder = Recorder(identity, self.journal, self.clock, self.boot)

    def _lose_scan(self, check: int) -> None:
        """A scan was refused and is not recorded; `check` says why, 0 when that was said already."""
        # The same code again is another try, not a repeat.
        self._last_code = b""
        self.health.lose_scan()
        if check:
            self.presenter.failed(check)

    def _with_health(self, decision):
        decision.parts[Tlv.HEALTH] = self.health.pack(self)
        return decision

    def _enrolled(self) -> None:
        if self.identity.accept():
            self.notes.boot()

    @property
    def undocked(self) -> int:
        """Records that have no receipt yet."""
        return self.journal.next_seq - 1 - self.journal.receipted


def _nobody() -> None:
    """Nobody wants to hear of a record yet."""


def _next_boot() -> int:
    stored = files.load("boot")
    boot = (struct.unpack(">H", stored)[0] + 1 if stored else 1) & 0xFFFF
    files.save("boot", struct.pack(">H", boot))
    return boot
