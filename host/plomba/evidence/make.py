"""Puts together what proves an order's story: nothing unsigned goes in that the verifier could not work out itself.

plomba.json                          {"format": "plomba/evidence/1", "order": ...}
root.pub                             the root's X || Y; it counts only if it is the pinned one
certificates/<terminal>-<epoch>.cert certificate object
records/<terminal>-<epoch>-<seq>.rec h(n-1) 32 | length u16 | body | signature 64
receipts/<sha256>.rcpt               receipt bundle
proofs/<terminal>-<epoch>-<seq>.proof  receipt sha256 32 | leaf u64 | hash 32 ...   (into that receipt's log)
rules/<number>.rules                 rule pack bundle
revocations.list                     bundle of the list in force; has to be there with rotations
rotations/<number>.rotation          a former root's X || Y and the bundle by which it handed over to the next; all
                                     of them, when a certificate here is of a former root
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence

from plomba.errors import PlombaError
from plomba.evidence import container
from plomba.ledger import Ledger, Stored
from plomba.trust.objects import SignedObject, split_bundle
from plomba_wire import chain
from plomba_wire.codec import ReceiptBody, RecordHead
from plomba_wire.vocabulary import ObjectKind

FORMAT = "plomba/evidence/1"
_MAGIC = b"PLB1"


def make_pack(
    ledger: Ledger,
    root: bytes,
    order: str,
    former: Sequence[tuple[bytes, bytes]] = (),
    revocations: bytes | None = None,
) -> bytes:
    """The pack of one order, from its records with a receipt. Raises PlombaError `pack_empty`.

    `former` are the roots (X || Y) before `root`, oldest first, each with the bundle by which it handed over;
    `revocations` is the bundle of the list in force.
    """
    members = {"plomba.json": description(order), "root.pub": root}
    for record in ledger.records_of(order):
        if not _add(members, ledger, record):
            continue
        anchor = ledger.anchor_of(record.terminal, record.epoch, record.seq)
        if anchor is not None:
            _add(members, ledger, anchor[0])
            _add_receipt(members, anchor[1])
    if not any(name.startswith("records/") for name in members):
        raise PlombaError("pack_empty", order=order)
    if revocations is not None:
        members["revocations.list"] = revocations
    if needs_former(members, root):
        for number, (public, rotation) in enumerate(former, start=1):
            members[f"rotations/{number:05}.rotation"] = public + rotation
    return container.write(members)


def needs_former(members: Mapping[str, bytes], root: bytes) -> bool:
    """Whether a certificate in the pack is of another root than this one."""
    certified = (data for name, data in members.items() if name.endswith((".cert", ".rcpt", ".rules")))
    return any(_issuer(data) != chain.key_id(root) for data in certified)


def _issuer(data: bytes) -> bytes:
    """Id of the root behind a certificate, or behind the one in a bundle."""
    certificate = data if data.startswith(_MAGIC) else split_bundle(data)[0]
    return SignedObject.parse(certificate).envelope.key_id


def description(order: str) -> bytes:
    """`plomba.json` in its one form."""
    text = json.dumps({"format": FORMAT, "order": order}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def record_name(terminal: bytes, epoch: int, seq: int) -> str:
    return f"{chain_name(terminal, epoch)}-{seq:010}"


def chain_name(terminal: bytes, epoch: int) -> str:
    return f"{terminal.hex()}-{epoch:05}"


def _add(members: dict[str, bytes], ledger: Ledger, record: Stored) -> bool:
    """A record with its certificate, its receipt and its proof; one without a receipt has to wait."""
    receipt = ledger.receipt_covering(record.terminal, record.epoch, record.seq)
    certificate = ledger.certificate(record.terminal, record.epoch)
    if receipt is None or certificate is None:
        return False
    name = record_name(record.terminal, record.epoch, record.seq)
    members[f"certificates/{chain_name(record.terminal, record.epoch)}.cert"] = certificate
    body = struct.pack(">H", len(record.body)) + record.body
    members[f"records/{name}.rec"] = record.previous + body + record.signature
    digest = _add_receipt(members, receipt)
    size = ReceiptBody.unpack(SignedObject.parse(split_bundle(receipt)[1]).body).log_size
    proof = b"".join(ledger.proof(record.leaf, size))
    members[f"proofs/{name}.proof"] = digest + struct.pack(">Q", record.leaf) + proof
    number = RecordHead.read(record.body, 0).rules
    rules = ledger.object(ObjectKind.RULES, number)
    if rules is not None:
        members[f"rules/{number:05}.rules"] = rules
    return True


def _add_receipt(members: dict[str, bytes], receipt: bytes) -> bytes:
    digest = hashlib.sha256(receipt).digest()
    members[f"receipts/{digest.hex()}.rcpt"] = receipt
    return digest
