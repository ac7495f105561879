"""What the messages of the link mean to this terminal."""

import hashlib
import os

from plomba_wire import chain, codec
from plomba_wire.terminal_end import WINDOW, Refusal, TerminalEnd
from plomba_wire.vocabulary import Action, Enrolment, Error, ObjectKind
from terminal.journal.ring import JournalFull
from terminal.objects.rules import SIZE_MAX
from terminal.objects.signed import open_bundle
from terminal.objects.slots import Transfer
from terminal.version import FIRMWARE

_UNKNOWN_BATTERY = 255


class Service:
    """Serves one link; plomba_wire.terminal_end.TerminalEnd calls it."""

    def __init__(self, terminal) -> None:
        self.end: "TerminalEnd | None" = None
        self._terminal = terminal
        self._nonce = b""
        self._transfer: "Transfer | None" = None
        self._small: "_Small | None" = None

    def identity(self) -> "tuple[int, bytes, int, int]":
        identity = self._terminal.identity
        return identity.enrolment, identity.id, FIRMWARE, self._terminal.boot

    def fresh_nonce(self) -> bytes:
        self._nonce = os.urandom(16)
        return self._nonce

    def serve(self, message):
        """The answer to a request. Raises Refusal."""
        handler = _HANDLERS.get(type(message))
        if handler is None:
            raise Refusal(Error.UNKNOWN_TYPE)
        try:
            return handler(self, message)  # type: ignore[operator]
        except JournalFull:
            raise Refusal(Error.NO_SPACE)
        except OSError:
            raise Refusal(Error.STORAGE_FAULT)

    def sync_open(self, request: codec.SyncOpen) -> "tuple[int, int]":
        journal = self._terminal.journal
        if request.epoch != self._terminal.identity.epoch:
            raise Refusal(Error.EPOCH_CHANGED, self._terminal.identity.epoch)
        if request.from_seq > journal.next_seq or not request.from_seq:
            raise Refusal(Error.BAD_RANGE, journal.next_seq)
        if request.from_seq < journal.first_seq:
            raise Refusal(Error.PRUNED, journal.first_seq)
        if journal.digest_before(request.from_seq) != request.previous:
            raise Refusal(Error.CHAIN_FORK, request.from_seq)
        return request.from_seq, journal.next_seq

    def record(self, seq: int) -> bytes:
        """Raises Refusal: one record that flash has lost must not take the link down with it."""
        journal = self._terminal.journal
        try:
            return journal.record(seq)
        except IndexError:
            raise Refusal(Error.PRUNED, journal.first_seq)
        except OSError:
            raise Refusal(Error.STORAGE_FAULT, seq)

    def head(self) -> bytes:
        return self._terminal.journal.head

    def _key(self, request: codec.EnrolKey) -> codec.EnrolKeyOk:
        identity = self._terminal.identity
        digest = chain.possession_digest(request.nonce, identity.public, identity.epoch, identity.protection)
        return codec.EnrolKeyOk(
            identity.public, identity.epoch, identity.protection, identity.enrolment, identity.sign(digest)
        )

    def _root(self, request: codec.EnrolRoot) -> codec.EnrolRootOk:
        identity = self._terminal.identity
        if identity.root and identity.root != request.root:
            raise Refusal(Error.REFUSED_BY_POLICY)
        first_time = identity.offered != (request.root, request.certificate)
        if identity.enrolment != Enrolment.ENROLLED or identity.certificate != request.certificate:
            if first_time and not identity.offer(request.root, request.certificate):
                raise Refusal(Error.BAD_SIGNATURE)
            if first_time:
                self._terminal.idle_screen()
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
            journal.free_pages,
            terminal.rules.number,
            terminal.manifest.version,
            terminal.clock.mono_ms() & 0xFFFFFFFF,
            terminal.clock.utc(),
            _UNKNOWN_BATTERY,
            self.end.bad if self.end else 0,
            self.end.stale if self.end else 0,
            terminal.lost_scans,
            identity.sign(digest),
        )

    def _receipt(self, request: codec.Receipt) -> codec.ReceiptOk:
        terminal = self._terminal
        self._need_root()
        before = terminal.receipts.up_to
        up_to = terminal.receipts.accept(request.bundle, terminal.journal, terminal.clock.utc())
        if up_to > before:
            terminal.recorder.note_receipt(request.bundle)
            terminal.idle_screen()
        return codec.ReceiptOk(up_to)

    def _offer(self, offer: codec.ObjectOffer) -> codec.ObjectOfferOk:
        terminal = self._terminal
        self._need_root()
        wanted = (offer.kind, offer.version, offer.size, offer.sha256)
        if offer.kind == ObjectKind.MANIFEST:
            self._small = None
            if self._transfer is None or self._transfer.offer != wanted:
                self._transfer = terminal.manifest.transfer(offer.version, offer.size, offer.sha256)
            return codec.ObjectOfferOk(self._transfer.offset, WINDOW // 16)
        if offer.kind not in (ObjectKind.RULES, ObjectKind.TIME):
            raise Refusal(Error.UNKNOWN_TYPE, offer.kind)
        if offer.size > SIZE_MAX:
            raise Refusal(Error.TOO_BIG, SIZE_MAX)
        if self._small is None or self._small.offer != wanted:
            self._small = _Small(wanted)
        return codec.ObjectOfferOk(self._small.offset, WINDOW // 16)

    def _data(self, data: codec.ObjectData) -> codec.ObjectCredit:
        receiving = self._small or self._transfer
        if receiving is None:
            raise Refusal(Error.BAD_RANGE)
        receiving.write(data.offset, data.piece)
        return codec.ObjectCredit(receiving.offset, WINDOW // 16)

    def _commit(self, request: codec.ObjectCommit) -> codec.ObjectCommitOk:
        terminal = self._terminal
        small, transfer = self._small, self._transfer
        root, now = terminal.identity.root, terminal.clock.utc()
        action = Action.OBJECT_SET
        if transfer is not None and transfer.offer[:2] == (request.kind, request.version):
            self._transfer = None
            transfer.check()
            terminal.manifest.install(transfer, root, now)
            terminal.flow.new_visit()
            terminal.replay()
        elif small is not None and small.offer[:2] == (request.kind, request.version):
            self._small = None
            small.check()
            if request.kind == ObjectKind.RULES:
                terminal.rules.install(small.bundle, root, now)
            else:
                self._set_clock(small.bundle, root)
                action = Action.TIME_SET
        else:
            raise Refusal(Error.BAD_RANGE)
        seq = terminal.commit(terminal.recorder.installed(action, request.kind, request.version))
        terminal.idle_screen()
        return codec.ObjectCommitOk(request.version, seq)

    def _set_clock(self, bundle: bytes, root: bytes) -> None:
        _, raw = open_bundle(bundle, ObjectKind.TIME, root, 0)
        body = codec.TimeBody.unpack(raw)
        if body.terminal != self._terminal.identity.id:
            raise Refusal(Error.WRONG_DEVICE)
        if body.device_nonce != self._nonce:
            raise Refusal(Error.NONCE_MISMATCH)
        self._nonce = b""
        self._terminal.clock.set(body.utc)

    def _need_root(self) -> None:
        if not self._terminal.identity.root:
            raise Refusal(Error.NOT_ENROLLED)


class _Small:
    """An object that fits in RAM, on its way."""

    def __init__(self, offer: tuple) -> None:
        self.offer = offer
        self.bundle = b""

    @property
    def offset(self) -> int:
        return len(self.bundle)

    def write(self, offset: int, piece: bytes) -> None:
        if offset == len(self.bundle) and offset + len(piece) <= self.offer[2]:
            self.bundle += piece

    def check(self) -> None:
        if len(self.bundle) != self.offer[2]:
            raise Refusal(Error.BAD_RANGE, len(self.bundle))
        if hashlib.sha256(self.bundle).digest() != self.offer[3]:
            raise Refusal(Error.BAD_HASH)


_HANDLERS = {
    codec.EnrolKey: Service._key,
    codec.EnrolRoot: Service._root,
    codec.Status: Service._status,
    codec.Receipt: Service._receipt,
    codec.ObjectOffer: Service._offer,
    codec.ObjectData: Service._data,
    codec.ObjectCommit: Service._commit,
}
