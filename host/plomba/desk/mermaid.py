"""The lifecycle drawn: as a Mermaid state diagram, as a Markdown table. Pure functions; names are the vocabulary's.

ASCII alone: it is printed, and not every console takes more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from plomba.desk.deadlines import Deadline
from plomba.desk.lifecycle import Lifecycle
from plomba.desk.words import codes, names
from plomba_wire.vocabulary import State

_HEADINGS = ("state", "holder", "import", "deadline", "incident", "left by")
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_NOTHING = "-"
_CROWD = 8
_DESK = " (desk)"
"""Behind the name of what leads elsewhere and is no record."""


def diagram(life: Lifecycle) -> str:
    """A `stateDiagram-v2`: an arrow for each way that leads elsewhere, with the scans and decisions that lead there.

    Where more than _CROWD arrows would meet, the state says how many states they come from or lead to instead; the
    table has them all. An order may begin in more states than those the first point leads to: in each with `entry`. It
    leads to those that no record leads to.
    """
    ways = {(state, to): by for state in life.states for to, by in _ways(life, state).items()}
    lines = ["stateDiagram-v2"]
    arrows: list[str] = []
    reached: set[int] = set()
    for state in life.states:
        told = [names("state")[state], *([life.holder[state]] if state in life.holder else [])]
        told += [f"{incident} {moment}" for moment, incident in _deadlines(life, state)]
        come = [by for (_, to), by in ways.items() if to == state]
        if len(come) > _CROWD:
            told.append(f"from {len(come)} states: {_all(come)}")
        crowded = _crowded([by for (origin, _), by in ways.items() if origin == state])
        told += [f"{way} to {many} states" for way, many in crowded.items()]
        lines.append(f'    state "{"<br/>".join(told)}" as {told[0]}')
        for to in life.states:
            left = [way for way in ways.get((state, to), ()) if way not in crowded]
            if left and sum(end == to for _, end in ways) <= _CROWD:
                arrows.append(f"    {told[0]} --> {names('state')[to]} : {'<br/>'.join(left)}")
                if not all(way.endswith(_DESK) for way in left):
                    reached.add(to)
    begins = [state for state in life.states if state in life.entries - reached]
    lines += [f"    [*] --> {names('state')[state]}" for state in begins]
    lines += arrows
    lines += [f"    {names('state')[state]} --> [*]" for state in life.states if state in life.ends]
    return "\n".join(lines)


def table(life: Lifecycle) -> str:
    """One row for each state, in Markdown."""
    rows = [_HEADINGS]
    for state in life.states:
        deadlines = _deadlines(life, state)
        together: dict[str, list[str]] = {}
        for to, by in _ways(life, state).items():
            together.setdefault(", ".join(by), []).append(names("state")[to])
        rows.append(
            (
                names("state")[state],
                life.holder.get(state, _NOTHING),
                "yes" if state in life.entries else _NOTHING,
                "; ".join(moment for moment, _ in deadlines) or _NOTHING,
                "; ".join(incident for _, incident in deadlines) or _NOTHING,
                "; ".join(f"{by} -> {', '.join(ends)}" for by, ends in together.items()) or _NOTHING,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS) - 1)]
    lines = [_line([cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)]) for row in rows]
    return "\n".join([lines[0], _line(["-" * width for width in [*widths, 3]]), *lines[1:]])


def _all(lists: list[list[str]]) -> str:
    """Each once."""
    return ", ".join(dict.fromkeys(one for each in lists for one in each))


def _crowded(lists: list[list[str]]) -> dict[str, int]:
    """What leads to more than _CROWD states, and to how many."""
    counted = Counter(way for ways in lists for way in ways)
    return {way: many for way, many in counted.items() if many > _CROWD}


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _deadlines(life: Lifecycle, state: int) -> list[tuple[str, str]]:
    """(until when, incident), of all classes first; of one class with its name in front."""
    told: list[tuple[str, str]] = []
    for name, order_class in codes("order_class").items():
        deadline = life.deadlines.get((state, order_class))
        if deadline is None:
            continue
        moment, incident = _until(deadline), deadline.incident
        if not told:
            told.append((moment, incident))
        elif (moment, incident) != told[0]:
            told.append((f"{name.lower()} {moment}", incident))
    if state == State.HANDING and life.by_act is not None:
        told.append((f"by act {_until(life.by_act)}", life.by_act.incident))
    return told


def _until(deadline: Deadline) -> str:
    usual = "closing" if deadline.closing else _span(deadline.within) + (" open" if deadline.opening else "")
    if not deadline.before:
        return usual
    return f"{deadline.before}{f' - {_span(deadline.by)}' if deadline.by else ''}, else {usual}"


def _span(seconds: int) -> str:
    """The largest unit that is whole: "90m", "2h"."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"


def _ways(life: Lifecycle, state: int) -> dict[int, list[str]]:
    """Where an order goes from there, each with what leads there."""
    found: dict[int, list[str]] = {}
    for to, way in _leading(life, state):
        ways = found.setdefault(to, [])
        if way not in ways:
            ways.append(way)
    return found


def _leading(life: Lifecycle, state: int) -> Iterator[tuple[int, str]]:
    for action, _, move in life.moves():
        if state in move.origins and move.target(state) != state:
            shut = {order_class for order_class, gate in move.gate.items() if gate != state}
            classes = [name.lower() for name, code in codes("order_class").items() if code not in shut]
            yield move.to, names("action")[action] + (f" ({', '.join(classes)})" if shut else "")
    for name, decided in life.decisions.items():
        for way in decided.ways:
            if state in way.origins:
                yield way.to, name + _DESK
