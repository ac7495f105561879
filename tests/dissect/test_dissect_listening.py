"""A port is only listened to, for as long as was asked."""

from __future__ import annotations

import pytest

from plomba.dissect import listen
from plomba.errors import TerminalError
from plomba.transport import memory_pair

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_what_arrives_is_timed_from_the_first_bytes_on() -> None:
    near, far = memory_pair()
    await near.open()
    await far.open()
    times = iter((100.0, 105.0, 105.25))
    heard = []
    await far.write(b"one")
    with pytest.raises(TerminalError) as caught:
        async for chunk in listen(near, clock=lambda: next(times)):
            heard.append((chunk.us, chunk.direction, chunk.data))
            if len(heard) == 1:
                await far.write(b"two")
            else:
                await far.close()
    assert caught.value.code == "link_lost"
    assert heard == [(0, 0, b"one"), (250_000, 0, b"two")]


async def test_it_ends_when_its_time_is_over_though_bytes_go_on() -> None:
    near, far = memory_pair()
    await near.open()
    await far.open()
    now = [0.0]
    heard = 0
    await far.write(b"x")
    async for _ in listen(near, 10.0, lambda: now[0]):
        heard += 1
        now[0] += 4.0
        await far.write(b"x")
    assert heard == 3


async def test_it_ends_when_its_time_is_over_and_nothing_came() -> None:
    near, far = memory_pair()
    await near.open()
    await far.open()
    assert [chunk async for chunk in listen(near, 0.001)] == []
