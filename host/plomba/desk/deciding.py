"""Taking a decision at the desk: what it must say, the record it stands on, and whether the order can be decided so."""

from __future__ import annotations

import re

from plomba.desk.decisions import Outcome
from plomba.desk.lifecycle import Decided, Lifecycle
from plomba.desk.replay import Replay
from plomba.desk.steps import DONE, MOVED
from plomba.desk.store import Store
from plomba.desk.words import names
from plomba.errors import UsageError

_RECORD = re.compile(r"([0-9a-f]{16})-([0-9]{1,10})-([0-9]{1,10})")
_U32 = 0xFFFFFFFF


class Deciding:
    """Inside a transaction of the store: what was refused leaves nothing, once that is broken off."""

    def __init__(self, store: Store, lifecycle: Lifecycle, replay: Replay) -> None:
        self._store = store
        self._lifecycle = lifecycle
        self._replay = replay

    def take(
        self,
        kind: str,
        order_id: str,
        now: int,
        *,
        person: str,
        record: str = "",
        source: str = "",
        external_id: str = "",
        reason: str = "",
    ) -> Outcome:
        """Raises UsageError: see `Book.decide`."""
        rows = self._store.query("SELECT state FROM orders WHERE id = :id", {"id": order_id})
        if not rows:
            raise UsageError("desk_order_unknown", order=order_id)
        decided = self._lifecycle.decisions.get(kind)
        if decided is None:
            raise UsageError("desk_decision_kind", found=kind, known=", ".join(self._lifecycle.decisions))
        self._said(kind, decided, person=person, source=source, external_id=external_id)
        if record or decided.record:
            self._stands(kind, decided.record, order_id, record)
        state = rows[0][0]
        if state not in decided.origins:
            raise UsageError("desk_decision_state", kind=kind, order=order_id, state=names("state")[state])
        # It counts after all that is known of the order, whatever the clocks of desk and terminals say.
        known = self._store.next_event() - 1
        number = self._replay.decisions.add(kind, order_id, now, record, person, source, external_id, reason, known)
        self._replay.place([order_id], now)
        (outcome,) = self._replay.decisions.listed(order_id, number - 1, 1)
        if not outcome.moved:
            raise UsageError("desk_decision_state", kind=kind, order=order_id, state=names("state")[state])
        return outcome

    def _said(self, kind: str, decided: Decided, **fields: str) -> None:
        """What stands on no record says where it came from. A person answers for each."""
        for field, value in fields.items():
            if not value.strip() and (field == "person" or not decided.record):
                raise UsageError("desk_decision_field", kind=kind, field=field)

    def _stands(self, kind: str, action: int, order_id: str, record: str) -> None:
        """Raises UsageError desk_decision_record unless the record is here, is of this action (0: any), did something
        to this order, and was not taken back."""
        found = _RECORD.fullmatch(record)
        identity = (bytes.fromhex(found[1]), int(found[2]), int(found[3])) if found else (b"", 0, 0)
        rows: list[tuple[str, int]] = []
        if found and max(identity[1:]) <= _U32:
            event = self._store.event(*identity)
            if (
                event is not None
                and event.identity == record
                and action in (0, event.head.action)
                and not self._undone(order_id, identity)
            ):
                rows = self._store.query(
                    "SELECT why, event FROM effects WHERE order_id = :id AND event = :event",
                    {"id": order_id, "event": event.number},
                )
        if not any(why in (MOVED, DONE) for why, _ in rows):
            raise UsageError(
                "desk_decision_record",
                kind=kind,
                order=order_id,
                record=record or "—",
                action=names("action").get(action, "—"),
            )

    def _undone(self, order_id: str, identity: tuple[bytes, int, int]) -> bool:
        """Whether it is taken back by a record that was not taken back itself."""
        terminal, epoch, seq = identity
        rows = self._store.query(
            "SELECT e.seq, e.undoes FROM effects f JOIN events e ON e.number = f.event"
            " WHERE f.order_id = :id AND f.why IN :counted"
            " AND e.terminal = :terminal AND e.epoch = :epoch AND e.undoes IS NOT NULL ORDER BY e.seq DESC",
            {"terminal": terminal, "epoch": epoch, "id": order_id, "counted": [MOVED, DONE]},
        )
        undone: set[int] = set()
        for by, undoes in rows:
            if by not in undone:
                undone.add(undoes)
        return seq in undone
