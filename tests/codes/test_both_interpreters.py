"""A terminal and a desk read a code alike, and a terminal reads it in no time."""

from __future__ import annotations

from code_samples import SYMBOLOGIES, anything
from codes_rig import ask_board, ask_host, call
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from plomba_wire.vocabulary import Symbology

USUAL = (
    (Symbology.DATA_MATRIX, b"0104600439931256215a1b2c3d4e5f6\x1d91EE06\x1d92" + b"A" * 88),
    (Symbology.CODE_128, b"]C100106141411234567897"),
    (Symbology.QR, b"https://id.gs1.org/01/9521234543213/22/x/10/y/21/%41%42%43%44%45%46"),
    (Symbology.QR, b"A" * 300),
)
# Made to be slow.
WORST = (
    (Symbology.CODE_128, b"]C100106141411234567897" + b"2022" * 69),
    (Symbology.QR, b"https://x" + b"/01" * 97),
    (Symbology.DATA_MATRIX, b"\x1d" * 300),
)


@settings(max_examples=12, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(SYMBOLOGIES), anything), min_size=200, max_size=400))
def test_the_same_identities_and_faults(codes: list[tuple[int, bytes]]) -> None:
    calls = [call(symbology, code) for symbology, code in codes]
    assert ask_board(calls) == ask_host(calls)


def test_a_code_takes_a_fraction_of_a_millisecond_and_none_holds_a_terminal_up() -> None:
    assert fastest(USUAL) < 500
    assert fastest(WORST) < 5000


def fastest(codes: tuple[tuple[int, bytes], ...]) -> int:
    """Microseconds of the slowest code, in the best of many runs: what else the machine does is not the code's."""
    asked = "time " + " ".join(call(symbology, code) for symbology, code in codes)
    runs = [[int(word) for word in answer.split()] for answer in ask_board([asked] * 30)]
    return max(min(times) for times in zip(*runs, strict=True))
