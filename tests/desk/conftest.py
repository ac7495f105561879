from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from api_scene import Api
from book_scene import Clock
from desk_process import NOW, DeskProcess
from desk_records import Scanner

from plomba.desk.book import Book
from plomba.trust.organisation import Organisation


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    return Organisation.create(tmp_path_factory.mktemp("org"), now=NOW)


@pytest.fixture
def desk(tmp_path: Path, organisation: Organisation) -> Iterator[DeskProcess]:
    desk = DeskProcess(tmp_path / "desk", organisation.folder)
    yield desk
    if desk.process.poll() is None:
        assert desk.stop() == 0
        assert desk.errors == ""


@pytest.fixture
def scanner(desk: DeskProcess, organisation: Organisation) -> Scanner:
    """A terminal that the desk knows."""
    scanner = Scanner(organisation, now=NOW)
    desk.enrol(scanner)
    return scanner


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(tmp_path: Path, organisation: Organisation, clock: Clock) -> Iterator[Book]:
    book = Book(tmp_path / "book", organisation, clock)
    yield book
    book.close()


@pytest.fixture
def counter(book: Book, organisation: Organisation) -> Scanner:
    """A terminal that the book knows."""
    scanner = Scanner(organisation, now=NOW)
    book.enrol(scanner.certificate, scanner.place)
    return scanner


@pytest.fixture
def api(book: Book, clock: Clock) -> Iterator[Api]:
    with ThreadPoolExecutor(1) as thread:
        yield Api(book, clock, thread)
