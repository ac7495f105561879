"""The newest receipt: the dock's signed word that everything up to a record is on its disk. Kept, shown, obeyed."""

from plomba_wire.codec import Malformed, ReceiptBody
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error, ObjectKind
from terminal import files
from terminal.objects.signed import open_bundle


class Receipts:
    """`up_to` is the newest record of this epoch covered, 0 when there is no receipt; `head` its chain value."""

    def __init__(self, identity) -> None:
        self.up_to = 0
        self.head = b""
        self._identity = identity
        stored = self.newest
        if stored is not None and identity.root:
            try:
                body = self._open(stored, identity.roots, 0, None)
            except Refusal:
                return
            self.up_to, self.head = body.up_to, body.head

    @property
    def newest(self) -> "bytes | None":
        """The receipt held, perhaps of the epoch before this one."""
        return files.load("receipt")

    def accept(self, bundle: bytes, journal, now: int, revocations) -> int:
        """Stores a receipt that fits this journal and returns the record it covers. Raises Refusal."""
        body = self._open(bundle, self._identity.root, now, revocations)
        if body.up_to >= journal.next_seq:
            raise Refusal(Error.BAD_RANGE, journal.next_seq - 1)
        if body.up_to <= self.up_to:
            return self.up_to
        try:
            head = journal.digest_before(body.up_to + 1)
        except (IndexError, OSError):
            raise Refusal(Error.STORAGE_FAULT, body.up_to)
        if head != body.head:
            raise Refusal(Error.CHAIN_FORK, body.up_to)
        files.save("receipt", bundle)
        self.up_to = journal.receipted = body.up_to
        self.head = body.head
        if journal.broken <= self.up_to and journal.first_seq <= self.up_to + 1:
            # The dock knows of every break there is, and has taken what there was.
            journal.broken = 0
        return self.up_to

    def _open(self, bundle: bytes, roots: bytes, now: int, revocations) -> ReceiptBody:
        _, raw = open_bundle(bundle, ObjectKind.RECEIPT, roots, now, revocations)
        try:
            body = ReceiptBody.unpack(raw)
        except Malformed:
            raise Refusal(Error.MALFORMED)
        if body.terminal != self._identity.id or body.epoch != self._identity.epoch:
            raise Refusal(Error.WRONG_DEVICE)
        return body
