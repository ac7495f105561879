"""A real PostgreSQL server for tests and benches: its own cluster in a temporary folder, reached by a socket there or
on loopback, gone when it is left."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from plomba.errors import PlombaError

_NOBODY_ELSE = "postgres"
"""Whose rights the server takes when it is started by root, which it refuses."""


def programs() -> Path | None:
    """The folder of the newest installed server's programs, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: float(file.parent.parent.name))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


class Server:
    """A server that is running, until it is crashed. `url` is that of an empty database on it."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._folder = folder
        self._options = _options(folder)
        self._control = programs / "pg_ctl"
        self._running = False
        self.url = _url(folder, self._options)

    def start(self) -> None:
        """Raises PlombaError `postgresql_failed`."""
        data, log = self._folder / "data", self._folder / "log"
        _run(self._control, "-D", data, "-w", "-o", self._options, "-l", log, "start")
        self._running = True

    def crash(self) -> None:
        """Ends it at once: what it did not write down is lost. Raises PlombaError `postgresql_failed`."""
        if self._running:
            _run(self._control, "-D", self._folder / "data", "-m", "immediate", "-w", "stop")
            self._running = False


@contextmanager
def running() -> Iterator[Server]:
    """A server that keeps what it confirms (fsync on). Raises PlombaError `postgresql_missing`, `postgresql_failed`."""
    found = programs()
    if found is None:
        raise PlombaError("postgresql_missing")
    folder = Path(tempfile.mkdtemp(prefix="plomba-pg-"))
    try:
        server = Server(found, folder)
        cluster = ("-D", folder / "data", "-A", "trust", "-U", _NOBODY_ELSE, "-E", "UTF8", "--no-locale", "--no-sync")
        _run(found / "initdb", *cluster)
        server.start()
        try:
            yield server
        finally:
            server.crash()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database of a server that keeps what it confirms. Raises as `running` does."""
    with running() as started:
        yield started.url


@contextmanager
def database(url: str) -> Iterator[str]:
    """The URL of a new, empty database on the server of `url`, dropped at the end whoever is still in there."""
    import psycopg

    name = f"plomba_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'".encode())
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _options(folder: Path) -> str:
    if os.name == "posix":
        if os.geteuid() == 0:
            try:
                shutil.chown(folder, _NOBODY_ELSE)
            except LookupError as error:
                raise PlombaError("postgresql_failed", reason=f"root, and no user {_NOBODY_ELSE}") from error
        return f"-c listen_addresses= -k {folder}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"-c listen_addresses=127.0.0.1 -p {probe.getsockname()[1]}"


def _url(folder: Path, options: str) -> str:
    if os.name == "posix":
        return f"postgresql://{_NOBODY_ELSE}@/postgres?host={folder}"
    return f"postgresql://{_NOBODY_ELSE}@127.0.0.1:{options.rpartition(' ')[2]}/postgres"


def _run(program: Path, *arguments: object) -> None:
    root = os.name == "posix" and os.geteuid() == 0
    try:
        subprocess.run(
            [str(program), *map(str, arguments)],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            user=_NOBODY_ELSE if root else None,
            group=_NOBODY_ELSE if root else None,
            extra_groups=[] if root else None,
            cwd="/" if root else None,
            timeout=60,
        )
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        reason = getattr(error, "stderr", None) or error
        raise PlombaError("postgresql_failed", reason=reason) from error
