"""docs/desk.md: its commands, one after the other as a newcomer would type them, on SQLite and then on PostgreSQL."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from plomba.cli import main
from plomba.desk.api.app import TABLE
from plomba.desk.live import HEARTBEAT
from plomba.desk.watch import INTERVAL
from plomba.errors import codes
from plomba.testing.postgresql import programs

REPOSITORY = Path(__file__).parents[2]
DOCS = (REPOSITORY / "docs" / "desk.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8080"
URL = "postgresql://desk@db/orders"
MEANWHILE = (
    "plomba desk import",
    "plomba desk calendar",
    "plomba desk lifecycle",
    "curl",
    "printf",
    "python",
    "export",
)
"""Commands beside which the desk goes on."""


def typed() -> Iterator[tuple[str, list[str]]]:
    """(command, what is shown behind it) of all consoles."""
    for block in re.findall(r"```console\n(.*?)```", DOCS, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            yield command, shown


class Shell:
    """`server`: a PostgreSQL server, on which the database is made that the page makes."""

    def __init__(self, folder: Path, server: str) -> None:
        self.folder = folder
        where = urlsplit(server)
        self.url = urlunsplit(where._replace(path="/orders"))
        self.desk: subprocess.Popen[str] | None = None
        self.address = ""
        secret = folder / "passphrase"
        secret.touch(mode=0o600)
        secret.write_text("correct horse battery staple\n", encoding="utf-8")
        own = folder / "bin"
        own.mkdir()
        for name, run in (("plomba", "-m plomba"), ("python", "")):
            (own / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {run} "$@"\n', encoding="utf-8")
            (own / name).chmod(0o700)
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "PLOMBA_DESK_DATABASE"},
            "PATH": os.pathsep.join([str(own), str(programs()), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PLOMBA_PASSPHRASE_FILE": str(secret),
            "PGHOST": where.hostname or where.query.partition("host=")[2],
            "PGUSER": str(where.username),
        }

    def type(self, command: str) -> str:
        """What it printed, once it has ended well; of a desk, once it answers."""
        if not command.startswith(MEANWHILE):
            self.stop()
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            self.environment[name] = value.replace(URL, self.url)
            return ""
        if command.startswith("plomba desk serve "):
            return self._serve(command)
        done = subprocess.run(
            ["sh", "-ec", command.replace(ADDRESS, self.address)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        return done.stdout

    def _serve(self, command: str) -> str:
        self.desk = subprocess.Popen(
            ["sh", "-ec", f"exec {command} --port 0"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.desk.stdout is not None
        said = self.desk.stdout.readline()
        self.address = json.loads(said)["desk"]
        return said.replace(self.address, ADDRESS)

    def stop(self) -> None:
        if self.desk is not None:
            self.desk.terminate()
            self.desk.communicate(timeout=20)
            assert self.desk.returncode == 0
            self.desk = None


@pytest.fixture
def shell(tmp_path: Path, postgresql_server: str) -> Iterator[Shell]:
    import psycopg

    if os.name != "posix" or shutil.which("curl") is None:
        pytest.skip("a POSIX shell and curl")
    shell = Shell(tmp_path, postgresql_server)
    try:
        yield shell
    finally:
        if shell.desk is not None:
            shell.desk.kill()
            shell.desk.communicate()
        with psycopg.connect(postgresql_server, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS orders WITH (FORCE)")


def test_its_commands_do_what_they_say(shell: Shell) -> None:
    printed = {}
    for command, shown in typed():
        printed[command] = shell.type(command)
        assert printed[command].splitlines()[: len(shown)] == shown, command
    backup, *restores = (
        json.loads(printed[it]) for it in printed if it.startswith(("plomba desk backup", "plomba desk r"))
    )
    assert restores == [backup, backup] and backup["orders"] == backup["accounts"] == 1
    health = printed[f"curl -si {ADDRESS}/healthz"]
    assert health.startswith("HTTP/1.1 200 ") and '"status":"ok","orders":1,' in health
    assert json.loads(printed[f"plomba desk import orders.csv --desk {ADDRESS} --dry-run"])["bad"] == 0


def test_every_code_and_option_it_names_exists(capsys: pytest.CaptureFixture[str]) -> None:
    named = set(re.findall(r"`(desk_[a-z_]+)`", DOCS))
    assert named <= set(codes()) and len(named) > 9
    for command in ("serve", "import", "backup", "restore", "calendar", "account add"):
        with pytest.raises(SystemExit):
            main(["desk", *command.split(), "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", DOCS)) <= known


def test_its_proxy_is_not_refused_what_the_desk_takes() -> None:
    assert max(one.body.limit for one in TABLE if one.body is not None) == 128 << 20
    assert "client_max_body_size 128m;" in DOCS and "up to 128 MiB" in DOCS
    assert f"every {HEARTBEAT:.0f} seconds" in DOCS and f"looks every {INTERVAL:.0f} seconds" in DOCS
