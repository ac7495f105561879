"""Verification of a pack, offline, against a pinned root. Everything in it must be proved, and be where it belongs."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from plomba.errors import VerificationError
from plomba.evidence import container
from plomba.evidence.make import chain_name, description, needs_former, record_name
from plomba.ledger.merkle import leaf_hash, verify_inclusion
from plomba.trust.keys import fingerprint
from plomba.trust.objects import SignedObject, Trust
from plomba.trust.records import Standing, VerifiedRecord, verify_record
from plomba.trust.revocations import Revocations
from plomba.trust.rotation import verify_rotation
from plomba_wire import chain
from plomba_wire.codec import Certificate, Malformed, ReceiptBody, RecordHead
from plomba_wire.vocabulary import ObjectKind, Role, Tlv


@dataclass(frozen=True, slots=True)
class Entry:
    """One record about the order. Receipts bound its time: `after` (0 = unknown) and `before`, s since 1970."""

    record: VerifiedRecord
    certificate: Certificate
    after: int
    before: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A verified pack. `rules` maps a rule pack's number to its body."""

    order: str
    root: str
    entries: list[Entry]
    rules: dict[int, bytes]


def verify_pack(data: bytes, pinned: str, revocations: bytes | None = None) -> Evidence:
    """Proves a pack. `pinned` is the root's fingerprint, 64 hex digits. Raises VerificationError with the place.

    `revocations` is the bundle of a newer list than the pack's own: whoever made the pack may have left it out.
    """
    members = container.read(data)
    root = _take(members, "root.pub")
    if len(root) != 64:
        raise _damaged("root.pub", "not a key")
    if fingerprint(root) != pinned.lower():
        raise VerificationError("root_foreign", what="root.pub", found=fingerprint(root), root=pinned.lower())
    order = _order(_take(members, "plomba.json"))
    with _at("revocations.list"):
        given = (members.pop("revocations.list", None), revocations)
        lists = [Revocations.open(listed, root) for listed in given if listed is not None]
        revoked = max(lists, key=lambda listed: listed.number, default=None)
    with _at("rotations/"):
        former = _former(members, root)
        if former and revoked is None:
            # Without it a former root that was stolen could go on certifying.
            raise _damaged("revocations.list", "missing")
    pack = _Pack(order, Trust(root, revoked, former))
    for folder, read in (
        ("certificates/", pack.certificate),
        ("receipts/", pack.receipt),
        ("rules/", pack.rule_pack),
        ("records/", pack.record),
        ("proofs/", pack.proof),
    ):
        for name in [name for name in members if name.startswith(folder)]:
            with _at(name):
                read(name, members.pop(name))
    for name in members:
        raise _damaged(name, "does not belong here")
    return Evidence(order, fingerprint(root), pack.story(), pack.rules)


