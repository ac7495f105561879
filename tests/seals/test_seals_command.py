"""`plomba seals` as it is typed: no number is given twice, whatever stops it."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from folder_cuts import at_every_cut
from seal_scene import NOW, Command, House

from plomba.errors import PlombaError, StoreError, UsageError
from plomba.trust import issuing, revoking, seal_batch, sealing
from plomba.trust.organisation import Organisation
from plomba.trust.seal_register import NAME, Register, Void
from plomba_wire import seal
from plomba_wire.codec import SealList
from plomba_wire.vocabulary import Revocation


def issue(run: Command, house: House, out: Path, *more: str | Path) -> dict[str, object]:
    ran = run("seals", "issue", "--org", house.folder, "--out", out, *more)
    assert ran.status == 0, ran.err
    return dict(json.loads(ran.out))


def test_issue_makes_batches_and_goes_on_with_one(run: Command, house: House, tmp_path: Path) -> None:
    said = [
        issue(run, house, tmp_path / f"{at}.txt", "--count", "3", *more)
        for at, more in enumerate([(), (), ("--batch", "1"), ("--batch", "40"), ()])
    ]
    ends = [(str(each["first"])[:-2], str(each["last"])[:-2]) for each in said]
    assert ends == [
        ("01-0001-000001", "01-0001-000003"),
        ("01-0002-000001", "01-0002-000003"),
        ("01-0001-000004", "01-0001-000006"),
        ("01-0040-000001", "01-0040-000003"),
        ("01-0041-000001", "01-0041-000003"),
    ]
    assert len({line for path in tmp_path.glob("*.txt") for line in path.read_text().splitlines()}) == 15
    assert house.register.given == {(1, 1): 6, (1, 2): 3, (1, 40): 3, (1, 41): 3}


def test_the_file_is_its_owners_and_each_line_a_seal(run: Command, house: House, tmp_path: Path) -> None:
    issue(run, house, tmp_path / "seals.txt", "--count", "2")
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "seals.txt").stat().st_mode) == 0o600
    for line in (tmp_path / "seals.txt").read_bytes().splitlines():
        name, text = line.split(b"\t")
        assert seal.typed(name) == name
        assert len(seal.payload(text)) == 78


def test_of_two_batches_under_one_name_the_second_replaces_nothing(house: House, tmp_path: Path) -> None:
    """Both looked before either wrote."""
    path = tmp_path / "seals.txt"
    first, second = house.issue(2), house.issue(2)
    seal_batch.refuse_taken(path)
    seal_batch.write(path, first)
    with pytest.raises(UsageError) as caught:
        seal_batch.write(path, second)
    assert caught.value.code == "seals_place"
    assert seal_batch.read(path) == first
    assert [each.name for each in tmp_path.iterdir() if each != house.folder] == ["seals.txt"]


@pytest.mark.skipif(not hasattr(os, "link"), reason="the system has no links")
def test_a_batch_is_written_where_links_cannot_be_made(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAT on a memory stick, for one."""

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refused)
    test_of_two_batches_under_one_name_the_second_replaces_nothing(house, tmp_path)


def test_void_and_list(run: Command, house: House, tmp_path: Path) -> None:
    issue(run, house, tmp_path / "seals.txt", "--count", "9")
    names = [made.name for made in seal_batch.read(tmp_path / "seals.txt")]
    void = ("seals", "void", "--org", house.folder, "--reason", "sheet lost")
    before = house.register.version
    assert json.loads(run(*void, names[1], f"{names[3]}..{names[5]}", names[4]).out) == {"void": 4, "already": 1}
    assert house.register.version == max(before + 1, house.register.voids[0].at)
    assert json.loads(run(*void, f"{names[0]}..{names[3]}").out) == {"void": 2, "already": 2}
    held = house.register
    assert json.loads(run(*void, names[4]).out) == {"void": 0, "already": 1}
    assert house.register == held
    assert held.void_ranges((1, 1)) == [(1, 6)]
    found = json.loads(run("seals", "list", "--org", house.folder, "--json").out)
    key = house.issuer.key.id.hex()
    assert found["issuers"] == [
        {"number": 1, "key": key, "state": "good", "batches": [{"batch": 1, "last": 9, "void": 6}]}
    ]
    text = run("seals", "list", "--org", house.folder).out
    assert text.splitlines()[:2] == [f"Issuer 01, key {key}: good", "  batch 0001: 1–9, void 6"]


