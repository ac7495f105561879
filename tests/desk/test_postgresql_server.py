"""The server that tests start: it works, it keeps what it confirms, and nothing of it is left."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from plomba.errors import PlombaError
from plomba.testing import postgresql

pytestmark = pytest.mark.skipif(postgresql.programs() is None, reason="postgresql_missing")


def folder_of(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def postmaster(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def runs(process: int) -> bool:
    """What has ended and was not waited for by its parent does not run."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True).stdout.strip()
    return bool(found) and not found.startswith("Z")


@pytest.mark.skipif(os.name != "posix", reason="sockets in a folder are POSIX")
def test_a_server_is_gone_after_an_exception_inside() -> None:
    import psycopg

    with pytest.raises(ZeroDivisionError), postgresql.server() as url:
        folder = folder_of(url)
        process = postmaster(folder)
        assert runs(process)
        with psycopg.connect(url) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        raise ZeroDivisionError
    assert not runs(process)
    assert not folder.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_a_database_is_empty_and_dropped_whoever_is_in_it(postgresql_server: str) -> None:
    import psycopg

    with postgresql.database(postgresql_server) as one, postgresql.database(postgresql_server) as other:
        assert one != other
        lingering = psycopg.connect(one, autocommit=True)
        assert lingering.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
        assert lingering.execute("SHOW server_encoding").fetchone() == ("UTF8",)
    with pytest.raises(psycopg.OperationalError):
        lingering.execute("SELECT 1")
    lingering.close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(one)


def test_without_a_server_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "programs", lambda: None)
    with pytest.raises(PlombaError) as caught, postgresql.server():
        pass
    assert caught.value.code == "postgresql_missing"


def test_one_that_does_not_start_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[Path]()
    options = postgresql._options

    def wrong(folder: Path) -> str:
        made.append(folder)
        return options(folder) + " -c no_such_setting=1"

    monkeypatch.setattr(postgresql, "_options", wrong)
    with pytest.raises(PlombaError) as caught, postgresql.server():
        pass
    assert caught.value.code == "postgresql_failed" and "pg_ctl" in caught.value.what("en")
    assert [folder.exists() for folder in made] == [False]
