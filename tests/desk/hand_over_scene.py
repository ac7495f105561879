"""Two terminals that meet at a hand-over of order A, and what the desk makes of it."""

from __future__ import annotations

from desk_process import NOW
from desk_records import Event, Scanner

from plomba.desk.book import Book
from plomba.desk.custody import Owner
from plomba.desk.incidents import Incident
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Action, State, Verdict

BEGAN = NOW + 60
VALUED = "order,class,place,state,value,currency\n"
HOUR = 3600


def enrolled(book: Book, organisation: Organisation, label: str, place: int) -> Scanner:
    scanner = Scanner(organisation, now=BEGAN, label=label, place=place)
    book.enrol(scanner.certificate, place)
    return scanner


def out(giver: Scanner, taker: Scanner, time: int | None = None, after: int = State.HANDING) -> Event:
    return giver.record(Action.HANDOVER_OUT, Verdict.OK, "A", after=after, time=time, more=giver.met(taker))


def into(
    taker: Scanner, giver: Scanner, time: int | None = None, after: int = State.WITH_COURIER, actor: int = 7
) -> Event:
    more = taker.met(giver)
    return taker.record(Action.HANDOVER_IN, Verdict.OK, "A", after=after, time=time, more=more, actor=actor)


def owner(book: Book, at: int) -> Owner | None:
    return book.custody.owner("A", at)


def incidents(book: Book) -> list[Incident]:
    return book._replay.incidents.listed()


def notes(book: Book, number: int = 1) -> list[tuple[str, int | None]]:
    return [(note.what, note.seconds) for note in book._replay.incidents.notes(number)]
