"""The peers are real programs over the same relay, and what they carried is there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from plomba.bench import peers
from plomba.errors import PlombaError

pytestmark = pytest.mark.anyio

needs_lrzsz = pytest.mark.skipif(shutil.which("sz") is None, reason="sz and rz are not installed (lrzsz)")


@needs_lrzsz
async def test_zmodem_streams(tmp_path: Path) -> None:
    peer = await peers.zmodem(tmp_path, 100_000)
    assert peer.size == 100_000 and 0.93 < peer.efficiency < 0.98
    assert peer.round_trips < 8


async def test_mpremote_waits_for_each_piece(tmp_path: Path) -> None:
    peer = await peers.mpremote(tmp_path, 4096)
    assert peer.efficiency < 0.5
    assert peer.round_trips > 4096 // 256


@needs_lrzsz
async def test_a_peer_that_fails_is_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "sz").write_text("#!/bin/sh\nexit 7\n", encoding="ascii")
    (bin / "sz").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin}:/usr/bin:/bin")
    with pytest.raises(PlombaError) as raised:
        await peers.zmodem(tmp_path, 1000)
    assert raised.value.code == "bench_peer_failed" and "exit 7" in str(raised.value)
