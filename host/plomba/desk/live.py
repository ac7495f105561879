"""Tells every open page that the book has changed. A page that was slow or away sees only that it is behind."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable

HEARTBEAT = 15.0
"""Seconds after which a silent stream says that it is alive."""


class Live:
    """Belongs to the event loop."""

    def __init__(self) -> None:
        # After a restart the count begins anew: the token of an old page must not fit by chance.
        self._boot = secrets.token_hex(4)
        self._number = 0
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def revision(self) -> str:
        """Changes with every change of the book."""
        return f"{self._boot}-{self._number}"

    @property
    def changed(self) -> asyncio.Event:
        """Is set when the book changes after this was asked for, and when all streams end."""
        return self._changed

    @property
    def closed(self) -> bool:
        """Whether all streams have to end."""
        return self._closed

    def change(self) -> None:
        """The book has changed."""
        self._number += 1
        self._wake()

    def close(self) -> None:
        """Ends all streams."""
        self._closed = True
        self._wake()

    async def stream(self, still: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
        """Server-sent events: the revision at once, and again whenever it is another one. Ends when `still`, asked at
        each change and each heartbeat, says that whoever listens may no more."""
        yield "retry: 1000\n\n"
        told = ""
        while not self._closed:
            changed = self._changed
            if not await still():
                return
            if told != self.revision:
                told = self.revision
                yield f"data: {told}\n\n"
            try:
                await asyncio.wait_for(changed.wait(), HEARTBEAT)
            except TimeoutError:
                yield ":\n\n"

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
