"""Composition root: reads the board, wires the parts, runs them."""

import preload  # isort: skip

import asyncio
import gc
import sys

import boards
from terminal import files, health
from terminal.engine.gm65 import EngineAbsent, Gm65
from terminal.link.serial import SerialLink
from terminal.terminal import Terminal

_SCAN_KEY = "scan"
_TICK_MS = 200

assert preload


async def read_codes(engine: Gm65, terminal: Terminal, trigger: asyncio.Event) -> None:
    """The scan key asks the engine for one reading."""
    try:
        await engine.start()
    except EngineAbsent:
        terminal.presenter.engine_absent()
        return
    tries = 0
    while True:
        await trigger.wait()
        trigger.clear()
        tries += 1
        seen = await engine.scan()
        if seen is None:
            terminal.nothing_read()
        else:
            terminal.scan(seen[0], seen[1], tries)
            tries = 0
        gc.collect()


async def read_keys(board, terminal: Terminal, trigger: asyncio.Event) -> None:
    while True:
        key = await board.key()
        if key == _SCAN_KEY:
            trigger.set()
        else:
            terminal.press(key)


async def pass_time(terminal: Terminal, link: SerialLink) -> None:
    """Deadlines, and the erase ahead of need: it takes 45 ms with interrupts off, so it is done between scans."""
    while True:
        await asyncio.sleep_ms(_TICK_MS)
        terminal.tick()
        link.tick()
        terminal.journal.idle()


async def run() -> None:
    board = boards.current()
    files.mount(board.file_range(), board.journal_region())
    terminal = Terminal(board)
    gc.collect()
    trigger = asyncio.Event()
    link = SerialLink(board.link_uart(), terminal, board.LINK_BAUDS)
    watch = health.Watch()
    watch.task("engine", read_codes(Gm65(board.engine_uart()), terminal, trigger))
    watch.task("keys", read_keys(board, terminal, trigger))
    watch.task("link", link.listen())
    watch.task("news", link.announce())
    watch.task("time", pass_time(terminal, link))
    board.ready()
    await watch.first_death()


try:
    asyncio.run(run())
except Exception as error:
    sys.print_exception(error)
    sys.exit(1)
