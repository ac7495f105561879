"""Where a decision stands among records: behind all that was held, and among the rest by its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from plomba.desk.among import among
from plomba.desk.decisions import Decision
from plomba.desk.steps import Identity
from plomba.desk.timeline import in_order

DESK = b"\xff" * 8


class Head(NamedTuple):
    terminal: bytes
    epoch: int
    seq: int
    t_utc: int


@dataclass(frozen=True)
class Record:
    """Of a terminal, or a decision that goes by its time alone."""

    number: int
    head: Head


def decision(number: int, at: int, known: int = 0) -> Decision:
    return Decision(number, "A", "CANCEL", at, "", "anna", "shop", "1", "", known)


def placed(records: Sequence[Record], decisions: Sequence[Decision], behind: dict[int, Identity]) -> list[Any]:
    """Numbers of the records, and decisions."""
    ordered: Any = in_order(records, lambda record: behind.get(record.number))
    return [it if isinstance(it, Decision) else it.number for it in among(ordered, decisions, behind)]


@st.composite
def days(draw: st.DrawFn) -> tuple[list[Record], dict[int, Identity]]:
    """Records of three terminals, numbered as they arrived, with any clocks; some name a record of another one that
    was there when they were made."""
    made: list[tuple[Head, Identity | None]] = []
    seqs = dict.fromkeys((b"A", b"B", b"C"), 0)
    for terminal in draw(st.lists(st.sampled_from(sorted(seqs)), max_size=12)):
        seqs[terminal] += 1
        peer = draw(st.sampled_from(sorted(seqs)))
        named = (peer, 1, seqs[peer]) if peer != terminal and seqs[peer] and draw(st.booleans()) else None
        made.append((Head(terminal, 1, seqs[terminal], draw(st.integers(0, 9))), named))
    arrived = draw(st.permutations(made))
    records = [Record(number, head) for number, (head, _) in enumerate(arrived, 1)]
    return records, {number: named for number, (_, named) in enumerate(arrived, 1) if named is not None}


@given(days(), st.lists(st.integers(0, 9), max_size=3))
def test_without_what_was_held_it_goes_by_its_time(
    day: tuple[list[Record], dict[int, Identity]], at: list[int]
) -> None:
    records, behind = day
    decisions = [decision(number, moment) for number, moment in enumerate(at, 1)]
    both = [*records, *(Record(-one.number, Head(DESK, 0, one.number, one.at)) for one in decisions)]
    wanted = [record.number for record in in_order(both, lambda record: behind.get(record.number))]
    assert [-it.number if isinstance(it, Decision) else it for it in placed(records, decisions, behind)] == wanted


@given(days(), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 12)), min_size=1, max_size=3))
def test_what_was_held_stands_before_it(
    day: tuple[list[Record], dict[int, Identity]], taken: list[tuple[int, int]]
) -> None:
    records, behind = day
    decisions = [decision(number, at, known) for number, (at, known) in enumerate(taken, 1)]
    found = placed(records, decisions, behind)
    assert [it for it in found if isinstance(it, Decision)] == decisions
    place = {it: at for at, it in enumerate(found)}
    by_number = {record.number: record for record in records}
    assert sorted(number for number in found if not isinstance(number, Decision)) == sorted(by_number)
    for one in records:
        for other in records:
            if one.head[:1] == other.head[:1] and one.head.seq < other.head.seq:
                assert place[one.number] < place[other.number], "one terminal's records stand by their numbers"
            if behind.get(other.number) == one.head[:3]:
                assert place[one.number] < place[other.number], "what proves to be behind another is"
    for made in decisions:
        pulled = [number for number in by_number if number <= made.known]
        assert all(place[number] < place[made] for number in pulled)
        since = [by_number[it] for it in found[place[made] + 1 :] if not isinstance(it, Decision)]
        for first in {record.head.terminal: record for record in reversed(since)}.values():
            waits = behind.get(first.number, (b"", 0, 0))
            blocked = any(record.head[:3] <= waits and record.head[0] == waits[0] for record in since)
            assert first.head.t_utc > made.at or blocked, "what was made before is before it"


@given(days(), st.integers(0, 9), st.integers(0, 12))
def test_what_was_made_since_and_was_not_held_stands_behind_it(
    day: tuple[list[Record], dict[int, Identity]], at: int, known: int
) -> None:
    records, behind = day
    made = decision(1, at, known)
    found = placed(records, [made], behind)
    held = {record.head[:3] for record in records if record.number <= known}
    # What is before it is held, was made in time, or has something of either kind behind it.
    reached = set(held)
    for number in reversed(found[: found.index(made)]):
        head = next(record.head for record in records if record.number == number)
        follows = any(head[0] == other[0] and head[1:3] < other[1:] for other in reached)
        assert head[:3] in reached or head.t_utc <= at or follows
        reached.add(head[:3])
        if number in behind:
            reached.add(behind[number])
