"""Signed objects taken apart: envelope, body by its kind, what a bundle and a package hold."""

from __future__ import annotations

from plomba.dissect.layouts import UNREAD, read
from plomba.dissect.values import Code, Fields, Text
from plomba.errors import VerificationError
from plomba.trust.objects import BLOCK, IN_BLOCKS, split_bundle, split_package
from plomba_wire import chain, codec
from plomba_wire.layout import Layout
from plomba_wire.vocabulary import ObjectKind

_BODIES = {
    ObjectKind.CERTIFICATE: "Certificate",
    ObjectKind.REVOCATIONS: "RevocationList",
    ObjectKind.RECEIPT: "ReceiptBody",
    ObjectKind.TIME: "TimeBody",
    ObjectKind.MANIFEST: "BlockList",
    ObjectKind.IMAGE: "BlockList",
    ObjectKind.ROOT: "RootRotation",
    ObjectKind.STAFF: "StaffList",
    ObjectKind.SEALS: "SealList",
}
_ROWS: dict[int, type[Layout]] = {ObjectKind.REVOCATIONS: codec.RevokedRow, ObjectKind.STAFF: codec.StaffRow}
_HASH = 32


def signed_object(raw: bytes, faults: list[str]) -> Fields:
    """One signed object: `envelope`, `body`, `signature`."""
    envelope, at = read("Envelope", raw, faults, whole=False)
    if UNREAD in envelope:
        return {"envelope": envelope}
    body, signature = raw[at : -chain.SIGNATURE], raw[-chain.SIGNATURE :]
    if len(raw) != at + chain.SIGNATURE + _number(envelope["length"]):
        faults.append(f"Envelope.length: {envelope['length']} named, {len(raw) - at - chain.SIGNATURE} there")
        return {"envelope": envelope, UNREAD: raw[at:]}
    return {"envelope": envelope, "body": _body(_kind(envelope), body, faults), "signature": signature}


def bundle(raw: bytes, faults: list[str]) -> Fields:
    """A signer's `certificate` and the `object` it signed."""
    try:
        certificate, signed = split_bundle(raw)
    except VerificationError:
        faults.append("bundle: the certificate's length does not fit")
        return {UNREAD: raw}
    # What the root signs itself has none.
    first = signed_object(certificate, faults) if certificate else None
    return {"certificate": first, "object": signed_object(signed, faults)}


def package(raw: bytes, faults: list[str]) -> Fields:
    """What came down: a bundle and, for a kind in blocks, the `content` that its list names."""
    try:
        whole, content = split_package(raw)
    except VerificationError:
        return bundle(raw, faults)
    fields = bundle(whole, faults)
    kind = _kind(_fields(_fields(fields.get("object")).get("envelope")))
    if kind in IN_BLOCKS:
        fields["content"] = (_manifest if kind == ObjectKind.MANIFEST else _image)(content, faults)
    elif content:
        faults.append(f"package: {len(content)} bytes too many behind the bundle")
        fields[UNREAD] = content
    return fields


def _body(kind: int, raw: bytes, faults: list[str]) -> object:
    if kind == ObjectKind.RULES:
        return Text(raw)
    layout = _BODIES.get(kind)
    if layout is None:
        return raw
    fields, _ = read(layout, raw, faults)
    hashes = fields.get("hashes")
    if isinstance(hashes, bytes):
        blocks = -(-_number(fields["size"]) // BLOCK)
        if len(hashes) != blocks * _HASH:
            faults.append(f"BlockList.hashes: {len(hashes)} bytes are not {blocks} hashes")
        fields["hashes"] = [hashes[at : at + _HASH] for at in range(0, len(hashes), _HASH)]
    rows = fields.get("rows")
    if kind == ObjectKind.SEALS and isinstance(rows, bytes):
        return _seals(fields, rows, faults)
    if isinstance(rows, bytes):
        row = _ROWS[kind]
        pieces = [rows[at : at + row.SIZE] for at in range(0, len(rows), row.SIZE)]
        fields["rows"] = [read(row.__name__, piece, faults)[0] for piece in pieces]
    return fields


def _seals(fields: Fields, raw: bytes, faults: list[str]) -> Fields:
    """The rows of a list of seals: `issuers`, each with its certificate, `ranges` and `voids`."""
    issuers: list[Fields] = []
    at = 0
    for _ in range(_number(fields["issuers"])):
        issuer, size = read("SealIssuer", raw[at : at + codec.SealIssuer.SIZE], faults)
        if UNREAD in issuer:
            break
        at += size + _number(issuer["length"])
        certificate = raw[at - _number(issuer["length"]) : at]
        issuers.append({"number": issuer["number"], "certificate": signed_object(certificate, faults)})
    size = codec.SealRange.SIZE
    rows = [read("SealRange", raw[row : row + size], faults)[0] for row in range(at, len(raw), size)]
    issued = _number(fields["ranges"])
    if len(rows) != issued + _number(fields["voids"]):
        faults.append(f"SealList.rows: {issued} and {fields['voids']} ranges named, {len(rows)} there")
    return {"issuers": issuers, "ranges": rows[:issued], "voids": rows[issued:]}


def _manifest(raw: bytes, faults: list[str]) -> Fields:
    head, at = read("ManifestHead", raw, faults, whole=False)
    fields: Fields = {"head": head}
    if UNREAD in head:
        return fields
    for name, row in (("orders", codec.OrderRow), ("codes", codec.CodeRow)):
        named, there = _number(head[name]), (len(raw) - at) // row.SIZE
        if named > there:
            faults.append(f"ManifestHead.{name}: {named} named, {there} there")
        rows = []
        for _ in range(min(named, there)):
            rows.append(read(row.__name__, raw[at : at + row.SIZE], faults)[0])
            at += row.SIZE
        fields[name] = rows
    if at < len(raw):
        faults.append(f"manifest: {len(raw) - at} bytes too many")
        fields[UNREAD] = raw[at:]
    return fields


def _image(raw: bytes, faults: list[str]) -> Fields:
    head, at = read("ImageHead", raw, faults, whole=False)
    return {"head": head, "romfs": raw[at:]}


def _kind(envelope: Fields) -> int:
    kind = envelope.get("kind")
    return kind.code if isinstance(kind, Code) else 0


def _fields(value: object) -> Fields:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value
