"""The list of seals on its way down: signed by the desk, never back, whole, ascending, or refused as it is."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from seal_scene import NOW, Ask, House, body, check

from plomba.trust import handover
from plomba_wire.vocabulary import Error, Verdict


@pytest.fixture
def certificate(house: House) -> bytes:
    return house.issuer.certificate


def test_never_back(house: House, ask: Ask) -> None:
    made = house.issue(2)
    version, older = house.listed()
    house.void(made[0].name)
    newer = house.listed()[1]
    calls = [house.install(newer, version + 1), house.install(older, version), house.install(newer, version + 1)]
    answers = ask([*calls, check(made[0].text), house.start(), check(made[0].text)])
    assert answers[:3] == [str(version + 1), f"Refusal {Error.ROLLBACK}", f"Refusal {Error.ROLLBACK}"]
    assert answers[3:] == [f"{Verdict.SEAL_VOID} {made[0].name}", f"{version + 1} 0", answers[3]]


def test_only_a_desk_of_our_root_signs_it(house: House, ask: Ask, tmp_path: Path, certificate: bytes) -> None:
    other = House(tmp_path / "other").organisation
    good = body([(1, certificate)], [(1, 1, 1, 5)], [])
    working = house.organisation.working
    whole = house.signed(good, 1)
    bundles = {
        "by the dock": (house.signed(good, 1, working["dock"]), Error.WRONG_ROLE),
        "by the issuer": (house.signed(good, 1, working["seal-issuer"]), Error.WRONG_ROLE),
        "by another desk": (house.signed(good, 1, other.desk), Error.UNKNOWN_KEY),
        "by the root": (house.by_root(good, 1), Error.MALFORMED),
        "a bit of the body": (whole[:300] + bytes((whole[300] ^ 1,)) + whole[301:], Error.BAD_SIGNATURE),
        "a bit of the signature": (whole[:-1] + bytes((whole[-1] ^ 1,)), Error.BAD_SIGNATURE),
        "cut": (whole[:-1], Error.MALFORMED),
        "longer": (whole + b"\\0", Error.MALFORMED),
    }
    answers = ask([house.install(bundle, 1) for bundle, _ in bundles.values()])
    assert dict(zip(bundles, answers, strict=True)) == {name: f"Refusal {code}" for name, (_, code) in bundles.items()}


def test_issuers_are_certified_by_our_root(house: House, ask: Ask, tmp_path: Path, certificate: bytes) -> None:
    other = House(tmp_path / "other")
    rotated = handover.hand_over(other.organisation, now=NOW + 1)
    former = other.organisation.working["seal-issuer"].certificate
    signature = certificate[:-1] + bytes((certificate[-1] ^ 1,))
    issuers = {
        "a stranger's": (other.issuer.certificate, Error.UNKNOWN_KEY),
        "a former root's of a stranger": (former, Error.UNKNOWN_KEY),
        "a desk": (house.organisation.desk.certificate, Error.WRONG_ROLE),
        "a bad signature": (signature, Error.BAD_SIGNATURE),
        "cut": (certificate[:-1], Error.MALFORMED),
        "empty": (b"", Error.MALFORMED),
    }
    assert rotated.former
    calls = [house.install(house.signed(body([(1, each)], [(1, 1, 1, 5)], []), 1), 1) for each, _ in issuers.values()]
    found = dict(zip(issuers, ask(calls), strict=True))
    assert found == {name: f"Refusal {code}" for name, (_, code) in issuers.items()}


def test_malformed_lists(house: House, ask: Ask, certificate: bytes) -> None:
    house.renew()
    second = house.issuer.certificate
    one, two = [(1, certificate)], [(1, certificate), (2, second)]
    good = body(two, [(1, 1, 1, 5)], [(1, 1, 2, 3)])
    lists = {
        "nothing": b"",
        "cut in the head": good[:4],
        "cut in an issuer": good[:6],
        "cut in a certificate": good[:100],
        "cut in a row": good[:-1],
        "a byte too many": good + b"\0",
        "a row too many": good + good[-11:],
        "a row too few": struct.pack(">BHH", 2, 2, 1) + good[5:],
        "an issuer too many": struct.pack(">BHH", 3, 1, 1) + good[5:],
        "an issuer too few": struct.pack(">BHH", 1, 1, 1) + good[5:],
        "issuer 0": body([(0, certificate)], [], []),
        "issuer 100": body([(100, certificate)], [], []),
        "issuers not ascending": body([(2, certificate), (1, second)], [], []),
        "one number twice": body([(1, certificate), (1, second)], [], []),
        "one key twice": body([(1, certificate), (2, certificate)], [], []),
        "nine issuers": body([(at, certificate) for at in range(1, 10)], [], []),
        "a range of nobody": body(one, [(2, 1, 1, 5)], []),
        "a void of nobody": body(one, [], [(2, 1, 1, 5)]),
        "batch 0": body(one, [(1, 0, 1, 5)], []),
        "batch 10000": body(one, [(1, 10_000, 1, 5)], []),
        "number 0": body(one, [(1, 1, 0, 5)], []),
        "number 1000000": body(one, [(1, 1, 1, 1_000_000)], []),
        "last before first": body(one, [(1, 1, 5, 4)], []),
        "not ascending": body(one, [(1, 2, 1, 5), (1, 1, 1, 5)], []),
        "overlapping": body(one, [(1, 1, 1, 5), (1, 1, 5, 6)], []),
        "inside another": body(one, [(1, 1, 1, 9), (1, 1, 2, 3)], []),
        "void ones overlapping": body(one, [(1, 1, 1, 9)], [(1, 1, 1, 2), (1, 1, 2, 3)]),
    }
    answers = ask([house.install(house.signed(each, 1), 1) for each in lists.values()])
    assert dict(zip(lists, answers, strict=True)) == dict.fromkeys(lists, f"Refusal {Error.MALFORMED}")


def test_what_is_allowed(house: House, ask: Ask, certificate: bytes) -> None:
    """No issuer; one without numbers; ranges side by side; the largest numbers; as many rows as fit."""
    room = (7890 - 2 - len(certificate)) // 11
    many = [(1, 1 + at // 99, 1 + at % 99 * 3, 2 + at % 99 * 3) for at in range(room)]
    lists = [
        body([], [], []),
        body([(99, certificate)], [], []),
        body([(1, certificate)], [(1, 1, 1, 5), (1, 1, 6, 6), (1, 9999, 1, 999_999)], []),
        body([(1, certificate)], many[:-1], many[-1:]),
    ]
    bundles = [house.signed(each, version) for version, each in enumerate(lists, start=1)]
    assert len(bundles[-1]) <= 8192
    answers = ask([house.install(each, version) for version, each in enumerate(bundles, start=1)])
    assert answers == ["1", "2", "3", "4"]


def test_a_refused_list_changes_nothing(house: House, ask: Ask, certificate: bytes) -> None:
    [made] = house.issue(1)
    version, good = house.listed()
    bad = house.signed(body([(1, certificate)], [(1, 0, 1, 5)], []), version + 1)
    calls = [house.install(good, version), house.install(bad, version + 1), check(made.text), house.start()]
    answers = ask([*calls, check(made.text)])
    assert answers[1:] == [
        f"Refusal {Error.MALFORMED}",
        f"{Verdict.OK} {made.name}",
        f"{version} 0",
        f"{Verdict.OK} {made.name}",
    ]


def test_a_stored_list_that_is_damaged(house: House, ask: Ask) -> None:
    """It says so, believes nobody, and takes the same list again."""
    [made] = house.issue(1)
    version, _ = house.listed()
    calls = [house.install_list(), f"spoil x{b'seals'.hex()}", house.start(), check(made.text)]
    answers = ask([*calls, house.install_list(), check(made.text), house.start()])
    assert answers[2:] == [
        "0 1",
        f"{Verdict.SEAL_STRANGER} ",
        str(version),
        f"{Verdict.OK} {made.name}",
        f"{version} 0",
    ]


def test_the_list_outlives_its_root(house: House, ask: Ask) -> None:
    """After a rotation what was installed holds; the next list has certificates of the new root."""
    [made] = house.issue(1)
    installed, before = house.install_list(), house.root
    handover.hand_over(house.organisation, now=NOW + 1)
    [newer] = house.issue(1)
    both = f"start x{house.root.hex()}{before.hex()}"
    answers = ask([installed, both, check(made.text), house.install_list(), check(made.text), check(newer.text)])
    assert answers[2] == answers[4] == f"{Verdict.OK} {made.name}"
    assert answers[5] == f"{Verdict.OK} {newer.name}"
