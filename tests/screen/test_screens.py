"""The screens: what differs looks different, and the ones people learn by heart do not change by accident."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from pixels import HEADLINE, lit
from screen_rig import Screen

from plomba.sim.screen_png import to_text
from plomba_wire.schema import VOCABULARY

SNAPSHOTS = Path(__file__).resolve().parent / "snapshots"
ICONS = ["none", "ok", "cross", "arrow", "seal", "question", "hand"]
FINGERPRINT = bytes(range(11, 256, 8)) + b"\xfe"

ASK_SEAL: dict[str, Any] = {
    "headline": "СКАНИРУЙ ПЛОМБУ",
    "icon": "hand",
    "code_tail": "00934F7K",
    "progress": (2, 5),
    "next_step": "НЕ ОТДАВАЙ без скана пломбы",
    "mode": "ВЫДАЧА",
    "due": "",
    "journal_count": 12,
    "battery": 80,
    "clock_ok": True,
    "latched": True,
}
OTHERWISE = [
    {"headline": "СКАНИРУЙ ПЛОМБЫ"},
    {"icon": "cross"},
    {"code_tail": "00934F7X"},
    {"progress": (3, 5)},
    {"progress": (2, 6)},
    {"progress": (2, 0)},
    {"progress": None},
    {"next_step": "НЕ ОТДАВАЙ без скана пломб"},
    {"mode": "ПРИЁМКА"},
    {"due": "38м"},
    {"journal_count": 13},
    {"battery": 10},
    {"battery": None},
    {"clock_ok": False},
    {"latched": False},
]


@pytest.mark.parametrize("change", OTHERWISE, ids=lambda change: next(iter(change)))
def test_each_fact_shows(screen: Screen, change: dict[str, Any]) -> None:
    assert screen.draw("verdict", **ASK_SEAL) != screen.draw("verdict", **{**ASK_SEAL, **change})


def test_only_the_last_four_of_the_code_show(screen: Screen) -> None:
    assert screen.draw("verdict", **ASK_SEAL) == screen.draw("verdict", **{**ASK_SEAL, "code_tail": b"4F7K"})


def test_icons_differ_in_shape(screen: Screen) -> None:
    drawn = [lit(screen.draw("icon", 0, 0, icon)) for icon in [*ICONS, "no such icon"]]
    for one, other in itertools.combinations(drawn, 2):
        assert len(one ^ other) >= 32


@pytest.mark.parametrize("icon", ICONS)
def test_the_headline_is_in_inverse_when_refused(screen: Screen, icon: str) -> None:
    bright = len(lit(screen.draw("verdict", **{**ASK_SEAL, "icon": icon})) & HEADLINE) > len(HEADLINE) / 2
    assert bright == (icon in {"cross", "hand", "question"})


@pytest.mark.parametrize("size", [8, 16, 32])
def test_every_digit_of_a_fingerprint_shows(screen: Screen, size: int) -> None:
    words = {"title": "Корень организации", "prompt": "OK = принять"}
    shown = [screen.draw("enrol", FINGERPRINT[:size], **words)]
    for nibble in range(2 * size):
        other = bytearray(FINGERPRINT[:size])
        other[nibble // 2] ^= 0x50 if nibble % 2 == 0 else 0x05
        shown.append(screen.draw("enrol", bytes(other), **words))
    assert len(set(shown)) == len(shown)


def test_a_message_shows_four_lines_and_no_fifth(screen: Screen) -> None:
    lines = ["ключи", "журнал", "часы", "сканер"]
    assert screen.draw("message", "ПРОВЕРКА", lines) != screen.draw("message", "ПРОВЕРКА", lines[:3])
    assert screen.draw("message", "ПРОВЕРКА", [*lines, "пятая"]) == screen.draw("message", "ПРОВЕРКА", lines)
    assert screen.draw("message", "ПРОВЕРКА", []) != bytes(1024)


@pytest.mark.parametrize("battery", [-5, 0, 101])
def test_a_strange_gauge_is_no_fault(screen: Screen, battery: int) -> None:
    screen.draw("verdict", **{**ASK_SEAL, "battery": battery, "journal_count": 10**9, "progress": (10**9, 10**9)})


SCREENS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "ask_seal": ("verdict", (), ASK_SEAL),
    "seal_right": (
        "verdict",
        (),
        {
            **ASK_SEAL,
            "headline": "ПЛОМБА ВІРНА",
            "icon": "seal",
            "next_step": "Віддаєш: натисни OK",
            "mode": "ВИДАЧА",
        },
    ),
    "unknown": (
        "verdict",
        (),
        {
            **ASK_SEAL,
            "headline": "UNKNOWN CODE",
            "icon": "question",
            "code_tail": "\x1b[3\u202e",
            "next_step": "No such order on the list. Set it aside",
            "mode": "INTAKE",
            "progress": None,
            "battery": None,
            "clock_ok": False,
        },
    ),
    "idle": (
        "idle",
        (),
        {"headline": "СКАНИРУЙ", "count": 128, "hint": "Заказов в списке", "mode": "ВЫДАЧА", "battery": 100},
    ),
    "enrol": ("enrol", (FINGERPRINT,), {"title": "Корень организации", "prompt": "Сверь. OK = принять"}),
    "token": ("token", (b"PLT*%8K.Q2 EA/9B0D2QO09I/DNCBLC7-0G", "КОД ПЕРЕДАЧИ", ["Терминал 7Q2M", "№ 1204"]), {}),
    "message": ("message", ("НЕИСПРАВНОСТЬ", ["Не сканируй. Отдай в ремонт", "E07"]), {}),
}


@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_is_as_it_was(screen: Screen, name: str) -> None:
    """A screen that is meant to change: delete its snapshot, run, look at the new one."""
    function, arguments, keywords = SCREENS[name]
    picture = to_text(screen.draw(function, *arguments, **keywords)) + "\n"
    path = SNAPSHOTS / f"{name}.txt"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(picture, encoding="utf-8", newline="\n")
        pytest.fail(f"wrote {path.name}: look at it")
    assert picture == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", VOCABULARY["languages"])
def test_every_check_is_readable_to_its_last_letter(screen: Screen, lang: str) -> None:
    for name, entry in VOCABULARY["check"].items():
        headline, next_step = entry[lang]
        whole = screen.draw("message", headline, [next_step])
        assert whole != screen.draw("message", headline, [next_step[:-1]]), (name, next_step)
        assert whole != screen.draw("message", headline[:-1], [next_step]), (name, headline)
