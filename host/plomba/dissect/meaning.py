"""What a message says about records, keys and objects: signatures are checked, gaps and repetitions noted."""

from __future__ import annotations

from contextlib import suppress

from plomba.dissect.chains import Chains
from plomba.dissect.entry import UNCHECKED, Entry, Signature
from plomba.dissect.keys import KeyRing
from plomba.dissect.talk import Request, Session
from plomba.dissect.transfers import Transfers
from plomba.errors import VerificationError
from plomba.trust.objects import SignedObject, split_bundle
from plomba_wire import chain, codec
from plomba_wire.pull import split_records
from plomba_wire.stream import REWIND
from plomba_wire.vocabulary import ObjectKind

_NO_REQUEST = "its request is not in the capture"


class Meaning:
    """Follows the messages of one capture, in their order."""

    def __init__(self, keys: KeyRing) -> None:
        self.chains = Chains(keys)
        self._keys = keys
        self._transfers = Transfers(keys)

    def follow(self, entry: Entry, message: object, session: Session | None, request: Request | None) -> None:
        """`request` is what the message answers, `session` the one it is of, None when that is over or unknown."""
        if isinstance(message, codec.EnrolKeyOk):
            self._possession(entry, message, request)
        elif isinstance(message, codec.EnrolRoot):
            if not self._keys.learn_root(message.root):
                entry.note("root_foreign", "another root than the one that was given")
            entry.signatures.append(self._keys.check_certificate(message.certificate)[0])
        elif isinstance(message, codec.StatusOk):
            self._status(entry, message, session, request)
        elif isinstance(message, codec.SyncOpen):
            self._sync(entry, message, session)
        elif isinstance(message, codec.SyncOpenOk):
            if session is not None:
                session.expected = message.from_seq
        elif isinstance(message, codec.Data):
            self._data(entry, message, session)
        elif isinstance(message, codec.Credit):
            self._credit(entry, message)
        elif isinstance(message, codec.SyncEnd):
            if session is not None and session.sync is not None:
                self._head(entry, session.terminal, session.sync.epoch, message.next_seq - 1, message.head)
        elif isinstance(message, codec.Receipt):
            self._receipt(entry, message)
        elif session is None:
            return
        elif isinstance(message, codec.ObjectOffer):
            self._transfers.offered(message)
        elif isinstance(message, codec.ObjectData):
            self._transfers.piece(entry, message)
        elif isinstance(message, codec.ObjectCommit):
            self._transfers.commit(entry, message)

    def _possession(self, entry: Entry, answer: codec.EnrolKeyOk, request: Request | None) -> None:
        self._keys.learn_terminal(answer.public)
        id = chain.key_id(answer.public)
        if request is None or request.type != codec.EnrolKey.TYPE:
            entry.signatures.append(Signature("possession", UNCHECKED, _NO_REQUEST, id))
            return
        digest = chain.possession_digest(request.body, answer.public, answer.epoch, answer.protection)
        entry.signatures.append(self._keys.check("possession", id, digest, answer.signature))

    def _status(self, entry: Entry, status: codec.StatusOk, session: Session | None, request: Request | None) -> None:
        terminal = session.terminal if session is not None else None
        if request is None or request.type != codec.Status.TYPE:
            entry.signatures.append(Signature("head", UNCHECKED, _NO_REQUEST))
        elif terminal is None:
            entry.signatures.append(Signature("head", UNCHECKED, "no HelloOk says whose it is"))
        else:
            digest = chain.head_digest(request.body, terminal, status.epoch, status.next_seq, status.head)
            entry.signatures.append(self._keys.check("head", terminal, digest, status.signature))
        if session is not None:
            self._head(entry, session.terminal, status.epoch, status.next_seq - 1, status.head)

    def _sync(self, entry: Entry, request: codec.SyncOpen, session: Session | None) -> None:
        if session is not None:
            session.sync = request
            session.expected = request.from_seq
            self._head(entry, session.terminal, request.epoch, request.from_seq - 1, request.previous)

    def _receipt(self, entry: Entry, receipt: codec.Receipt) -> None:
        entry.signatures += self._keys.check_bundle(receipt.bundle, "receipt", ObjectKind.RECEIPT)
        with suppress(VerificationError, codec.Malformed):
            body = codec.ReceiptBody.unpack(SignedObject.parse(split_bundle(receipt.bundle)[1]).body)
            self._head(entry, body.terminal, body.epoch, body.up_to, body.head)

    def _head(self, entry: Entry, terminal: bytes | None, epoch: int, seq: int, value: bytes) -> None:
        """Somebody says h(seq)."""
        known = self.chains.value(terminal, epoch, seq) if terminal is not None else None
        if known is not None and known != value:
            entry.note("head_differs", f"another chain value than that of record {seq} as it came")

    def _data(self, entry: Entry, data: codec.Data, session: Session | None) -> None:
        records = split_records(data)
        if records is None:
            return
        if session is not None:
            if session.sync is None and session.both:
                entry.note("unasked", "no SyncOpen before it")
            elif 0 < session.expected < data.first_seq:
                entry.note("gap", f"records {session.expected}..{data.first_seq - 1} are missing before it")
            session.expected = max(session.expected, data.first_seq + len(records))
        sync = session.sync if session is not None else None
        seen = []
        for seq, (body, signature) in enumerate(records, start=data.first_seq):
            if self._record(entry, seq, body, signature, sync):
                seen.append(str(seq))
        if seen:
            entry.note("retransmitted", f"seen before: records {', '.join(seen)}")

    def _record(self, entry: Entry, seq: int, body: bytes, signature: bytes, sync: codec.SyncOpen | None) -> bool:
        """Whether it was seen before."""
        try:
            head = codec.RecordHead.read(body, 0)
        except codec.Malformed:
            entry.signatures.append(Signature(f"record {seq}", UNCHECKED, "does not fit its layout"))
            return False
        if head.seq != seq:
            entry.note("out_of_order", f"record {head.seq} stands where {seq} should")
        claimed = None
        if sync is not None and (sync.epoch, sync.from_seq) == (head.epoch, head.seq):
            claimed = sync.previous
        verdicts, seen, fork = self.chains.take(head, body, signature, claimed)
        entry.signatures += verdicts
        if fork:
            entry.note("fork", f"record {head.seq} was another one before")
        return seen

    def _credit(self, entry: Entry, credit: codec.Credit) -> None:
        if credit.flags & REWIND:
            entry.note("rewind", f"from record {credit.next_seq} on")
        for at in range(0, len(credit.again) - codec.AgainRow.SIZE + 1, codec.AgainRow.SIZE):
            row = codec.AgainRow.read(credit.again, at)
            last = f"..{row.first_seq + row.count - 1}" if row.count else " and all behind it"
            entry.note("again", f"record {row.first_seq}{last}")
