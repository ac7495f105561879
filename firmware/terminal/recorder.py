"""Decisions become records: in flash before the tone, signed after it."""

import hashlib
import struct

from plomba_wire import tlv
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Action, Flag, Tlv, Verdict
from terminal.journal.ring import BODY_MAX
from terminal.version import FIRMWARE
from terminal.work import codes
from terminal.work.decision import Decision


class Recorder:
    """Writes for one identity into one journal."""

    def __init__(self, identity, journal, clock, boot: int) -> None:
        self.place = 0
        self._identity = identity
        self._journal = journal
        self._clock = clock
        self._boot = boot
        self._after_receipt = b""

    def commit(self, decision: Decision, rules: int, actor: int, route: int = 0) -> int:
        """Makes the decision durable and returns its number. Raises journal.ring.JournalFull, OSError.

        A record that could not be signed when it was made, as when a secure element fails, is signed before the next.
        """
        self.sign()
        parts = tlv.pack(decision.parts)
        if RecordHead.SIZE + len(parts) > BODY_MAX:
            # A long code beside everything else that a hand-over has to say: then its hash stands for it.
            decision.parts[Tlv.LONG_CODE] = codes.long_code(decision.parts.pop(Tlv.CODE))
            parts = tlv.pack(decision.parts)
        anchored = self._after_receipt
        if anchored and RecordHead.SIZE + len(parts) + 3 + len(anchored) <= BODY_MAX:
            decision.parts[Tlv.AFTER_RECEIPT] = anchored
            parts = tlv.pack(decision.parts)
            self._after_receipt = b""
        seq = self._journal.next_seq
        head = RecordHead(
            decision.action,
            decision.verdict,
            decision.flags | (Flag.TIME_TRUSTED if self._clock.trusted else 0),
            self._identity.epoch,
            seq,
            self._identity.id,
            self._boot,
            min(decision.tries, 255),
            decision.symbology,
            self._clock.utc(),
            self._clock.mono_ms() & 0xFFFFFFFF,
            actor,
            self.place,
            route,
            rules & 0xFFFF,
            decision.code_kind,
            decision.before,
            decision.after,
            decision.ref,
        )
        self._journal.append(head.pack() + parts)
        return seq

    def sign(self) -> None:
        """Signs the newest record, if it is not yet."""
        digest = self._journal.unsigned
        if digest is not None:
            self._journal.sign(self._identity.sign(digest))

    def note_receipt(self, receipt: bytes) -> None:
        """The next record will carry this receipt's hash: it was made after it."""
        self._after_receipt = hashlib.sha256(receipt).digest()

    def boot(self, reset_cause: int, trace: bytes) -> Decision:
        """`trace` is what stopped the terminal before, if anything did."""
        decision = Decision(Action.BOOT, Verdict.NOTED)
        torn = min(self._journal.torn, 255)
        decision.parts[Tlv.BOOT] = struct.pack(">IBB", FIRMWARE, reset_cause, torn)
        if trace:
            decision.parts[Tlv.TRACE] = trace
        return decision


def about_object(action: int, verdict: int, kind: int, version: int) -> Decision:
    """What became of a signed object."""
    decision = Decision(action, verdict)
    decision.parts[Tlv.OBJECT] = struct.pack(">BI", kind, version)
    return decision
