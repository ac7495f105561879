"""Important tasks: when one of them dies the terminal stops loudly and leaves a trace; it never goes on half alive."""

import asyncio


class Watch:
    """Starts tasks that must not end by an exception."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._death: "Exception | None" = None
        self._tasks: list[asyncio.Task] = []

    def task(self, name: str, coroutine) -> None:
        self._tasks.append(asyncio.create_task(self._guard(name, coroutine)))

    async def first_death(self) -> None:
        """Waits for a task to die and raises what killed it."""
        await self._event.wait()
        assert self._death is not None
        raise self._death

    async def _guard(self, name: str, coroutine) -> None:
        try:
            await coroutine
        except Exception as error:
            print("task died:", name)
            self._death = error
            self._event.set()
