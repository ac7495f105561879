"""`plomba bench link` measures real runs: what it counts is what passed, and every figure has its limit beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from plomba import capture
from plomba.bench.heap import peak_heap
from plomba.bench.pace import paced
from plomba.bench.station import prepare
from plomba.sim.interpreter import HEAP
from plomba_wire import codec
from plomba_wire.dock_end import WINDOW

SMALL = ("--records", "300", "--cuts", "3", "--without-peers", "--no-paced")
KEYS = {
    "records",
    "record_bytes",
    "mean_record_bytes",
    "wire_bytes",
    "efficiency_clean",
    "round_trips_session",
    "frames_lost_per_lost_byte",
    "host_us_per_record",
    "host_ratio_to_struct",
    "efficiency_1pct_frame_loss",
    "1pct_frame_loss",
    "efficiency_1pct_frame_loss_go_back_n",
    "1pct_frame_loss_go_back_n",
    "efficiency_3pct_frame_loss",
    "3pct_frame_loss",
    "efficiency_3pct_frame_loss_go_back_n",
    "3pct_frame_loss_go_back_n",
    "resume_overhead_bytes",
    "resume_overhead_bytes_mean",
    "resume_cuts",
    "window_bytes",
    "terminal_peak_heap_bytes",
    "heap_gate_bytes",
    "limits",
    "met",
}


def bench(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "plomba", "bench", "link", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PLOMBA_LANG": "en", **environment},
    )


def test_a_small_run() -> None:
    ran = bench("--json", *SMALL)
    facts = json.loads(ran.stdout.splitlines()[-1])
    assert set(facts) == KEYS
    assert facts["records"] > 300 and facts["heap_gate_bytes"] == HEAP and facts["window_bytes"] == WINDOW
    wire = facts["wire_bytes"]
    assert facts["efficiency_clean"] == round(facts["record_bytes"] / (wire["up"] + wire["down"]), 4)
    assert facts["met"].keys() == facts["limits"].keys() > {"efficiency_clean", "frames_lost_per_lost_byte.worst"}
    for name, limit in facts["limits"].items():
        value = facts[name.split(".")[0]]
        value = value[name.split(".")[1]] if "." in name else value
        met = value >= limit["at_least"] if "at_least" in limit else value <= limit["at_most"]
        assert facts["met"][name] == met
    # Of so few records the session's own frames are a large part.
    assert not facts["met"]["efficiency_clean"]
    assert ran.returncode == 1
    assert "efficiency_clean: " in ran.stderr and "Traceback" not in ran.stderr


def test_a_peer_that_is_not_there_is_named_before_anything_runs() -> None:
    ran = bench("--json", "--records", "50", "--cuts", "1", "--no-paced", PATH="")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("plomba: ")
    assert "[bench_peer_missing]" in ran.stderr and "lrzsz" in ran.stderr and "--without-peers" in ran.stderr


@pytest.mark.parametrize("arguments", [("--records", "0"), ("--cuts", "0"), ("--records", "many")])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert bench(*arguments).returncode == 2


@pytest.mark.anyio
async def test_the_relay_counts_what_a_capture_holds(tmp_path: Path) -> None:
    station = await prepare(tmp_path, "terminal", 150, 1)
    async with station.on() as terminal:
        docked = await station.dock(terminal)
        chunks = capture.read(docked.recording)
        for direction, counted in ((capture.FROM_DEVICE, docked.up), (capture.TO_DEVICE, docked.down)):
            assert counted == sum(len(chunk.data) for chunk in chunks if chunk.direction == direction)
        data = [message for _, message in capture.messages(chunks) if isinstance(message, codec.Data)]
        assert docked.records == sum(message.count for message in data) > 150
        assert docked.record_bytes == sum(len(message.records) for message in data)

        # Over a line this long the window cannot hold what is under way.
        slow, round_trips, _ = await paced(station, terminal, rtt=0.12)
        # How often it credits depends on what comes at once, and a busy machine says HELLO twice; records come once.
        assert (slow.records, slow.record_bytes, slow.rewinds) == (docked.records, docked.record_bytes, 0)
        assert round_trips >= docked.up // WINDOW


@pytest.mark.anyio
async def test_a_terminal_starts_with_its_journal_full(tmp_path: Path) -> None:
    """2048 pages, of which the day takes 1900: what it remembers of each parcel must not leave the heap in crumbs."""
    station = await prepare(tmp_path, "terminal", 1900, 1)
    async with station.on() as terminal:
        assert terminal.free_heap <= HEAP
        assert (await station.dock(terminal)).records > 1900
    assert await peak_heap(station) <= HEAP
