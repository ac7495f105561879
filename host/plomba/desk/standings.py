"""What the replay writes: where orders stand, what each record did, and who answered for them since when."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from plomba.desk.course import Course
from plomba.desk.store import Store

Row = dict[str, Any]


class Standings:
    """Gathers the rows of many orders, and writes each table at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._placed: list[Row] = []
        self._moved: list[Row] = []
        self._effects: list[Row] = []
        self._ended: list[Row] = []
        self._spells: list[Row] = []
        self._bindings: list[Row] = []
        self._anew: list[str] = []

    def put(self, course: Course, *, anew: bool, merged: tuple[int, bytes]) -> None:
        """What came of an order since its course was resumed; or all of it, `anew`. `merged`: time and terminal of the
        record that counts last by them."""
        order, standing = course.order, course.standing
        if anew:
            self._anew.append(order.id)
        last = next((effect.number for effect in reversed(course.effects) if not effect.decided), None)
        (self._placed if anew else self._moved).append(
            {
                "id": order.id,
                "state": standing.state,
                "holder": standing.holder,
                "party": standing.party,
                "bag": standing.bag or None,
                "last": last,
                "course": course.keep().decode(),
                "seals": len(standing.seals),
                "records": course.records,
                "disputed": sum(effect.step.disputed for effect in course.effects),
                "merged_t": merged[0],
                "merged_by": merged[1],
                "check_at": course.check_at,
                "awaited": None,
                "unheard": None,
            }
        )
        for effect in course.effects:
            step = effect.step
            self._effects.append(
                {
                    "id": order.id,
                    "position": effect.position,
                    "event": None if effect.decided else effect.number,
                    "decision": effect.number if effect.decided else None,
                    "at": effect.at,
                    "before": step.before,
                    "after": step.after,
                    "claim": step.claim,
                    "why": step.why,
                    "disputed": int(step.disputed),
                }
            )
        self._custody(course, anew)
        # An order that goes on has its imported seals among those that it had.
        had = set(order.seals) if anew else course.effects[0].step.was.seals
        gone = frozenset() if anew else course.effects[0].step.was.broken
        for seal in sorted((standing.seals - had) | (standing.broken - gone)):
            self._bindings.append({"id": order.id, "seal": seal, "broken": int(seal in standing.broken)})

    def write(self) -> None:
        """All that was put."""
        if self._anew:
            for table in ("effects", "custody", "bindings"):
                self._store.write(f"DELETE FROM {table} WHERE order_id IN :ids", {"ids": self._anew})
        many = self._store.write_many
        self._store.update_many("custody", "order_id", self._ended, only="custody.until IS NULL")
        many(
            "INSERT INTO custody (order_id, position, since, until, kind, party, owed)"
            " VALUES (:id, :position, :since, :until, :kind, :party, :owed)",
            self._spells,
        )
        many(
            "INSERT INTO effects (order_id, position, event, decision, at, before, after, claim, why, disputed)"
            " VALUES (:id, :position, :event, :decision, :at, :before, :after, :claim, :why, :disputed)",
            self._effects,
        )
        many(
            "INSERT INTO bindings (order_id, seal, broken) VALUES (:id, :seal, :broken)"
            " ON CONFLICT (order_id, seal) DO UPDATE SET broken = :broken",
            self._bindings,
        )
        further = {"last": "coalesce(:last, orders.last)", "disputed": "orders.disputed + :disputed"}
        self._store.update_many("orders", "id", self._moved, further)
        self._store.update_many("orders", "id", self._placed)

    def _custody(self, course: Course, anew: bool) -> None:
        spells: Sequence[Any] = course.spells
        if spells and not anew:
            self._ended.append({"order_id": course.order.id, "until": spells[0].since})
        for spell, after in zip_longest(spells, spells[1:]):
            self._spells.append(
                {
                    "id": course.order.id,
                    "position": spell.position,
                    "since": spell.since,
                    "until": None if after is None else after.since,
                    "kind": spell.kind,
                    "party": spell.party,
                    "owed": int(spell.owed),
                }
            )
