"""A share of `python3 tools fuzz`: every decoder on mutated vectors; and a decoder that is broken is found."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))

import fuzz
import fuzz_targets
from plomba_wire import codec, framing, tlv

RUNS = 400


def inputs(name: str, seed: int) -> list[bytes]:
    random = Random(seed)
    seeds = [data for target, data in fuzz_targets.seeds() if target == name]
    assert seeds, "no vector to begin with"
    return [*seeds, *(fuzz.mutated(random, seeds) for _ in range(RUNS))]


@pytest.mark.parametrize("name", fuzz_targets.TARGETS)
def test_nothing_comes_out_that_may_not(name: str) -> None:
    for data in inputs(name, seed=1):
        fuzz_targets.TARGETS[name](data)


def test_a_decoder_that_reads_over_the_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(data: bytes, at: int) -> dict[int, bytes]:
        parts = {}
        while at < len(data):
            length = data[at + 1] << 8 | data[at + 2]
            parts[data[at]] = data[at + 3 : at + 3 + length]
            at += 3 + length
        return parts

    monkeypatch.setattr(tlv, "unpack", careless)
    with pytest.raises((IndexError, AssertionError)):
        test_nothing_comes_out_that_may_not("parts")


def test_a_deframer_that_depends_on_the_pieces_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = framing.Deframer.feed
    monkeypatch.setattr(framing.Deframer, "feed", lambda end, data: feed(end, data) if len(data) > 7 else [])
    with pytest.raises(AssertionError):
        test_nothing_comes_out_that_may_not("stream")


def test_a_layout_that_ignores_what_follows_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec.Ping, "unpack", classmethod(lambda cls, data: cls.read(data, 0)))
    with pytest.raises(AssertionError):
        test_nothing_comes_out_that_may_not("layouts")
