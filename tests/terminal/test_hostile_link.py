"""Whatever arrives on the wire, the terminal stays alive, keeps its records and answers the next session."""

from __future__ import annotations

from random import Random

import pytest
from workbench import Workbench, label, plain

from plomba.transport import open_transport
from plomba_wire import codec, framing
from plomba_wire.schema import LAYOUTS

pytestmark = pytest.mark.anyio


async def pour(bench: Workbench, data: bytes) -> None:
    """Writes to the terminal, and reads what it answers so that nothing stalls."""
    transport = open_transport(bench.terminal.port)
    await transport.open()
    before = bench.terminal.relay.down.bytes
    await transport.write(data)
    await bench.terminal.wait_until(lambda: bench.terminal.relay.down.bytes - before >= len(data))
    await transport.close()


async def test_trap_08_a_megabyte_of_garbage(bench: Workbench) -> None:
    await bench.ready([plain("A-1")])
    rng = Random(5)
    await pour(bench, bytes(rng.randrange(1, 256) for _ in range(1 << 20)))
    await pour(bench, bytes(1 << 18))
    await pour(bench, rng.randbytes(1 << 18))
    assert await bench.terminal.scan(label("A-1")) == "ok"
    await bench.sync()


async def test_well_framed_nonsense(bench: Workbench) -> None:
    """Every message type, known and unknown, with bodies that are random, mutated, too short and too long."""
    await bench.ready([plain("A-1")])
    rng = Random(6)
    hello = codec.Hello(b"12345678", 77, 1, 1, 2000, 512, 0, b"").pack()
    frames = [framing.encode(codec.Hello.TYPE, 0, 0, 0, hello)]
    kinds = [layout.code for layout in LAYOUTS.values() if layout.code is not None]
    for tag in range(600):
        kind = rng.choice([*kinds, rng.randrange(256)])
        body = rng.randbytes(rng.choice((0, 1, 7, 8, 16, 36, 41, 43, 128, 200, 700, 1990)))
        session = rng.choice((77, 77, 77, 0, 5))
        if kind not in (codec.Hello.TYPE, codec.Bye.TYPE):
            frames.append(framing.encode(kind, rng.choice((0, 0, 0x10, 0x01)), session, tag, body))
    await pour(bench, b"".join(frames))
    assert await bench.terminal.scan(label("A-1")) == "ok"
    before = bench.ledger.counts()["records"]
    report = await bench.sync()
    assert bench.ledger.counts()["records"] == before + report.records
