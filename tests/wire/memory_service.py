"""A terminal's state in memory, behind plomba_wire.terminal_end.TerminalEnd. Runs under MicroPython too."""

import hashlib
import struct

from plomba_wire import chain, codec
from plomba_wire.terminal_end import WINDOW, Refusal
from plomba_wire.vocabulary import Error, Feature

PUBLIC = bytes(range(64))
EPOCH = 1


def octets(name: str, length: int) -> bytes:
    """Bytes that look random, the same ones for the same name; zeros are among them."""
    out = b""
    while len(out) < length:
        out += hashlib.sha256(f"{name} {len(out)}".encode()).digest()
    return out[:length]


class MemoryService:
    """`count` records of `length` bytes each, length field and signature included; receipts; one object in transfer.

    A receipt's bundle is the number it covers, u32. `served` lists what was carried out, in order: a request that is
    repeated must not be in it twice.
    """

    def __init__(self, count: int = 0, length: int = 200) -> None:
        self.features = Feature.SACK | Feature.LIVE | Feature.BAUD
        self.records: list[bytes] = []
        self.digests = [chain.genesis(PUBLIC, EPOCH)]
        self.receipted = 0
        self.installed: dict[int, bytes] = {}
        self.served: list[str] = []
        self.nonces = 0
        self._offer = ()
        self._pieces = b""
        for _ in range(count):
            self.add(length)

    def add(self, length: int) -> None:
        """One more record."""
        name = f"record {len(self.records) + 1}"
        body = octets(name, length - 66)
        self.records.append(struct.pack(">H", len(body)) + body + octets("signature of " + name, 64))
        self.digests.append(chain.step(self.digests[-1], body))

    def next_seq(self) -> int:
        return len(self.records) + 1

    def identity(self) -> "tuple[int, bytes, int, int]":
        return 2, chain.key_id(PUBLIC), 0x010203, 4

    def growth(self) -> "dict[int, bytes]":
        return {}

    def fresh_nonce(self) -> bytes:
        self.nonces += 1
        return octets(f"nonce {self.nonces}", 16)

    def sync_open(self, request: codec.SyncOpen) -> "tuple[int, int]":
        self.served.append("SyncOpen")
        if request.epoch != EPOCH:
            raise Refusal(Error.EPOCH_CHANGED, EPOCH)
        if not 0 < request.from_seq <= self.next_seq():
            raise Refusal(Error.BAD_RANGE, self.next_seq())
        if request.previous != self.digests[request.from_seq - 1]:
            raise Refusal(Error.CHAIN_FORK, request.from_seq)
        return request.from_seq, self.next_seq()

    def record(self, seq: int) -> bytes:
        return self.records[seq - 1]

    def head(self) -> bytes:
        return self.digests[-1]

    def serve(self, message):
        self.served.append(type(message).__name__)
        if isinstance(message, codec.Status):
            return self._status()
        if isinstance(message, codec.Receipt):
            if len(message.bundle) != 4:
                raise Refusal(Error.MALFORMED)
            self.receipted = max(self.receipted, struct.unpack(">I", message.bundle)[0])
            return codec.ReceiptOk(self.receipted)
        if isinstance(message, codec.ObjectOffer):
            offer = (message.kind, message.version, message.size, message.bundle, message.sha256)
            if message.version <= max(self.installed, default=0):
                raise Refusal(Error.ROLLBACK, max(self.installed, default=0))
            if offer != self._offer:
                self._offer, self._pieces = offer, b""
            return codec.ObjectOfferOk(len(self._pieces), WINDOW // 16)
        if isinstance(message, codec.ObjectData):
            if not self._offer:
                raise Refusal(Error.BAD_RANGE)
            if message.offset == len(self._pieces):
                self._pieces += message.piece
            return codec.ObjectCredit(len(self._pieces), WINDOW // 16)
        if isinstance(message, codec.ObjectCommit):
            return self._commit(message)
        if isinstance(message, codec.Baud):
            if message.baud > 921600:
                raise Refusal(Error.BAD_RANGE, 921600)
            return codec.BaudOk(message.baud)
        if isinstance(message, codec.TimeProbe):
            return codec.TimeProbeOk(message.t1, 1, 2, 0, self.fresh_nonce())
        raise Refusal(Error.UNKNOWN_TYPE)

    def _status(self) -> codec.StatusOk:
        version = max(self.installed, default=0)
        head = self.digests[-1]
        return codec.StatusOk(
            EPOCH,
            1,
            self.next_seq(),
            self.receipted,
            head,
            0,
            version,
            *bytes(6),
            bytes(codec.Health.SIZE),
            bytes(64),
        )

    def _commit(self, message: codec.ObjectCommit) -> codec.ObjectCommitOk:
        if self._offer[:2] != (message.kind, message.version) or len(self._pieces) != self._offer[2]:
            raise Refusal(Error.BAD_RANGE, len(self._pieces))
        bundle, self._pieces = self._pieces, b""
        length, sha256 = self._offer[3:]
        self._offer = ()
        if hashlib.sha256(bundle[:length]).digest() != sha256:
            raise Refusal(Error.BAD_HASH)
        self.installed[message.version] = bundle
        return codec.ObjectCommitOk(message.version, self.next_seq() - 1)