def test_every_refusal_has_its_code_and_changes_nothing(run: Command, house: House, tmp_path: Path) -> None:
    issue(run, house, tmp_path / "seals.txt", "--count", "2")
    first, last = (made.name for made in seal_batch.read(tmp_path / "seals.txt"))
    make = ("seals", "issue", "--org", house.folder, "--out", tmp_path / "new.txt")
    void = ("seals", "void", "--org", house.folder, "--reason")
    taken = ("seals", "issue", "--org", house.folder, "--count", "1", "--out")
    beyond = seal.name(1, 1, 3).decode()
    held = house.register
    for arguments, code in (
        ((*make, "--count", "0"), "seal_count"),
        ((*make, "--count", "10001"), "seal_count"),
        ((*make, "--count", "1", "--batch", "0"), "seal_batch_range"),
        ((*make, "--count", "1", "--batch", "10000"), "seal_batch_range"),
        ((*taken, tmp_path / "seals.txt"), "seals_place"),
        ((*taken, tmp_path / "nowhere" / "seals.txt"), "seals_place"),
        ((*void, "x", first[:-1] + str((int(first[-1]) + 1) % 10)), "seal_name_wrong"),
        ((*void, "x", f"{last}..{first}"), "seal_name_wrong"),
        ((*void, "x", f"{first}..{seal.name(1, 2, 2).decode()}"), "seal_name_wrong"),
        ((*void, "x"), "seal_name_wrong"),
        ((*void, "x", f"{first}..{beyond}"), "seal_not_given"),
        ((*void, "x", first, seal.name(2, 1, 1).decode()), "seal_not_given"),
        ((*void, " ", first), "seal_reason"),
        ((*void, "a" * 65, first), "seal_reason"),
        ((*void, "a\nb", first), "seal_reason"),
        (("seals", "print", tmp_path / "seals.txt", "-o", tmp_path / "x.html", "--paper", "A4"), "label_paper_unknown"),
        (("seals", "print", tmp_path / "none.txt", "-o", tmp_path / "x.html"), "seal_batch_unreadable"),
    ):
        ran = run(*arguments)
        assert (ran.status, ran.code) == (2, code), arguments
    assert house.register == held
    assert not (tmp_path / "new.txt").exists()


def test_without_an_issuer_or_with_one_that_may_not(run: Command, house: House, tmp_path: Path) -> None:
    make = ("seals", "issue", "--count", "1", "--out", tmp_path / "new.txt", "--org")
    Organisation.create(tmp_path / "none", now=NOW)
    assert run(*make, tmp_path / "none").code == "seal_issuer_missing"
    assert run("seals", "sign", "--org", house.folder, "-o", tmp_path / "seals.obj").code == "seals_none"
    house.revoke_issuer()
    assert run(*make, house.folder).code == "key_revoked"
    issuing.issue_working(house.organisation, "seal-issuer", now=NOW - 9000, lasts=1)
    assert run(*make, house.folder).code == "certificate_dates"
    assert not house.register.given


def test_sign_writes_the_desks_list(run: Command, house: House, tmp_path: Path) -> None:
    issue(run, house, tmp_path / "seals.txt", "--count", "2")
    ran = run("seals", "sign", "--org", house.folder, "-o", tmp_path / "seals.obj")
    from plomba_wire.vocabulary import ObjectKind

    organisation = house.organisation
    signed = organisation.trust.open((tmp_path / "seals.obj").read_bytes(), ObjectKind.SEALS, now=NOW)
    assert signed.envelope.version == json.loads(ran.out)["version"] == house.register.version
    assert signed.body == sealing.body(organisation, house.register)


