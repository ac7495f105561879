"""The terminal's end says the same bytes on both interpreters, to a dock that is well and to lines that are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random

import pytest
from memory_service import MemoryService, octets
from spoken import read
from virtual_link import LATENCY, OneByte, Rough, VirtualLink, Wire

from plomba_wire import codec

Ask = Callable[[Iterable[str]], list[str]]

COUNT = 30
LENGTH = 300
UART = 512


class Recorded:
    """Writes down what arrives at the terminal, in pieces as a UART gives them."""

    def __init__(self, wire: Wire | None = None) -> None:
        self.pieces: list[bytes] = []
        self._wire = wire

    def carry(self, data: bytes) -> Iterator[tuple[float, bytes]]:
        for delay, piece in self._wire.carry(data) if self._wire else [(LATENCY, data)]:
            self.pieces += [piece[at : at + UART] for at in range(0, len(piece), UART)]
            yield delay, piece


def heard(wire: Wire | None, max_body: int) -> list[str]:
    """One docking over that line as calls of wire_mpy.py."""
    down = Recorded(wire)
    service = MemoryService(COUNT, LENGTH)
    # The answers are put together on a board's heap, so they are kept short.
    VirtualLink(service, object=octets("object", 6000), down=down, max_body=max_body, window=2048).run(until=3600.0)
    return [f"terminal_end {max_body} {COUNT} {LENGTH}", *(f"heard x{piece.hex()}" for piece in down.pieces)]


def lines() -> list[Wire | None]:
    damaged = [OneByte(at, damage) for at in range(100, 4000, 777) for damage in ("drop", "flip", "double")]
    rough = [Rough(Random(seed), loss=0.1, double=0.2, noise=0.1) for seed in range(5)]
    return [None, *damaged, *rough]


@pytest.mark.parametrize("max_body", [519, 2000])
def test_both_interpreters_say_the_same(ask_board: Ask, ask_host: Ask, max_body: int) -> None:
    calls = [call for line in lines() for call in heard(line, max_body)]
    answers = ask_board(calls)
    assert answers == ask_host(calls)
    said = {type(message) for answer in answers if answer != "0" for _, message in read(bytes.fromhex(answer[1:]))}
    assert {codec.HelloOk, codec.Data, codec.SyncEnd, codec.ReceiptOk, codec.ObjectCommitOk} <= said
