"""The lifecycle as people read it: a table of its states, and a state diagram in Mermaid (mermaid.js.org, stateDiagram-v2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from plomba.desk.deadlines import Deadline
from plomba.desk.lifecycle import Lifecycle
from plomba.desk.words import names
from plomba_wire.vocabulary import OrderClass, Verdict

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_LINE = 3
"""Names in a line of a label."""


@dataclass(frozen=True, slots=True)
class Row:
    """A state. `ways` are the actions and decisions that lead out, each with where to; the deadlines each with their
    incident. `reports`: actions after which it is still there, and an incident."""

    state: str
    holder: str
    entry: bool
    end: bool
    ways: Sequence[str]
    deadlines: Sequence[tuple[str, str]]


def rows(lifecycle: Lifecycle) -> Iterator[Row]:
    """Every state, in the order of the file."""
    ways = _ways(lifecycle)
    for code in lifecycle.states:
        yield Row(
            names("state")[code],
            lifecycle.holder.get(code, ""),
            code in lifecycle.entries,
            code in lifecycle.ends,
            [f"{', '.join(labels)} → {names('state')[to]}" for (origin, to), labels in ways.items() if origin == code],
            list(_deadlines(lifecycle, code)),
        )


def diagram(lifecycle: Lifecycle) -> str:
    """The states with their holders and deadlines, and one arrow for all that leads from one to another. Decisions of a
    person at the desk are marked *; where only some verdicts of an action lead there, they stand behind it."""
    lines = ["stateDiagram-v2"]
    for row in rows(lifecycle):
        holder = f"<br/>{row.holder}" if row.holder else ""
        deadlines = "".join(f"<br/>{when}: {incident}" for when, incident in row.deadlines)
        lines.append(f"    {row.state}: {row.state}{holder}{deadlines}")
    lines += [f"    [*] --> {names('state')[code]}" for code in lifecycle.states if code in lifecycle.entries]
    for (origin, to), labels in _ways(lifecycle).items():
        label = "<br/>".join(", ".join(labels[at : at + _LINE]) for at in range(0, len(labels), _LINE))
        lines.append(f"    {names('state')[origin]} --> {names('state')[to]}: {label}")
    lines += [f"    {names('state')[code]} --> [*]" for code in lifecycle.states if code in lifecycle.ends]
    return "\n".join(lines) + "\n"


def _ways(lifecycle: Lifecycle) -> dict[tuple[int, int], list[str]]:
    """(state, state) -> what leads from the one to the other."""
    found: dict[tuple[int, int, str], list[int]] = {}
    for action, verdict, move in lifecycle.moves():
        for origin in move.origins:
            if move.target(origin) != origin:
                found.setdefault((origin, move.to, names("action")[action]), []).append(verdict)
    for name, decided in lifecycle.decisions.items():
        for origin in decided.origins:
            found[origin, decided.to, f"{name}*"] = [Verdict.OK]
    place = {code: at for at, code in enumerate(lifecycle.states)}
    ways: dict[tuple[int, int], list[str]] = {}
    for (origin, to, name), verdicts in sorted(found.items(), key=lambda item: (place[item[0][0]], place[item[0][1]])):
        said = "" if Verdict.OK in verdicts else f" ({', '.join(names('verdict')[verdict] for verdict in verdicts)})"
        ways.setdefault((origin, to), []).append(name + said)
    return ways


def _deadlines(lifecycle: Lifecycle, state: int) -> Iterator[tuple[str, str]]:
    usual = lifecycle.deadlines.get((state, OrderClass.PLAIN))
    sealed = lifecycle.deadlines.get((state, OrderClass.SEALED))
    if usual is not None:
        yield when(usual), usual.incident
    if sealed is not None and sealed != usual:
        yield f"sealed {when(sealed)}", sealed.incident


def when(deadline: Deadline) -> str:
    """As "2h open", "24h", "cutoff - 4h, else 8h open", "until closing"."""
    if deadline.closing:
        rest = "until closing"
    else:
        rest = _duration(deadline.within) + (" open" if deadline.opening else "")
    if not deadline.before:
        return rest
    by = f" - {_duration(deadline.by)}" if deadline.by else ""
    return f"{deadline.before}{by}, else {rest}"


def _duration(seconds: int) -> str:
    """The largest unit that needs no fraction; hours rather than one day."""
    for size, unit in _UNITS:
        if seconds % size == 0 and (unit != "d" or seconds > size):
            return f"{seconds // size}{unit}"
    raise AssertionError(seconds)
