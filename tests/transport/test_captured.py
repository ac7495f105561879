"""A capture around a transport: what is written down when, and a file that cannot be written is a clear error."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from plomba import capture
from plomba.errors import TerminalError, UsageError
from plomba.transport import CapturedTransport, ReplayTransport, memory_pair


def test_a_capture_that_cannot_be_begun(tmp_path: Path) -> None:
    near, far = memory_pair()

    async def scenario() -> None:
        with pytest.raises(UsageError) as caught:
            await CapturedTransport(near, tmp_path / "no folder" / "x.plcap").open()
        assert caught.value.code == "capture_unwritable"
        await far.open()

    with pytest.raises(TerminalError) as caught:
        asyncio.run(scenario())
    assert caught.value.code == "port_missing", "the line inside was closed again"


def test_the_question_stands_before_its_answer(tmp_path: Path) -> None:
    near, far = memory_pair()

    async def scenario() -> None:
        captured = CapturedTransport(near, tmp_path / "x.plcap")
        await captured.open()
        await far.open()

        async def answer() -> None:
            await far.write(await far.read())

        await asyncio.gather(answer(), captured.write(b"?"), captured.read())
        await captured.close()

    asyncio.run(scenario())
    chunks = capture.read(tmp_path / "x.plcap")
    assert [chunk.direction for chunk in chunks] == [capture.TO_DEVICE, capture.FROM_DEVICE]


def test_what_a_write_that_fails_wanted_is_in_the_capture(tmp_path: Path) -> None:
    near, far = memory_pair()

    async def scenario() -> None:
        captured = CapturedTransport(near, tmp_path / "x.plcap")
        await captured.open()
        await far.close()
        for _ in range(2):
            with pytest.raises(TerminalError):
                await captured.write(b"in vain")
            await captured.close()

    asyncio.run(scenario())
    assert [chunk.data for chunk in capture.read(tmp_path / "x.plcap")] == [b"in vain"]


def test_a_replay_has_no_rate(tmp_path: Path) -> None:
    (tmp_path / "x.plcap").write_bytes(capture.MAGIC)
    replay = ReplayTransport(tmp_path / "x.plcap")
    assert replay.baud is None and replay.name == os.fspath(tmp_path / "x.plcap")
    with pytest.raises(TerminalError) as caught:
        asyncio.run(replay.set_baud(9600))
    assert caught.value.code == "baud_unsupported"
