"""The proof of a PIN, and challenge and answer: the same on both interpreters, another one when anything changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vector_calls import call

from plomba.trust.answers import answer
from plomba.trust.keys import PrivateKey
from plomba_wire import answering, chain
from plomba_wire.pin_proof import LONGEST, SHORTEST, is_pin, pin_proof

Ask = Callable[[Iterable[str]], list[str]]
# The fixture keeps nothing from one example to the next.
stable = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

PINS = st.text("0123456789", min_size=SHORTEST, max_size=LONGEST).map(str.encode)
CASES = st.tuples(st.binary(min_size=8, max_size=8), st.integers(1, 0xFFFFFFFF), PINS)


@given(st.lists(CASES, min_size=20, max_size=20))
@stable
def test_a_proof_is_the_same_on_both(ask_board: Ask, cases: list[tuple[bytes, int, bytes]]) -> None:
    answers = ask_board(call("pin_proof", salt.hex(), badge, pin.hex()) for salt, badge, pin in cases)
    assert answers == [f"x{pin_proof(*case).hex()}" for case in cases]


@given(CASES, CASES)
@stable
def test_salt_badge_and_pin_each_count(one: tuple[bytes, int, bytes], other: tuple[bytes, int, bytes]) -> None:
    proofs = {
        pin_proof(salt, badge, pin)
        for salt in {one[0], other[0]}
        for badge in {one[1], other[1]}
        for pin in {one[2], other[2]}
    }
    assert len(proofs) == len({one[0], other[0]}) * len({one[1], other[1]}) * len({one[2], other[2]})


def test_what_a_pin_is() -> None:
    assert all(map(is_pin, (b"0000", b"12345678", b"99999")))
    assert not any(map(is_pin, (b"", b"123", b"123456789", b"12a4", b" 1234", b"-123", "١٢٣٤".encode(), b"12.4")))


ORDERS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
QUESTIONS = st.tuples(ORDERS, st.integers(0, 255), st.text("0123456789", min_size=8, max_size=8))
OWNER = PrivateKey.generate()
TERMINALS = [PrivateKey.generate() for _ in range(3)]


def asked(terminal: PrivateKey, owner: bytes, order: str, need: int, challenge: str) -> str:
    order_bytes = order.encode().hex()
    return call(
        "expected", terminal.number.hex(), owner.hex(), terminal.id.hex(), order_bytes, need, challenge.encode().hex()
    )


@given(st.lists(st.tuples(st.sampled_from(TERMINALS), QUESTIONS), min_size=10, max_size=10))
@settings(stable, max_examples=6)
def test_the_terminal_expects_what_the_host_answers(
    ask_board: Ask, cases: list[tuple[PrivateKey, tuple[str, int, str]]]
) -> None:
    answers = ask_board(asked(terminal, OWNER.public, *question) for terminal, question in cases)
    for (terminal, (order, need, challenge)), found in zip(cases, answers, strict=True):
        said = answer(OWNER, terminal.public, order, need, challenge)
        assert found == f"x{said.encode().hex()}" and len(said) == 8 and said.isdigit()


def test_whatever_changes_the_answer_is_another(ask: Ask) -> None:
    terminal, other = TERMINALS[:2]
    right = (terminal, OWNER.public, "A-1", 3, "12345678")
    changed = [
        (other, *right[1:]),
        (terminal, PrivateKey.generate().public, *right[2:]),
        (*right[:2], "A-2", *right[3:]),
        (*right[:2], "A-", *right[3:]),
        (*right[:3], 4, right[4]),
        (*right[:4], "12345679"),
    ]
    first, *others = ask(asked(*case) for case in [right, *changed])
    assert first == f"x{answer(OWNER, terminal.public, 'A-1', 3, '12345678').encode().hex()}"
    assert first not in others and len(set(others)) == len(others)
    in_the_name_of_another = call(
        "expected", terminal.number.hex(), OWNER.public.hex(), other.id.hex(), b"A-1".hex(), 3, b"12345678".hex()
    )
    assert ask([in_the_name_of_another]) != [first]


def test_nobody_answers_where_nobody_can(ask: Ask) -> None:
    """No owner on the list; a key in a chip that was locked without ECDH."""
    terminal = TERMINALS[0]
    assert ask([asked(terminal, b"", "A-1", 3, "12345678")]) == ["None"]
    in_chip = call("expected", 0, OWNER.public.hex(), terminal.id.hex(), b"A-1".hex(), 3, b"12345678".hex())
    assert ask([in_chip]) == ["None"]


def test_a_challenge_is_fresh_with_each_record(ask: Ask) -> None:
    ids = [chain.key_id(terminal.public) for terminal in TERMINALS]
    cases = [(ids[0], 1, seq, 77) for seq in range(1, 400)]
    cases += [(ids[0], 2, 1, 77), (ids[1], 1, 1, 77), (ids[0], 1, 1, 78)]
    answers = ask(call("challenge", terminal.hex(), *numbers) for terminal, *numbers in cases)
    assert answers == [f"x{answering.challenge(*case).hex()}" for case in cases]
    assert len(set(answers)) == len(cases)
    assert all(bytes.fromhex(found[1:]).isdigit() and len(found) == 17 for found in answers)


def test_digits_keep_their_leading_zeros(ask: Ask) -> None:
    tags = [
        bytes(7) + bytes([9]) + b"\xff" * 24,
        (10**8).to_bytes(8, "big"),
        b"\xff" * 32,
        (10**8 - 1).to_bytes(8, "big"),
    ]
    expected = [b"00000009", b"00000000", b"%08d" % ((2**64 - 1) % 10**8), b"99999999"]
    assert ask(call("digits", tag.hex()) for tag in tags) == [f"x{each.hex()}" for each in expected]
