"""Records that nobody scanned: a start and what stopped the terminal before it, firmware that came up or did not, a new
epoch, a signed object that was refused."""

import struct

from micropython import const

from plomba_wire.vocabulary import Action, Check, Error, ObjectKind, Tlv, Verdict
from terminal import watch
from terminal.journal.ring import JournalFull
from terminal.recorder import about_object
from terminal.version import FIRMWARE
from terminal.work.decision import Decision

_SETTLED_MS = const(10000)
_REFUSALS_TOLD = const(16)

_REFUSED = {
    Error.ROLLBACK: Verdict.OBJECT_OLD,
    Error.EXPIRED: Verdict.OBJECT_OLD,
    Error.WRONG_DEVICE: Verdict.OBJECT_FOREIGN,
    Error.BAD_SIGNATURE: Verdict.OBJECT_UNSIGNED,
    Error.UNKNOWN_KEY: Verdict.OBJECT_UNSIGNED,
    Error.KEY_REVOKED: Verdict.OBJECT_UNSIGNED,
    Error.WRONG_ROLE: Verdict.OBJECT_UNSIGNED,
    Error.MALFORMED: Verdict.OBJECT_BROKEN,
    Error.BAD_HASH: Verdict.OBJECT_BROKEN,
    Error.BAD_RANGE: Verdict.OBJECT_BROKEN,
    Error.TOO_BIG: Verdict.OBJECT_BROKEN,
}


class Notes:
    """Of one terminal, for one start."""

    def __init__(self, terminal) -> None:
        self._terminal = terminal
        self._settled = False
        self._refusals: "set[tuple[int, int]]" = set()
        self._lost: "set[int]" = set()

    def boot(self) -> None:
        """A full journal must not keep the terminal from starting: it has to get to its dock. Raises OSError."""
        terminal = self._terminal
        health, images = terminal.health, terminal.images
        trace = watch.trace()
        if trace:
            health.found |= Check.RESTARTED
            terminal.diary.note("stopped by " + trace.decode())
        if images.untold:
            health.found |= Check.IMAGE_REVERTED
        try:
            terminal.commit(terminal.recorder.boot(health.reset, trace))
            if trace:
                watch.forget_trace()
            if images.untold:
                terminal.commit(about_object(Action.IMAGE_RUN, Verdict.REVERTED, ObjectKind.IMAGE, images.failed))
                images.told()
        except JournalFull:
            terminal.diary.note("journal full")

    def tick(self, now: int) -> None:
        """Alive for long enough: the image that is being tried has come up. `now` is ms since boot. Raises OSError."""
        if self._settled or now < _SETTLED_MS:
            return
        self._settled = True
        terminal = self._terminal
        if terminal.images.confirm():
            try:
                terminal.commit(about_object(Action.IMAGE_RUN, Verdict.OK, ObjectKind.IMAGE, FIRMWARE))
            except JournalFull:
                terminal.diary.note("journal full")

    def epoch(self) -> None:
        """The record that opens an epoch after the first: it names the certificate, and the last receipt before it.

        Raises JournalFull, OSError.
        """
        terminal = self._terminal
        if terminal.identity.epoch == 1 or terminal.journal.next_seq > 1:
            return
        receipt = terminal.receipts.newest
        if receipt is not None:
            terminal.recorder.note_receipt(receipt)
        serial = terminal.identity.serial
        terminal.commit(about_object(Action.KEY_ROTATE, Verdict.NOTED, ObjectKind.CERTIFICATE, serial))

    def lost(self, seq: int) -> None:
        """A record was asked for and cannot be read. If it has no receipt that is said under this terminal's signature,
        once a start: nobody else may ever have had it."""
        terminal = self._terminal
        journal = terminal.journal
        if seq <= journal.receipted or seq in self._lost:
            return
        self._lost.add(seq)
        journal.broken = min(journal.broken or seq, seq)
        decision = Decision(Action.RECORDS_LOST, Verdict.NOTED)
        decision.parts[Tlv.REF_SEQ] = struct.pack(">I", seq)
        try:
            terminal.commit(decision)
        except (JournalFull, OSError):
            terminal.diary.note("record %d is lost, and that could not be recorded" % seq)

    def refused(self, kind: int, version: int, error: int) -> None:
        """A signed object was refused: recorded once a start for each kind and reason, and said when nothing is on the
        counter. A link that garbles is no such thing, and a dock that never stops must not fill the journal."""
        terminal = self._terminal
        verdict = _REFUSED.get(error)
        key = (kind, error)
        if verdict is None or not terminal.identity.root:
            return
        if key in self._refusals or len(self._refusals) >= _REFUSALS_TOLD:
            return
        self._refusals.add(key)
        decision = about_object(Action.OBJECT_REFUSED, verdict, kind, version)
        decision.parts[Tlv.REASON] = struct.pack(">H", error)
        if not terminal.flow.busy:
            terminal.carry_out(decision, b"")
            return
        try:
            terminal.commit(decision)
        except (JournalFull, OSError):
            terminal.diary.note("a refusal could not be recorded")
