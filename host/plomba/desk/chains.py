"""Where the chain of each terminal ends, remembered between batches: what runs on from there needs no look into the
book."""

from __future__ import annotations

from dataclasses import dataclass

from plomba.desk.store import Store, Terminal
from plomba_wire import chain


@dataclass(slots=True)
class ChainEnd:
    """`through` is the highest contiguous record held, `highest` the highest of all, `digest` its chain value."""

    through: int
    highest: int
    digest: bytes


class Chains:
    """Of one store, by terminal and epoch."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._generation = 0
        self._terminals: dict[bytes, Terminal] = {}
        self._ends: dict[tuple[bytes, int], ChainEnd] = {}
        self._newest: dict[bytes, int] = {}

    def forget(self) -> None:
        """What was remembered may not be what is on disk."""
        self._terminals.clear()
        self._ends.clear()
        self._newest.clear()

    def check(self) -> None:
        """Forgets what was remembered over a connection that was lost, or a transaction that was broken off."""
        if self._generation != self._store.database.generation:
            self.forget()
            self._generation = self._store.database.generation

    def terminal(self, id: bytes) -> Terminal | None:
        found = self._terminals.get(id) or self._store.terminal(id)
        if found is not None:
            self._terminals[id] = found
        return found

    def end(self, terminal: Terminal, epoch: int) -> ChainEnd:
        key = terminal.id, epoch
        found = self._ends.get(key)
        if found is None:
            through = self._store.through(*key)
            highest = max([through, *self._store.later(*key, through)])
            held = self._store.held(*key, [highest])
            digest = held[highest].digest if highest in held else chain.genesis(terminal.public, epoch)
            found = self._ends[key] = ChainEnd(through, highest, digest)
        return found

    def newest_epoch(self, terminal: bytes) -> int:
        """The newest epoch of which a record is held, 0 = none."""
        if terminal not in self._newest:
            self._newest[terminal] = self._store.newest_epoch(terminal)
        return self._newest[terminal]

    def moved(self, terminal: bytes, epoch: int, end: ChainEnd) -> None:
        """Records of that epoch were added."""
        self._ends[terminal, epoch] = end
        self._newest[terminal] = max(self.newest_epoch(terminal), epoch)
