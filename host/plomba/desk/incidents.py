"""Incidents: what was not done in time, or was reported as wrong. One for each deadline, never erased.

An order whose terminal has not reported past the deadline is NOT HEARD, nobody's fault, until it reports or stays
silent too long. What came late says by how much; what was done in time and only heard late says that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from plomba.desk.course import LATE, REPORTED, TAKEN_BACK, Course, Ended, Kept, Wait
from plomba.desk.custody import Owner, owner
from plomba.desk.deadlines import Watch
from plomba.desk.seen import EVERYTHING, Seen
from plomba.desk.store import Store
from plomba.errors import UsageError
from plomba_wire.vocabulary import State

OPENED = "opened"
SILENT = "silent"
AGAIN = "again"
ESCALATED = "escalated"
CLOSED = "closed"
"""What a note says beside what became of the deadline: the incident was opened; it was so although a terminal is
silent; what had settled it was taken back; nobody has closed it for so long; a person has."""

_PAGE = 500
_ACTIVE = 86400
"""A terminal that has not been heard for so long before a deadline is not waited for, s."""
_INCIDENT = (
    "number, order_id, entry, kind, state, due, opened, holder, party, value, currency, outcome, closed, level,"
    " escalates"
)


@dataclass(frozen=True, slots=True)
class Incident:
    """`due` is the deadline that passed, `opened` when the desk found it, s since 1970; the holder answered for the
    order at that deadline, `value` in minor units. `outcome`: course.py, None while it waits; `level`: how often it was
    escalated."""

    number: int
    order_id: str
    entry: str
    kind: str
    state: int
    due: int
    opened: int
    holder: str
    party: str
    value: int | None
    currency: str
    outcome: str | None
    closed: int | None
    level: int
    escalates: int | None


@dataclass(frozen=True, slots=True)
class Note:
    """One line under an incident. `seconds`: how late; `record`: the record that says so; `person`: who wrote it."""

    number: int
    at: int
    what: str
    record: str
    seconds: int | None
    person: str
    text: str


class _Held(NamedTuple):
    """An incident that is there; `late`: by how much, as it was noted last."""

    number: int
    outcome: str | None
    late: int | None


class Incidents:
    """Inside a transaction of the store."""

    def __init__(self, store: Store, watch: Watch) -> None:
        self._store = store
        self._watch = watch
        self._rows: list[dict[str, Any]] = []
        self._notes: list[dict[str, Any]] = []

    def settle(self, courses: Sequence[Course], now: int, *, anew: bool = False) -> None:
        """What became of deadlines, written down. Marks the waits of a course that is placed `anew` for which there is
        an incident already."""
        self._begin()
        news = [course for course in courses if anew or any(_tells(ended) for ended in course.ended.values())]
        if not news:
            return
        held = self._held([course.order.id for course in news])
        money = self._money([course.order.id for course in news])
        for course in news:
            own = held.get(course.order.id, {})
            for key, ended in course.ended.items():
                self._settle(course, own.get(key), ended, money[course.order.id], now)
            if anew:
                self._compare(course, own, now)
        self._write()

    def tick(self, now: int) -> int:
        """Opens the incidents of deadlines that have passed by `now`, and escalates; returns how many it looked at."""
        self._begin()
        looked = 0
        while rows := self._store.query(
            "SELECT id, place, holder, party, value, currency, course FROM orders WHERE check_at <= :now"
            " ORDER BY check_at, number LIMIT :page",
            {"now": now, "page": _PAGE},
        ):
            looked += len(rows)
            heard = self._store.query("SELECT terminal, place, heard FROM terminals")
            checks = []
            for id, place, holder, party, value, currency, course in rows:
                kept = _KEPT.decode(course)
                awaited, unheard, check_at = b"", None, []
                for wait in kept.waits:
                    if wait.told:
                        continue
                    if wait.due > now:
                        check_at.append(wait.due)
                        continue
                    silent = _silent(wait, place, heard)
                    if silent and now < wait.due + self._watch.silence:
                        # Two that are waited for at once: the order is looked at with every tick.
                        check_at.append(wait.due + self._watch.silence if awaited in (b"", silent) else now + 1)
                        awaited, unheard = silent, min(wait.due, unheard or wait.due)
                        continue
                    wait.told = True
                    held = owner(self._store, id, wait.due) or Owner(holder, party)
                    number = self._open(id, wait, held, (value, currency), now)
                    if silent:
                        self._note(number, now, SILENT, text=silent.hex())
                checks.append(
                    {
                        "id": id,
                        "course": msgspec.json.encode(kept).decode(),
                        "check_at": min(check_at, default=None),
                        "awaited": awaited or None,
                        "unheard": unheard,
                    }
                )
            self._write()
            self._store.write_many(
                "UPDATE orders SET course = :course, check_at = :check_at, awaited = :awaited, unheard = :unheard"
                " WHERE id = :id",
                checks,
            )
        return looked + self._escalate(now)

    def heard(self, terminals: Collection[bytes]) -> None:
        """These terminals have reported: the orders that wait for them are looked at again."""
        if terminals:
            self._store.write(
                "UPDATE orders SET check_at = unheard WHERE awaited IN :terminals AND unheard IS NOT NULL",
                {"terminals": sorted(terminals)},
            )

    def listed(
        self,
        *,
        order_id: str | None = None,
        kind: str | None = None,
        open: bool = False,
        after: int = 0,
        limit: int = 500,
        seen: Seen = EVERYTHING,
    ) -> list[Incident]:
        """By number, from behind `after`; about the orders that are `seen`."""
        condition, narrowing = seen
        where = f"i.number > :after AND {condition}" + (" AND i.closed IS NULL" if open else "")
        values: dict[str, Any] = {**narrowing, "after": after, "limit": limit}
        for column, wanted in (("order_id", order_id), ("kind", kind)):
            if wanted is not None:
                where += f" AND i.{column} = :{column}"
                values[column] = wanted
        columns = ", ".join(f"i.{name}" for name in _INCIDENT.split(", "))
        rows = self._store.query(
            f"SELECT {columns} FROM incidents i JOIN orders o ON o.id = i.order_id WHERE {where}"
            " ORDER BY i.number LIMIT :limit",
            values,
        )
        return [Incident(*row) for row in rows]

    def get(self, number: int) -> Incident:
        """Raises UsageError `desk_incident_unknown`."""
        rows = self._store.query(f"SELECT {_INCIDENT} FROM incidents WHERE number = :number", {"number": number})
        if not rows:
            raise UsageError("desk_incident_unknown", number=number)
        return Incident(*rows[0])

    def notes(self, number: int) -> list[Note]:
        rows = self._store.query(
            "SELECT number, at, what, record, seconds, person, text FROM incident_notes WHERE incident = :incident"
            " ORDER BY number",
            {"incident": number},
        )
        return [Note(*row) for row in rows]

    def told(self, after: int, limit: int) -> list[tuple[Incident, Note]]:
        """Notes with the incident that each is about, in the order they were written, from behind number `after` on."""
        columns = ", ".join(f"i.{name}" for name in _INCIDENT.split(", "))
        rows = self._store.query(
            f"SELECT n.number, n.at, n.what, n.record, n.seconds, n.person, n.text, {columns} FROM incident_notes n"
            " JOIN incidents i ON i.number = n.incident WHERE n.number > :after ORDER BY n.number LIMIT :limit",
            {"after": after, "limit": limit},
        )
        return [(Incident(*row[7:]), Note(*row[:7])) for row in rows]

    def last_note(self) -> int:
        """The number of the newest note, 0 = there is none."""
        number: int | None = self._store.query("SELECT max(number) FROM incident_notes")[0][0]
        return number or 0

    def close(self, number: int, person: str, text: str, now: int) -> None:
        """A person has dealt with it; what they write stays. Raises UsageError `desk_incident_unknown`,
        `desk_incident_closed`."""
        if self.get(number).closed is not None:
            raise UsageError("desk_incident_closed", number=number)
        self._begin()
        self._note(number, now, CLOSED, person=person, text=text)
        self._write()
        self._store.write(
            "UPDATE incidents SET closed = :now, escalates = NULL WHERE number = :number",
            {"now": now, "number": number},
        )

    def _begin(self) -> None:
        """Nothing is left of a transaction that was broken off."""
        self._rows, self._notes = [], []

    def _settle(
        self,
        course: Course,
        held: _Held | None,
        ended: Ended,
        money: tuple[int | None, str],
        now: int,
    ) -> None:
        id = course.order.id
        if held is None:
            if ended.what == REPORTED:
                self._open(id, ended.wait, Owner(ended.holder, ended.party), money, now, ended)
            elif ended.what == LATE:
                number = self._open(id, ended.wait, self._answered(course, ended), money, now, ended)
                self._note(number, now, LATE, record=ended.record, seconds=ended.late)
        elif ended.what == REPORTED:
            if held.outcome is not None:
                self._note(held.number, now, AGAIN, record=ended.record)
                self._outcome(held.number, None)
        elif ended.what != held.outcome or (ended.what == LATE and ended.late != held.late):
            self._note(held.number, now, ended.what, record=ended.record, seconds=ended.late or None)
            self._outcome(held.number, ended.what)

    def _answered(self, course: Course, ended: Ended) -> Owner:
        """Who held the order at the deadline."""
        for spell in reversed(course.spells):
            if spell.since <= ended.wait.due:
                return Owner(spell.kind, spell.party)
        return owner(self._store, course.order.id, ended.wait.due) or Owner(ended.holder, ended.party)

    def _compare(self, course: Course, held: dict[tuple[str, str], _Held], now: int) -> None:
        """Incidents of deadlines that run, and of some that nothing began as it is known now."""
        running = {(wait.entry, wait.kind): wait for wait in course.waits}
        for key, one in held.items():
            if key in course.ended:
                continue
            if key in running:
                running[key].told = True
                if one.outcome is not None:
                    self._note(one.number, now, AGAIN)
                    self._outcome(one.number, None)
            elif one.outcome != TAKEN_BACK:
                self._note(one.number, now, TAKEN_BACK)
                self._outcome(one.number, TAKEN_BACK)

    def _open(
        self,
        order_id: str,
        wait: Wait,
        held: Owner,
        money: tuple[int | None, str],
        now: int,
        ended: Ended | None = None,
    ) -> int:
        number = self._next("incidents", self._rows)
        outcome = LATE if ended is not None and ended.what == LATE else None
        self._rows.append(
            {
                "number": number,
                "order_id": order_id,
                "entry": wait.entry,
                "kind": wait.kind,
                "state": wait.state,
                "due": wait.due,
                "opened": now,
                "holder": held.kind,
                "party": held.party,
                "value": money[0],
                "currency": money[1],
                "outcome": outcome,
                "closed": None,
                "level": 0,
                "escalates": now + self._watch.escalate[0] if outcome is None and self._watch.escalate else None,
            }
        )
        self._note(number, now, OPENED, record=ended.record if ended is not None else "")
        return number

    def _outcome(self, number: int, outcome: str | None) -> None:
        """What became of it. One that waits again is open again, whoever has closed it."""
        self._write()
        steps = self._watch.escalate
        (opened, level), *_ = self._store.query(
            "SELECT opened, level FROM incidents WHERE number = :number", {"number": number}
        )
        escalates = opened + steps[level] if outcome is None and level < len(steps) else None
        self._store.write(
            "UPDATE incidents SET outcome = :outcome, escalates = :escalates,"
            " closed = CASE WHEN :waits = 1 THEN NULL ELSE closed END WHERE number = :number",
            {"outcome": outcome, "escalates": escalates, "waits": int(outcome is None), "number": number},
        )

    def _escalate(self, now: int) -> int:
        rows = self._store.query(
            "SELECT number, level, opened FROM incidents WHERE escalates <= :now ORDER BY number", {"now": now}
        )
        steps = self._watch.escalate
        for number, level, opened in rows:
            level += 1
            self._note(number, now, ESCALATED, text=str(level))
            self._store.write(
                "UPDATE incidents SET level = :level, escalates = :next WHERE number = :number",
                {"number": number, "level": level, "next": opened + steps[level] if level < len(steps) else None},
            )
        self._write()
        return len(rows)

    def _held(self, ids: Sequence[str]) -> dict[str, dict[tuple[str, str], _Held]]:
        found: dict[str, dict[tuple[str, str], _Held]] = {}
        for order_id, entry, kind, *held in self._store.query(
            "SELECT i.order_id, i.entry, i.kind, i.number, i.outcome, (SELECT n.seconds FROM incident_notes n"
            " WHERE n.incident = i.number AND n.what = :late ORDER BY n.number DESC LIMIT 1)"
            " FROM incidents i WHERE i.order_id IN :ids",
            {"ids": sorted(ids), "late": LATE},
        ):
            found.setdefault(order_id, {})[entry, kind] = _Held(*held)
        return found

    def _money(self, ids: Sequence[str]) -> dict[str, tuple[int | None, str]]:
        rows = self._store.query("SELECT id, value, currency FROM orders WHERE id IN :ids", {"ids": sorted(ids)})
        return {id: (value, currency) for id, value, currency in rows}

    def _note(
        self,
        incident: int,
        at: int,
        what: str,
        *,
        record: str = "",
        seconds: int | None = None,
        person: str = "",
        text: str = "",
    ) -> None:
        self._notes.append(
            {
                "number": self._next("incident_notes", self._notes),
                "incident": incident,
                "at": at,
                "what": what,
                "record": record,
                "seconds": seconds,
                "person": person,
                "text": text,
            }
        )

    def _next(self, table: str, waiting: list[dict[str, Any]]) -> int:
        if waiting:
            return int(waiting[-1]["number"]) + 1
        return int(self._store.query(f"SELECT max(number) FROM {table}")[0][0] or 0) + 1

    def _write(self) -> None:
        rows, self._rows = self._rows, []
        self._store.write_many(
            f"INSERT INTO incidents ({_INCIDENT}) VALUES (:number, :order_id, :entry, :kind, :state, :due, :opened,"
            " :holder, :party, :value, :currency, :outcome, :closed, :level, :escalates)",
            rows,
        )
        notes, self._notes = self._notes, []
        self._store.write_many(
            "INSERT INTO incident_notes (number, incident, at, what, record, seconds, person, text) VALUES (:number,"
            " :incident, :at, :what, :record, :seconds, :person, :text)",
            notes,
        )


def newest_open(store: Store, limit: int) -> list[Incident]:
    """The incidents that nobody has closed, newest first."""
    rows = store.query(
        f"SELECT {_INCIDENT} FROM incidents WHERE closed IS NULL ORDER BY number DESC LIMIT :limit", {"limit": limit}
    )
    return [Incident(*row) for row in rows]


_KEPT = msgspec.json.Decoder(Kept)


def _tells(ended: Ended) -> bool:
    """Whether there is something to be written down about it."""
    return ended.wait.told or ended.what in (LATE, REPORTED)


def _silent(wait: Wait, place: int, heard: Sequence[tuple[Any, ...]]) -> bytes:
    """The terminal that may hold what is waited for, and has not reported past the deadline; b"" for none. That is the
    one which is named, or that began the wait; where none is named, each that was in use near the order."""
    other_half = wait.state == State.HANDING and wait.terminal
    for terminal, at_place, until in heard:
        near = not other_half and at_place == place and until >= wait.due - _ACTIVE
        if (terminal == wait.terminal or near) and until < wait.due:
            return bytes(terminal)
    return b""
