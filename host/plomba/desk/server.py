"""The desk as a process: one socket, one thread for the book, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from plomba.errors import PlombaError, StoreError, UsageError
from plomba.trust.organisation import Organisation

_EXTRA = {"anyio", "jinja2", "msgspec", "starlette", "uvicorn"}
_GRACE = 5
"""Seconds a request in progress gets after the end was asked for."""


def serve(
    data: Path,
    org: Path,
    host: str,
    port: int,
    ready: Callable[[str], None],
    *,
    rules: Path | None = None,
    staff: Path | None = None,
    lan: bool = False,
    names: Collection[str] = (),
    database: str | None = None,
    failing: Callable[[StoreError], None] = lambda error: None,
) -> None:
    """Serves until SIGTERM or SIGINT, then returns. `data` holds the order book, `org` the organisation's keys. Port 0
    takes a free one; `ready` gets the URL once requests are answered; `rules` is a rule pack and `staff` a staff list.
    `lan`: whoever reaches `host` may have what the desk gives, proofs of PINs too; without it a staff list is served on
    loopback only, and a desk without accounts too. `names`: what else to answer to on loopback, where a proxy passes on
    what others ask; it then counts as reached by them.
    `database`: the URL of a PostgreSQL database for the book, in the place of SQLite in `data`. `failing` gets why the
    book can no longer be read or written, once until something was written again, in the book's thread.
    Raises PlombaError: extra_missing, org_missing, desk_port, desk_store_busy, desk_store_failed, desk_data_invalid,
    staff_invalid, staff_number, desk_staff_lan, desk_open, and what `rules.load` raises."""
    try:
        import uvicorn

        from plomba.desk.accounts import Accounts
        from plomba.desk.api import create_app
        from plomba.desk.book import Book
        from plomba.desk.live import Live
        from plomba.desk.walls import hosts_for
        from plomba.desk.watch import Watch
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRA:
            raise
        raise PlombaError("extra_missing", package=package, extra="desk") from error

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                self.watching = asyncio.create_task(watch.run())
                self.watching.add_done_callback(self._watched)
                ready(url)

        def _watched(self, task: asyncio.Task[None]) -> None:
            # A desk that no longer looks at the clock must not look alive.
            if not task.cancelled():
                self.should_exit = True

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            self.watching.cancel()
            live.close()
            await super().shutdown(sockets)

    organisation = Organisation.load(org)
    with ThreadPoolExecutor(1, "order-book") as thread:
        book = thread.submit(Book, data, organisation, _now, rules, staff, database).result()
        book.store.database.failing = failing
        try:
            reached = hosts_for(host) is None or bool(names)
            if book.staff_list is not None and reached and not lan:
                raise UsageError("desk_staff_lan", host=host)
            accounts = Accounts(book.store, _now)
            if reached and not lan and thread.submit(lambda: accounts.open).result():
                raise UsageError("desk_open", host=host)
            with _listening(host, port) as listener:
                url = _url(listener)
                live = Live()
                watch = Watch(partial(_in_thread, thread, book.tick), live.change)
                app = create_app(book, thread, live, hosts_for(host, names), accounts)
                config = uvicorn.Config(
                    app,
                    http="h11",
                    loop="asyncio",
                    lifespan="off",
                    ws="none",
                    log_level="warning",
                    access_log=False,
                    server_header=False,
                    proxy_headers=False,
                    timeout_graceful_shutdown=_GRACE,
                )
                server = Server(config)
                with _signals_end_quietly():
                    server.run([listener])
                if server.started and not server.watching.cancelled():
                    server.watching.result()
        finally:
            thread.submit(book.close).result()


async def _in_thread(thread: ThreadPoolExecutor, work: Callable[[], int]) -> int:
    return await asyncio.get_running_loop().run_in_executor(thread, work)


def _now() -> int:
    return int(time.time())


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise _port_error(host, port, error) from error
    with listener:
        try:
            # On Windows this option would let two processes share the port.
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(128)
        except (OSError, OverflowError) as error:
            raise _port_error(host, port, error) from error
        yield listener


def _port_error(host: str, port: int, error: Exception) -> PlombaError:
    return PlombaError("desk_port", host=host, port=port, reason=getattr(error, "strerror", None) or error)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _signals_end_quietly() -> Iterator[None]:
    """uvicorn raises the signal that ended it once more when it is done; here that is not news any more."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    held = {number: signal.signal(number, _done) for number in numbers}
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)


def _done(number: int, frame: object) -> None:
    pass
