"""How the terminal is: what it finds wrong with itself, and every loss, counted. STATUS says it, and signed records."""

import struct

from micropython import const

from plomba_wire import codec
from plomba_wire.vocabulary import Check, Engine
from terminal import files
from terminal.journal.entry import MAX_PAGES

_LOST = "lost"
_LOW = const(15)
_MOST = const(0xFFFF)
_WATCHDOG_RESET = const(3)


class Health:
    """`engine` is a code of vocabulary.Engine, `found` bits of vocabulary.Check that were seen at the start,
    `lost_scans` how many could not be recorded, ever. `end` is the link whose counters are told, None before there is
    one."""

    def __init__(self, board) -> None:
        stored = (files.load(_LOST) or b"") + bytes(8)
        self.lost_scans, self._told = struct.unpack_from(">II", stored, 0)
        self.reset = board.reset_cause()
        self.found = Check.RESTARTED if self.reset == _WATCHDOG_RESET else 0
        self.engine = Engine.STARTING
        self.engine_faults = 0
        self.end = None
        self._board = board

    @property
    def battery(self) -> int:
        """Percent; 255 = not known."""
        return self._board.battery()

    def lose_scan(self) -> None:
        """A scan was refused because nothing could be recorded. The count outlives the power if flash takes it."""
        self.lost_scans += 1
        self._keep_lost()

    @property
    def untold(self) -> bool:
        """Scans were lost that no record speaks of."""
        return self.lost_scans > self._told

    def told(self) -> None:
        """A record says how many were lost so far."""
        self._told = self.lost_scans
        self._keep_lost()

    def _keep_lost(self) -> None:
        try:
            files.save(_LOST, struct.pack(">II", self.lost_scans, self._told))
        except OSError:
            # Then it is known as long as the power stays on.
            pass

    def checks(self, terminal) -> int:
        """Bits of what is wrong now."""
        bits = self.found
        journal = terminal.journal
        revocations = terminal.revocations
        for wrong, bit in (
            (not terminal.clock.trusted, Check.CLOCK_UNSET),
            (self.battery < _LOW, Check.BATTERY_LOW),
            (journal.free_pages < MAX_PAGES, Check.JOURNAL_FULL),
            (journal.broken, Check.CHAIN_BROKEN),
            (journal.bad_blocks, Check.MEMORY_WORN),
            (terminal.manifest.damaged, Check.MANIFEST_DAMAGED),
            (terminal.rules.damaged, Check.RULES_DAMAGED),
            (terminal.staff.damaged, Check.STAFF_DAMAGED),
            (revocations.damaged, Check.REVOCATIONS_DAMAGED),
            (terminal.seals.damaged, Check.SEALS_DAMAGED),
            (not revocations.damaged and revocations.holds(terminal.identity.id), Check.KEY_REVOKED),
            (terminal.images.too_old, Check.BELOW_FLOOR),
        ):
            if wrong:
                bits |= bit
        return bits

    def pack(self, terminal) -> bytes:
        """codec.Health of this moment."""
        journal = terminal.journal
        end = self.end
        counters = (end.bad, end.stale, end.errors, end.muted, end.resent) if end is not None else (0, 0, 0, 0, 0)
        return codec.Health(
            self.battery,
            self.reset,
            self.engine,
            self.checks(terminal),
            journal.free_pages,
            min(journal.torn, _MOST),
            min(journal.bad_blocks, _MOST),
            journal.broken,
            self.lost_scans,
            self.engine_faults,
            *counters,
        ).pack()
