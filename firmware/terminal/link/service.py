"""What the messages of the link mean to this terminal."""

import gc
import os
import struct

from micropython import const

from plomba_wire import chain, codec
from plomba_wire.terminal_end import WINDOW, Refusal, TerminalEnd
from plomba_wire.vocabulary import Action, Error, Feature, Growth, ObjectKind, Verdict
from terminal.heap import Compact
from terminal.journal import damage
from terminal.journal.ring import JournalFull
from terminal.keys.entropy import EntropyFailure
from terminal.objects.transfer import Transfer
from terminal.recorder import about_object
from terminal.version import FIRMWARE
from terminal.work import shift

_NONCE_MS = const(10000)
_BACK_S = const(86400)
_DIAG_MAX = const(1024)
_NO_PAGE = const(0xFFFFFFFF)
_SMALL = (
    ObjectKind.RULES,
    ObjectKind.TIME,
    ObjectKind.REVOCATIONS,
    ObjectKind.ROOT,
    ObjectKind.STAFF,
    ObjectKind.SEALS,
)


class Service:
    """Serves one link; plomba_wire.terminal_end.TerminalEnd calls it. `bauds` are the rates its line can have."""

    def __init__(self, terminal, bauds: "tuple[int, ...]" = ()) -> None:
        self.end: "TerminalEnd | None" = None
        self.features = Feature.SACK | Feature.LIVE | (Feature.BAUD if bauds else 0)
        self._terminal = terminal
        self._bauds = bauds
        self._nonce = b""
        self._nonce_at = 0
        self._transfer: "Transfer | None" = None
        self._offered: "tuple[int, int] | None" = None
        self._ended: "Refusal | None" = None

    def identity(self) -> "tuple[int, bytes, int, int]":
        identity = self._terminal.identity
        return identity.enrolment, identity.id, FIRMWARE, self._terminal.boot

    def growth(self) -> "dict[int, bytes]":
        root = self._terminal.identity.root
        return {Growth.ROOT: chain.key_id(root)} if root else {}

    def fresh_nonce(self) -> bytes:
        self._nonce = os.urandom(16)
        self._nonce_at = self._terminal.clock.mono_ms()
        return self._nonce

    def next_seq(self) -> int:
        """A record counts once it is signed: it never leaves before."""
        journal = self._terminal.journal
        return journal.next_seq - (journal.unsigned is not None)

    def serve(self, message):
        """The answer to a request. Raises Refusal."""
        handler = _HANDLERS.get(type(message))
        if handler is None:
            raise Refusal(Error.UNKNOWN_TYPE)
        try:
            return handler(self, message)  # type: ignore[operator]
        except Refusal as refusal:
            self._terminal.diary.note("refused %02x: %02x (%d)" % (message.TYPE, refusal.code, refusal.detail))
            self._refused(message, refusal.code)
            raise
        except JournalFull:
            self._terminal.diary.note("refused %02x: journal full" % message.TYPE)
            raise Refusal(Error.NO_SPACE)
        except OSError as error:
            self._terminal.diary.note("refused %02x: flash error %s" % (message.TYPE, error))
            raise Refusal(Error.STORAGE_FAULT)
        except MemoryError:
            if type(message) not in _PIECES:
                # Something may be half done: the next start finishes it.
                raise
            # No stretch of the heap is as long as what came: whoever sends it must not stop the terminal by it.
            self._transfer = None
            gc.collect()
            self._terminal.diary.note("refused %02x: no memory" % message.TYPE)
            raise Refusal(Error.INTERNAL)

    def sync_open(self, request: codec.SyncOpen) -> "tuple[int, int]":
        journal = self._terminal.journal
        if request.epoch != self._terminal.identity.epoch:
            raise Refusal(Error.EPOCH_CHANGED, self._terminal.identity.epoch)
        if request.from_seq > journal.next_seq or not request.from_seq:
            raise Refusal(Error.BAD_RANGE, journal.next_seq)
        if request.from_seq < journal.oldest_seq:
            raise Refusal(Error.PRUNED, journal.oldest_seq)
        try:
            previous = journal.digest_before(request.from_seq)
        except (IndexError, OSError):
            raise Refusal(Error.STORAGE_FAULT, request.from_seq)
        if previous != request.previous:
            raise Refusal(Error.CHAIN_FORK, request.from_seq)
        return request.from_seq, self.next_seq()

    def record(self, seq: int) -> bytes:
        """Raises Refusal: one record that flash has lost must not take the link down with it."""
        journal = self._terminal.journal
        try:
            body, signature, previous = journal.read(seq)
        except IndexError:
            raise Refusal(Error.PRUNED, journal.oldest_seq)
        except OSError:
            self._terminal.notes.lost(seq)
            raise Refusal(Error.STORAGE_FAULT, seq)
        if not signature:
            # Only the signature rotted. Its hash is the one this key has signed before.
            try:
                signature = self._terminal.identity.sign(chain.step(previous, body))
            except (OSError, EntropyFailure):
                raise Refusal(Error.STORAGE_FAULT, seq)
        return struct.pack(">H", len(body)) + body + signature

    def head(self) -> bytes:
        return self._terminal.journal.head

    def _key(self, request: codec.EnrolKey) -> codec.EnrolKeyOk:
        identity = self._terminal.identity
        digest = chain.possession_digest(request.nonce, identity.public, identity.epoch, identity.protection)
        return codec.EnrolKeyOk(
            identity.public, identity.epoch, identity.protection, identity.enrolment, identity.sign(digest)
        )

    def _root(self, request: codec.EnrolRoot) -> codec.EnrolRootOk:
        terminal = self._terminal
        identity = terminal.identity
        if identity.declined == (request.root, request.certificate):
            # Else the dock, which asks again and again, would put it back on the screen.
            raise Refusal(Error.REFUSED_BY_POLICY)
        if identity.root is None:
            if identity.offered != (request.root, request.certificate):
                identity.certified_epoch(request.root, request.certificate)
                identity.offer(request.root, request.certificate)
                terminal.idle_screen()
        elif identity.root != request.root:
            raise Refusal(Error.REFUSED_BY_POLICY)
        else:
            terminal.certify(request.certificate)
        return codec.EnrolRootOk(identity.enrolment)

    def _status(self, request: codec.Status) -> codec.StatusOk:
        terminal = self._terminal
        journal = terminal.journal
        identity = terminal.identity
        digest = chain.head_digest(request.nonce, identity.id, identity.epoch, journal.next_seq, journal.head)
        return codec.StatusOk(
            identity.epoch,
            journal.first_seq,
            journal.next_seq,
            journal.receipted,
            journal.head,
            terminal.rules.newest,
            terminal.manifest.version,
            terminal.revocations.number,
            terminal.seals.number,
            terminal.staff.number,
            terminal.images.failed,
            terminal.clock.mono_ms() & 0xFFFFFFFF,
            terminal.clock.utc(),
            terminal.health.pack(terminal),
            identity.sign(digest),
        )

    def _held(self, request: codec.Held) -> codec.HeldOk:
        journal = self._terminal.journal
        if request.epoch != self._terminal.identity.epoch:
            raise Refusal(Error.EPOCH_CHANGED, self._terminal.identity.epoch)
        for seq in range(max(request.from_seq, journal.oldest_seq), self.next_seq()):
            try:
                return codec.HeldOk(seq, journal.read(seq)[2])
            except OSError:
                continue
        return codec.HeldOk(0, bytes(32))

    def _damaged(self, request: codec.Damaged) -> codec.DamagedOk:
        region = self._terminal.ring
        page = damage.next_damaged(region, request.from_page)
        return codec.DamagedOk(_NO_PAGE, b"") if page is None else codec.DamagedOk(page, damage.content(region, page))

    def _receipt(self, request: codec.Receipt) -> codec.ReceiptOk:
        terminal = self._terminal
        self._need_root()
        before = terminal.receipts.up_to
        up_to = terminal.receipts.accept(request.bundle, terminal.journal, terminal.clock.utc(), terminal.revocations)
        if up_to > before:
            terminal.recorder.note_receipt(request.bundle)
            terminal.idle_screen()
        return codec.ReceiptOk(up_to)

    def _offer(self, offer: codec.ObjectOffer) -> codec.ObjectOfferOk:
        terminal = self._terminal
        self._need_root()
        self._offered = (offer.kind, offer.version)
        self._ended = None
        wanted = (offer.kind, offer.version, offer.size, offer.bundle, offer.sha256)
        if self._transfer is None or self._transfer.offer != wanted:
            self._transfer = None
            terminal.newest.check(offer.kind, offer.version)
            if offer.kind == ObjectKind.MANIFEST:
                slot = terminal.manifest.spare(offer.version)
            elif offer.kind == ObjectKind.IMAGE:
                slot = terminal.images.spare(offer.version, terminal.health.battery)
            elif offer.kind in _SMALL:
                slot = None
            else:
                raise Refusal(Error.UNKNOWN_TYPE, offer.kind)
            self._transfer = Transfer(wanted, terminal.identity.root, self._now(offer.kind), slot, terminal.revocations)
        return codec.ObjectOfferOk(self._transfer.offset, WINDOW // 16)

    def _data(self, data: codec.ObjectData) -> codec.ObjectCredit:
        transfer = self._transfer
        if transfer is None:
            # The answer that ended it can get lost, or be one of too many in this second.
            raise self._ended or Refusal(Error.BAD_RANGE)
        try:
            transfer.write(data.offset, data.piece)
        except Refusal as refusal:
            if refusal.code != Error.BAD_HASH or transfer.envelope is None:
                self._transfer = None
                self._ended = refusal
            raise
        return codec.ObjectCredit(transfer.offset, WINDOW // 16)

    def _commit(self, request: codec.ObjectCommit) -> codec.ObjectCommitOk:
        terminal = self._terminal
        transfer = self._transfer
        if transfer is None or transfer.offer[:2] != (request.kind, request.version):
            raise Refusal(Error.BAD_RANGE)
        if not transfer.complete:
            raise Refusal(Error.BAD_RANGE, transfer.offset)
        if request.kind == ObjectKind.IMAGE and terminal.undocked:
            # An image can be wrong in a way that nobody foresaw: no record may be in its hands alone.
            raise Refusal(Error.UNSYNCED_RECORDS, terminal.journal.next_seq - 1)
        self._transfer = None
        with Compact():
            self._install(transfer)
        terminal.note_newest()
        action = Action.TIME_SET if request.kind == ObjectKind.TIME else Action.OBJECT_SET
        seq = terminal.commit(about_object(action, Verdict.NOTED, request.kind, request.version))
        terminal.idle_screen()
        return codec.ObjectCommitOk(request.version, seq)

    def _install(self, transfer: Transfer) -> None:
        """Puts what was transferred in force. Raises Refusal, OSError."""
        terminal = self._terminal
        kind = transfer.offer[0]
        if kind == ObjectKind.MANIFEST:
            terminal.manifest.install(transfer)
            terminal.flow.clear()
            terminal.replay(False)
        elif kind == ObjectKind.RULES:
            terminal.rules.install(transfer, terminal.clock.utc())
            # One that waited and was put off may be in force by this.
            terminal.flow.rule_shown = terminal.flow.put_off = 0
        elif kind == ObjectKind.STAFF:
            terminal.staff.install(transfer)
            terminal.flow.people.forgive()
            shift.check(terminal.flow)
        elif kind == ObjectKind.REVOCATIONS:
            terminal.revocations.install(transfer)
            terminal.note_own_key()
        elif kind == ObjectKind.SEALS:
            terminal.seals.install(transfer, terminal.identity.root)
        elif kind == ObjectKind.ROOT:
            terminal.identity.rotate(transfer.offer[1], transfer.body)
        elif kind == ObjectKind.IMAGE:
            terminal.images.install(transfer, terminal.board.NAME)
            terminal.restart_due = True
        else:
            self._set_clock(transfer.body)

    def _now(self, kind: int) -> int:
        """What dates are held against. A time object's dates mean nothing: it is what sets the clock."""
        return 0 if kind == ObjectKind.TIME else self._terminal.clock.utc()

    def _set_clock(self, raw: bytes) -> None:
        clock = self._terminal.clock
        body = codec.TimeBody.unpack(raw)
        if body.terminal != self._terminal.identity.id:
            raise Refusal(Error.WRONG_DEVICE)
        if body.device_nonce != self._nonce or clock.mono_ms() - self._nonce_at > _NONCE_MS:
            raise Refusal(Error.NONCE_MISMATCH)
        self._nonce = b""
        if clock.trusted and body.utc < clock.utc() - _BACK_S:
            raise Refusal(Error.ROLLBACK, clock.utc())
        clock.set(body.utc)

    def _probe(self, probe: codec.TimeProbe) -> codec.TimeProbeOk:
        clock = self._terminal.clock
        assert self.end is not None
        nonce = self.fresh_nonce()
        return codec.TimeProbeOk(
            probe.t1, self.end.heard & 0xFFFFFFFF, clock.mono_ms() & 0xFFFFFFFF, clock.utc(), nonce
        )

    def _baud(self, request: codec.Baud) -> codec.BaudOk:
        if request.baud not in self._bauds:
            raise Refusal(Error.BAD_RANGE, max(self._bauds, default=0))
        return codec.BaudOk(request.baud)

    def _diag(self, request: codec.Diag) -> codec.DiagOk:
        diary = self._terminal.diary
        offset, text = diary.read(request.offset, _DIAG_MAX)
        return codec.DiagOk(offset, diary.end, text)

    def _refused(self, message, error: int) -> None:
        """A person is to know that a dock brought what nobody may take; a link that garbles is no such thing."""
        if isinstance(message, (codec.ObjectOffer, codec.ObjectCommit)):
            self._terminal.notes.refused(message.kind, message.version, error)
        elif isinstance(message, codec.ObjectData) and self._transfer is None and self._offered is not None:
            self._terminal.notes.refused(*self._offered, error)

    def _need_root(self) -> None:
        if not self._terminal.identity.root:
            raise Refusal(Error.NOT_ENROLLED)


_PIECES = (codec.ObjectOffer, codec.ObjectData)
_HANDLERS = {
    codec.EnrolKey: Service._key,
    codec.EnrolRoot: Service._root,
    codec.Status: Service._status,
    codec.Receipt: Service._receipt,
    codec.ObjectOffer: Service._offer,
    codec.ObjectData: Service._data,
    codec.ObjectCommit: Service._commit,
    codec.TimeProbe: Service._probe,
    codec.Baud: Service._baud,
    codec.Diag: Service._diag,
    codec.Held: Service._held,
    codec.Damaged: Service._damaged,
}
