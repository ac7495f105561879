"""Empties the outbox: in the order of the log, at least once on the wire, once in effect by the record's identity."""

from __future__ import annotations

from collections.abc import Callable

from plomba.errors import NotForwarded, PlombaError
from plomba.forward.desk import Desk
from plomba.ledger import Ledger

_BATCH = 200
_BACK_OFF_S = (1.0, 5.0, 30.0, 300.0, 1800.0)


class Forwarder:
    """`clock` is seconds since 1970."""

    def __init__(self, ledger: Ledger, desk: Desk, clock: Callable[[], float]) -> None:
        self._ledger = ledger
        self._desk = desk
        self._clock = clock

    async def run(self, *, now: bool = False) -> int:
        """Forwards what is due, or with `now` all that waits; returns how many records the desk has taken.

        Raises NotForwarded when the desk does not answer; the records wait, with a later due time.
        """
        taken = 0
        while True:
            batch = self._ledger.due(float("inf") if now else self._clock(), _BATCH)
            if not batch:
                return taken
            try:
                results = await self._desk.take([queued.record for queued in batch])
            except PlombaError as error:
                attempts = min(batch[0].attempts, len(_BACK_OFF_S) - 1)
                self._ledger.postpone(batch, self._clock() + _BACK_OFF_S[attempts])
                raise NotForwarded("not_forwarded", count=self._ledger.counts()["waiting"], reason=error) from error
            done = [queued for queued, result in zip(batch, results, strict=True) if result.status != "refused"]
            self._ledger.forwarded(done)
            taken += len(done)
            for queued, result in zip(batch, results, strict=True):
                if result.status == "refused":
                    self._ledger.refused(queued, result.reason)
