"""A desk on loopback answers to the names of a proxy on its machine, when it was told them."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from account_scene import accounts_in, with_token
from book_scene import Clock

from plomba.desk.store import Store
from plomba.desk.walls import hosts_for
from plomba.trust.organisation import Organisation

NAMES = ("desk.example.org", "Counter.example.org")


def command(tmp_path: Path, organisation: Organisation) -> list[str]:
    named = [part for name in NAMES for part in ("--name", name)]
    places = ["--data", str(tmp_path / "desk"), "--org", str(organisation.folder), "--port", "0"]
    return [sys.executable, "-m", "plomba", "desk", "serve", *places, *named]


def test_it_answers_to_the_names_it_was_given(tmp_path: Path, organisation: Organisation) -> None:
    with closing(Store(tmp_path / "desk")) as store, store.transaction():
        with_token(accounts_in(store, Clock()))
    with subprocess.Popen(command(tmp_path, organisation), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["desk"]
            asked = (*NAMES, "desk.example.org:8443", "localhost", "evil.example.org", "example.org")
            with httpx2.Client(base_url=url, timeout=20, trust_env=False) as http:
                found = {host: http.get("/healthz", headers={"host": host}).status_code for host in asked}
        finally:
            process.terminate()
    assert found == {host: 421 if host in asked[-2:] else 200 for host in asked}


def test_without_an_account_it_is_refused(tmp_path: Path, organisation: Organisation) -> None:
    """Behind the proxy is whoever reaches the proxy."""
    ended = subprocess.run(command(tmp_path, organisation), capture_output=True, text=True, timeout=30)
    assert ended.returncode != 0 and "desk_open" in ended.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.2", "::"])
def test_beyond_loopback_any_name_is_answered(host: str) -> None:
    assert hosts_for(host, NAMES) is None