def test_a_crash_at_any_moment_gives_no_number_twice(house: House) -> None:
    given: set[str] = {made.name for made in house.issue(5)}

    def change(copy: Path) -> None:
        made = sealing.issue(Organisation.load(copy), 5, batch=1, now=NOW)
        assert not given & {each.name for each in made}

    def look(copy: Path) -> bool:
        last = Register.load(copy).given[1, 1]
        assert last in (5, 10)
        return last == 10

    assert at_every_cut(house.folder, change, look) > 3


def test_killed_between_the_numbers_and_the_signatures(house: House, tmp_path: Path) -> None:
    """The process dies at the first signature: the numbers are gone for good, and the next run goes on behind them."""
    script = (
        "import os, sys\n"
        "from plomba.trust.keys import PrivateKey\n"
        "PrivateKey.sign = lambda self, digest: os._exit(9)\n"
        "from plomba.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    arguments = ["seals", "issue", "--org", str(house.folder), "--count", "5", "--out", str(tmp_path / "seals.txt")]
    killed = subprocess.run([sys.executable, "-c", script, *arguments], env={**os.environ, "PYTHONPATH": _path()})
    assert killed.returncode == 9
    assert not (tmp_path / "seals.txt").exists()
    assert house.register.given == {(1, 1): 5}
    assert [made.name[:-2] for made in house.issue(1, batch=1)] == ["01-0001-000006"]


def _path() -> str:
    return os.pathsep.join(sys.path)


def test_each_issuer_has_a_number_of_its_own(house: House) -> None:
    """Even behind a register that was lost: the certificates of those before are still there."""
    names = [house.issue(1)[0].name[:7]]
    house.renew()
    names += [house.issue(1)[0].name[:7]]
    (house.folder / NAME).unlink()
    house.renew()
    names += [house.issue(1)[0].name[:7]]
    assert names == ["01-0001", "02-0001", "03-0001"]


def test_a_key_whose_register_was_lost_gives_no_more_seals(run: Command, house: House, tmp_path: Path) -> None:
    """It would begin with the same numbers again. A new key has a number of its own."""
    path = house.folder / NAME
    before = path.read_bytes()
    first = house.issue(1)[0].name
    newest = path.read_bytes()
    house.renew()
    house.issue(1)
    for held in (None, before, newest):
        path.unlink(missing_ok=True)
        if held is not None:
            path.write_bytes(held)
        ran = run("seals", "issue", "--org", house.folder, "--count", "1", "--out", tmp_path / "new.txt")
        assert (ran.status, ran.code) == (1, "seals_register_lost"), held
        assert not path.exists() if held is None else path.read_bytes() == held
    path.unlink()
    house.renew()
    made = house.issue(1)[0].name
    assert made.startswith("03-0001") and first.startswith("01-0001")


def test_a_register_knows_what_a_list_gave_or_it_is_older(house: House) -> None:
    def knows(register: Register) -> bool:
        return sealing.knows(house.organisation, register, listed)

    made = house.issue(9)
    house.void(made[1].name, f"{made[3].name}..{made[5].name}")
    listed, whole = sealing.body(house.organisation, house.register), house.register
    assert knows(whole)
    assert knows(replace(whole, given={(1, 1): 10}))
    assert knows(replace(whole, voids=(*whole.voids, Void((1, 1), 3, 3, "lost", NOW))))
    for older in (
        Register(),
        replace(whole, given={(1, 1): 8}),
        replace(whole, given={(1, 2): 9}),
        replace(whole, voids=whole.voids[:1]),
        replace(whole, voids=(*whole.voids[:1], Void((1, 1), 4, 5, "lost", NOW))),
        replace(whole, issuers={1: bytes(8)}),
    ):
        assert not knows(older), older
    house.revoke_issuer()
    assert knows(Register())


def test_a_damaged_register_is_not_taken_for_none(house: House) -> None:
    house.issue(1)
    path = house.folder / NAME
    whole = path.read_bytes()
    for data in (
        b"",
        b"{}",
        b"[]",
        whole[:-10],
        whole.replace(b"1", b"-1"),
        whole.replace(b'"given": [', b'"given": [[2, 1, 1],'),
        whole.replace(b'"given": [', b'"given": [[1, 1, 9],'),
        whole.replace(b'"issuers": [', b'"issuers": [[1, "0000000000000000"],'),
        whole.replace(b'"issuers": [', b'"issuers": [[2, "' + house.issuer.key.id.hex().encode() + b'"],'),
        whole.replace(b'"void": []', b'"void": [[1, 1, 1, 2, "", 1]]'),
        whole.replace(b'"void": []', b'"void": [[1, 1, true, 1, "", 1]]'),
        whole.replace(house.issuer.key.id.hex().encode(), b"00"),
    ):
        assert data != whole
        path.write_bytes(data)
        with pytest.raises(StoreError) as caught:
            house.issue(1)
        assert caught.value.code == "seals_register_damaged", data
    path.write_bytes(whole)
    assert house.issue(1, batch=1)[0].name[:-2] == "01-0001-000002"


def test_a_register_that_a_writer_moves_is_not_taken_for_none(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look where it lies and the reading it comes from `.committed` into its place."""
    house.issue(3)
    held, path, committed = house.register, house.folder / NAME, house.folder / ".committed" / NAME
    committed.parent.mkdir()
    path.rename(committed)
    reading = Path.read_bytes

    def read(self: Path) -> bytes:
        if committed.exists():
            committed.rename(path)
        return reading(self)

    monkeypatch.setattr(Path, "read_bytes", read)
    assert house.register == held
    path.unlink()
    assert house.register == Register()


def test_a_batch_that_is_full(house: House) -> None:
    house.issue(1)
    register = house.register
    full = Register(register.version, register.issuers, {(1, 1): seal.NUMBER_MAX - 2})
    (house.folder / NAME).write_bytes(full.packed())
    with pytest.raises(PlombaError) as caught:
        house.issue(3, batch=1)
    assert caught.value.code == "seal_batch_full"
    assert [made.name[3:-2] for made in house.issue(2, batch=1)] == ["0001-999998", "0001-999999"]


def test_a_list_that_no_terminal_could_take_is_not_begun(house: House) -> None:
    """A void number that does not fit is refused, and room is made by a revoked issuer whose seals are gone."""
    house.issue(1)
    register = house.register
    room = (7890 - 2 - len(house.issuer.certificate)) // 11
    full = Register(register.version, register.issuers, {(1, batch): 1 for batch in range(1, room + 1)})
    (house.folder / NAME).write_bytes(full.packed())
    for act in (lambda: house.issue(1), lambda: house.void(seal.name(1, 1, 1).decode())):
        with pytest.raises(StoreError) as caught:
            act()
        assert caught.value.code == "seals_full"
    held = house.register
    revoking.revoke(house.organisation, house.issuer.key.id, reason=Revocation.RETIRED, since=NOW, now=NOW)
    house.renew()
    assert house.issue(1)[0].name[:7] == "02-0001"
    assert house.register.given == {**held.given, (2, 1): 1}
    assert len(house.listed()[1]) <= 8192


def test_nine_issuers_are_one_too_many_until_one_is_revoked(house: House) -> None:
    for _ in range(7):
        house.issue(1)
        house.renew()
    house.issue(1)
    oldest = house.register.issuers[1]
    house.renew()
    with pytest.raises(StoreError) as caught:
        house.issue(1)
    assert caught.value.code == "seals_full"
    revoking.revoke(house.organisation, oldest, reason=Revocation.RETIRED, since=NOW, now=NOW)
    assert house.issue(1)[0].name[:2] == "09"
    assert SealList.unpack(sealing.body(house.organisation, house.register)).issuers == 8


def test_the_same_register_makes_the_same_list(house: House) -> None:
    made = house.issue(9)
    house.void(made[4].name, made[2].name, made[3].name)
    found = sealing.body(house.organisation, house.register)
    assert found == sealing.body(house.organisation, Register._parsed(json.loads(house.register.packed())))
    head = SealList.unpack(found)
    assert (head.issuers, head.ranges, head.voids) == (1, 1, 1)
