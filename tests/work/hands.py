"""People at a terminal: what they scan and press, and what its signed records say came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from weakref import WeakKeyDictionary

from workbench import PLACE, Workbench

from plomba.desk import rules as rule_packs
from plomba.desk import staff as staff_lists
from plomba.desk.orders import Order
from plomba.errors import TerminalError
from plomba.sim.gm65 import SeenCode
from plomba.trust.records import VerifiedRecord
from plomba_wire.schema import VOCABULARY
from plomba_wire.vocabulary import Action, ObjectKind, OrderClass

CLERK, COURIER, PACKER, SUPERVISOR, WORN = 42, 43, 44, 50, 45
PIN = {CLERK: "1234", SUPERVISOR: "987654"}
_QUIET = (Action.BOOT, Action.TIME_SET, Action.OBJECT_SET)
_QUIET_S = 0.4
_ENGINE_GIVES_UP_MS = 6000
Step = SeenCode | str | Sequence[SeenCode] | Callable[[], Awaitable[None]]
_last: WeakKeyDictionary[Workbench, SeenCode | str] = WeakKeyDictionary()
SAMPLE = Path(rule_packs.__file__).with_name("sample.toml")


def card(name: str) -> SeenCode:
    return SeenCode("QRCode", f"PLB*{name}".encode())


def typed(text: str) -> list[SeenCode]:
    """The cards of its signs, and ENTER."""
    return [*(card(f"DIGIT*{sign}") for sign in text), card("ENTER")]


def order(id: str, state: int, *, seals: Sequence[str] = (), uins: Sequence[str] = (), **more: object) -> Order:
    kind = OrderClass.SEALED if seals or uins else OrderClass.PLAIN
    return Order(id, kind, state, PLACE, 9000, "RUB", "shop", "A-1", tuple(seals), tuple(uins), **more)  # type: ignore[arg-type]


def staff(*, until: int = 0) -> str:
    """The staff list of these tests; the badge WORN ends at `until`."""
    rows = [(CLERK, "CLERK"), (COURIER, "COURIER"), (PACKER, "PACKER"), (SUPERVISOR, "SUPERVISOR"), (WORN, "CLERK")]
    text = "number = 1\n"
    for number, hand in rows:
        text += f'[[badge]]\nnumber = {number}\nhand = "{hand}"\n'
        if number in PIN:
            text += f'pin = "{PIN[number]}"\n'
        if number == WORN and until:
            text += f"until = {datetime.fromtimestamp(until, UTC).isoformat()}\n"
    return text


async def give_staff(bench: Workbench, text: str) -> None:
    listed = staff_lists.compile_list(text, "staff.toml")
    body = listed.body(bench.organisation.desk.key.public)
    await bench.push(ObjectKind.STAFF, listed.number, bench.signed(ObjectKind.STAFF, body, listed.number))


async def give_rules(bench: Workbench, text: str) -> None:
    pack = rule_packs.compile_pack(text, "rules.toml")
    await bench.push(ObjectKind.RULES, pack.number, bench.signed(ObjectKind.RULES, pack.body, pack.number))


def changed(*changes: tuple[str, str], number: int = 2) -> str:
    """The sample pack with pieces of its text in place of others, under another number."""
    text = SAMPLE.read_text(encoding="utf-8").replace("number = 1\n", f"number = {number}\n", 1)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


async def play(bench: Workbench, *steps: Step) -> list[str]:
    """Scans and keys one after the other; "ACTION VERDICT" of every record they made.

    A step is a code, several, a key (`ok`, `back`), `unread` for three readings that fail, `wait` and seconds, or
    something that is done at the dock.
    """
    before = len(await heard(bench))
    for step in steps:
        if callable(step):
            await step()
            continue
        for one in [step] if isinstance(step, (SeenCode, str)) else step:
            if one == _last.get(bench):
                # The same code within 1.5 s is one scan.
                await bench.terminal.warp(1600)
            _last[bench] = one
            await _do(bench, one)
    return [said(record) for record in (await heard(bench))[before:]]


async def heard(bench: Workbench) -> list[VerifiedRecord]:
    await bench.sync()
    return docked(bench)


def docked(bench: Workbench) -> list[VerifiedRecord]:
    """What people made and the dock has."""
    return [record for record in bench.records() if record.head.action not in _QUIET]


def said(record: VerifiedRecord) -> str:
    return f"{_name('action', record.head.action)} {_name('verdict', record.head.verdict)}"


def _name(section: str, code: int) -> str:
    names: dict[int, str] = {entry["code"]: name for name, entry in VOCABULARY[section].items()}
    return names[code]


async def _do(bench: Workbench, step: SeenCode | str) -> None:
    terminal = bench.terminal
    screens = len(terminal.screens)
    if isinstance(step, str) and step.startswith("wait "):
        await terminal.warp(int(step[5:]) * 1000)
        return
    if step == "unread":
        for _ in range(3):
            terminal.press("scan")
            await terminal.wait_until(lambda: terminal.engine_reading)
            await terminal.warp(_ENGINE_GIVES_UP_MS)
            await terminal.wait_until(lambda: not terminal.engine_reading)
        await terminal.wait(lambda: len(terminal.screens) > screens, "screen")
        return
    if isinstance(step, str):
        terminal.press("ok" if step == "ok" else "back")
    else:
        terminal.show(step)
        terminal.press("scan")
    try:
        await terminal.wait(lambda: len(terminal.screens) > screens, "screen", _QUIET_S if step == "back" else 10.0)
    except TerminalError:
        if step != "back":
            raise
    finally:
        terminal.show()
    assert bench.enrolled is not None
    async with bench.session() as session:
        # One step may bring two screens; it answers when it is done with both.
        await session.status(bench.enrolled.public)
