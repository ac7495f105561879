"""A firmware that breaks a promise is found by random people, and the way there is told."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import pytest
from boards_in_processes import Died
from organisation_scene import Company
from test_people import a_day
from witness import Breach

from plomba.sim.interpreter import firmware_path

STEPS, DAYS = 400, 12
BREAKS = {
    "a sealed order leaves without its seal": (
        "steps.py",
        "            if gate > INSPECTS or (",
        "            if (",
        "without its seal",
    ),
    "who takes over names nobody": (
        "handover.py",
        "        if self.act:\n            decision.parts[Tlv.ACT] = self.act\n",
        "",
        "taken over from nobody",
    ),
    "a decision is not counted": (
        "ladder.py",
        '    flow.people.spend("override")\n',
        "",
        "more often than a shift may",
    ),
    "a typed seal needs no photo": (
        "steps.py",
        '        if item.typed and rules.gate(order_class, "typed") > 1:\n',
        '        if item.typed and rules.gate(order_class, "typed") > 9:\n',
        "without a photo",
    ),
    "what the other side signed for is taken back": (
        "undo.py",
        "        self._steps = self._steps[last + 1 :]\n",
        "",
        "the other side signed for",
    ),
    "another's seal is as good as its own": (
        "seals.py",
        "    elif elsewhere or (owner != parcel.ref and (owner or parcel.bound)):",
        "    elif owner < 0:",
        "seal counts",
    ),
    "a used seal counts again": (
        "parcels.py",
        "            self._used[_tag(seal)] = ref\n",
        "            pass\n",
        "a seal that left already",
    ),
    "anybody decides": (
        "people.py",
        "return badge != self.actor and (",
        "return (badge != self.actor) or (",
        "decided by",
    ),
    "a PIN is recorded": (
        "ladder.py",
        "        decision.secret = True\n",
        "        decision.secret = False\n",
        "PIN",
    ),
    "a hold is let go by a reason alone": (
        "steps.py",
        "        if need not in held and need not in item.allowed",
        "        if need not in held and need != Verdict.NEED_SUPERVISOR and need not in item.allowed",
        "decided by",
    ),
    "a scan comes to nothing": (
        "reading.py",
        "    if fault:\n        return [refused(fault, CodeKind.UNKNOWN)]\n",
        "    if fault:\n        return []\n",
        "without a record",
    ),
    "a state is kept from before": (
        "flow.py",
        "            item.parcel.state = self.parcels.state(item.parcel.ref) or item.parcel.state\n",
        "            pass\n",
        "before it the order was",
    ),
}
KEPT = ("a sealed order leaves without its seal", "who takes over names nobody", "another's seal is as good as its own")
"""The others take longer."""


def found(folder: Path, name: str) -> str:
    """What was found in a copy that is broken so, "" for nothing."""
    file, before, after, _ = BREAKS[name]
    firmware = folder / "firmware"
    shutil.copytree(firmware_path()[1], firmware)
    path = firmware / "terminal" / "work" / file
    healthy = path.read_text(encoding="utf-8")
    assert healthy.count(before) == 1, f"{file} has another text now"
    path.write_text(healthy.replace(before, after), encoding="utf-8")
    with Company(folder, firmware) as company:
        for day in range(DAYS):
            random = Random(day)
            try:
                a_day(company, [random.getrandbits(32) for _ in range(STEPS)], spare_listed=bool(day % 3))
            except (Breach, Died) as breach:
                return str(breach)
    return ""


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "name", [name if name in KEPT else pytest.param(name, marks=pytest.mark.long) for name in BREAKS]
)
def test_a_broken_promise_is_found(tmp_path: Path, name: str) -> None:
    assert BREAKS[name][3] in found(tmp_path, name)
