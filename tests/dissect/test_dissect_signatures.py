"""Verdicts: a signature that fits is ok, one that does not is bad, one that cannot be judged says why."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from recorded import (
    CHAIN,
    DIGESTS,
    EPOCH,
    OBJECTS,
    PUBLIC,
    RECORDS,
    ROOT,
    ROOT_KEY,
    TERMINAL,
    Recorded,
    dissected,
    shown,
    verdicts,
)

from plomba.dissect import KeyRing
from plomba.trust.keys import PrivateKey, fingerprint
from plomba.trust.objects import BLOCK, bundle, issue, package, seal
from plomba_wire import chain, codec
from plomba_wire.vocabulary import ObjectKind

DOCK_CERTIFICATE = bytes.fromhex(OBJECTS["certificates"][0]["bytes"])
RECEIPT = bytes.fromhex(OBJECTS["good"][0]["bundle"])
OTHER_ROOT = bytes.fromhex(OBJECTS["keys"]["other root"]["public"])


def known(id: bytes) -> bytes | None:
    return PUBLIC if id == TERMINAL.id else None


def status(signature: bytes | None = None, nonce: bytes = bytes(16)) -> codec.StatusOk:
    digest = chain.head_digest(nonce, TERMINAL.id, EPOCH, 4, DIGESTS[3])
    signature = signature or TERMINAL.sign(digest)
    fields: dict[str, Any] = dict.fromkeys(codec.StatusOk.FIELDS, 0)
    fields.update(epoch=EPOCH, next_seq=4, head=DIGESTS[3], health=bytes(codec.Health.SIZE), signature=signature)
    return codec.StatusOk(*fields.values())


def of(made: Recorded, keys: KeyRing | None = None) -> list[tuple[str, str]]:
    return verdicts(dissected(made, keys)[0])


def reasons(made: Recorded, keys: KeyRing | None = None) -> list[tuple[str, str, str]]:
    return [(s.verdict, s.reason, s.source) for e in dissected(made, keys)[0] for s in e.signatures]


def test_possession_of_the_key() -> None:
    assert of(Recorded().opened().keyed()) == [("possession", "ok")]
    other = Recorded().opened().down(codec.EnrolKey(b"another nonce ..."[:16]), 90)
    other.chunks.append(Recorded().keyed().chunks[1])
    assert of(other) == [("possession", "bad")]
    asked = Recorded().opened().keyed()
    del asked.chunks[2]
    assert of(asked) == [("possession", "unchecked")]


def test_the_head_in_a_status() -> None:
    made = Recorded().opened().down(codec.Status(bytes(16)), 1).up(status(), 1)
    assert reasons(made) == [("unchecked", "no key", "")]
    assert reasons(made, KeyRing(ledger=known)) == [("ok", "", "ledger")]
    bad = Recorded().opened().down(codec.Status(bytes(16)), 1).up(status(bytes(63) + b"\1"), 1)
    assert reasons(bad, KeyRing(ledger=known)) == [("bad", "does not fit", "ledger")]
    nonce = Recorded().opened().down(codec.Status(b"\1" * 16), 1).up(status(), 1)
    assert of(nonce, KeyRing(ledger=known)) == [("head", "bad")]
    unasked = Recorded().opened().up(status(), 1)
    assert of(unasked, KeyRing(ledger=known)) == [("head", "unchecked")]


def test_records_by_the_key_of_the_capture_and_by_the_ledgers() -> None:
    made = Recorded().opened().syncing().records(1, *RECORDS)
    three = [("record 1", "ok"), ("record 2", "ok"), ("record 3", "ok")]
    assert reasons(made) == [("unchecked", "no key", "")] * 3
    assert of(made, KeyRing(ledger=known)) == three
    keyed = Recorded().opened().keyed().syncing().records(1, *RECORDS)
    assert [s for _, _, s in reasons(keyed)] == ["capture"] * 4
    assert of(Recorded().opened().syncing(2).records(2, *RECORDS[1:]), KeyRing(ledger=known)) == three[1:]


@pytest.mark.parametrize("case", CHAIN["bad_first"], ids=[case["reason"] for case in CHAIN["bad_first"]])
def test_a_record_that_must_not_pass(case: dict[str, Any]) -> None:
    record = (bytes.fromhex(case["body"]), bytes.fromhex(case["signature"]))
    entries, _ = dissected(Recorded().opened().syncing().records(1, record), KeyRing(ledger=known))
    if len(record[1]) == 64:
        assert [verdict for _, verdict in verdicts(entries)] != ["ok"] or entries[-1].notes, entries[-1].notes
    else:
        assert entries[-1].kind == "misfit", "the lengths do not come out"


def test_a_record_behind_a_gap_is_judged_when_the_gap_is_closed() -> None:
    made = Recorded().opened().syncing().records(1, RECORDS[0]).records(3, RECORDS[2])
    entries, summary = dissected(made, KeyRing(ledger=known))
    assert verdicts(entries) == [("record 1", "ok"), ("record 3", "unchecked")]
    assert entries[-1].signatures[0].reason == "waits for record 2"
    assert summary["signatures"] == {"ok": 1, "bad": 0, "unchecked": 1}
    entries, summary = dissected(made.records(2, RECORDS[1], flags=1), KeyRing(ledger=known))
    assert verdicts(entries)[2:] == [("record 2", "ok"), ("record 3", "ok")]
    assert summary["signatures"] == {"ok": 3, "bad": 0, "unchecked": 0}


def test_receipts_below_the_root() -> None:
    made = Recorded().opened().down(codec.Receipt(RECEIPT), 1)
    both = ["certificate", "receipt"]
    assert of(made) == list(zip(both, ["unchecked", "ok"], strict=True))
    assert of(made, KeyRing(root=ROOT)) == list(zip(both, ["ok", "ok"], strict=True))
    assert of(made, KeyRing(root=OTHER_ROOT)) == list(zip(both, ["bad", "bad"], strict=True))
    assert of(made, KeyRing(pin=fingerprint(OTHER_ROOT))) == list(zip(both, ["bad", "bad"], strict=True))
    assert of(made, KeyRing(pin=fingerprint(ROOT))) == list(zip(both, ["unchecked", "ok"], strict=True))


def test_a_root_of_the_capture_counts_unless_another_one_is_given() -> None:
    made = Recorded().opened().down(codec.EnrolRoot(ROOT, DOCK_CERTIFICATE), 1).down(codec.Receipt(RECEIPT), 2)
    assert [s for _, _, s in reasons(made)] == ["capture", "capture", "certificate"]
    assert [s for _, _, s in reasons(made, KeyRing(pin=fingerprint(ROOT)))] == ["root", "root", "certificate"]
    entries, _ = dissected(made, KeyRing(pin=fingerprint(OTHER_ROOT)))
    assert [note.code for entry in entries for note in entry.notes] == ["root_foreign"]
    assert {verdict for _, verdict in verdicts(entries)} == {"bad"}


@pytest.mark.parametrize("case", OBJECTS["bad"], ids=[case["reason"] for case in OBJECTS["bad"]])
def test_a_receipt_that_must_not_pass(case: dict[str, Any]) -> None:
    """What a terminal refuses is never all ok here; only dates, which a dump does not judge, may pass."""
    raw = bytes.fromhex(case["bundle"])
    if len(raw) > 700:
        pytest.fail("no receipt is so long")
    entries, _ = dissected(Recorded().opened().down(codec.Receipt(raw), 1), KeyRing(root=ROOT))
    all_ok = entries[-1].kind == "frame" and {verdict for _, verdict in verdicts(entries)} == {"ok"}
    dates = any(word in case["reason"] for word in ("second", "date", "tomorrow"))
    assert all_ok == dates, (case["reason"], verdicts(entries))
    if any(word in case["reason"] for word in ("flipped", "high s", "domain text", "another key", "by a desk")):
        assert "bad" in {verdict for _, verdict in verdicts(entries)}


def transfer(raw: bytes, length: int, kind: int = ObjectKind.MANIFEST) -> Recorded:
    offer = codec.ObjectOffer(kind, 17, len(raw), length, hashlib.sha256(raw[:length]).digest())
    made = Recorded().opened().down(offer, 1)
    for at in range(0, len(raw), 2000):
        made.down(codec.ObjectData(at, raw[at : at + 2000]), 2 + at)
    return made


def test_blocks_are_held_against_their_list_and_a_mended_one_is_judged_anew() -> None:
    content = bytes(at % 251 for at in range(3 * BLOCK))
    raw = package(ObjectKind.MANIFEST, content, TERMINAL, DOCK_CERTIFICATE, version=17, not_before=0)
    length = len(raw) - len(content)
    clean, _ = dissected(transfer(raw, length))
    assert "hash_differs" not in {note.code for entry in clean for note in entry.notes}
    damaged = bytearray(raw)
    damaged[length + BLOCK + 5] ^= 1
    made = transfer(bytes(damaged), length)
    entries, _ = dissected(made)
    assert [(n.code, n.detail) for e in entries for n in e.notes] == [
        ("hash_differs", "blocks 1 are not what the block list names")
    ]
    at = length + BLOCK
    made.down(codec.ObjectData(at, raw[at : at + 2000]), 90).down(codec.ObjectCommit(4, 17), 91)
    entries, _ = dissected(made)
    assert "package" in entries[-1].fields and not entries[-1].notes


def test_an_offer_of_another_bundle() -> None:
    made = transfer(RECEIPT, len(RECEIPT), ObjectKind.RECEIPT)
    offer = codec.ObjectOffer(3, 17, len(RECEIPT), len(RECEIPT), bytes(32))
    made.chunks[2] = Recorded().down(offer, 1).chunks[0]
    entries, _ = dissected(made)
    assert [note.code for note in entries[-1].notes] == ["hash_differs"]


def test_an_object_that_a_role_may_not_sign() -> None:
    desk = bytes.fromhex(OBJECTS["certificates"][1]["bytes"])
    assert codec.Certificate.unpack(desk[codec.Envelope.SIZE : -64]).role == 3
    signed = seal(ObjectKind.RECEIPT, bytes(90), TERMINAL, version=1, not_before=0)
    found = reasons(Recorded().opened().down(codec.Receipt(bundle(desk, signed)), 1), KeyRing(root=ROOT))
    assert found[1] == ("bad", "a role that may not sign it", "certificate")


def test_an_object_of_another_kind_is_no_receipt() -> None:
    time = bytes.fromhex(next(case["bundle"] for case in OBJECTS["good"] if case["kind"] == ObjectKind.TIME))
    found = reasons(Recorded().opened().down(codec.Receipt(time), 1), KeyRing(root=ROOT))
    assert found[1] == ("bad", "an object of another kind", "certificate")


def test_an_object_by_the_root_that_is_no_certificate() -> None:
    body = codec.Certificate(2, 1, 1, PUBLIC, b"").pack()
    posing = seal(ObjectKind.RECEIPT, body, ROOT_KEY, version=1, not_before=0)
    found = reasons(Recorded().opened().down(codec.EnrolRoot(ROOT, posing), 1))
    assert found == [("bad", "an object of another kind", "capture")]


def test_a_terminals_certificate_tells_its_key() -> None:
    made = issue(
        ROOT_KEY, PUBLIC, role=1, protection=1, epoch=EPOCH, label="bench", serial=1, not_before=0, not_after=0
    )
    recorded = Recorded().opened().down(codec.EnrolRoot(ROOT, made), 1).syncing().records(1, *RECORDS)
    assert [verdict for _, verdict in of(recorded)] == ["ok"] * 4
    forged = Recorded().opened().down(codec.EnrolRoot(OTHER_ROOT, made), 1).syncing().records(1, *RECORDS)
    assert "ok" not in [verdict for _, verdict in of(forged)], "a certificate that nobody vouches for tells nothing"


def test_a_copy_that_does_not_fit_does_not_break_the_chain() -> None:
    body = bytearray(RECORDS[0][0])
    body[30] ^= 1
    made = Recorded().opened().keyed().syncing().records(1, RECORDS[0])
    made.records(1, (bytes(body), RECORDS[0][1])).records(2, RECORDS[1])
    assert of(made)[1:] == [("record 1", "ok"), ("record 1", "bad"), ("record 2", "ok")]


def test_the_head_in_a_receipt_is_held_against_the_records() -> None:
    terminal = chain.key_id(PUBLIC)
    for head, expected in ((DIGESTS[3], []), (DIGESTS[2], ["head_differs"])):
        body = codec.ReceiptBody(terminal, EPOCH, 3, head, 0, 3, bytes(32)).pack()
        signed = seal(ObjectKind.RECEIPT, body, TERMINAL, version=3, not_before=0)
        made = Recorded().opened().keyed().syncing().records(1, *RECORDS)
        entries, _ = dissected(made.down(codec.Receipt(bundle(DOCK_CERTIFICATE, signed)), 5))
        assert [note.code for note in entries[-1].notes] == expected


@pytest.mark.parametrize(
    ("kind", "body", "behind", "fault"),
    [
        (ObjectKind.RULES, b"{}", b"more", "package: 4 bytes too many behind the bundle"),
        (
            ObjectKind.MANIFEST,
            codec.BlockList(1, bytes(64)).pack(),
            b"x",
            "BlockList.hashes: 64 bytes",
        ),
        (
            ObjectKind.MANIFEST,
            codec.BlockList(42, bytes(32)).pack(),
            codec.ManifestHead(bytes(8), 1, 0, 7, bytes(16), 2, 0).pack(),
            "ManifestHead.orders: 2 named, 0 there",
        ),
        (
            ObjectKind.MANIFEST,
            codec.BlockList(43, bytes(32)).pack(),
            codec.ManifestHead(bytes(8), 1, 0, 7, bytes(16), 0, 0).pack() + b"x",
            "manifest: 1 bytes too many",
        ),
    ],
)
def test_an_object_whose_inside_does_not_come_out(kind: int, body: bytes, behind: bytes, fault: str) -> None:
    whole = bundle(DOCK_CERTIFICATE, seal(kind, body, TERMINAL, version=17, not_before=0))
    entries, _ = dissected(transfer(whole + behind, len(whole), kind))
    assert entries[-1].kind == "misfit" and any(found.startswith(fault) for found in entries[-1].faults)


def root_signed(kind: int, body: bytes, key: PrivateKey = ROOT_KEY) -> Recorded:
    whole = bundle(b"", seal(kind, body, key, version=17, not_before=0))
    return transfer(whole, len(whole), kind)


def rotation(new: PrivateKey, version: int = 17) -> bytes:
    digest = chain.rotation_digest(ROOT, new.public, version)
    return codec.RootRotation(new.public, new.sign(digest)).pack()


def test_a_revocation_list_is_the_roots_own() -> None:
    rows = codec.RevokedRow(TERMINAL.id, 1782864000, 2).pack() + codec.RevokedRow(b"\xff" * 8, 0, 4).pack()
    made = root_signed(ObjectKind.REVOCATIONS, rows)
    entries, _ = dissected(made, KeyRing(root=ROOT))
    assert entries[-1].faults == [] and verdicts(entries) == [("REVOCATIONS 17", "ok")]
    assert "since=1782864000 (2026-07-01T00:00:00Z)  reason=STOLEN (0x02)" in shown(entries)
    assert reasons(made, KeyRing(root=OTHER_ROOT)) == [("bad", "by another root", "")]
    assert reasons(made) == [("unchecked", "no root", "")]
    entries, _ = dissected(root_signed(ObjectKind.REVOCATIONS, rows[:-1]))
    assert entries[-1].faults == ["RevokedRow.reason: cut off, 0 bytes left"]
    assert of(root_signed(ObjectKind.RULES, b"{}"), KeyRing(root=ROOT)) == [("RULES 17", "bad")]


def test_a_staff_list_is_taken_apart_to_its_rows() -> None:
    rows = (
        codec.StaffRow(7, 5, 0, bytes(8), bytes(16)).pack()
        + codec.StaffRow(42, 1, 1782864000, b"s" * 8, bytes(16)).pack()
    )
    entries, _ = dissected(root_signed(ObjectKind.STAFF, TERMINAL.public + rows))
    assert entries[-1].faults == []
    assert "badge=42  hand=CLERK (0x01)  until=1782864000 (2026-07-01T00:00:00Z)" in shown(entries)
    entries, _ = dissected(root_signed(ObjectKind.STAFF, bytes(64) + rows[:-1]))
    assert entries[-1].faults == ["StaffRow.proof: cut off, 15 bytes left"]


def test_a_root_that_takes_over_is_believed_as_the_old_one_is() -> None:
    made = root_signed(ObjectKind.ROOT, rotation(TERMINAL))
    assert reasons(made, KeyRing(root=ROOT)) == [("ok", "", "root")] * 2
    assert reasons(made, KeyRing(root=TERMINAL.public)) == [
        ("unchecked", "by the root before the one given", ""),
        ("unchecked", "no old root", ""),
    ]
    assert of(root_signed(ObjectKind.ROOT, rotation(TERMINAL, 4)), KeyRing(root=ROOT))[1] == ("rotation", "bad")
    certificate = issue(TERMINAL, PUBLIC, role=1, protection=1, epoch=1, label="", serial=1, not_before=0, not_after=0)
    made.down(codec.EnrolRoot(TERMINAL.public, certificate), 80)
    entries, _ = dissected(made, KeyRing(root=ROOT))
    assert verdicts(entries)[-1] == ("certificate", "ok") and not entries[-1].notes
    forged = root_signed(ObjectKind.ROOT, rotation(TERMINAL), key=TERMINAL)
    forged.down(codec.EnrolRoot(TERMINAL.public, certificate), 80)
    assert "ok" not in [verdict for _, verdict in of(forged, KeyRing(root=ROOT))]
    whole = bytearray(bundle(b"", seal(ObjectKind.ROOT, rotation(TERMINAL), ROOT_KEY, version=17, not_before=0)))
    whole[-1] ^= 1
    damaged = transfer(bytes(whole), len(whole), ObjectKind.ROOT)
    damaged.down(codec.EnrolRoot(TERMINAL.public, certificate), 80)
    assert of(damaged, KeyRing(root=ROOT)) == [("ROOT 17", "bad"), ("rotation", "ok"), ("certificate", "bad")]
