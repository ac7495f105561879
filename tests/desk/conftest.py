from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from api_scene import Api
from book_scene import Clock
from desk_process import NOW, DeskProcess
from desk_records import Scanner
from hand_over_scene import enrolled

from plomba.desk.book import Book
from plomba.testing.postgresql import database, programs, server
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


ON_BOTH_STORES = {
    "test_accounts",
    "test_any_day",
    "test_backup_proved",
    "test_deciding",
    "test_desk_replay",
    "test_dry_run",
    "test_intake",
    "test_order_book",
    "test_order_versions",
    "test_pairs_and_deadlines",
    "test_personal_data",
    "test_receiving",
    "test_revoked_terminals",
    "test_route_closing",
    "test_strays",
}
"""Modules whose tests of `book` run on SQLite and on a real PostgreSQL server; the others need one store only."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "book_url" in metafunc.fixturenames and metafunc.module.__name__ in ON_BOTH_STORES:
        one = metafunc.definition.get_closest_marker("book_file") is not None
        metafunc.parametrize("book_url", ["sqlite"] if one else ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server that is started for these tests and ends with them."""
    if programs() is None:
        pytest.skip("no PostgreSQL server is installed here (on Debian: apt install postgresql)")
    with server() as url:
        yield url


@pytest.fixture
def book_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where `book` is: None for SQLite, else the URL of an empty database."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield None
        return
    with database(request.getfixturevalue("postgresql_server")) as url:
        yield url


@pytest.fixture
def book(tmp_path: Path, organisation: Organisation, clock: Clock, book_url: str | None) -> Iterator[Book]:
    book = Book(tmp_path / "book", organisation, clock, url=book_url)
    yield book
    book.close()


@pytest.fixture
def counter(book: Book, organisation: Organisation) -> Scanner:
    """A terminal that the book knows."""
    scanner = Scanner(organisation, now=NOW)
    book.enrol(scanner.certificate, scanner.place)
    return scanner


@pytest.fixture
def giver(book: Book, organisation: Organisation) -> Scanner:
    """One side of a hand-over."""
    return enrolled(book, organisation, "Warehouse", 3)


@pytest.fixture
def taker(book: Book, organisation: Organisation) -> Scanner:
    """The other side."""
    return enrolled(book, organisation, "Courier", 4)


@pytest.fixture
def api(book: Book, clock: Clock) -> Iterator[Api]:
    with ThreadPoolExecutor(1) as thread:
        yield Api(book, clock, thread)
