"""Where decisions of the desk stand among the records of orders. Pure: no clock, no disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from plomba.desk.decisions import Decision
from plomba.desk.steps import Identity
from plomba.desk.store import Event


def among(
    records: Sequence[Event], decisions: Iterable[Decision], behind: Mapping[int, Identity]
) -> list[Event | Decision]:
    """`records` as timeline.in_order has them, and the decisions between them, in the order in which they were taken.

    A decision counts behind every record that the desk held by then, though the clock of a terminal were ahead by
    years; and behind what was heard since and was made before, by its terminal's clock: of one second, the record
    counts first. What else was heard since counts behind the decision. `behind`: as of traces.Traces.behind.
    """
    placed: list[Event | Decision] = []
    rest = list(records)
    for decision in sorted(decisions, key=lambda decision: decision.number):
        made = next((at for at, event in enumerate(rest) if event.head.t_utc > decision.at), len(rest))
        placed += rest[:made]
        held, rest = _parted(rest[made:], decision, behind)
        placed += held
        placed.append(decision)
    return [*placed, *rest]


def _parted(
    records: Sequence[Event], decision: Decision, behind: Mapping[int, Identity]
) -> tuple[list[Event], list[Event]]:
    """(those that were there when it was decided, those that came to be since)."""
    there: dict[bytes, tuple[int, int]] = {}
    for event in reversed(records):
        head = event.head
        if event.number <= decision.known:
            _reach(there, head.terminal, head.epoch, head.seq)
        if (head.epoch, head.seq) <= there.get(head.terminal, (0, 0)) and event.number in behind:
            _reach(there, *behind[event.number])
    held: list[Event] = []
    since: list[Event] = []
    left: dict[bytes, tuple[int, int]] = {}
    """The first record of each terminal that came to be since."""
    for event in records:
        head = event.head
        place = head.epoch, head.seq
        named = behind.get(event.number)
        waits = named is not None and named[0] in left and left[named[0]] <= named[1:]
        in_time = head.t_utc <= decision.at and head.terminal not in left and not waits
        if place <= there.get(head.terminal, (0, 0)) or in_time:
            held.append(event)
        else:
            since.append(event)
            left.setdefault(head.terminal, place)
    return held, since


def _reach(there: dict[bytes, tuple[int, int]], terminal: bytes, epoch: int, seq: int) -> None:
    there[terminal] = max(there.get(terminal, (0, 0)), (epoch, seq))
