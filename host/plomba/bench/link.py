"""`plomba bench link`: the link's figures from real runs, each with its limit. docs/bench.md defines the keys."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plomba.bench import faults, framing_cost, pace, peers
from plomba.bench.facts import Facts, Tell
from plomba.bench.heap import peak_heap
from plomba.bench.station import Docked, Station, prepare
from plomba.sim.interpreter import HEAP
from plomba.sim.virtual_terminal import VirtualTerminal
from plomba_wire.dock_end import FEATURES, WINDOW
from plomba_wire.vocabulary import Feature

RECORDS = 6750
"""1 MiB of a long day's records."""

LIMITS: dict[str, tuple[str, float]] = {
    "efficiency_clean": ("at_least", 0.97),
    "round_trips_clean": ("at_most", 0),
    "time_vs_zmodem": ("at_most", 1.0),
    "time_vs_mpremote": ("at_most", 0.05),
    "frames_lost_per_lost_byte.mean": ("at_most", 1.01),
    "frames_lost_per_lost_byte.worst": ("at_most", 2),
    "efficiency_1pct_frame_loss": ("at_least", 0.93),
    "efficiency_3pct_frame_loss": ("at_least", 0.85),
    "resume_overhead_bytes": ("at_most", WINDOW),
    "terminal_peak_heap_bytes": ("at_most", HEAP),
}
"""Of issue and design; what was not measured has none."""

_HEAP_RECORDS = 400
_HEAP_A_RECORD = 60
"""After a start a terminal holds what it did with each parcel; ours holds more records than its board could."""
_MPREMOTE_SHARE = 16
"""mpremote copies a file that many times smaller; its time is scaled."""
_OFFSETS = 20_000


@dataclass(frozen=True, slots=True)
class Options:
    """`records` in the journal, `cuts` of the cable; `peers` and `paced` can be left out; `long` drops every byte."""

    records: int = RECORDS
    cuts: int = 25
    seed: int = 1
    peers: bool = True
    paced: bool = True
    long: bool = False


async def measure_link(options: Options, tell: Tell) -> dict[str, Any]:
    """All figures; `tell` hears of each one when it is there. Raises PlombaError `bench_peer_missing`,
    `bench_peer_failed`, `no_interpreter`; TerminalError when a docking failed that should not have."""
    if options.peers:
        peers.need_peers()
    facts = Facts(tell)
    with tempfile.TemporaryDirectory(prefix="plomba-bench-") as folder:
        scratch = Path(folder)
        small = await prepare(scratch, "small", min(options.records, _HEAP_RECORDS), options.seed)
        facts["terminal_peak_heap_bytes"] = await peak_heap(small)
        facts["heap_gate_bytes"] = HEAP
        station = await prepare(scratch, "large", options.records, options.seed)
        async with station.on(max(HEAP, _HEAP_A_RECORD * options.records)) as terminal:
            await _dock(station, terminal, options, facts)
        if options.peers:
            await _compare(scratch, facts)
    return facts.judged(LIMITS)


async def _dock(station: Station, terminal: VirtualTerminal, options: Options, facts: Facts) -> None:
    clean = await station.dock(terminal)
    facts["records"] = clean.records
    facts["record_bytes"] = clean.record_bytes
    facts["mean_record_bytes"] = round(clean.record_bytes / clean.records, 1)
    facts["wire_bytes"] = {"up": clean.up, "down": clean.down}
    facts["efficiency_clean"] = round(clean.efficiency, 4)
    facts["round_trips_session"] = clean.round_trips
    _framing(clean, options, facts)
    if options.paced:
        docked, round_trips, stalls = await pace.paced(station, terminal)
        formula = pace.seconds(docked.wire, docked.round_trips + round_trips)
        facts["round_trips_clean"] = round_trips
        facts["paced"] = {
            "baud": pace.BAUD,
            "rtt_s": pace.RTT_S,
            "seconds": round(docked.seconds, 2),
            "formula_seconds": round(formula, 2),
            "ratio": round(docked.seconds / formula, 3),
            "stalls": stalls,
        }
    for percent in (1, 3):
        for suffix, features in (("", FEATURES), ("_go_back_n", FEATURES & ~Feature.SACK)):
            name = f"{percent}pct_frame_loss{suffix}"
            docked = await faults.lossy(station, terminal, percent / 100, options.seed, features)
            facts[f"efficiency_{name}"] = round(docked.efficiency, 4)
            facts[name] = {"rewinds": docked.rewinds, "seconds": round(docked.seconds, 2)}
    overheads = await faults.resume_overheads(station, terminal, clean, options.cuts, options.seed)
    facts["resume_overhead_bytes"] = max(overheads)
    facts["resume_overhead_bytes_mean"] = round(sum(overheads) / len(overheads))
    facts["resume_cuts"] = len(overheads)
    facts["window_bytes"] = WINDOW


def _framing(clean: Docked, options: Options, facts: Facts) -> None:
    pieces = framing_cost.from_terminal(clean.recording)
    stream = b"".join(pieces)
    offsets = None if options.long else _OFFSETS
    mean, worst = framing_cost.frames_lost(stream, offsets, options.seed)
    tried = min(len(stream), offsets or len(stream))
    facts["frames_lost_per_lost_byte"] = {"mean": round(mean, 5), "worst": worst, "offsets": tried}
    cost, ratio = framing_cost.host_cost(pieces)
    facts["host_us_per_record"] = round(cost, 2)
    facts["host_ratio_to_struct"] = round(ratio, 1)


async def _compare(scratch: Path, facts: Facts) -> None:
    """The same number of bytes by others, all by one formula."""
    size = facts["record_bytes"]
    up_down = facts["wire_bytes"]["up"] + facts["wire_bytes"]["down"]
    ours = pace.seconds(up_down, facts["round_trips_session"] + facts.get("round_trips_clean", 0))
    found = {
        "zmodem": await peers.zmodem(scratch, size),
        "mpremote": await peers.mpremote(scratch, size // _MPREMOTE_SHARE),
    }
    theirs = {name: pace.seconds(peer.wire, peer.round_trips) * size / peer.size for name, peer in found.items()}
    facts["peers"] = {
        name: {
            "size": peer.size,
            "bytes": peer.wire,
            "efficiency": round(peer.efficiency, 4),
            "round_trips": peer.round_trips,
            "seconds": round(theirs[name], 2),
        }
        for name, peer in found.items()
    }
    facts["seconds"] = round(ours, 2)
    for name, seconds in theirs.items():
        facts[f"time_vs_{name}"] = round(ours / seconds, 4)
