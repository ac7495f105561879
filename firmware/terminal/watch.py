"""Important tasks: when one of them ends, the terminal leaves a trace and starts again; it never goes on half alive.

The watchdog is fed here and nowhere else, so a terminal that hangs starts again too.
"""

import asyncio
import io
import sys

from terminal import files

_TRACE = "trace"
_LONGEST = 64
_FEED_MS = 1000


class Ended(Exception):
    """A task that runs for ever returned."""


class Watch:
    """`alive` while no task has ended. `dog` has feed()."""

    def __init__(self, dog) -> None:
        self.alive = True
        self._dog = dog
        self._event = asyncio.Event()
        self._death: "tuple[str, Exception]" = ("", Ended())
        self._tasks: list[asyncio.Task] = []

    def task(self, name: str, coroutine) -> None:
        """Starts a task that must not end."""
        self._tasks.append(asyncio.create_task(self._guard(name, coroutine)))

    def feed(self) -> None:
        """Keeps the watchdog quiet for another while; the loop and every task are alive."""
        if self.alive:
            self._dog.feed()

    async def first_death(self) -> "tuple[str, Exception]":
        """Waits for a task to end; its name, and what ended it."""
        await self._event.wait()
        return self._death

    async def _guard(self, name: str, coroutine) -> None:
        error: Exception = Ended()
        try:
            await coroutine
        except Exception as raised:
            error = raised
        if self.alive:
            self.alive = False
            self._death = (name, error)
            self._event.set()


async def keep_quiet(dog) -> None:
    """Feeds a watchdog for ever: there is no task to watch."""
    while True:
        dog.feed()
        await asyncio.sleep_ms(_FEED_MS)


def leave_trace(name: str, error: Exception) -> None:
    """Keeps, for the next start's record, which task ended by what and where. Not the error's own words: they may
    hold what was read from paper."""
    sys.print_exception(error)
    kept = "%s: %s%s" % (name, type(error).__name__, _place(error))
    try:
        files.save(_TRACE, kept[:_LONGEST].encode())
    except OSError:
        # Flash is what failed, or is not mounted: the reset has to do without.
        pass


def trace() -> bytes:
    """What stopped the terminal last, as leave_trace kept it; empty when nothing did."""
    return files.load(_TRACE) or b""


def forget_trace() -> None:
    """A record tells of it. Raises OSError."""
    files.save(_TRACE, b"")


def _place(error: Exception) -> str:
    """` at file:line`, from the last line of the traceback that names one."""
    told = io.StringIO()
    sys.print_exception(error, told)
    for line in reversed(told.getvalue().split("\n")):
        parts = line.split('"')
        if len(parts) == 3 and ", line " in parts[2]:
            return " at %s:%s" % (parts[1].split("/")[-1], parts[2].split(", ")[1].split(" ")[1])
    return ""
