"""The newest receipt: the dock's signed word that everything up to a record is on its disk. Kept, shown, obeyed."""

from plomba_wire.codec import Malformed, ReceiptBody
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error, ObjectKind
from terminal import files
from terminal.objects.signed import open_bundle


class Receipts:
    """`up_to` is the newest record covered, 0 when there is no receipt."""

    def __init__(self, identity) -> None:
        self.up_to = 0
        self._identity = identity
        stored = files.load("receipt")
        if stored is not None and identity.root:
            try:
                body = self._open(stored, 0)
            except Refusal:
                return
            self.up_to = body.up_to

    def accept(self, bundle: bytes, journal, now: int) -> int:
        """Stores a receipt that fits this journal and returns the record it covers. Raises Refusal."""
        body = self._open(bundle, now)
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
        return self.up_to

    def _open(self, bundle: bytes, now: int) -> ReceiptBody:
        _, raw = open_bundle(bundle, ObjectKind.RECEIPT, self._identity.root, now)
        try:
            body = ReceiptBody.unpack(raw)
        except Malformed:
            raise Refusal(Error.MALFORMED)
        if body.terminal != self._identity.id or body.epoch != self._identity.epoch:
            raise Refusal(Error.WRONG_DEVICE)
        return body
