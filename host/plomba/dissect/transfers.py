"""Objects that come down in pieces, put together again, to be taken apart when they are whole."""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass, field

from plomba.dissect.entry import Entry
from plomba.dissect.keys import KeyRing
from plomba.dissect.objects import package
from plomba.dissect.values import code
from plomba.errors import VerificationError
from plomba.trust.objects import IN_BLOCKS, SignedObject, block_hashes, split_bundle
from plomba_wire import codec

_HASH = 32


@dataclass(slots=True)
class _Transfer:
    """What came of one offer: `data` from the beginning on, `ahead` what came behind a gap."""

    offer: codec.ObjectOffer
    data: bytearray = field(default_factory=bytearray)
    ahead: list[tuple[int, bytes]] = field(default_factory=list)
    changed: bool = True

    def put(self, offset: int, piece: bytes) -> bool:
        """Whether all of it had come before. What comes anew replaces what was there: a block may be mended."""
        if offset > len(self.data):
            seen = (offset, piece) in self.ahead
            if not seen:
                heapq.heappush(self.ahead, (offset, piece))
            return seen
        seen = self.data[offset : offset + len(piece)] == piece
        while not seen:
            self.data[offset : offset + len(piece)] = piece
            self.changed = True
            if not self.ahead or self.ahead[0][0] > len(self.data):
                break
            offset, piece = heapq.heappop(self.ahead)
        return seen

    @property
    def whole(self) -> bool:
        return len(self.data) == self.offer.size


class Transfers:
    """One at a time goes on; one that broke off and is offered again goes on where it stopped."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._known: dict[tuple[int, int, int, int, bytes], _Transfer] = {}
        self._newest: _Transfer | None = None

    def offered(self, offer: codec.ObjectOffer) -> None:
        key = (offer.kind, offer.version, offer.size, offer.bundle, offer.sha256)
        self._newest = self._known.setdefault(key, _Transfer(offer))

    def piece(self, entry: Entry, data: codec.ObjectData) -> None:
        """Notes what came before; shows the object with the piece that completes it."""
        transfer = self._newest
        if transfer is None:
            entry.note("unasked", "no ObjectOffer before it")
            return
        end = data.offset + len(data.piece)
        was_whole = transfer.whole
        if end > transfer.offer.size:
            entry.note("out_of_range", f"ends at {end}, {transfer.offer.size} bytes were offered")
        elif transfer.put(data.offset, data.piece):
            entry.note("retransmitted", f"bytes {data.offset}..{end} came before")
        if transfer.whole and not was_whole:
            self._show(entry, transfer)

    def commit(self, entry: Entry, commit: codec.ObjectCommit) -> None:
        """Shows the object once more when a piece has changed since."""
        transfer = self._newest
        if transfer is None or (commit.kind, commit.version) != (transfer.offer.kind, transfer.offer.version):
            entry.note("unasked", "no ObjectOffer of it before")
        elif not transfer.whole:
            entry.note("incomplete", "the capture has not all of its bytes: the terminal had the rest already")
        elif transfer.changed:
            self._show(entry, transfer)

    def _show(self, entry: Entry, transfer: _Transfer) -> None:
        transfer.changed = False
        offer, raw = transfer.offer, bytes(transfer.data)
        whole, content = raw[: offer.bundle], raw[offer.bundle :]
        entry.fields["package"] = package(raw, entry.faults)
        if hashlib.sha256(whole).digest() != offer.sha256:
            entry.note("hash_differs", "the bundle is not what ObjectOffer names")
        name = code("object_kind", offer.kind).name
        entry.signatures += self._keys.check_bundle(whole, f"{name} {offer.version}", offer.kind)
        bad = _bad_blocks(whole, content) if offer.kind in IN_BLOCKS else []
        if bad:
            entry.note("hash_differs", f"blocks {', '.join(map(str, bad))} are not what the block list names")


def _bad_blocks(whole: bytes, content: bytes) -> list[int]:
    """Numbers of the blocks, from 0, that the list in a bundle does not name; of no block when there is no list."""
    try:
        named = codec.BlockList.unpack(SignedObject.parse(split_bundle(whole)[1]).body).hashes
    except (VerificationError, codec.Malformed):
        return []
    found = block_hashes(content)
    places = range(0, max(len(named), len(found)), _HASH)
    return [at // _HASH for at in places if named[at : at + _HASH] != found[at : at + _HASH]]
