"""Composition root: reads the board, wires the parts, runs them."""

import preload  # isort: skip

import asyncio
import gc

import boards
from plomba_wire.vocabulary import Check, Engine
from terminal import files, selftest, update, watch
from terminal.engine.gm65 import EngineAbsent, Gm65
from terminal.heap import Compact
from terminal.link.serial import SerialLink
from terminal.presenter import Presenter
from terminal.terminal import Terminal
from terminal.version import FIRMWARE

_SCAN_KEY = "scan"
_TICK_MS = 200

assert preload


async def read_codes(engine: Gm65, terminal: Terminal, trigger: asyncio.Event) -> None:
    """Finds the engine; then the scan key asks it for one reading. One that falls silent is looked for again."""
    tries = 0
    while True:
        try:
            await engine.start()
            terminal.health.engine = Engine.READY
            while True:
                await trigger.wait()
                trigger.clear()
                tries += 1
                seen = await engine.scan()
                terminal.health.engine_faults = engine.ignored + engine.unanswered
                if seen is None:
                    terminal.nothing_read()
                else:
                    terminal.scan(seen[0], seen[1], tries)
                    tries = 0
                gc.collect()
        except EngineAbsent:
            terminal.health.engine = Engine.SILENT
            terminal.health.engine_faults = engine.ignored + engine.unanswered
            terminal.presenter.engine_absent()
            await trigger.wait()


async def read_keys(board, terminal: Terminal, trigger: asyncio.Event) -> None:
    while True:
        key = await board.key()
        if key == _SCAN_KEY:
            trigger.set()
        else:
            terminal.press(key)


async def pass_time(board, terminal: Terminal, link: SerialLink, tasks: watch.Watch) -> None:
    """Deadlines, the watchdog, and the erase ahead of need: it takes 45 ms with interrupts off, so it is done between
    scans."""
    while True:
        await asyncio.sleep_ms(_TICK_MS)
        tasks.feed()
        terminal.tick()
        link.tick()
        terminal.journal.idle()
        if terminal.restart_due and link.idle and not terminal.flow.busy:
            board.reset()


async def stand_still(board, dog, check: int) -> None:
    """Shows why nothing goes on, until OK asks for another start. An image that is being tried gets no such rest: the
    watchdog ends it, and the try is counted."""
    try:
        language, tried = files.load("language"), update.on_trial(FIRMWARE)
    except OSError:
        language, tried = None, False
    Presenter(board, language or b"ru").failed(check)
    board.ready()
    rest = None if tried else asyncio.create_task(watch.keep_quiet(dog))
    while await board.key() != "ok":
        pass
    if rest is not None:
        rest.cancel()


async def run(board) -> None:
    """Ends when the terminal has to start again."""
    dog = board.watchdog()
    try:
        files.mount(board.file_range(), board.journal_region())
    except OSError:
        await stand_still(board, dog, Check.STATE_LOST)
        return
    try:
        with Compact():
            terminal = Terminal(board)
    except Exception as error:
        watch.leave_trace("start", error)
        check = selftest.stops(error)
        if check:
            await stand_still(board, dog, check)
        return
    gc.collect()
    trigger = asyncio.Event()
    tasks = watch.Watch(dog)
    link = SerialLink(board.link_uart(), terminal, board.LINK_BAUDS)
    tasks.task("engine", read_codes(Gm65(board.engine_uart()), terminal, trigger))
    tasks.task("keys", read_keys(board, terminal, trigger))
    tasks.task("link", link.listen())
    tasks.task("news", link.announce())
    tasks.task("time", pass_time(board, terminal, link, tasks))
    board.ready()
    watch.leave_trace(*await tasks.first_death())


board = boards.current()
board.begin()
try:
    asyncio.run(run(board))
except Exception as error:
    watch.leave_trace("run", error)
board.reset()
