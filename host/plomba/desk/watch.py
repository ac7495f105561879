"""Looks at the clock for a desk that runs: deadlines that have passed become incidents, whoever asks for what."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from plomba.errors import PlombaError, StoreError

INTERVAL = 5.0
"""Seconds between two looks."""


class Watch:
    """Belongs to the event loop. `tick` says how many orders and incidents it looked at; `changed` is told of it, and
    when looking begins to fail and when it no longer does."""

    def __init__(
        self, tick: Callable[[], Awaitable[int]], changed: Callable[[], None], interval: float = INTERVAL
    ) -> None:
        self.failed: PlombaError | None = None
        """Why the last look did not happen."""
        self._tick = tick
        self._changed = changed
        self._interval = interval

    async def run(self) -> None:
        """Until it is cancelled. A store that fails is tried again at the next look."""
        while True:
            before, looked = self.failed, 0
            try:
                looked = await self._tick()
                self.failed = None
            except StoreError as error:
                self.failed = error
            if looked or (before is None) != (self.failed is None):
                self._changed()
            await asyncio.sleep(self._interval)
