"""`plomba bench terminal` measures inside the real firmware: what it counts does not depend on the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from itertools import islice
from math import ceil, log2
from pathlib import Path

import pytest

from plomba.bench import counter, staff
from plomba.bench.soak import soak
from plomba.bench.station import PLACE, Station, set_up
from plomba.bench.stopwatch import Stopwatch
from plomba.bench.terminal import GROWTH
from plomba.desk.orders import Order
from plomba.sim.interpreter import HEAP
from plomba.sim.virtual_terminal import FLASH_BLOCKS
from plomba_wire.vocabulary import Action, CodeKind, OrderClass, State, Verdict

ORDERS, CODES, SCANS = 300, 600, 450
KEYS = {
    "orders",
    "codes",
    "manifest_bytes",
    "manifest_put_up_s",
    "records",
    "mix",
    "lost_scans",
    *(
        f"{name}_ms{part}"
        for name in ("verdict", "scan_to_durable", "sign", "seal_verify", "seal_refused", "seal_table")
        for part in ("", "_p95", "_max")
    ),
    "flash_reads_per_scan_max",
    "flash_reads_per_scan_mean",
    "programs_per_record",
    "erases_per_record",
    "flash_ms_computed",
    "flash_reads_per_lookup",
    "flash_reads_per_lookup_max",
    "peak_heap_bytes",
    "heap_gate_bytes",
    "code_heap_bytes",
    "burst",
    "limits",
    "met",
}

ANSWERS = {
    "badge": {(Action.SHIFT_OPEN, Verdict.NEED_PIN)},
    # The shift is open, and what is new is shown.
    "pin": {(Action.RULES_ACK, Verdict.NEW_RULE)},
    "news": {(Action.RULES_ACK, Verdict.OK), (Action.RULES_ACK, Verdict.NEW_RULE)},
    "card": {(Action.NOTE, Verdict.OK)},
    "token": {(Action.HANDOVER_IN, Verdict.OK), (Action.HANDOVER_OUT, Verdict.OK)},
    "hand_in": {(Action.HANDOVER_IN, Verdict.OK)},
    "intake": {(Action.STORE, Verdict.OK)},
    "repeat": {(Action.STORE, Verdict.REPEAT)},
    "unknown": {(Action.REFUSED_SCAN, Verdict.UNKNOWN)},
    "foreign": {(Action.REFUSED_SCAN, Verdict.UNKNOWN), (Action.REFUSED_SCAN, Verdict.REFUSED_CODE)},
    "customer": {(Action.CUSTOMER_IDENT, Verdict.OK)},
    "retrieve": {(Action.RETRIEVE, Verdict.CONFIRM), (Action.RETRIEVE, Verdict.NEED_SEAL)},
    "wrong_seal": {(Action.SEAL_CHECK, Verdict.WRONG_SEAL), (Action.REFUSED_SCAN, Verdict.UNKNOWN)},
    "seal": {(Action.SEAL_CHECK, Verdict.SEAL_OK)},
    "item": {(Action.INSPECT, Verdict.ITEM_OK)},
    "type": {(Action.UNREADABLE, Verdict.NEED_DIGITS)},
    "typing": {(Action.RETRIEVE, Verdict.CONFIRM)},
    "unreadable": {(Action.UNREADABLE, Verdict.UNREADABLE)},
    "override": {
        (Action.OVERRIDE, verdict)
        for verdict in (
            *(Verdict.NEED_REASON, Verdict.NEED_PHOTO, Verdict.NEED_SUPERVISOR, Verdict.NEED_PIN),
            Verdict.OK,
        )
    },
    "handout": {(Action.HANDOUT, Verdict.OK)},
    "refuse": {(Action.REFUSE, Verdict.OK)},
    "point": {(Action.HANDOVER_OUT, Verdict.WRONG_STATE)},
    "return": {(Action.RETURN_OPEN, Verdict.OK)},
    "hand_out": {(Action.HANDOVER_OUT, Verdict.OK)},
}
A_DAY = 396


async def ready(folder: Path, listed: list[Order], **more: int) -> Station:
    """A terminal with all that the mix asks of it."""
    station, _ = await set_up(folder, "terminal", listed, rules=staff.pack(staff.IN_FORCE), **more)
    await staff.give_staff(station)
    return station


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "plomba", "bench", "terminal", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PLOMBA_LANG": "en"},
    )


def test_a_small_run() -> None:
    ran = bench("--json", "--orders", str(ORDERS), "--codes", str(CODES), "--scans", str(SCANS))
    assert ran.stdout, ran.stderr
    facts = json.loads(ran.stdout.splitlines()[-1])
    assert set(facts) == KEYS
    assert facts["manifest_bytes"] == 42 + 16 * ORDERS + 16 * (ORDERS + CODES)
    assert facts["records"] == sum(facts["mix"].values()) >= SCANS // 2 and facts["lost_scans"] == 0
    assert facts["mix"].keys() == ANSWERS.keys()

    steps = ceil(log2(ORDERS + CODES + 1))
    reads = facts["flash_reads_per_lookup"]
    assert max(reads[f"{kind}_absent"] for kind in ("order", "seal", "uin")) <= steps
    assert facts["flash_reads_per_lookup_max"] == max(reads.values()) <= steps + 1
    assert steps < facts["flash_reads_per_scan_max"] <= 3 * steps + 1
    assert 2 <= facts["programs_per_record"] <= 2.2 and 1 / 16 <= facts["erases_per_record"] + 0.01 <= 0.10
    assert 0 < facts["peak_heap_bytes"] <= facts["heap_gate_bytes"] == HEAP and facts["code_heap_bytes"] > 0
    assert facts["burst"]["scans"] == 10 and facts["burst"]["lost"] == 0

    assert facts["met"].keys() == facts["limits"].keys() >= {"verdict_ms_p95", "burst.seconds", "peak_heap_bytes"}
    for name, limit in facts["limits"].items():
        value = facts
        for part in name.split("."):
            value = value[part]
        assert facts["met"][name] == (value <= limit["at_most"])
    assert ran.returncode == (0 if all(facts["met"].values()) else 1)


@pytest.mark.parametrize("arguments", [("--orders", "10"), ("--codes", "0"), ("--scans", "many")])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert bench(*arguments).returncode == 2


def test_the_list_has_as_many_codes_as_were_asked_for() -> None:
    for count, codes in ((300, 600), (301, 607), (10_000, 20_000)):
        listed = counter.orders(count, codes, PLACE, 1)
        assert len({order.id for order in listed}) == count
        assert sum(len(order.codes) for order in listed) == codes
        assert all(bool(order.seals) == (order.order_class == OrderClass.SEALED) for order in listed)
        further = [kind for order in listed for kind, _ in order.further]
        assert set(further) == {CodeKind.SSCC, CodeKind.S10} and len(further) == codes // 8
        assert 0.1 < sum(order.state == State.HANDING for order in listed) / count < 0.2


@pytest.mark.anyio
async def test_a_day_is_answered_as_its_name_says(tmp_path: Path) -> None:
    """Else the mix would be one of refusals, whatever it is called."""
    listed = counter.orders(60, 120, PLACE, 1)
    station = await ready(tmp_path, listed)
    one_day = list(islice(counter.days(listed, 1), A_DAY))
    count = Counter(what for what, _ in one_day)
    assert count.keys() == ANSWERS.keys()
    assert count["intake"] == count["retrieve"] + count["type"] == counter.DAY["parcels"]
    assert (count["unknown"], count["foreign"], count["repeat"]) == (6, 4, 4)
    assert count["seal"] + count["unreadable"] // 3 == sum(bool(order.seals) for order in listed)
    assert count["item"] == sum(len(order.uins) for order in listed)
    said: Counter[str] = Counter()
    async with Stopwatch(station) as terminal:
        for given in one_day:
            cost = await terminal.do(given)
            said[given[0]] += cost["records"]
            assert not cost["records"] or tuple(cost["answer"]) in ANSWERS[given[0]], given
    # Of what is typed only the last sign is a record, of three readings the last one.
    silent = {"typing": 2, "unreadable": 2, "override": 10}
    for what in count.keys() - {"pin", "news", "handout"}:
        assert said[what] == silent.get(what, count[what]), what
    # The shift and both news, which are shown, and each is acknowledged.
    assert said["pin"] == 2 * counter.DAY["shifts"] and said["news"] == 3 * counter.DAY["shifts"]
    assert said["handout"] == counter.DAY["parcels"] - counter.DAY["refused"]


@pytest.mark.anyio
async def test_a_soak_turns_the_ring_around_and_stays_flat(tmp_path: Path) -> None:
    """128 pages hold a small part of 600 orders: a terminal that kept all of them would grow by 9 KB a quarter."""
    listed = counter.orders(600, 1200, PLACE, 1)
    station = await ready(tmp_path, listed, flash_blocks=FLASH_BLOCKS - 120)
    found = await soak(station, listed, 1, scans=3000, sample=100, receipt=40)
    assert found["scans"] == 3000 and found["records"] > 10 * 128
    assert found["growth_bytes"] <= GROWTH
