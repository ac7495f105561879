"""What handlers work with: the book, the views on it, and the thread that both belong to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import cached_property, partial
from typing import ParamSpec, TypeVar

from plomba.desk.accounts import Accounts
from plomba.desk.api.cursors import Cursors
from plomba.desk.api.idempotency import Keys
from plomba.desk.book import Book
from plomba.desk.listings import Listings
from plomba.desk.live import Live
from plomba.desk.page import Page
from plomba.desk.views import Views

P = ParamSpec("P")
T = TypeVar("T")


class Services:
    """The book lives in the one thread of `thread`, which also signs, verifies and waits for the disk: the loop keeps
    serving pages meanwhile, and everything at the desk happens in one order."""

    def __init__(self, book: Book, thread: Executor, live: Live, accounts: Accounts) -> None:
        self.book = book
        self.views = Views(book.store, book.lifecycle)
        self.listings = Listings(book.store)
        self.keys = Keys(book.store, book.clock)
        self.live = live
        self.accounts = accounts
        self.page = Page(book.lifecycle)
        self._thread = thread

    @cached_property
    def cursors(self) -> Cursors:
        """In the book's thread."""
        return Cursors.of(self.book.store)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs it in the book's thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(work, *args, **kwargs))
