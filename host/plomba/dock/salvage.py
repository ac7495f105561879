"""A journal that flash has damaged: its pages are kept as evidence, what can be read is taken, what is lost is said.

Torn is normal: a cut of power leaves a page, and nothing is missing. Lost is an alarm: the numbers are named, and a
person has to accept it before the chain goes on behind them.
"""

from __future__ import annotations

from plomba.errors import VerificationError
from plomba.ledger import Enrolled, Ledger
from plomba.ledger.losses import Loss
from plomba.terminal import Terminal
from plomba_wire import codec

_NO_PAGE = 0xFFFFFFFF
_PAGES_MAX = 4096
"""More than a ring has."""


async def keep_damaged_pages(terminal: Terminal, enrolled: Enrolled, ledger: Ledger, now: int) -> int:
    """Copies the pages that hold neither a record nor nothing; how many were new."""
    fresh = 0
    page = 0
    for _ in range(_PAGES_MAX):
        answer: codec.DamagedOk = await terminal.request(codec.Damaged(page))
        if answer.page == _NO_PAGE or answer.page < page:
            break
        fresh += ledger.losses.keep_page(enrolled, answer.page, answer.content, now)
        page = answer.page + 1
    return fresh


async def lost_from(terminal: Terminal, enrolled: Enrolled, next_seq: int) -> Loss | None:
    """What is missing from `next_seq` on before the next record that can be read; None when nothing is.

    Raises VerificationError `records_unreadable` when none can be read any more.
    """
    answer: codec.HeldOk = await terminal.request(codec.Held(enrolled.epoch, next_seq))
    if answer.seq == next_seq:
        return None
    if answer.seq < next_seq:
        raise VerificationError("records_unreadable", terminal=terminal.id, seq=next_seq)
    return Loss(next_seq, answer.seq - 1, answer.previous)
