"""Verification of what arrives, with every signature or by head: what each way proves, what neither lets through."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plomba.bench.journal import body
from plomba.errors import VerificationError
from plomba.trust.keys import PrivateKey
from plomba.trust.objects import SignedObject, issue
from plomba.trust.records import Standing, verify_chain
from plomba.trust.revocations import Revocations
from plomba_wire import chain
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Protection, Role

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
DAY = 86400
KEY = PrivateKey.generate()
GENESIS = chain.genesis(KEY.public, 1)
Record = tuple[bytes, bytes]


def made(count: int, key: PrivateKey = KEY) -> list[Record]:
    digest = chain.genesis(key.public, 1)
    out = []
    for seq in range(1, count + 1):
        unsigned = body(key.id, seq)
        digest = chain.step(digest, unsigned)
        out.append((unsigned, key.sign(digest)))
    return out


RECORDS = made(12)
both_ways = pytest.mark.parametrize("by_head", [False, True], ids=["every", "head"])


def code(records: list[Record], *, by_head: bool, first: int = 1, previous: bytes = GENESIS) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_chain(KEY.public, 1, first, previous, records, by_head=by_head)
    return caught.value.code


@both_ways
def test_a_run_from_anywhere(by_head: bool) -> None:
    whole = verify_chain(KEY.public, 1, 1, GENESIS, RECORDS, by_head=by_head)
    assert [record.head.seq for record in whole] == list(range(1, 13))
    rest = verify_chain(KEY.public, 1, 5, whole[3].digest, RECORDS[4:], by_head=by_head)
    assert [record.digest for record in rest] == [record.digest for record in whole[4:]]
    assert verify_chain(KEY.public, 1, 1, GENESIS, [], by_head=by_head) == []


@both_ways
@pytest.mark.parametrize(
    "change",
    [
        lambda records: records[1:],
        lambda records: [*records[:4], *records[5:]],
        lambda records: [records[1], records[0], *records[2:]],
        lambda records: [*records[:3], records[2], *records[3:]],
        lambda records: made(12, PrivateKey.generate()),
    ],
    ids=["beginning cut", "gap", "swapped", "doubled", "another key's"],
)
def test_gaps_forks_and_strangers(change: Callable[[list[Record]], list[Record]], by_head: bool) -> None:
    assert code(change(RECORDS), by_head=by_head) in ("record_signature", "record_out_of_order", "record_foreign")


@both_ways
def test_a_record_that_names_another_terminal_is_foreign_whoever_signed_it(by_head: bool) -> None:
    unsigned = body(PrivateKey.generate().id, 1)
    assert code([(unsigned, KEY.sign(chain.step(GENESIS, unsigned)))], by_head=by_head) == "record_foreign"


@settings(deadline=None, derandomize=True, database=None, max_examples=150)
@given(st.integers(0, 11), st.data(), st.booleans())
def test_a_changed_body_breaks_what_comes_after_it(at: int, data: st.DataObject, by_head: bool) -> None:
    unsigned, signature = RECORDS[at]
    place = data.draw(st.integers(0, len(unsigned) - 1))
    changed = unsigned[:place] + bytes((unsigned[place] ^ (1 << data.draw(st.integers(0, 7))),)) + unsigned[place + 1 :]
    records = [*RECORDS[:at], (changed, signature), *RECORDS[at + 1 :]]
    code(records, by_head=by_head)


def test_by_head_the_last_signature_vouches_for_bodies_only() -> None:
    """The difference, told as it is: who hands single records on has to check theirs."""
    spoiled = [(unsigned, bytes(64)) for unsigned, _ in RECORDS[:-1]] + RECORDS[-1:]
    assert code(spoiled, by_head=False) == "record_signature"
    assert len(verify_chain(KEY.public, 1, 1, GENESIS, spoiled, by_head=True)) == 12
    assert code([*RECORDS[:-1], (RECORDS[-1][0], RECORDS[-2][1])], by_head=True) == "record_signature"


@both_ways
def test_another_epoch_and_another_place_in_the_chain(by_head: bool) -> None:
    with pytest.raises(VerificationError):
        verify_chain(KEY.public, 2, 1, GENESIS, RECORDS, by_head=by_head)
    with pytest.raises(VerificationError):
        verify_chain(KEY.public, 2, 1, chain.genesis(KEY.public, 2), RECORDS, by_head=by_head)
    assert code(RECORDS, by_head=by_head, first=2) == "record_out_of_order"


@both_ways
def test_the_other_s_is_refused_and_no_other_record(by_head: bool) -> None:
    unsigned, signature = RECORDS[-1]
    high = signature[:32] + (N - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    assert code([*RECORDS[:-1], (unsigned, high)], by_head=by_head) == "record_signature"
    again = KEY.sign(verify_chain(KEY.public, 1, 1, GENESIS, RECORDS)[-1].digest)
    assert again != signature
    one, two = (
        verify_chain(KEY.public, 1, 1, GENESIS, [*RECORDS[:-1], (unsigned, each)], by_head=by_head)[-1]
        for each in (signature, again)
    )
    assert (one.identity, one.digest) == (two.identity, two.digest)


def head(t_utc: int) -> RecordHead:
    found = RecordHead.read(RECORDS[0][0], 0)
    found.t_utc = t_utc
    return found


def test_a_key_is_judged_as_of_the_records_time() -> None:
    root = PrivateKey.generate()
    certificate = SignedObject.parse(
        issue(
            root,
            KEY.public,
            role=Role.TERMINAL,
            protection=Protection.OPEN,
            epoch=1,
            label="t",
            serial=1,
            not_before=DAY + 1000,
            not_after=DAY + 9000,
        )
    )
    revoked = Revocations.open(
        Revocations.issue(root, number=1, rows={KEY.id: (DAY + 5000, 2)}, now=DAY + 5000, not_after=9 * DAY),
        root.public,
    )
    clean, stolen = Standing.of(certificate, KEY.id, None), Standing.of(certificate, KEY.id, revoked)
    late = 9 * DAY
    clean.check(head(DAY + 1000), late)
    clean.check(head(DAY + 9000), late)
    stolen.check(head(DAY + 4999), late)

    def refused(standing: Standing, t_utc: int, arrived: int) -> tuple[str, int | None]:
        with pytest.raises(VerificationError) as caught:
            standing.check(head(t_utc), arrived)
        return caught.value.code, caught.value.position

    assert refused(clean, DAY + 999, late) == ("record_dates", 1)
    assert refused(clean, DAY + 9001, late) == ("record_dates", 1)
    assert refused(stolen, DAY + 5000, late) == ("key_revoked", 1)
    assert refused(stolen, 0, DAY + 5000) == ("key_revoked", 1), "without a time it is judged by when it came"
    stolen.check(head(0), DAY + 4999)
