"""The power goes at every flush and every rename in turn: the folder is the old one or the new one, and usable."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


class PowerCut(BaseException):
    """No `except` of the code under test takes it for one of its own."""


class Supply:
    """Cuts the power at the `at`-th flush or rename. What was written and not flushed by then is lost."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self.left = at
        self.cut = False
        self.unflushed: dict[int, int] = {}  # inode -> a descriptor of our own
        replace, fsync, opening = os.replace, os.fsync, os.open

        def opened(path: Path, flags: int, mode: int = 0o777, **more: int) -> int:
            descriptor = opening(path, flags, mode, **more)
            if flags & os.O_CREAT:
                self.unflushed[os.fstat(descriptor).st_ino] = os.dup(descriptor)
            return descriptor

        def replacing(source: Path, target: Path) -> None:
            self.tick()
            replace(source, target)

        def flushing(descriptor: int) -> None:
            self.tick()
            fsync(descriptor)
            kept = self.unflushed.pop(os.fstat(descriptor).st_ino, None)
            if kept is not None:
                os.close(kept)

        monkeypatch.setattr(os, "open", opened)
        monkeypatch.setattr(os, "replace", replacing)
        monkeypatch.setattr(os, "fsync", flushing)

    def tick(self) -> None:
        self.left -= 1
        if self.left <= 0:
            self.cut = True
            raise PowerCut

    def go_dark(self) -> None:
        """After the cut, when every file is closed."""
        for descriptor in self.unflushed.values():
            if self.cut:
                os.ftruncate(descriptor, 0)
            os.close(descriptor)


def at_every_cut(
    folder: Path, change: Callable[[Path], None], look: Callable[[Path], bool], extra: tuple[str, ...] = ()
) -> int:
    """Runs `change` on copies of `folder`; `look` says whether it sees the new state. Number of cuts."""
    states = []
    for at in itertools.count(1):
        copy = folder.parent / f"copy{at}" / folder.name
        if folder.exists():
            shutil.copytree(folder, copy)
        else:
            copy.parent.mkdir()
        with pytest.MonkeyPatch.context() as patched:
            supply = Supply(patched, at)
            with contextlib.suppress(PowerCut):
                change(copy)
            supply.go_dark()
        states.append(look(copy))
        if not supply.cut:
            break
        change_again(copy, change, look)
        shutil.rmtree(copy.parent)
    assert states == sorted(states), "once the change is seen it stays"
    assert states[0] is False
    assert states[-1] is True
    return len(states) - 1


def change_again(copy: Path, change: Callable[[Path], None], look: Callable[[Path], bool]) -> None:
    """After a crash the same command works, or says that it is done already."""
    if not look(copy):
        change(copy)
    assert look(copy)
    left = {path.name for path in copy.rglob("*")}
    assert not {".next"} & left
