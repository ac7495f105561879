"""Who answers for an order after a record: custody passes with both halves of a hand-over, or with one where that is
the rule. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping

from plomba.desk.steps import Pair, Scan, Standing
from plomba_wire.vocabulary import Action, Verdict

DUAL = "dual"
GIVER = "giver"
POLICIES = (DUAL, GIVER)
"""Custody passes with the scans of both, between two terminals that the desk knows; or with the giver's scan, and with
nobody's else."""
TAKERS: Mapping[str, str] = {"shop": "courier", "warehouse": "courier", "courier": "point", "point": "courier"}
"""To whom each holder gives, as long as the taker has not scanned."""

PARTIES: Mapping[str, str] = {"shop": "{shop}", "warehouse": "{place}", "point": "{place}"}
"""Which of the holders has an order that was imported, by the order's own columns."""

_OF_A_PLACE = ("warehouse", "point")
_OF_A_PERSON = ("courier",)


def party(holder: str, scan: Scan) -> str:
    """Which of the holders the record means: the badge of a courier, the place of a point or warehouse, else ""."""
    if holder in _OF_A_PERSON:
        return str(scan.actor)
    return str(scan.place) if holder in _OF_A_PLACE else ""


def completes(standing: Standing, scan: Scan) -> bool:
    """Whether it is the giver's half of a hand-over whose taker has scanned already."""
    pair = standing.pair
    given = (scan.action, scan.verdict) == (Action.HANDOVER_OUT, Verdict.OK)
    if not given or pair is None or pair.side != "in" or scan.stranger or scan.peer not in (b"", pair.entry[0]):
        return False
    return scan.identity[0] == pair.peer if pair.peer else _other(pair, scan)


def contradicts(standing: Standing, scan: Scan) -> bool:
    """Whether it is the scan of a taker that does not fit the giver's, which waits for one: the two name others, or it
    is the giver's own."""
    pair = standing.pair
    taken = (scan.action, scan.verdict) == (Action.HANDOVER_IN, Verdict.OK)
    return taken and pair is not None and pair.side == "out" and not _fits(pair, scan)


def completed(standing: Standing) -> Standing:
    """Custody passes to the taker who has waited for it."""
    pair = standing.pair
    assert pair is not None
    return standing._replace(holder=pair.kind, party=pair.party, pair=None)


def agreed(was: Standing, now: Standing) -> bool:
    """Whether a step passed custody by what both sides have signed: one of them alone does not take that back."""
    return was.pair is not None and now.pair is None and (was.holder, was.party) != (now.holder, now.party)


def left_open(standing: Standing, scan: Scan) -> bool:
    """Whether an order that went with a courier is still with him when he closes his route: not with another one, nor
    given away as far as he can tell."""
    if standing.pair is not None and standing.pair.side == "out":
        return False
    return standing.holder not in _OF_A_PERSON or standing.party in ("", party(standing.holder, scan))


def passed(was: Standing, now: Standing, holder: str, scan: Scan, policy: str) -> Standing:
    """`now` with custody where it belongs after the record; `holder` is to whom the move passes it, "" to nobody."""
    now = now._replace(holder=holder or was.holder)
    if scan.action == Action.HANDOVER_OUT:
        return _given(was, now, scan, policy)
    if scan.action == Action.HANDOVER_IN:
        return _taken(was, now, scan, policy)
    if holder:
        # One holder of a kind may have it of another: a parcel comes back to another warehouse than it left.
        return now._replace(party=party(now.holder, scan), pair=None)
    return now


def _given(was: Standing, now: Standing, scan: Scan, policy: str) -> Standing:
    taker = TAKERS.get(was.holder, was.holder)
    if scan.by_act:
        # Nobody there has a terminal: the number of the act is all that stands for the other side.
        return now._replace(holder=taker, party=f"act {_printable(scan.act)}", pair=None)
    if policy == GIVER:
        return now._replace(holder=taker, party=f"terminal {scan.peer.hex() or '?'}", pair=None)
    now = now._replace(holder=was.holder, party=was.party)
    if was.pair is not None and (was.pair.side, was.pair.peer) == ("out", scan.peer):
        # Given once more to the same one: he has been waited for since the first time.
        return now
    return now._replace(pair=Pair("out", scan.identity, scan.peer, scan.actor))


def _taken(was: Standing, now: Standing, scan: Scan, policy: str) -> Standing:
    taker = party(now.holder, scan)
    if contradicts(was, scan):
        return now._replace(holder=was.holder, party=was.party)
    given = _given_before(was) or (was.pair is not None and was.pair.side == "out")
    # By an act, or from a terminal that the desk does not know, there is no other half to wait for.
    alone = scan.by_act or (scan.stranger and policy == DUAL)
    if not (given or alone):
        pair = Pair("in", scan.identity, scan.peer, scan.actor, now.holder, taker)
        return now._replace(holder=was.holder, party=was.party, pair=pair)
    return now._replace(party=taker, pair=None)


def _fits(pair: Pair, scan: Scan) -> bool:
    """Whether a taker's scan is the other half of a giver's."""
    giver, taker = pair.entry[0], scan.identity[0]
    return _other(pair, scan) and not scan.stranger and scan.peer in (b"", giver) and pair.peer in (b"", taker)


def _other(pair: Pair, scan: Scan) -> bool:
    """Whether the scan is not of the same person at the same terminal: two may share one."""
    return (pair.entry[0], pair.actor) != (scan.identity[0], scan.actor)


def _given_before(was: Standing) -> bool:
    """Whether the giver's scan has passed it on already, to a terminal or an act."""
    return was.holder != "shop" and was.party.startswith(("act ", "terminal "))


def _printable(number: bytes) -> str:
    """The number of an act as text that every store and page takes."""
    text = number.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
