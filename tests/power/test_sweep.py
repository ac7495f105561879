"""`python3 tools sweep power`: no promise is broken by any cut, and a broken promise is found and found again."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tasks
from plomba.errors import PlombaError
from plomba.sim.interpreter import interpreter

ROOT = Path(__file__).resolve().parents[2]
WORKLOADS = ("journal", "config", "manifest", "rules", "lists", "epoch", "image")


@pytest.fixture(scope="module", autouse=True)
def _interpreter() -> None:
    try:
        interpreter()
    except PlombaError as error:
        pytest.skip(error.what())


def sweep(*arguments: str, root: Path = ROOT) -> tuple[int, dict[str, Any], str]:
    """Exit code, the JSON object of the last line, and what stands before it."""
    command = [sys.executable, str(root / "tools" / "sweep.py"), "power", *arguments]
    # A broken tree has no host of its own.
    paths = os.pathsep.join(str(ROOT / folder) for folder in ("host", "protocol"))
    env = {**os.environ, "PYTHONPATH": paths}
    finished = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert finished.returncode in (0, 1) and finished.stdout, finished.stdout + finished.stderr
    *before, last = finished.stdout.splitlines()
    return finished.returncode, json.loads(last), "\n".join(before)


def clean(cuts: int, code: int, report: dict[str, Any], said: str) -> None:
    assert (code, report["violations"]) == (0, 0), said
    assert report["cuts"] >= cuts and report["depth"] == 2
    assert tuple(report["workloads"]) == WORKLOADS
    for name, found in report["workloads"].items():
        assert found["operations"] > 50 and found["cuts"] > cuts // 20, (name, found)
        assert found["second_cuts"] > cuts // 100, (name, found)
        assert found["bad_block_runs"] > cuts // 150, (name, found)


def test_cuts_at_every_workload_break_no_promise() -> None:
    clean(1000, *sweep("--cuts", "1000"))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_cuts_break_no_promise() -> None:
    clean(100_000, *sweep("--long"))


BREAKS = {
    "journal: a block is not erased on entry": (
        "terminal/journal/ring.py",
        "        while block != self._erased and",
        "        while self._erased == -2 and",
    ),
    "journal: a torn page is written once more": (
        "terminal/journal/survey.py",
        "                self.page = page + 1\n",
        "                self.page = page\n",
    ),
    "journal: what has no receipt is erased": (
        "terminal/journal/ring.py",
        "            if self._newest_in[block] > self.receipted:\n                raise JournalFull",
        "            if self._newest_in[block] > self.receipted + 40:\n                raise JournalFull",
    ),
    "journal: the numbers of an unreadable block are given again": (
        "terminal/journal/survey.py",
        "            self._lose(PER_BLOCK, block)\n",
        "",
    ),
    "journal: a block that does not take a page ends the work": (
        "terminal/journal/ring.py",
        "            return entry.load(page) and entry.unsigned\n        except OSError",
        "            return entry.load(page) and entry.unsigned\n        except IndexError",
    ),
    "config: the old value goes before the new one comes": (
        "terminal/files.py",
        "    os.rename(",
        "    if load(name) is not None:\n        os.remove(_FOLDER + name)\n    os.rename(",
    ),
    "config: LittleFS is told that what cannot be read is corrupt": (
        "terminal/flash.py",
        "        return self._device.readblocks(self._first + block, buffer, offset)\n",
        "        return _CORRUPT if self._device.readblocks(self._first + block, buffer, offset) else 0\n",
    ),
    "manifest: a block is counted unseen": (
        "terminal/objects/transfer.py",
        "            if found != self._list.hashes",
        "            if not found and found != self._list.hashes",
    ),
    "manifest: the title comes first": (
        "terminal/objects/transfer.py",
        "            self.slot.write_front(self.bundle)\n",
        "            self.slot.write_front(self.bundle)\n"
        "            self.slot.seal(self.offer[1], self.offer[3], self._list.size)\n",
    ),
    "rules: the same version is taken again": (
        "terminal/objects/rules.py",
        "        if transfer.offer[1] <= self.newest:\n",
        "        if transfer.offer[1] < self.newest:\n",
    ),
    "rules: what waits goes before it is in force": (
        "terminal/objects/rules.py",
        "        if bundle is not None:\n            files.save(_FILE, bundle)\n",
        "        if bundle is not None:\n            __import__('os').remove('/state/rules_next')\n"
        "            files.save(_FILE, bundle)\n",
    ),
    "rules: what waits takes force before its date": (
        "terminal/objects/rules.py",
        "        if waiting is None or not utc or utc < waiting.begins:\n",
        "        if waiting is None or not utc or utc < waiting.begins - 1:\n",
    ),
    "rules: what is due is lost by what comes": (
        "terminal/objects/rules.py",
        "            self.turn(utc)\n",
        "",
    ),
    "lists: the same one is taken again": (
        "terminal/objects/staff.py",
        "        if number <= self.number:\n",
        "        if number < self.number:\n",
    ),
    "lists: one person's reading is another's": (
        "terminal/work/people.py",
        "        acks = dict(self._read())\n",
        "        acks = {badge: number for badge in self._read()}\n",
    ),
    "lists: what is remembered of one is ahead of it": (
        "terminal/objects/revocations.py",
        "        files.save(_FILE, transfer.bundle)\n",
        "        newest.Newest().rise(ObjectKind.REVOCATIONS, number)\n        files.save(_FILE, transfer.bundle)\n",
    ),
    "epoch: the ring is emptied before the certificate is kept": (
        "terminal/journal/epoch.py",
        "        files.save(_COMING, certificate)\n",
        "        _empty(region)\n        files.save(_COMING, certificate)\n",
    ),
    "image: a try is not counted before it begins": (
        "terminal/update.py",
        "                self._tries += 1\n                self._save()\n",
        "                self._tries += 1\n",
    ),
}


RARE = {"journal: the numbers of an unreadable block are given again": "2500"}
"""Cuts it takes; the others are found in a thousand."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree that can be broken."""
    root = tmp_path_factory.mktemp("broken")
    for folder in ("firmware", "protocol", "tests/power", "tests/journal", "tools"):
        shutil.copytree(ROOT / folder, root / folder)
    return root


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_promise_is_found_and_found_again_by_the_command_that_is_printed(copy: Path, what: str) -> None:
    name, before, after = BREAKS[what]
    path = copy / "firmware" / name
    healthy = path.read_text(encoding="utf-8")
    assert healthy.count(before) == 1, f"{name} has another text now"
    path.write_text(healthy.replace(before, after), encoding="utf-8")
    try:
        workload = what.partition(":")[0]
        code, report, said = sweep("--workload", workload, "--cuts", RARE.get(what, "1000"), root=copy)
        assert code == 1 and report["violations"], said
        lines = said.splitlines()
        at = next(at for at, line in enumerate(lines) if "→" in line)
        command = shlex.split(lines[at].partition("→")[2])
        assert command[:4] == ["python3", "tools", "sweep", "power"]
        code, report, again = sweep(*command[4:], root=copy)
        assert code == 1 and lines[at - 1] in again, (lines[at - 1], again)
    finally:
        path.write_text(healthy, encoding="utf-8")
    code, report, again = sweep(*command[4:], root=copy)
    assert (code, report["violations"]) == (0, 0), again


def test_as_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.environment, "ready", lambda: None)
    command = [sys.executable, *tasks.TASKS["sweep"](["power", "--workload", "config", "--cuts", "20"])[1:]]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout.splitlines()[-1])["cuts"] >= 20
    assert "sweep power" in tasks.USAGE


@pytest.mark.parametrize(
    "token", ["journal", "journal:1:cut=999999,0", "nothing:1", "journal:1:bad=rust,0,1", "journal:1:then=1,1"]
)
def test_what_names_no_case_is_said(token: str) -> None:
    command = [sys.executable, str(ROOT / "tools" / "sweep.py"), "power", "--replay", token]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ, check=False)
    assert (finished.returncode, finished.stdout) == (2, "") and token in finished.stderr, finished
