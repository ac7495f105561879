"""Orders of a file into the book: everything is checked before anything is written, and written in few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from plomba.desk import intake, order_cells
from plomba.desk.intake import Requirements
from plomba.desk.orders import Arrival, BadCell, ImportRefused, Mistakes, Order, code_taken
from plomba.desk.paging import pages
from plomba.desk.personal import Personal
from plomba.desk.replay import Replay
from plomba.desk.store import Store
from plomba.desk.versions import REFUSED, SHOP, TAKEN, Said, Versions
from plomba.errors import UsageError
from plomba_wire.vocabulary import CodeKind


@dataclass(frozen=True, slots=True)
class Imported:
    """Orders taken (new or changed) and orders that were here already, just so. `changed` is part of `taken`; `lacking`
    counts those that do not tell all they need; of `erased` orders the personal data in the file were left out."""

    taken: int
    unchanged: int
    changed: int = 0
    lacking: int = 0
    erased: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """What a file would do. `mistakes.total` of 0 means that it would be taken."""

    imported: Imported
    mistakes: Mistakes


@dataclass(slots=True)
class _Plan:
    """What is to be written. `claims`: rows that say something else of an order of which a scan or a decision
    speaks."""

    take: list[Arrival] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    claims: list[Arrival] = field(default_factory=list)
    lacks: dict[str, str] = field(default_factory=dict)
    personal: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    mistakes: Mistakes = field(default_factory=Mistakes)
    unchanged: int = 0
    lacking: int = 0
    erased: int = 0

    def imported(self) -> Imported:
        return Imported(len(self.take), self.unchanged, len(self.held), self.lacking, self.erased)


class Importer:
    """Inside a transaction of the store."""

    def __init__(
        self, store: Store, replay: Replay, personal: Personal, versions: Versions, requirements: Requirements
    ) -> None:
        self._store = store
        self._replay = replay
        self._personal = personal
        self._versions = versions
        self._requirements = requirements

    def trial(self, arrivals: Sequence[Arrival], mistakes: Mistakes) -> Trial:
        """What would become of the rows that can be read; `mistakes` of the others. Writes nothing."""
        plan = self._planned(arrivals)
        together = Mistakes()
        together.add(*sorted([*mistakes.listed, *plan.mistakes.listed], key=lambda cell: cell.row))
        together.total = mistakes.total + plan.mistakes.total
        return Trial(plan.imported(), together)

    def take(self, arrivals: Sequence[Arrival], source: str, now: int) -> Imported:
        """Takes all of them. Raises RowsRefused, with nothing written."""
        plan = self._planned(arrivals)
        if plan.mistakes.total:
            raise RowsRefused.by(plan.mistakes, [_said(claim.order, source, REFUSED) for claim in plan.claims])
        orders = [arrival.order for arrival in plan.take]
        # A record may be here before its order; a second order with one ref takes the ref's meaning away; and a
        # seal may be another order's before or after.
        moved: set[str] = set()
        for page in pages(sorted(self._same_ref(orders))):
            moved |= {id for group in self._replay.tied(page) for id in group}
        self._store.unbind(plan.held)
        self._store.put_orders(orders, now)
        for order in orders:
            if order.further:
                self._store.relink(order)
        self._replay.strays.imported(orders)
        self._store.put_lacks(plan.lacks)
        self._personal.put(plan.personal)
        self._versions.keep([_said(order, source, TAKEN) for order in orders])
        self._replay.place(moved | self._same_ref(orders), now)
        return plan.imported()

    def _planned(self, arrivals: Sequence[Arrival]) -> _Plan:
        plan = _Plan()
        for page in pages(arrivals):
            ids = [arrival.order.id for arrival in page]
            held = self._store.orders_of(ids)
            lacks = self._store.lacks(ids)
            told = self._personal.held(ids)
            erased = self._personal.erasures(ids)
            settled = [
                self._settled(arrival, held.get(arrival.order.id), told, arrival.order.id in erased, lacks, plan)
                for arrival in page
            ]
            differing = {
                a.order.id: held[a.order.id]
                for a in settled
                if a.order.id in held and (held[a.order.id] != a.order or a.order.id in plan.lacks)
            }
            spoken = {id for id, events in self._replay.traces.naming_each(differing).items() if events}
            spoken |= self._replay.decisions.about(differing).keys() if differing else set()
            waiting = self._waiting(spoken)
            for arrival in settled:
                id = arrival.order.id
                lacked = lacks.get(id, "")
                if id in spoken:
                    _settle_for(lacked, id, plan)
                plan.lacking += bool(plan.lacks.get(id, lacked))
                told_now = id in waiting and _fills(held[id], arrival.order, lacked.split())
                self._sort(arrival, held.get(id), id in spoken and not told_now, plan)
        self._find_taken(plan)
        return plan

    def _settled(
        self,
        arrival: Arrival,
        held: Order | None,
        told: Mapping[str, Mapping[str, str]],
        erased: bool,
        lacks: Mapping[str, str],
        plan: _Plan,
    ) -> Arrival:
        """With the state it enters in; what is told of its recipient goes into the plan."""
        id, order = arrival.order.id, arrival.order
        before = told.get(id, {})
        fresh = {} if erased else {name: v for name, v in arrival.personal.items() if before.get(name) != v}
        if fresh:
            plan.personal.append((id, fresh))
        plan.erased += bool(erased and arrival.personal)
        # What was erased was told once: nobody is to be asked for it again.
        known = {**before, **fresh}
        lacking = self._requirements.lacking(order, known)
        if erased:
            lacking = tuple(column for column in lacking if column not in intake.PERSONAL)
        if " ".join(lacking) != lacks.get(id, ""):
            plan.lacks[id] = " ".join(lacking)
        if lacking and order.state == intake.COMPLETE:
            order = replace(order, state=intake.INCOMPLETE)
        return arrival._replace(order=order)

    def _waiting(self, ids: set[str]) -> set[str]:
        """Those of these orders that still wait for what they lack."""
        values = {"ids": sorted(ids), "state": intake.INCOMPLETE}
        rows = self._store.query("SELECT id FROM orders WHERE id IN :ids AND state = :state", values) if ids else []
        return {id for (id,) in rows}

    def _sort(self, arrival: Arrival, held: Order | None, spoken: bool, plan: _Plan) -> None:
        row, order, _ = arrival
        if held == order or (held is not None and spoken and _but_for_the_check(held, order)):
            plan.unchanged += 1
            return
        if held is not None and spoken:
            plan.claims.append(arrival)
            plan.mistakes.add(BadCell(row, "order", UsageError("desk_row_changed", order=order.id)))
            return
        plan.take.append(arrival)
        if held is not None:
            plan.held.add(order.id)

    def _find_taken(self, plan: _Plan) -> None:
        """Codes that an order has which is not in the plan, or that a scan gave it."""
        for page in pages(plan.take):
            codes = [(kind, code) for _, order, _ in page for kind, code in [(CodeKind.ORDER, order.id), *order.codes]]
            owners = self._store.owners(codes, freed=plan.held)
            for row, order, _ in page:
                for kind, code in [(int(CodeKind.ORDER), order.id), *order.codes]:
                    if owners.get((kind, code), order.id) != order.id:
                        plan.mistakes.add(code_taken(row, order, kind, code))

    def _same_ref(self, orders: Sequence[Order]) -> set[str]:
        return {id for page in pages(orders) for id in self._store.with_refs({order.ref for order in page})}


class RowsRefused(ImportRefused):
    """`claims`: what the file says of orders that it may not change any more."""

    claims: Sequence[Said] = ()

    @classmethod
    def by(cls, mistakes: Mistakes, claims: Sequence[Said]) -> RowsRefused:
        refused = cls(sorted(mistakes.listed, key=lambda cell: cell.row), mistakes.total)
        refused.claims = claims
        return refused


def _settle_for(lacked: str, id: str, plan: _Plan) -> None:
    """Somebody has worked on the order: it is asked for nothing more than it was before that."""
    if id in plan.lacks:
        left = [column for column in lacked.split() if column in plan.lacks[id].split()]
        plan.lacks[id] = " ".join(left)


def _fills(held: Order, order: Order, lacked: Sequence[str]) -> bool:
    """Whether the one says nothing but what the other lacked."""
    besides = {"state", *lacked, *(("value", "currency") if {"value", "currency"} & set(lacked) else ())}
    one, other = (
        {column: text for column, text in order_cells.cells(each).items() if column not in besides}
        for each in (held, order)
    )
    return held.state == intake.INCOMPLETE and order.state in intake.CHECKED and one == other


def _but_for_the_check(held: Order, order: Order) -> bool:
    """Whether they differ in nothing but the outcome of the check, which a scan leaves behind it."""
    return {held.state, order.state} <= set(intake.CHECKED) and replace(order, state=held.state) == held


def _said(order: Order, source: str, status: str) -> Said:
    return Said(order.id, SHOP, source, status, order_cells.cells(order))
