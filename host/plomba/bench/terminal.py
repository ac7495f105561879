"""`plomba bench terminal`: a terminal with a long list, from the code's bytes to the durable record, each figure with
its limit. docs/bench.md defines the keys."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from plomba.bench import counter, staff
from plomba.bench.burst import SCANS as BURST
from plomba.bench.burst import burst, through_a_day
from plomba.bench.facts import Facts, Limits, Tell
from plomba.bench.heap import peak_heap
from plomba.bench.seals import Printed, give_longest_list
from plomba.bench.soak import soak
from plomba.bench.station import PLACE, Station, set_up
from plomba.bench.stopwatch import Stopwatch
from plomba.desk.orders import Order
from plomba.sim.interpreter import HEAP
from plomba.sim.virtual_terminal import VirtualTerminal
from plomba_wire.vocabulary import CodeKind, State, Verdict

ORDERS = 10_000
CODES = 20_000
SCANS = 2_000
GROWTH = 4096
"""Bytes that the heap may grow from the third to the last quarter of a soak: 1.6 % of the gate."""

LIMITS: Limits = {
    "verdict_ms_p95": ("at_most", 10.0),
    "seal_verify_ms_p95": ("at_most", 10.0),
    "flash_reads_per_lookup_max": ("at_most", 20),
    "programs_per_record": ("at_most", 2.2),
    "erases_per_record": ("at_most", 0.10),
    "lost_scans": ("at_most", 0),
    "peak_heap_bytes": ("at_most", HEAP),
    "peak_heap_full_journal_bytes": ("at_most", HEAP),
    "burst.lost": ("at_most", 0),
    "burst.seconds": ("at_most", 2.0),
    "soak.growth_bytes": ("at_most", GROWTH),
}

_RECEIPT = 300
_LOOKUPS = 1000
_VERIFICATIONS = 20
_HEAP_RECORDS = 400
_FULL = 1900
"""Records in 2048 pages."""
_PROGRAM_MS = 0.4
_ERASE_MS = 45.0
_FLASH = "computed: W25Q16JV, typical, page program tPP 0.4 ms, sector erase tSE 45 ms"


@dataclass(frozen=True, slots=True)
class Options:
    """`orders` and `codes` on the list, `scans` that are measured; `long` adds the full journal and the soak."""

    orders: int = ORDERS
    codes: int = CODES
    scans: int = SCANS
    seed: int = 1
    long: bool = False


async def measure_terminal(options: Options, tell: Tell) -> dict[str, Any]:
    """All figures; `tell` hears of each one when it is there. Raises PlombaError `no_interpreter`, TerminalError."""
    facts = Facts(tell)
    listed = counter.orders(options.orders, options.codes, PLACE, options.seed)
    with tempfile.TemporaryDirectory(prefix="plomba-bench-") as folder:
        rules = staff.pack(staff.IN_FORCE)
        station, seconds = await set_up(Path(folder), "terminal", listed, rules=rules)
        facts["orders"], facts["codes"] = options.orders, options.codes
        facts["manifest_bytes"] = len(station.listed(listed))
        facts["manifest_put_up_s"] = round(seconds, 2)
        await staff.give_staff(station)
        printed = await give_longest_list(station)
        await _scans(station.copy("scans"), listed, options, facts)
        await _seals(station.copy("seals"), printed, facts)
        await _lookups(station.copy("lookups"), listed, options, facts)
        busy = station.copy("busy")
        untouched = await fill(busy, listed, options.seed, _HEAP_RECORDS)
        facts["peak_heap_bytes"] = await peak_heap(busy, through_a_day(listed, untouched))
        facts["heap_gate_bytes"] = HEAP
        async with VirtualTerminal(busy.folder, flash_blocks=busy.flash_blocks) as terminal:
            facts["code_heap_bytes"] = terminal.code_heap
            facts["burst"] = await burst(busy, terminal, untouched)
        if options.long:
            full = station.copy("full")
            untouched = await fill(full, listed, options.seed, _FULL)
            facts["peak_heap_full_journal_bytes"] = await peak_heap(full, through_a_day(listed, untouched))
            facts["soak"] = await soak(station.copy("soak"), listed, options.seed)
            facts["memory_flat"] = facts["soak"]["growth_bytes"] <= GROWTH
    return facts.judged(LIMITS)


async def _scans(station: Station, listed: list[Order], options: Options, facts: Facts) -> None:
    """The mix of a day, with its receipts; what a scan costs is counted inside the firmware."""
    costs: list[dict[str, Any]] = []
    async with Stopwatch(station) as terminal:
        for number, given in enumerate(islice(counter.days(listed, options.seed), options.scans), 1):
            costs.append(await terminal.do(given))
            if number % _RECEIPT == 0:
                await terminal.receipt()
        facts["lost_scans"] = (await terminal.ask("head"))["lost"]
    records = sum(cost["records"] for cost in costs)
    mix: Counter[str] = Counter()
    for cost in costs:
        mix[cost["what"]] += cost["records"]
    facts["records"] = records
    facts["mix"] = dict(mix)
    # A sign of what is being typed answers at once, and there are many: they would hide the others.
    read = [cost for cost in costs if cost["verdict"] and cost["records"]]
    _spread(facts, "verdict_ms", (cost["verdict"] for cost in read))
    _spread(facts, "scan_to_durable_ms", (cost["durable"] for cost in read))
    _spread(facts, "sign_ms", (cost["sign"] for cost in read))
    facts["flash_reads_per_scan_max"] = max(cost["reads"] for cost in costs)
    facts["flash_reads_per_scan_mean"] = round(sum(cost["reads"] for cost in read) / len(read), 1)
    programs = sum(cost["programs"] for cost in costs) / records
    erases = sum(cost["erases"] for cost in costs) / records
    facts["programs_per_record"] = round(programs, 3)
    facts["erases_per_record"] = round(erases, 4)
    facts["flash_ms_computed"] = {
        "before_the_tone_p95": _part([cost["before_tone"] * _PROGRAM_MS for cost in read], 95),
        "a_record": round(programs * _PROGRAM_MS, 2),
        "erases_between_scans_a_record": round(erases * _ERASE_MS, 2),
        "source": _FLASH,
    }


async def _seals(station: Station, printed: Printed, facts: Facts) -> None:
    """Seals of our own through the check that a scan of one goes through, its issuer one of the prepared ones."""
    async with Stopwatch(station) as terminal:
        good = [await terminal.ask("seal", printed.good.text) for _ in range(_VERIFICATIONS)]
        refused = [await terminal.ask("seal", printed.not_issued.text) for _ in range(_VERIFICATIONS)]
        prepared = [await terminal.ask("verify") for _ in range(_VERIFICATIONS)]
    assert {answer["verdict"] for answer in good} == {Verdict.OK}
    assert {answer["verdict"] for answer in refused} == {Verdict.SEAL_NOT_ISSUED}
    _spread(facts, "seal_verify_ms", (answer["us"] for answer in good))
    _spread(facts, "seal_refused_ms", (answer["us"] for answer in refused))
    _spread(facts, "seal_table_ms", (answer["table"] for answer in prepared))


async def _lookups(station: Station, listed: list[Order], options: Options, facts: Facts) -> None:
    """Codes that are on the list and codes that are not, of each kind, with the order's row where there is one."""
    random = Random(options.seed)
    kinds = {
        "order": (CodeKind.ORDER, [order.id for order in listed]),
        "seal": (CodeKind.SEAL, [seal for order in listed for seal in order.seals]),
        "uin": (CodeKind.UIN, [uin for order in listed for uin in order.uins]),
    }
    reads: dict[str, int] = {}
    async with Stopwatch(station) as terminal:
        for name, (kind, texts) in kinds.items():
            for suffix, tail, found in (("", "", True), ("_absent", "?", False)):
                looked = [
                    await terminal.ask("find", [kind, text + tail])
                    for text in random.sample(texts, min(_LOOKUPS, len(texts)))
                ]
                assert all(lookup["found"] == found for lookup in looked)
                reads[name + suffix] = max((lookup["reads"] for lookup in looked), default=0)
    facts["flash_reads_per_lookup"] = reads
    facts["flash_reads_per_lookup_max"] = max(reads.values())


async def fill(station: Station, listed: list[Order], seed: int, wanted: int) -> list[Order]:
    """So many records that have no receipt; returns orders that none of them is about."""
    scanned = set()
    records = 0
    async with Stopwatch(station) as terminal:
        for given in counter.days(listed, seed):
            if isinstance(given[1], list):
                scanned.add(given[1][1])
            records += (await terminal.do(given))["records"]
            # Not while somebody is being asked: the next one who scans would answer.
            if records >= wanted and given[0] == "handout":
                break
    fresh = [order for order in listed if not order.further and order.state == State.AT_POINT]
    return [order for order in fresh if order.id not in scanned][:BURST]


def _spread(facts: Facts, name: str, us: Iterable[int]) -> None:
    """The median of µs, in ms, under the name, and the tail beside it."""
    ms = [value / 1000 for value in us]
    facts[name] = _part(ms, 50)
    facts[f"{name}_p95"] = _part(ms, 95)
    facts[f"{name}_max"] = round(max(ms), 3)


def _part(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent do not exceed."""
    ordered = sorted(values)
    return round(ordered[-(-len(ordered) * percent // 100) - 1], 3)
