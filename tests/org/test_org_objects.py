"""Revocation lists and rotations as signed objects: what is believed, and what is not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from org_folders import NOW

from plomba.errors import VerificationError
from plomba.trust.handover import hand_over
from plomba.trust.issued import Issued, read_all
from plomba.trust.keys import PrivateKey
from plomba.trust.objects import bundle, issue, seal, split_bundle
from plomba.trust.organisation import Organisation
from plomba.trust.revocations import REVOKED_MAX, Revocations
from plomba.trust.revoking import revoke
from plomba.trust.rotation import rotate, rotation_number, verify_rotation
from plomba_wire import chain
from plomba_wire.codec import RevocationList, RevokedRow, RootRotation
from plomba_wire.vocabulary import ObjectKind, Revocation, Role

ROOT, OTHER = PrivateKey.generate(), PrivateKey.generate()
ROWS = st.dictionaries(
    st.binary(min_size=8, max_size=8),
    st.tuples(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3, 4])),
    max_size=20,
)


@settings(deadline=None)
@given(ROWS, st.integers(1, 2**32 - 1))
def test_a_list_reads_as_it_was_written(rows: dict[bytes, tuple[int, int]], number: int) -> None:
    data = Revocations.issue(ROOT, number=number, rows=rows, now=NOW, not_after=NOW + 10)
    held = Revocations.open(data, ROOT.public)
    assert (held.number, held.not_after, dict(held.rows)) == (number, NOW + 10, rows)
    for key, (since, _) in rows.items():
        assert held.covers(key, since)
        assert not held.covers(key, since - 1)
    assert not held.covers(b"not here", 2**32) or b"not here" in rows


def test_a_list_ends() -> None:
    held = Revocations.open(Revocations.issue(ROOT, number=1, rows={}, now=NOW, not_after=NOW + 10), ROOT.public)
    assert [held.expired(NOW + 10), held.expired(NOW + 11)] == [False, True]


def test_the_longest_list_fits_two_erase_blocks() -> None:
    rows = {at.to_bytes(8, "big"): (NOW, 1) for at in range(REVOKED_MAX)}
    data = Revocations.issue(ROOT, number=1, rows=rows, now=NOW, not_after=NOW)
    assert len(data) <= 8192
    assert len(Revocations.open(data, ROOT.public).rows) == REVOKED_MAX
    with pytest.raises(ValueError, match="601 rows"):
        Revocations.issue(ROOT, number=1, rows=rows | {b"onemore!": (0, 1)}, now=NOW, not_after=NOW)


def listed(rows: bytes, key: PrivateKey = ROOT, kind: int = ObjectKind.REVOCATIONS) -> bytes:
    return bundle(b"", seal(kind, rows, key, version=1, not_before=NOW))


ROW = RevokedRow(b"b" * 8, NOW, 1).pack()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (listed(RevocationList(ROW).pack(), OTHER), "root_foreign"),
        (listed(RevocationList(ROW).pack())[:-1] + b"\x01", "signature_bad"),
        (listed(RevocationList(ROW).pack(), kind=ObjectKind.ROOT), "object_malformed"),
        (listed(ROW + ROW), "object_malformed"),
        (listed(ROW + RevokedRow(b"a" * 8, NOW, 1).pack()), "object_malformed"),
        (listed(ROW[:-1]), "object_malformed"),
        (listed(ROW[:-1] + b"\x09"), "object_malformed"),
        (bundle(b"x", split_bundle(listed(ROW))[1]), "object_malformed"),
        (listed(ROW) + b"x", "object_malformed"),
        (b"", "object_malformed"),
    ],
)
def test_a_list_that_is_not_believed(data: bytes, code: str) -> None:
    with pytest.raises(VerificationError) as refused:
        Revocations.open(data, ROOT.public)
    assert refused.value.code == code


@given(st.integers(0, 8 * len(listed(ROW)) - 1))
@settings(deadline=None, max_examples=200)
def test_no_bit_of_a_list_can_be_changed(bit: int) -> None:
    refuses_flip(listed(ROW), bit, lambda data: Revocations.open(data, ROOT.public))


def test_a_rotation_names_the_next_root() -> None:
    data = rotate(ROOT, OTHER, 7)
    assert verify_rotation(data, ROOT.public) == OTHER.public
    assert rotation_number(data) == 7


def rotation(public: bytes, signature: bytes, old: PrivateKey = ROOT) -> bytes:
    body = RootRotation(public, signature).pack()
    return bundle(b"", seal(ObjectKind.ROOT, body, old, version=7, not_before=NOW))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (rotate(OTHER, ROOT, 7), "root_foreign"),
        (rotate(ROOT, OTHER, 7)[:-1] + b"\x01", "signature_bad"),
        (rotation(OTHER.public, bytes(64)), "rotation_unaccepted"),
        (rotation(OTHER.public, ROOT.sign(chain.rotation_digest(ROOT.public, OTHER.public, 7))), "rotation_unaccepted"),
        (
            rotation(OTHER.public, OTHER.sign(chain.rotation_digest(ROOT.public, OTHER.public, 6))),
            "rotation_unaccepted",
        ),
        (rotation(bytes(64), bytes(64)), "rotation_unaccepted"),
        (listed(RevocationList(ROW).pack()), "object_malformed"),
        (bundle(b"x", split_bundle(rotate(ROOT, OTHER, 7))[1]), "object_malformed"),
    ],
)
def test_a_rotation_that_is_not_believed(data: bytes, code: str) -> None:
    with pytest.raises(VerificationError) as refused:
        verify_rotation(data, ROOT.public)
    assert refused.value.code == code


@given(st.integers(0, 8 * len(rotate(ROOT, OTHER, 7)) - 1))
@settings(deadline=None, max_examples=200)
def test_no_bit_of_a_rotation_can_be_changed(bit: int) -> None:
    refuses_flip(rotate(ROOT, OTHER, 7), bit, lambda data: verify_rotation(data, ROOT.public))


def refuses_flip(data: bytes, bit: int, read: Callable[[bytes], object]) -> None:
    damaged = bytearray(data)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(VerificationError):
        read(bytes(damaged))


def test_what_the_old_root_certified_still_verifies(opened: Organisation) -> None:
    terminal, lost = PrivateKey.generate(), PrivateKey.generate()
    old = opened.certify_terminal(terminal.public, epoch=2, protection=3, label="counter", now=NOW)
    opened.certify_terminal(lost.public, epoch=1, protection=1, label="lost", now=NOW)
    revoke(opened, lost.id, reason=Revocation.LOST, since=NOW, now=NOW)
    first = hand_over(Organisation.load(opened.folder), now=NOW + 10)
    second = hand_over(first, now=NOW + 20, reason=Revocation.STOLEN)
    assert second.former == (opened.trust.root, first.trust.root)
    assert Issued.parse(old, second.roots).root == opened.unlocked().id
    assert second.trust.certificate(old, now=NOW + 30).public == terminal.public
    late = certified(opened, terminal, NOW + 10)
    with pytest.raises(VerificationError) as refused:
        second.trust.certificate(late)
    assert refused.value.code == "key_revoked", "the old root certifies nothing from its hand-over on"
    public = opened.trust.root
    for each in second.rotations:
        public = verify_rotation(each, public)
    assert public == second.trust.root
    held = second.revoked()
    assert (held.number, set(held.rows)) == (4, {lost.id, opened.unlocked().id, first.unlocked().id})
    assert held.rows[first.unlocked().id] == (NOW + 20, Revocation.STOLEN)
    newest = {each.id: each for each in read_all(second.folder, second.roots)}
    anew = newest[terminal.id]
    assert (anew.root, anew.epoch, anew.protection, anew.label) == (second.unlocked().id, 2, 3, "counter")
    assert newest[lost.id].root == opened.unlocked().id
    for name, signer in second.working.items():
        assert second.signer(name, now=NOW + 30).key.id == opened.working[name].key.id
        assert newest[signer.key.id].data == signer.certificate


def certified(organisation: Organisation, key: PrivateKey, begin: int) -> bytes:
    return issue(
        organisation.unlocked(),
        key.public,
        role=Role.TERMINAL,
        protection=1,
        epoch=1,
        label="",
        serial=1,
        not_before=begin,
        not_after=0,
    )


def test_a_rotation_that_was_tampered_with_stops_the_folder(opened: Organisation) -> None:
    hand_over(opened, now=NOW)
    path = next((opened.folder / "rotations").iterdir())
    path.write_bytes(os.urandom(len(path.read_bytes())))
    with pytest.raises(Exception, match="not of one organisation"):
        Organisation.load(opened.folder)


def test_a_folder_from_before_the_register_works(opened: Organisation, tmp_path: Path) -> None:
    (opened.folder / "revocations.list").unlink()
    for path in (opened.folder / "issued").iterdir():
        path.unlink()
    old = Organisation.load(opened.folder)
    assert old.revoked().number == 0
    assert revoke(old, old.dock.key.id, reason=Revocation.RETIRED, since=NOW, now=NOW).number == 1
    assert hand_over(Organisation.load(opened.folder), now=NOW).dock.key.id == old.dock.key.id
