"""A real docking of the real firmware, recorded and taken apart: nothing in it is unknown, and every signature fits."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from recorded import shown
from workbench import BADGE, PLACE, Workbench, label, plain, sealed

from plomba import capture
from plomba.dissect import Dissector, Entry, KeyRing
from plomba.dock import enrol
from plomba.terminal import Terminal
from plomba.transport import open_transport
from plomba_wire.vocabulary import ObjectKind

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def dissected(path: Path, keys: KeyRing) -> tuple[list[Entry], Any]:
    dissector = Dissector(keys)
    reader = capture.Reader(path)
    entries = [entry for chunk in reader for entry in dissector.feed(chunk)]
    entries += dissector.end(reader.left)
    return entries, dissector.summary()


async def test_enrolment_objects_and_a_sync(tmp_path: Path) -> None:
    async with Workbench(tmp_path) as bench:
        screens = len(bench.terminal.screens)
        async with Terminal(open_transport(bench.terminal.port, tmp_path / "enrol.plcap")) as session:
            now = int(time.time())
            task = asyncio.create_task(
                enrol(session, bench.organisation, bench.ledger, label="bench", place=PLACE, now=now, patience=10.0)
            )
            await bench.terminal.wait(lambda: len(bench.terminal.screens) > screens, "root on its screen")
            bench.terminal.press("ok")
            bench.enrolled = await task
        await bench.push_rules()
        manifest = bench.manifest([plain(f"C-{number}") for number in range(300)] + [sealed("S-1", ["PLB:7"])], 1)
        async with Terminal(open_transport(bench.terminal.port, tmp_path / "push.plcap")) as session:
            await session.push(ObjectKind.MANIFEST, 1, manifest)
        await bench.terminal.engine_ready()
        await bench.terminal.scan(BADGE)
        for number in range(9):
            await bench.terminal.scan(label(f"C-{number}"))
        await bench.dock.sync(bench.terminal.port, capture=tmp_path / "sync.plcap")
        stored = bench.records()
        root = bench.organisation.trust.root
        public = {bench.enrolled.id: bench.enrolled.public}
    for name in ("enrol", "push", "sync"):
        path = tmp_path / f"{name}.plcap"
        entries, summary = dissected(path, KeyRing(root=root, ledger=public.get))
        assert set(summary["kinds"]) <= {"frame", "zeros"}, (name, summary["kinds"])
        assert [fault for entry in entries for fault in entry.faults] == []
        assert summary["signatures"]["bad"] == summary["signatures"]["unchecked"] == 0, shown(entries)
        assert summary["signatures"]["ok"] > 0 and summary["unanswered"] == []
        # What a session before it had still to say may come late; within this one nothing is out of place.
        assert set(summary["notes"]) <= {"no_session"}, (name, summary["notes"])
        assert 7 + 13 * summary["chunks"] + summary["bytes"] == path.stat().st_size
    entries, summary = dissected(tmp_path / "push.plcap", KeyRing())
    content = next(entry for entry in entries if "package" in entry.fields).fields["package"]["content"]  # type: ignore[index]
    assert len(content["orders"]) == 301 and len(content["codes"]) == 302
    entries, summary = dissected(tmp_path / "sync.plcap", KeyRing())
    (known,) = summary["records"]
    assert (known["first"], known["last"], known["count"]) == (1, len(stored), len(stored))
    heads = [record["head"] for entry in entries for record in entry.fields.get("records", [])]  # type: ignore[attr-defined]
    assert [(head["seq"], head["action"].code) for head in heads] == [(r.head.seq, r.head.action) for r in stored]
    assert summary["signatures"]["unchecked"] > 0, "without its key nothing of a terminal is called ok"
