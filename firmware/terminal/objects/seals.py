"""Seals of our own: who issues them, which numbers were issued, which count for nothing any more (SPEC.md, SealList).

A seal is held against the list first and its signature is verified last: a copy of a void seal costs no arithmetic. The
list is what the desk last brought, so a batch that was printed since is not issued yet as far as this terminal knows.
"""

import struct

from micropython import const

from plomba_wire import chain, seal
from plomba_wire.codec import Malformed, Seal, SealIssuer, SealList, SealRange
from plomba_wire.terminal_end import Refusal
from plomba_wire.vocabulary import Error, ObjectKind, Role, Verdict
from terminal import files
from terminal.keys import p256
from terminal.objects import newest, signed
from terminal.objects.revocations import Revocations
from terminal.objects.transfer import Transfer

_FILE = "seals"
_ISSUERS = const(8)
_PREPARED = const(4)
_HEAD = const(5)
_ROW = const(11)
_FIRST = const(7)
_SIGNED = const(14)


class Seals:
    """`number` is 0 while there is no list. `damaged`: the stored one does not verify or is gone, and every issuer is a
    stranger until the dock brings another one."""

    def __init__(self, revocations: Revocations) -> None:
        self.number = 0
        self.damaged = False
        self._revocations = revocations
        self._issuers: "dict[bytes, tuple[int, bytes]]" = {}
        self._ranges = b""
        self._voids = b""
        # Keys prepared for verifying, 960 bytes each, the one used last at the end.
        self._tables: "list[tuple[bytes, p256.Table]]" = []

    def load(self, roots: bytes, least: int = 0) -> None:
        """Takes the stored list if it is not older than `least`; its issuers' certificates were verified as it came."""
        try:
            found = newest.stored(_FILE, ObjectKind.SEALS, roots, least)
            if found is not None:
                self._take(found[0].version, _read(found[1], b""))
        except Refusal:
            self.damaged = True

    def install(self, transfer: Transfer, root: bytes) -> None:
        """Puts a list that was verified as it came in force, when `root` vouches for its issuers.

        One that is revoked may be among them: its seals have a verdict of their own. Raises Refusal, OSError.
        """
        number = transfer.offer[1]
        if number <= self.number:
            raise Refusal(Error.ROLLBACK, self.number)
        found = _read(transfer.body, root)
        files.save(_FILE, transfer.bundle)
        self._take(number, found)

    def check(self, code: bytes) -> "tuple[int, bytes]":
        """Verdict.OK or what is wrong with the seal that `code` is the text of, and its name; empty where it has none.

        The name is proved with Verdict.OK only. No text raises anything.
        """
        try:
            payload = seal.payload(code)
            found = Seal.unpack(payload)
        except Malformed:
            return Verdict.SEAL_FORGED, b""
        issuer = self._issuers.get(found.issuer)
        if issuer is None:
            return Verdict.SEAL_STRANGER, b""
        number, public = issuer
        name = seal.name(number, found.batch, found.number)
        if self._revoked(found.issuer):
            return Verdict.SEAL_REVOKED, name
        key = struct.pack(">BHI", number, found.batch, found.number)
        if not _within(self._ranges, key):
            return Verdict.SEAL_NOT_ISSUED, name
        if _within(self._voids, key):
            return Verdict.SEAL_VOID, name
        table = self._prepared(found.issuer, public)
        if not signed.fits(table, chain.seal_digest(payload[:_SIGNED]), found.signature):
            return Verdict.SEAL_FORGED, name
        return Verdict.OK, name

    def _take(self, number: int, found) -> None:
        self._issuers, self._ranges, self._voids = found
        self.number = number
        self.damaged = False
        self._tables = []
        # The newest issuers are those whose seals are about.
        newest = sorted([(self._issuers[id][0], id) for id in self._issuers])[-_PREPARED:]
        try:
            for _, id in newest:
                self._prepared(id, self._issuers[id][1])
        except MemoryError:
            # Then a key is prepared when its first seal is read.
            pass

    def _revoked(self, issuer: bytes) -> bool:
        try:
            return self._revocations.holds(issuer)
        except Refusal:
            # Without a list nobody is believed.
            return True

    def _prepared(self, issuer: bytes, public: bytes) -> p256.Table:
        """The issuer's table. A key that has none gets the place of the one that was not used for the longest."""
        tables = self._tables
        for at in range(len(tables)):
            if tables[at][0] == issuer:
                tables.append(tables.pop(at))
                return tables[-1][1]
        table = p256.Table(public)
        if len(tables) == _PREPARED:
            tables.pop(0)
        tables.append((issuer, table))
        return table


def _within(ranges: bytes, key: bytes) -> bool:
    """Whether issuer, batch and number, as they open a row, lie in one of the ranges."""
    low, high = 0, len(ranges) // _ROW
    while low < high:
        middle = (low + high) // 2
        at = middle * _ROW
        if ranges[at : at + _FIRST] <= key:
            low = middle + 1
        else:
            high = middle
    at = (low - 1) * _ROW
    return at >= 0 and ranges[at : at + 3] == key[:3] and key[3:] <= ranges[at + _FIRST : at + _ROW]


def _read(body: bytes, root: bytes) -> "tuple[dict[bytes, tuple[int, bytes]], bytes, bytes]":
    """Issuers by key id, each with number and key (X || Y); rows of issued ranges, and of void ones.

    Without `root` the certificates are believed. Raises Refusal for anything but what SPEC.md, SealList, allows.
    """
    try:
        head = SealList.unpack(body)
        if head.issuers > _ISSUERS:
            raise Malformed("issuers")
        issuers: "dict[bytes, tuple[int, bytes]]" = {}
        numbers: "list[int]" = []
        at = _HEAD
        for _ in range(head.issuers):
            row = SealIssuer.read(body, at)
            at += SealIssuer.SIZE + row.length
            if row.number > seal.ISSUER_MAX or row.number <= (numbers[-1] if numbers else 0):
                raise Malformed("issuer")
            public = _public(body[at - row.length : at], root)
            issuers[chain.key_id(public)] = (row.number, public)
            numbers.append(row.number)
        voids_at = at + head.ranges * _ROW
        ranges, voids = body[at:voids_at], body[voids_at:]
        if len(issuers) != head.issuers or len(voids) != head.voids * _ROW:
            raise Malformed("rows")
        _check(ranges, numbers)
        _check(voids, numbers)
    except Malformed:
        raise Refusal(Error.MALFORMED)
    return issuers, ranges, voids


def _public(certificate: bytes, root: bytes) -> bytes:
    """The key (X || Y) of a seal issuer. Raises Refusal, Malformed."""
    found = signed.certified(certificate, root)[1] if root else signed.certificate(certificate)[1]
    if found.role != Role.SEAL_ISSUER:
        raise Refusal(Error.WRONG_ROLE)
    if not p256.is_point(found.public):
        raise Malformed("key")
    return found.public


def _check(rows: bytes, issuers: "list[int]") -> None:
    """Raises Malformed unless the ranges are of these issuers, ascending, and apart."""
    before = (0, 0, 0)
    for at in range(0, len(rows), _ROW):
        row = SealRange.unpack(rows[at : at + _ROW])
        if (
            row.issuer not in issuers
            or not 0 < row.batch <= seal.BATCH_MAX
            or not 0 < row.first <= row.last <= seal.NUMBER_MAX
            or (row.issuer, row.batch, row.first) <= before
        ):
            raise Malformed("range")
        before = row.issuer, row.batch, row.last
