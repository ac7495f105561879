"""The host's idea of a pack is the firmware's: steps in force, gates, needs, hands; and so are changes of a pack."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from pack_texts import FOLDER
from test_rules_changes import BEFORE, DELETIONS, refused

from plomba.desk import rules
from plomba.desk.rules.changes import changes
from plomba.desk.rules.pack import Pack
from plomba.desk.rules.screen_text import COLUMNS, GLYPHS, line_count
from plomba.desk.words import codes

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
Reads = Callable[[Iterable[bytes]], list[str]]


def host_reads(pack: Pack) -> str:
    """What rules_mpy.py answers, from the host's model."""
    out = []
    every = {section: sorted(codes(section).values()) for section in ("mode", "action", "state", "order_class", "hand")}
    for mode in every["mode"]:
        for action in every["action"]:
            steps = pack.in_mode(mode, action)
            for state in every["state"]:
                for step in steps:
                    if step.starts_from(state):
                        needs = "+".join(map(str, step.needs))
                        out.append(f"{mode}.{action}.{state}:{step.to}/{step.fail}/{step.part}/{needs}")
    for code in every["order_class"]:
        gates = pack.of_class(code)
        out += [f"{code} {name}={getattr(gates, name)}" for name in ("seal", "item", "siren_s", "typed")]
        out += [f"{code}.{action}+{need}" for action in every["action"] for need in gates.needs.get(action, ())]
    for hand in every["hand"]:
        modes = pack.hands.get(hand, tuple(every["mode"]))
        out.append(f"hand {hand}={''.join(str(int(mode in modes)) for mode in every['mode'])}")
    out.append(f"{pack.number} {pack.valid_from} {sorted(pack.shift.items())} {sorted(pack.limits.items())}")
    return ";".join(out)


def test_packs_that_ship_mean_the_same_on_both_sides(firmware_reads: Reads) -> None:
    packs = [rules.load(), *(rules.load(FOLDER / f"jewellery-{number}.toml") for number in (1, 2, 3))]
    assert firmware_reads([pack.body for pack in packs]) == [host_reads(pack.checked.pack) for pack in packs]


def test_a_change_is_told_exactly_when_the_firmware_does_otherwise(firmware_reads: Reads) -> None:
    """Over every deletion that can be signed."""
    packs = [rules.compile_pack(text, "f") for _, text in DELETIONS if not refused(text)]
    before, *after = firmware_reads([rules.load().body, *(pack.body for pack in packs)])
    assert len(after) > 60
    assert after == [host_reads(pack.checked.pack) for pack in packs]
    for pack, said in zip(packs, after, strict=True):
        told = [change for change in changes(BEFORE, pack.checked.pack) if change.behaviour]
        assert bool(told) == (said != before)


def test_the_screen_can_draw_what_a_pack_may_say() -> None:
    font = _module("font")
    held = {
        chr((font.RANGES[at] << 8 | font.RANGES[at + 1]) + past)
        for at in range(0, len(font.RANGES), 3)
        for past in range(font.RANGES[at + 2])
    }
    assert held == GLYPHS
    assert font.SMALL[0] * COLUMNS <= 128 < font.SMALL[0] * (COLUMNS + 1)
    assert [line_count(text) for text in ("", " ", "a", "a" * 21, "a" * 22, "a" * 20 + " bb", "a " * 11)] == [
        0,
        0,
        1,
        1,
        2,
        2,
        1,
    ]


def _module(name: str):  # type: ignore[no-untyped-def]
    spec = spec_from_file_location(name, FIRMWARE / "terminal" / "screen" / f"{name}.py")
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
