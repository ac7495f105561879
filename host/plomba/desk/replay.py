"""Works out from all records where orders stand: what each record counts for, and which orders have to go together."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from plomba.desk.among import among
from plomba.desk.calendars import Calendars
from plomba.desk.course import Course, opening
from plomba.desk.course import Order as Coursed
from plomba.desk.deadlines import Plan
from plomba.desk.decisions import Decision, Decisions
from plomba.desk.handover import PARTIES
from plomba.desk.incidents import Incidents
from plomba.desk.lifecycle import Lifecycle
from plomba.desk.links import links, named, peer_head
from plomba.desk.orders import SEAL_MAX, Order
from plomba.desk.routes import closes
from plomba.desk.standings import Standings
from plomba.desk.steps import Identity, Scan
from plomba.desk.store import Event, Store
from plomba.desk.strays import Strays
from plomba.desk.timeline import in_order
from plomba.desk.times import made
from plomba.desk.traces import Traces
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Action, CodeKind, Flag, Tlv

MEANING = 4
"""Raised with each change of this code, or of what it calls, that may place an order elsewhere by the same records."""
NO_PLAN = Plan(None, None, None, None)
_PAGE = 500
"""Orders that are placed together; more would only cost memory."""


class Fresh(NamedTuple):
    """A record that came. `in_line`: with the others of its terminal that came it follows all that was held of it, in
    time too."""

    event: Event
    in_line: bool


class Replay:
    """Inside a transaction of the store. What it writes follows from imports, records and decisions, by the lifecycle,
    the calendars, and the terminals that the desk knows."""

    def __init__(self, store: Store, lifecycle: Lifecycle, calendars: Calendars) -> None:
        self.traces = Traces(store)
        self.decisions = Decisions(store)
        self.strays = Strays(store)
        self.incidents = Incidents(store, lifecycle.watch)
        self._store = store
        self._lifecycle = lifecycle
        self._calendars = calendars
        self._terminals: set[bytes] = set()

    def enrolled(self) -> None:
        """The terminals that the desk knows have changed."""
        self._terminals = {terminal.id for terminal in self._store.terminals()}

    def advance(self, came: Sequence[Fresh], now: int) -> None:
        """Takes what came into account. A record that counts after all that is known of its order is added to where the
        order stands; what came late makes the order be placed anew, with the same outcome."""
        anew = self._looking_back(came)
        ids = {fresh.event.order_id for fresh in came if fresh.event.order_id is not None} - anew
        courses = self._resumed(ids)
        placing = Standings(self._store)
        touched: dict[str, Course] = {}
        merged: dict[str, tuple[int, bytes]] = {id: kept.merged for id, kept in courses.items()}
        for fresh in sorted(came, key=_counts):
            event, id = fresh.event, fresh.event.order_id
            if id is None or id in anew or id not in courses:
                continue
            course = courses[id].course
            if course is not None and fresh.in_line and self._added(course, event, merged[id]):
                merged[id] = _place(event)
                touched[id] = course
            else:
                anew.add(id)
                touched.pop(id, None)
        self.incidents.settle(list(touched.values()), now)
        for id, course in touched.items():
            placing.put(course, anew=False, merged=merged[id])
        placing.write()
        self.place(anew, now)
        self.strays.came((fresh.event for fresh in came), courses)

    def _added(self, course: Course, event: Event, merged: tuple[int, bytes]) -> bool:
        """Adds the record, when it counts after all that is known of its order and nothing else decides about it."""
        moment = made(event.head, event.received, self._lifecycle.watch.clock_error)
        scan = self._scan(event)
        late = moment is None or moment.when < course.at or _place(event) <= merged
        if late or not course.lone or scan.action in _ENTANGLING:
            return False
        # That no other order has the seal which it may bind was asked for the whole batch.
        course.take(event.number, scan, moment, lambda seal: False)
        return True

    def met(self, terminal: bytes, now: int) -> None:
        """A terminal is known from here on: what names it means a hand-over between two."""
        self.enrolled()
        events = self.traces.naming_terminal(terminal)
        self.place({id for e in events for id in self.concerned(e)}, now)

    def place(self, ids: Iterable[str], now: int) -> None:
        """Places these orders anew, and all that are tied to them."""
        waiting = sorted(set(ids))
        done: set[str] = set()
        while waiting:
            page = [id for id in waiting[:_PAGE] if id not in done]
            waiting = waiting[_PAGE:]
            groups = self.tied(page)
            done |= {id for group in groups for id in group}
            self._anew(groups, now)

    def place_all(self, now: int) -> None:
        """Places all orders anew where another lifecycle or calendar did it, or another meaning of records, or none."""
        self.enrolled()
        rules = f"{MEANING}\n{self._lifecycle.content}\n{self._calendars.content}"
        content = hashlib.sha256(rules.encode()).digest()
        if self._store.query("SELECT lifecycle FROM replayed") == [(content,)]:
            return
        rows = [
            {**links(event.head, event.parts)._asdict(), "number": event.number} for event in self.traces.everything()
        ]
        self._store.write_many(
            "UPDATE events SET bag = :bag, seal = :seal, undoes = :undoes, peer = :peer WHERE number = :number", rows
        )
        self.traces.routes.take(self.traces.everything())
        orders = self._store.orders()
        for order in orders:
            self._store.relink(order)
        self.strays.found()
        self.place([order.id for order in orders], now)
        self._store.write("DELETE FROM replayed")
        self._store.write("INSERT INTO replayed (lifecycle) VALUES (:content)", {"content": content})

    def concerned(self, event: Event, *, in_line: bool = False) -> set[str]:
        """The order a record names, or all that were ever in its bag or set out with the route that it closes. One that
        is `in_line` counts last of an order whose records were all made before: the bag matters where it is by now."""
        head = event.head
        if event.order_id is not None:
            return {event.order_id}
        if head.order_ref:
            return set(self._store.with_ref(head.order_ref))
        own = links(head, event.parts)
        undone = None if own.undoes is None else self._store.event(head.terminal, head.epoch, own.undoes)
        bags = {own.bag, None if undone is None else undone.bag} - {None}
        if in_line and undone is None and own.bag is not None:
            ids = self.traces.maybe_in(own.bag, head.t_utc)
        else:
            ids = {id for bag in bags if bag is not None for id in self.traces.ever_in(bag)}
        closing = event if undone is None else undone
        if closes(closing.head):
            for start in self.traces.routes.started(closing):
                ids |= self.concerned(start)
        return ids

    def tied(self, ids: Iterable[str]) -> list[dict[str, Order]]:
        """These orders, and those that cannot be placed without them: a seal is of one order at a time, so all go
        together that ever had one and the same."""
        orders: dict[str, Order] = {}
        having: dict[bytes, set[str]] = {}
        waiting = set(ids)
        while waiting:
            found = self._store.orders_of(waiting)
            orders |= found
            seals = self.traces.seals_applied(found)
            fresh = set()
            for id, order in found.items():
                for seal in {seal.encode() for seal in order.seals} | seals.get(id, set()):
                    if seal not in having:
                        fresh.add(seal)
                    having.setdefault(seal, set()).add(id)
            waiting = {id for ids in self.traces.sealed_with(fresh).values() for id in ids} - orders.keys()
        group_of = {id: {id} for id in orders}
        for together in having.values():
            group = set().union(*(group_of[id] for id in together))
            for id in group:
                group_of[id] = group
        groups = {min(group): group for group in group_of.values()}
        return [{id: orders[id] for id in sorted(groups[first])} for first in sorted(groups)]

    def _looking_back(self, came: Sequence[Fresh]) -> set[str]:
        """Orders that records among these change otherwise than by counting last."""
        anew: set[str] = set()
        bound: dict[bytes, set[str]] = {}
        for fresh in came:
            event = fresh.event
            if event.order_id is None:
                anew |= self.concerned(event, in_line=fresh.in_line)
            elif event.head.action == Action.SEAL_APPLY:
                bound.setdefault(_seal(event.head, event.parts), set()).add(event.order_id)
        for event in self.traces.naming_records({named(f.event.head.terminal, f.event.head.seq) for f in came}):
            anew |= self.concerned(event)
        for seal, had in self.traces.sealed_with(bound.keys()).items():
            if len(had | bound[seal]) > 1:
                anew |= bound[seal]
        return anew

    def _resumed(self, ids: set[str]) -> dict[str, _Kept]:
        """The courses of these orders as they were kept."""
        if not ids:
            return {}
        rows = self._store.query(
            "SELECT id, class, entered, place, shop, plan, course, merged_t, merged_by FROM orders WHERE id IN :ids",
            {"ids": sorted(ids)},
        )
        found = {}
        for id, order_class, entered, place, shop, plan, course, merged_t, merged_by in rows:
            coursed = self._coursed(id, order_class, entered, place, shop, plan)
            resumed = None if course is None else Course.resumed(coursed, self._lifecycle, course)
            found[id] = _Kept(resumed, (merged_t, merged_by or b""))
        return found

    def _anew(self, groups: Sequence[Mapping[str, Order]], now: int) -> None:
        orders = {id: order for group in groups for id, order in group.items()}
        if not orders:
            return
        events = self.traces.about(orders)
        decided = self.decisions.about(orders)
        opened = {
            id: (imported, plan)
            for id, imported, plan in self._store.query(
                "SELECT id, imported, plan FROM orders WHERE id IN :ids", {"ids": sorted(orders)}
            )
        }
        behind = self.traces.behind([event for of in events.values() for event in of])
        error = self._lifecycle.watch.clock_error
        courses: dict[str, Course] = {}
        for group in groups:
            for id, order in group.items():
                imported, plan = opened[id]
                seals = tuple(seal.encode() for seal in order.seals)
                coursed = self._coursed(id, order.order_class, order.state, order.place, order.shop, plan, seals)
                moving = (event for event in events[id] if self._moves(event.head))
                began = opening(imported, (made(event.head, event.received, error) for event in moving))
                courses[id] = Course.begun(coursed, self._lifecycle, began)
            self._together({id: courses[id] for id in group}, events, decided, behind)
        placing = Standings(self._store)
        self.incidents.settle(list(courses.values()), now, anew=True)
        for id, course in courses.items():
            merged = max(map(_place, events[id]), default=(0, b""))
            placing.put(course, anew=True, merged=merged)
        placing.write()

    def _together(
        self,
        courses: Mapping[str, Course],
        events: Mapping[str, list[Event]],
        decided: Mapping[str, list[Decision]],
        behind: Mapping[int, Identity],
    ) -> None:
        """Takes all that there is of a group, in the order it counts."""
        everything = {event.number: event for id in courses for event in events[id]}
        places: dict[int, list[str]] = {}
        for id in courses:
            for event in events[id]:
                places.setdefault(event.number, []).append(id)

        def taken(seal: bytes) -> bool:
            return any(course.timeline.owns(seal) for course in courses.values())

        decisions = [decision for id in courses for decision in decided.get(id, ())]
        records = in_order(everything.values(), lambda event: behind.get(event.number))
        for it in among(records, decisions, behind):
            if isinstance(it, Decision):
                courses[it.order_id].decide(it.number, it.kind, it.at)
                continue
            scan = self._scan(it)
            moment = made(it.head, it.received, self._lifecycle.watch.clock_error)
            for id in places[it.number]:
                courses[id].take(it.number, scan, moment, taken)
        for id, course in courses.items():
            # Where decisions came between, or the records of other orders decide about the order of these, nothing is
            # just added.
            course.lone = course.lone and len(courses) == 1 and not decided.get(id)

    def _coursed(
        self, id: str, order_class: int, state: int, place: int, shop: str, plan: str, seals: tuple[bytes, ...] = ()
    ) -> Coursed:
        holder = self._lifecycle.holder[state]
        party = PARTIES.get(holder, "").format(place=place, shop=shop)
        return Coursed(id, order_class, state, party, _plan(plan), self._calendars.of(place), seals)

    def _moves(self, head: RecordHead) -> bool:
        """Whether there are moves by such a record: any other says nothing of when an order began."""
        return self._lifecycle.known(head.action, head.verdict) and not head.flags & Flag.TRAINING

    def _scan(self, event: Event) -> Scan:
        return scan_of(event, self._terminals)


def _plan(text: str) -> Plan:
    return Plan(*msgspec.json.decode(text)) if text else NO_PLAN


@dataclass(frozen=True, slots=True)
class _Kept:
    course: Course | None
    merged: tuple[int, bytes]


def _counts(fresh: Fresh) -> tuple[int, bytes, int]:
    return *_place(fresh.event), fresh.event.head.seq


def _place(event: Event) -> tuple[int, bytes]:
    """By what records of several terminals are merged."""
    return event.head.t_utc, event.head.terminal


_ENTANGLING = (Action.BAG_ADD, Action.UNDO)
"""These are never just added to where an order stands: what they mean lies in other records too."""


def _seal(head: RecordHead, parts: dict[int, bytes]) -> bytes:
    """The seal that was read or bound. One of our own is read as a long text, and known by the name beside it."""
    seal = parts.get(Tlv.SEAL, b"")
    if head.action != Action.SEAL_APPLY:
        seal = (seal or parts.get(Tlv.CODE, b"")) if head.code_kind == CodeKind.SEAL else b""
    return seal if len(seal) <= SEAL_MAX else b""


def scan_of(event: Event, terminals: Container[bytes] = ()) -> Scan:
    """What counts of a record. `terminals`: those that the desk knows."""
    head, parts = event.head, event.parts
    reference = parts.get(Tlv.REF_SEQ, b"")
    peer = peer_head(parts)
    known = peer is not None and peer.terminal in terminals and peer.terminal != head.terminal
    return Scan(
        action=head.action,
        verdict=head.verdict,
        claim=head.state_after,
        training=bool(head.flags & Flag.TRAINING),
        overridden=bool(head.flags & Flag.OVERRIDE),
        seal=_seal(head, parts),
        bag=event.bag or b"",
        whole=event.order_id is None and not head.order_ref,
        condition=_number(parts, Tlv.CONDITION, 1),
        quantity=_number(parts, Tlv.QUANTITY, 2),
        need=_number(parts, Tlv.NEED, 1),
        identity=(head.terminal, head.epoch, head.seq),
        refers=(head.terminal, head.epoch, int.from_bytes(reference, "big")) if len(reference) == 4 else None,
        actor=head.actor,
        place=head.place,
        peer=peer.terminal if peer is not None and known else b"",
        stranger=peer is not None and not known and peer.terminal != head.terminal,
        act=parts.get(Tlv.ACT, b""),
    )


def _number(parts: dict[int, bytes], part: int, size: int) -> int:
    value = parts.get(part, b"")
    return int.from_bytes(value, "big") if len(value) == size else 0
