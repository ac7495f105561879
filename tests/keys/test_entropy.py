"""A source that is broken gives no bytes and no keys; a sound one is not called broken."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import comb

import pytest
from broken_sources import SOURCES, Sound

from terminal.keys import entropy

Ask = Callable[[list[str]], list[str]]

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

BROKEN = {
    "AllZero": "one value repeats",
    "AllOnes": "one value repeats",
    "Burst": "one value repeats",
    "Stuck": "one value is too frequent",
    "OneValueOften": "one value is too frequent",
    "BitStuckHigh": "a bit is stuck or biased",
    "BitStuckLow": "a bit is stuck or biased",
    "BitBiased": "a bit is stuck or biased",
    "BitBiasedLow": "a bit is stuck or biased",
    "Counter": "a block repeats",
    "Periodic": "a block repeats",
    "BlockAgain": "a block repeats",
    "Short": "the source gave too few bytes",
    "Silent": "the source gave too few bytes",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_source_gives_nothing(ask: Ask, name: str) -> None:
    refusal = f"EntropyFailure: {BROKEN[name]}"
    calls = [f"self_test {name}", f"entropy {name} 32", f"new_private_key {name}"]
    assert ask(calls) == [refusal] * 3


def test_a_sound_source_passes(ask: Ask) -> None:
    expected = [Sound() for _ in range(2)]
    for source in expected:
        source.read(1024)
    assert ask(["self_test Sound", "entropy Sound 32 7 0 64", "new_private_key Sound"]) == [
        "None",
        ",".join(expected[0].read(n).hex() for n in (32, 7, 0, 64)),
        expected[1].read(32).hex(),
    ]


def test_a_source_that_breaks_after_the_self_test(ask: Ask) -> None:
    calls = ["entropy DiesLater 32", "entropy DiesLater 32 32", "entropy RepeatsLater 32 32"]
    calls += ["entropy ShortOnce 32"]
    answers = ask(calls)
    assert not answers[0].startswith("EntropyFailure")
    assert answers[1:] == [
        "EntropyFailure: the source stands still",
        "EntropyFailure: the source stands still",
        "EntropyFailure: the source gave too few bytes",
    ]


def test_a_source_that_failed_stays_shut() -> None:
    source = SOURCES["RepeatsLater"]()
    entropy.entropy(32, source)
    for expected in ("stands still", "too frequent", "too frequent"):
        with pytest.raises(entropy.EntropyFailure, match=expected):
            entropy.entropy(32, source)


def test_a_failed_self_test_shuts_a_source_that_had_passed() -> None:
    source = SOURCES["RepeatsLater"]()
    entropy.self_test(source)
    for use in (entropy.self_test, entropy.self_test, entropy.new_private_key):
        with pytest.raises(entropy.EntropyFailure, match="too frequent"):
            use(source)


def test_a_source_that_recovers_is_tested_anew() -> None:
    source = SOURCES["ShortOnce"]()
    with pytest.raises(entropy.EntropyFailure, match="too few bytes"):
        entropy.entropy(32, source)
    entropy.entropy(32, source)
    entropy.entropy(32, source)
    assert source.at == 1024 + 32 + 1024 + 32 + 32


def test_private_keys_are_drawn_until_one_is_in_range(ask: Ask) -> None:
    source = Sound()
    source.read(1024 + 64)
    assert ask(["new_private_key HighTwice", "new_private_key OutOfRange"]) == [
        source.read(32).hex(),
        "EntropyFailure: no private key in range",
    ]


def test_the_interpreter_gives_different_keys() -> None:
    keys = {entropy.new_private_key() for _ in range(100)}
    assert len(keys) == 100 and all(0 < key < N for key in keys)


def tail(n: int, p: Fraction, least: int) -> Fraction:
    """The probability of `least` successes or more in n trials."""
    return sum((comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(least, n + 1)), Fraction(0))


def test_the_limits_are_those_of_an_ideal_source() -> None:
    """Each is the first with a false alarm in 2**30 boots or more."""
    rare = Fraction(1, 2**30)
    alarms: dict[int, Callable[[int], Fraction]] = {
        entropy._RUN_LIMIT: lambda limit: Fraction(1025 - limit, 256 ** (limit - 1)),
        entropy._COUNT_LIMIT: lambda limit: 256 * tail(1024, Fraction(1, 256), limit),
        entropy._ONES_LIMIT: lambda limit: 16 * tail(1024, Fraction(1, 2), limit),
    }
    for limit, alarm in alarms.items():
        assert alarm(limit) <= rare < alarm(limit - 1)
