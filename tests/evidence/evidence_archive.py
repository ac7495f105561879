from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pytest

from plomba.evidence import make_pack
from plomba.ledger import Enrolled, Ledger
from plomba.trust.keys import PrivateKey
from plomba.trust.objects import bundle, seal
from plomba.trust.organisation import Organisation
from plomba.trust.records import verify_chain
from plomba_wire import chain, tlv
from plomba_wire.codec import ReceiptBody, RecordHead
from plomba_wire.vocabulary import Action, CodeKind, ObjectKind, Protection, State, Symbology, Tlv, Verdict

NOW = 1_790_000_000
ORDER = "R-1 «кольцо»"


@dataclass
class Archive:
    """A ledger with records of two orders, two receipts and a rule pack, made on the host."""

    organisation: Organisation
    ledger: Ledger

    def pack(self, order: str = ORDER) -> bytes:
        return make_pack(self.ledger, self.organisation.trust.root, order)


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("archive")
    organisation = Organisation.create(folder / "org", now=NOW)
    ledger = Ledger.open(folder / "dock.db")
    key = PrivateKey.generate()
    certificate = organisation.certify_terminal(key.public, epoch=1, protection=Protection.OPEN, label="till", now=NOW)
    enrolled = Enrolled(key.id, key.public, 1, "till", 7, certificate)
    ledger.enrol(enrolled)
    rules = seal(ObjectKind.RULES, b'{"number":1}', organisation.desk.key, version=1, not_before=NOW)
    ledger.keep_object(ObjectKind.RULES, 1, bundle(organisation.desk.certificate, rules))
    previous = chain.genesis(key.public, 1)
    seq = 1
    receipt_hash = b""
    for visit in range(3):
        records = []
        first, before = seq, previous
        for order in ("OTHER", ORDER, "OTHER-2", ORDER):
            parts = {Tlv.CODE: b"code\x1b[31m", Tlv.ORDER: order.encode()}
            if receipt_hash:
                parts[Tlv.AFTER_RECEIPT] = receipt_hash
                receipt_hash = b""
            head = RecordHead(
                Action.STORE, Verdict.OK, 1, 1, seq, key.id, 1, 1, Symbology.QR, NOW + seq, seq, 0, 7, 0, 1,
                CodeKind.ORDER, State.AT_POINT, State.READY, chain.order_ref(order.encode()),
            )  # fmt: skip
            body = head.pack() + tlv.pack(parts)
            previous = chain.step(previous, body)
            records.append((body, key.sign(previous)))
            seq += 1
        ledger.append(verify_chain(key.public, 1, first, before, records))
        size, root = ledger.log()
        body = ReceiptBody(key.id, 1, seq - 1, previous, NOW + 100 * visit, size, root).pack()
        signed = seal(ObjectKind.RECEIPT, body, organisation.dock.key, version=seq - 1, not_before=NOW)
        receipt = bundle(organisation.dock.certificate, signed)
        ledger.keep_receipt(enrolled, seq - 1, size, receipt)
        receipt_hash = hashlib.sha256(receipt).digest()
    return Archive(organisation, ledger)