class _Pack:
    """What was proved so far. Each reader takes one member and raises when it proves nothing."""

    def __init__(self, order: str, trust: Trust) -> None:
        self.rules: dict[int, bytes] = {}
        self._order = order
        self._trust = trust
        self._certificates: dict[str, Certificate] = {}
        self._standings: dict[str, Standing] = {}
        self._receipts: dict[bytes, ReceiptBody] = {}
        self._records: dict[str, VerifiedRecord] = {}
        self._before: dict[str, bytes] = {}

    def certificate(self, name: str, raw: bytes) -> None:
        certificate = self._trust.certificate(raw, what=name)
        id = chain.key_id(certificate.public)
        chained = chain_name(id, certificate.epoch)
        if certificate.role != Role.TERMINAL or name != f"certificates/{chained}.cert":
            raise _damaged(name, "not this terminal's certificate")
        self._certificates[chained] = certificate
        self._standings[chained] = Standing.of(SignedObject.parse(raw), id, self._trust.revocations)

    def receipt(self, name: str, raw: bytes) -> None:
        digest = hashlib.sha256(raw).digest()
        if name != f"receipts/{digest.hex()}.rcpt":
            raise _damaged(name, "content does not fit its name")
        self._receipts[digest] = ReceiptBody.unpack(self._trust.open(raw, ObjectKind.RECEIPT).body)
        # The dock's key as of the moment it gave the receipt.
        self._trust.open(raw, ObjectKind.RECEIPT, now=self._receipts[digest].utc)

    def rule_pack(self, name: str, raw: bytes) -> None:
        signed = self._trust.open(raw, ObjectKind.RULES)
        if name != f"rules/{signed.envelope.version:05}.rules":
            raise _damaged(name, "content does not fit its name")
        self.rules[signed.envelope.version] = signed.body

    def record(self, name: str, raw: bytes) -> None:
        length = int.from_bytes(raw[32:34], "big")
        if len(raw) != 34 + length + chain.SIGNATURE:
            raise _damaged(name, "length")
        body = raw[34 : 34 + length]
        claimed = RecordHead.read(body, 0)
        certificate = self._certificates.get(chain_name(claimed.terminal, claimed.epoch))
        if certificate is None:
            raise _damaged(name, "its terminal's certificate is missing")
        record = verify_record(certificate.public, raw[:32], body, raw[34 + length :])
        head = record.head
        stem = record_name(head.terminal, head.epoch, head.seq)
        if name != f"records/{stem}.rec" or head.epoch != certificate.epoch:
            raise _damaged(name, "content does not fit its name")
        self._records[stem] = record

    def proof(self, name: str, raw: bytes) -> None:
        stem = name.removeprefix("proofs/").removesuffix(".proof")
        record = self._records.get(stem)
        receipt = self._receipts.get(raw[:32])
        if record is None or receipt is None or len(raw) < 40 or len(raw) % 32 != 8 or f"proofs/{stem}.proof" != name:
            raise _damaged(name, "proves nothing in this pack")
        (leaf,) = struct.unpack_from(">Q", raw, 32)
        path = [raw[at : at + 32] for at in range(40, len(raw), 32)]
        if not verify_inclusion(leaf_hash(record.digest), leaf, receipt.log_size, path, receipt.log_root):
            raise _damaged(name, "the record is not in the receipt's log")
        head = record.head
        if receipt.terminal != head.terminal or receipt.epoch != head.epoch or receipt.up_to < head.seq:
            raise _damaged(name, "the receipt is for other records")
        self._before[stem] = raw[:32]

    def story(self) -> list[Entry]:
        """The order's records by their proved time, then number. Raises VerificationError when one stands unproved."""
        entries = []
        used_receipts = set(self._before.values())
        used_certificates = set()
        anchors = {}
        for stem, record in self._records.items():
            if stem not in self._before:
                raise _damaged(f"records/{stem}.rec", "its proof is missing")
            used_certificates.add(chain_name(record.head.terminal, record.head.epoch))
            named = record.parts.get(Tlv.AFTER_RECEIPT)
            if named in self._receipts:
                anchors[stem] = named
                used_receipts.add(named)
        used_anchors = set()
        for stem, record in self._records.items():
            if record.parts.get(Tlv.ORDER) != self._order.encode():
                continue
            head = record.head
            older = [
                name
                for name in anchors
                if self._same_terminal(name, record) and self._records[name].head.seq <= head.seq
            ]
            anchor = max(older, default=None)
            if anchor is not None:
                used_anchors.add(anchor)
            after = self._receipts[anchors[anchor]].utc if anchor is not None else 0
            before = self._receipts[self._before[stem]].utc
            chained = chain_name(head.terminal, head.epoch)
            self._standings[chained].check(head, before)
            entries.append(Entry(record, self._certificates[chained], after, before))
        if not entries:
            raise _damaged("plomba.json", "no record in the pack speaks of this order")
        about = {record_name(e.record.head.terminal, e.record.head.epoch, e.record.head.seq) for e in entries}
        for stem in self._records:
            if stem not in about | used_anchors:
                raise _damaged(f"records/{stem}.rec", "does not belong here")
        for digest in set(self._receipts) - used_receipts:
            raise _damaged(f"receipts/{digest.hex()}.rcpt", "does not belong here")
        for chained in set(self._certificates) - used_certificates:
            raise _damaged(f"certificates/{chained}.cert", "does not belong here")
        for number in set(self.rules) - {self._records[stem].head.rules for stem in self._records}:
            raise _damaged(f"rules/{number:05}.rules", "does not belong here")
        entries.sort(key=lambda e: (e.before, e.record.head.terminal, e.record.head.epoch, e.record.head.seq))
        return entries

    def _same_terminal(self, stem: str, record: VerifiedRecord) -> bool:
        head = self._records[stem].head
        return head.terminal == record.head.terminal and head.epoch == record.head.epoch


def _order(raw: bytes) -> str:
    try:
        order = json.loads(raw)["order"]
        fits = isinstance(order, str) and description(order) == raw
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged("plomba.json", "not readable") from error
    if not fits:
        raise _damaged("plomba.json", "not in canonical form")
    return str(order)


def _former(members: dict[str, bytes], root: bytes) -> tuple[bytes, ...]:
    """The roots before this one, each proved to have handed over to the next; none, when no certificate needs them."""
    names = sorted(name for name in members if name.startswith("rotations/"))
    if names and not needs_former(members, root):
        raise _damaged(names[0], "does not belong here")
    former: list[bytes] = []
    next_root = b""
    for number, name in enumerate(names, start=1):
        raw = members.pop(name)
        public, rotation = raw[:64], raw[64:]
        if name != f"rotations/{number:05}.rotation" or (former and public != next_root):
            raise _damaged(name, "not the next hand-over")
        next_root = verify_rotation(rotation, public)
        former.append(public)
    if former and next_root != root:
        raise _damaged(names[-1], "does not lead to the root")
    return tuple(former)


def _take(members: dict[str, bytes], name: str) -> bytes:
    if name not in members:
        raise _damaged(name, "missing")
    return members.pop(name)


def _damaged(where: str, reason: str) -> VerificationError:
    return VerificationError("pack_damaged", where=where, reason=reason)


@contextmanager
def _at(name: str) -> Iterator[None]:
    """Whatever does not verify inside is said with its place."""
    try:
        yield
    except VerificationError as error:
        if error.code == "pack_damaged":
            raise
        raise VerificationError("pack_damaged", where=name, reason=error.what()) from error
    except Malformed as error:
        raise _damaged(name, f"malformed: {error.where}") from error
