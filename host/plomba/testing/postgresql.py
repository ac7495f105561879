"""A PostgreSQL server for as long as it is needed: started from the programs of this machine, gone without a trace.

It listens on a Unix socket in its own folder, on Windows on 127.0.0.1, and to nobody else.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

USER = "postgres"
_STARTS_S = 60.0
_GLANCE_S = 0.02
_FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class NotInstalled(Exception):
    """This machine has no PostgreSQL that could be started; says why."""


def programs() -> Path:
    """The folder of `initdb`, `postgres` and `pg_ctl`, of the newest PostgreSQL here. Raises NotInstalled."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    # Where Debian keeps it, each version beside the others, none of them on the path.
    versions = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if folder.parent.name.isdigit()]
    folders += sorted(versions, key=lambda folder: int(folder.parent.name), reverse=True)
    for folder in folders:
        if shutil.which("postgres", path=folder) and shutil.which("pg_ctl", path=folder):
            return folder
    raise NotInstalled("no PostgreSQL server is installed")


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """The URL of a new server's database `postgres`. `durable`: a commit is on the disk, as in earnest; without it
    tests run faster. Raises NotInstalled; OSError when it does not start."""
    folder = programs()
    user = _nobody_special()
    home = Path(tempfile.mkdtemp(prefix="plomba-pg-"))
    try:
        if user:
            shutil.chown(home, **user)
        with _running(folder, home, user, durable) as url:
            yield url
    finally:
        shutil.rmtree(home, ignore_errors=True)


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


def _nobody_special() -> dict[str, str]:
    """As whom the server runs: PostgreSQL refuses root. Empty: as whoever we are. Raises NotInstalled."""
    if os.name != "posix" or os.geteuid() != 0:
        return {}
    import pwd

    try:
        group = pwd.getpwnam(USER).pw_gid
    except KeyError as error:
        raise NotInstalled(f"PostgreSQL does not run as root, and there is no user {USER}") from error
    import grp

    return {"user": USER, "group": grp.getgrgid(group).gr_name}


@contextmanager
def _running(programs: Path, home: Path, user: dict[str, str], durable: bool) -> Iterator[str]:
    data = home / "data"
    started: dict[str, Any] = {"cwd": home, **user, **({"extra_groups": []} if user else {})}

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [programs / program, *arguments], capture_output=True, text=True, errors="replace", **started
        )
        if done.returncode:
            raise OSError(f"{program}: {done.stderr.strip()}")

    # What initdb itself writes is as good as new after a crash: there is nothing of ours in it.
    run("initdb", "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    if os.name == "posix":
        listen = (f"unix_socket_directories={home}", "listen_addresses=")
        url = f"postgresql://{USER}@/postgres?host={home}"
    else:
        port = _free_port()
        listen = ("listen_addresses=127.0.0.1", f"port={port}")
        url = f"postgresql://{USER}@127.0.0.1:{port}/postgres"
    settings = (*listen, *(() if durable else _FORGETFUL))
    arguments = [str(programs / "postgres"), "-D", str(data), *(word for one in settings for word in ("-c", one))]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **started)
    try:
        _await(process, data, home / "log")
        yield url
    finally:
        if process.poll() is None:
            try:
                run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
            except OSError:
                process.kill()
        process.wait()


def _await(process: subprocess.Popen[bytes], data: Path, log: Path) -> None:
    """Until the server says in its lock file that it takes connections (PostgreSQL's miscadmin.h, line 8 of it)."""
    ends = time.monotonic() + _STARTS_S
    while True:
        try:
            lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            lines = []
        if len(lines) >= 8 and lines[7].strip() == "ready":
            return
        if process.poll() is not None or time.monotonic() > ends:
            raise OSError(f"postgres does not start: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
        time.sleep(_GLANCE_S)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
