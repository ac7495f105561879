"""The power goes at every flush and every rename in turn: the folder is the old one or the new one, and usable."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from folder_cuts import PowerCut, Supply, at_every_cut
from org_folders import NOW

from plomba.errors import StoreError
from plomba.trust import handover, issuing, passphrases, public_copy, recovery, recovery_sheet, revoking
from plomba.trust.keys import PrivateKey
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Revocation, Role

OLD, NEW = b"the old passphrase", b"the new passphrase"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(passphrases, "_COST", (2**10, 8, 1))
    organisation = Organisation.create(tmp_path / "org", now=NOW, passphrase=OLD)
    organisation.certify_terminal(PrivateKey.generate().public, epoch=3, protection=1, label="counter", now=NOW)
    revoking.revoke(organisation, bytes(8), reason=Revocation.LOST, since=NOW, now=NOW)
    return tmp_path / "org"


def load(folder: Path, *passphrases: bytes) -> Organisation:
    for passphrase in passphrases:
        try:
            return Organisation.load(folder, passphrase=passphrase)
        except StoreError as error:
            if error.code != "passphrase_wrong":
                raise
    raise AssertionError("no passphrase fits")


def test_a_rotation(folder: Path) -> None:
    before = Organisation.load(folder)

    def change(copy: Path) -> None:
        handover.hand_over(load(copy, OLD), now=NOW, passphrase=NEW)

    def look(copy: Path) -> bool:
        organisation = load(copy, NEW, OLD)
        rotated = organisation.trust.root != before.trust.root
        assert organisation.unlocked().public == organisation.trust.root
        assert organisation.former == ((before.trust.root,) if rotated else ())
        assert organisation.revoked().number == (3 if rotated else 2)
        Organisation.load(copy, passphrase=NEW if rotated else OLD, unlock=True)
        for name in ("dock", "desk"):
            assert organisation.signer(name, now=NOW).key.id == before.working[name].key.id
        return rotated

    assert at_every_cut(folder, change, look) > 20


def test_a_rotation_after_one_that_was_cut(folder: Path) -> None:
    """It meets the root's only file under the name it had while it was taking over."""
    before = Organisation.load(folder)
    for at in itertools.count(1):
        cut = folder.parent / f"cut{at}" / "org"
        shutil.copytree(folder, cut)
        with pytest.MonkeyPatch.context() as patched:
            supply = Supply(patched, at)
            with contextlib.suppress(PowerCut):
                handover.hand_over(load(cut, OLD), now=NOW, passphrase=NEW)
            supply.go_dark()
        if Organisation.load(cut).rotations:
            break
    assert supply.cut
    assert len(list(cut.glob("root.*.pem"))) == 1

    def change(copy: Path) -> None:
        handover.hand_over(load(copy, NEW), now=NOW, passphrase=b"a third passphrase")

    def look(copy: Path) -> bool:
        organisation = load(copy, NEW, b"a third passphrase")
        assert organisation.unlocked().public == organisation.trust.root
        assert organisation.roots[-1] == before.trust.root
        return len(organisation.rotations) == 2

    at_every_cut(cut, change, look)


def test_init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrases, "_COST", (2**10, 8, 1))

    def change(copy: Path) -> None:
        Organisation.create(copy, now=NOW, passphrase=OLD)

    def look(copy: Path) -> bool:
        try:
            organisation = load(copy, OLD)
        except StoreError as error:
            assert error.code == "org_missing"
            return False
        assert organisation.unlocked().public == organisation.trust.root
        return True

    assert at_every_cut(tmp_path / "org", change, look) > 10


def test_a_revocation(folder: Path) -> None:
    def change(copy: Path) -> None:
        revoking.revoke(load(copy, OLD), b"12345678", reason=Revocation.STOLEN, since=NOW, now=NOW)

    def look(copy: Path) -> bool:
        held = Organisation.load(copy).revoked()
        assert held.covers(bytes(8), NOW)
        assert held.number == len(held.rows) + 1
        return held.covers(b"12345678", NOW)

    at_every_cut(folder, change, look)


def test_a_renewed_key(folder: Path) -> None:
    before = Organisation.load(folder).dock.key.id

    def change(copy: Path) -> None:
        issuing.issue_working(load(copy, OLD), "dock", now=NOW)

    def look(copy: Path) -> bool:
        dock = Organisation.load(copy).signer("dock", now=NOW)
        certified = Organisation.load(copy).trust.certificate(dock.certificate)
        assert (certified.public, certified.role) == (dock.key.public, Role.DOCK)
        return dock.key.id != before

    at_every_cut(folder, change, look)


def test_a_recovery(folder: Path) -> None:
    sheet = recovery_sheet.read(recovery_sheet.write(load(folder, OLD).unlocked(), made="", lang="en"))

    def change(copy: Path) -> None:
        recovery.recover(copy, sheet, now=NOW, passphrase=NEW)

    def look(copy: Path) -> bool:
        assert load(copy, NEW, OLD).unlocked().public == sheet.key.public
        try:
            return bool(Organisation.load(copy, passphrase=NEW))
        except StoreError:
            return False

    at_every_cut(folder, change, look)


def test_an_export(folder: Path) -> None:
    organisation = Organisation.load(folder)

    def change(copy: Path) -> None:
        public_copy.export(organisation, copy)

    def look(copy: Path) -> bool:
        try:
            files = public_copy.public_files(copy)
        except OSError:
            return False
        assert files == public_copy.public_files(folder)
        return True

    at_every_cut(folder.parent / "public", change, look)


def test_a_reader_beside_a_writer_sees_one_state_or_the_other(tmp_path: Path) -> None:
    organisation = Organisation.create(tmp_path / "org", now=NOW)

    def write() -> None:
        current = organisation
        for at in range(15):
            current = handover.hand_over(current, now=NOW + at)
            issuing.issue_working(current, "dock", now=NOW + at)
            current = Organisation.load(current.folder)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        seen = {Organisation.load(organisation.folder).fingerprint}
        while not writing.done():
            seen.add(Organisation.load(organisation.folder).fingerprint)
        writing.result()
    assert len(seen) > 3
