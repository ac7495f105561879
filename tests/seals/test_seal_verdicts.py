"""What the terminal says of a seal: each bad kind has its own verdict, and none of them is OK."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seal_scene import NOW, Ask, House, body, check

from plomba.trust import sealing
from plomba.trust.keys import PrivateKey
from plomba_wire import base45, chain, seal
from plomba_wire.codec import Seal
from plomba_wire.vocabulary import Role, Verdict

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BAD = (
    Verdict.SEAL_FORGED,
    Verdict.SEAL_STRANGER,
    Verdict.SEAL_REVOKED,
    Verdict.SEAL_NOT_ISSUED,
    Verdict.SEAL_VOID,
)


def payload(text: str) -> bytes:
    return seal.payload(text.encode())


def test_a_seal_is_ok_and_has_its_name(house: House, ask: Ask) -> None:
    first, last = house.issue(500)[::499]
    [other] = house.issue(1)
    assert [each.name[:-2] for each in (first, last, other)] == ["01-0001-000001", "01-0001-000500", "01-0002-000001"]
    answers = ask([house.install_list(), *(check(each.text) for each in (first, last, other, first))])
    assert answers[1:] == [f"{Verdict.OK} {each.name}" for each in (first, last, other, first)]


def test_a_strangers_seal(house: House, ask: Ask, tmp_path: Path) -> None:
    """Of another organisation, with a key of its own; and with our issuer's id over it."""
    ours, _ = house.issue(2)
    [theirs] = House(tmp_path / "other").issue(1)
    unsigned = house.issuer.key.id + payload(theirs.text)[8:14]
    claimed = unsigned + PrivateKey.generate().sign(chain.seal_digest(unsigned))
    answers = ask([house.install_list(), check(theirs.text), check(seal.text(claimed))])
    assert answers[1:] == [f"{Verdict.SEAL_STRANGER} ", f"{Verdict.SEAL_FORGED} {ours.name}"]


def test_before_a_list_came_everybody_is_a_stranger(house: House, ask: Ask) -> None:
    [made] = house.issue(1)
    assert ask([check(made.text)]) == [f"{Verdict.SEAL_STRANGER} "]


def test_an_issuer_that_is_revoked_later(house: House, ask: Ask) -> None:
    """At once, by the list of revocations alone; and still when a list of seals without his ranges has come."""
    [made] = house.issue(1)
    before = house.install_list()
    house.revoke_issuer()
    house.renew()
    [newer] = house.issue(1)
    said = f"{Verdict.SEAL_REVOKED} {made.name}"
    calls = [before, check(made.text), house.install_revocations(), check(made.text)]
    calls += [house.install_list(), check(made.text), check(newer.text), house.start(), check(made.text)]
    answers = ask(calls)
    assert [answers[at] for at in (1, 3, 5, 8)] == [f"{Verdict.OK} {made.name}", said, said, said]
    assert (answers[6], newer.name[:2]) == (f"{Verdict.OK} {newer.name}", "02")


def test_without_a_readable_list_of_revocations_nobody_is_believed(house: House, ask: Ask) -> None:
    [made] = house.issue(1)
    calls = [house.install_list(), house.install_revocations(), check(made.text)]
    calls += [f"spoil x{b'revoked'.hex()}", house.start(), check(made.text)]
    assert ask(calls)[2::3] == [f"{Verdict.OK} {made.name}", f"{Verdict.SEAL_REVOKED} {made.name}"]


def test_numbers_that_were_not_issued(house: House, ask: Ask) -> None:
    """Signed by the issuer's key: behind the last number, in another batch, of no name, or newer than the list."""
    house.issue(3)
    listed = house.install_list()
    late = house.issue(1, batch=1)[0]
    key = house.issuer.key
    outside = [sealing.make(key, 1, batch, number) for batch, number in ((1, 5), (2, 1), (9999, 999_999))]
    nameless = [sealing.make(key, 1, batch, number) for batch, number in ((1, 0), (0, 1), (10_000, 1), (1, 1_000_000))]
    answers = ask([listed, *(check(each.text) for each in [late, *outside, *nameless])])
    assert answers[1:5] == [f"{Verdict.SEAL_NOT_ISSUED} {each.name}" for each in [late, *outside]]
    assert answers[5:] == [f"{Verdict.SEAL_NOT_ISSUED} "] * 4


def test_void_numbers_and_their_neighbours(house: House, ask: Ask) -> None:
    made = house.issue(9)
    assert house.void(made[2].name, f"{made[5].name}..{made[7].name}") == (4, 0)
    answers = ask([house.install_list(), *(check(each.text) for each in made)])
    void = {2, 5, 6, 7}
    assert answers[1:] == [
        f"{Verdict.SEAL_VOID if at in void else Verdict.OK} {each.name}" for at, each in enumerate(made)
    ]


def test_every_number_of_any_ranges(house: House, ask: Ask) -> None:
    """The search against the plain meaning: issued ranges with gaps, void ones across their borders, two issuers."""
    first = house.issuer
    house.renew()
    second = house.issuer
    ranges = [(3, 1, 2, 4), (3, 1, 6, 6), (3, 2, 1, 1), (3, 300, 1, 2), (7, 1, 3, 9), (7, 256, 1, 1)]
    voids = [(3, 1, 4, 6), (3, 300, 2, 2), (7, 1, 1, 3), (7, 1, 9, 9)]
    issuers = [(3, first.certificate), (7, second.certificate)]
    calls, wanted = [house.install(house.signed(body(issuers, ranges, voids), 1), 1)], []
    for issuer, key in ((3, first.key), (7, second.key)):
        for batch in (1, 2, 255, 256, 300):
            for number in range(1, 11):
                where = [(issuer, batch)] * 2
                issued, void = (
                    any(row[:2] == at and row[2] <= number <= row[3] for row in rows)
                    for at, rows in zip(where, (ranges, voids), strict=True)
                )
                wanted.append(Verdict.SEAL_NOT_ISSUED if not issued else Verdict.SEAL_VOID if void else Verdict.OK)
                calls.append(check(sealing.make(key, issuer, batch, number).text))
    assert [int(answer.split()[0]) for answer in ask(calls)[1:]] == wanted
    assert {Verdict.OK, Verdict.SEAL_VOID, Verdict.SEAL_NOT_ISSUED} == set(wanted)


def test_each_flipped_bit_of_the_text(house: House, ask: Ask) -> None:
    [made] = house.issue(1)
    [_, flips] = ask([house.install_list(), f"flips x{made.text.encode().hex()}"])
    counted = dict(tuple(map(int, pair.split(":"))) for pair in flips.split())
    assert sum(counted.values()) == len(made.text) * 8
    assert set(counted) <= set(BAD)


def test_each_flipped_bit_of_the_payload(house: House, ask: Ask) -> None:
    """Where the flip leaves base45 whole: issuer, batch, number, and every bit of the signature."""
    [made] = house.issue(1)
    whole = payload(made.text)
    flipped = [
        whole[: bit >> 3] + bytes((whole[bit >> 3] ^ 1 << (bit & 7),)) + whole[(bit >> 3) + 1 :]
        for bit in range(len(whole) * 8)
    ]
    answers = ask([house.install_list(), *(check(seal.text(each)) for each in flipped)])
    verdicts = [int(answer.split()[0]) for answer in answers[1:]]
    assert verdicts[: 8 * 8] == [Verdict.SEAL_STRANGER] * 64
    assert verdicts[64 : 14 * 8] == [Verdict.SEAL_NOT_ISSUED] * 48
    assert verdicts[14 * 8 :] == [Verdict.SEAL_FORGED] * 512


def test_the_other_s_and_other_spellings(house: House, ask: Ask) -> None:
    """A seal has one text for each signature: who changes it without the key gets no second one."""
    [made] = house.issue(1)
    whole = payload(made.text)
    high = whole[:-32] + (N - int.from_bytes(whole[-32:], "big")).to_bytes(32, "big")
    text = made.text.encode()
    others = [
        seal.text(high),
        text.lower(),
        text + b" ",
        b" " + text,
        text[:-3],
        text + text[-3:],
        b"PLB*" + text[4:],
        b"PLS*",
        b"PLS*" + base45.encode(bytes(78)),
        b"PLS*" + b":" * 117,
        b"",
    ]
    answers = ask([house.install_list(), *(check(each) for each in others)])[1:]
    assert answers == [
        f"{Verdict.SEAL_FORGED} {made.name}",
        *[f"{Verdict.SEAL_FORGED} "] * 7,
        f"{Verdict.SEAL_STRANGER} ",
        *[f"{Verdict.SEAL_FORGED} "] * 2,
    ]


def test_no_text_raises(house: House, ask: Ask) -> None:
    house.issue(20)
    key = house.issuer.key.id
    fields = st.builds(
        lambda issuer, rest: seal.text((issuer + rest)[: Seal.SIZE]),
        st.sampled_from([key, bytes(8)]),
        st.binary(min_size=70, max_size=70),
    )
    near = st.builds(
        lambda batch, number, rest: seal.text(Seal(key, batch, number, rest).pack()),
        st.integers(0, 2),
        st.integers(0, 21),
        st.sampled_from([bytes(64), b"\xff" * 64, bytes(63) + b"\1"]) | st.binary(min_size=64, max_size=64),
    )
    alphabet = st.text(base45.ALPHABET.decode(), max_size=130).map(lambda text: b"PLS*" + text.encode())
    texts = st.binary(max_size=300) | alphabet | fields | near

    @settings(max_examples=6, deadline=None)
    @given(st.lists(texts, min_size=60, max_size=100))
    def never(texts: list[bytes]) -> None:
        answers = ask([house.install_list(), *(check(text) for text in texts)])[1:]
        assert {int(answer.split()[0]) for answer in answers} <= set(BAD)

    never()


def test_as_many_keys_are_prepared_as_there_is_room_for(house: House, ask: Ask) -> None:
    """The newest at the start; the others in the place of who was not asked for."""
    signers = [house.issuer]
    while len(signers) < 6:
        house.renew()
        signers.append(house.issuer)
    numbered = list(enumerate(signers, start=1))
    listed = body([(at, each.certificate) for at, each in numbered], [(at, 1, 1, 9) for at, _ in numbered], [])
    seals = [sealing.make(each.key, at, 1, 5) for at, each in numbered]
    calls = [house.install(house.signed(listed, 1), 1), "prepared 1"]
    calls += [check(made.text) for made in seals * 2] + ["prepared 1"]
    answers = ask(calls)
    assert answers[1] == answers[-1] == "4"
    assert answers[2:-1] == [f"{Verdict.OK} {made.name}" for made in seals * 2]


@pytest.mark.parametrize("role", [Role.DOCK, Role.DESK, Role.RELEASE, Role.TERMINAL])
def test_no_other_key_of_the_organisation_is_an_issuer(house: House, ask: Ask, role: int) -> None:
    from plomba.trust.objects import issue

    key = PrivateKey.generate()
    certificate = issue(
        house.organisation.unlocked(),
        key.public,
        role=role,
        protection=1,
        epoch=1,
        label="",
        serial=1,
        not_before=NOW,
        not_after=0,
    )
    listed = house.signed(body([(1, certificate)], [(1, 1, 1, 9)], []), 1)
    assert ask([house.install(listed, 1), check(sealing.make(key, 1, 1, 1).text)])[1] == f"{Verdict.SEAL_STRANGER} "
