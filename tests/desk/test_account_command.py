"""`plomba desk account`, and the token on the other side: of a dock, of an import."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from account_scene import refused
from desk_process import DeskProcess

from plomba.cli.desk_token import VARIABLE, desk_token
from plomba.desk.accounts import Account, Accounts
from plomba.desk.server import serve
from plomba.desk.store import Store
from plomba.errors import PlombaError
from plomba.forward import Desk
from plomba.trust.organisation import Organisation


def account(data: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "plomba", "desk", "account", *arguments, "--data", str(data)]
    environment = {**os.environ, "PLOMBA_LANG": "en", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, input=typed, capture_output=True, encoding="utf-8", timeout=60, env=environment)


def made(data: Path, *arguments: str, typed: str = "") -> list[dict[str, Any]]:
    ran = account(data, *arguments, typed=typed)
    assert (ran.returncode, ran.stderr) == (0, "")
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_an_accounts_life(tmp_path: Path) -> None:
    (first,) = made(tmp_path, "add", "Анна", "--role", "clerk", "--place", "17", "--place", "18")
    assert (first["account"], first["role"]) == ("Анна", "clerk")
    made(tmp_path, "add", "сева", "--role", "shop", "--shop", "Север")
    made(tmp_path, "add", "rider", "--role", "courier", "--badge", "42", "--days", "30")
    made(tmp_path, "password", "анна", typed="correct horse battery\n")
    (second,) = made(tmp_path, "token", "Анна", "--only")
    made(tmp_path, "revoke", "сева")
    listed = {line["account"]: line for line in made(tmp_path, "list")}
    assert [*listed] == ["rider", "Анна", "сева"]
    assert [listed["Анна"][key] for key in ("role", "places", "password", "tokens", "used", "revoked")] == [
        "clerk",
        [17, 18],
        True,
        1,
        None,
        None,
    ]
    assert (listed["rider"]["badge"], listed["сева"]["shop"], listed["сева"]["tokens"]) == (42, "Север", 0)
    assert listed["сева"]["revoked"] is not None

    store = Store(tmp_path)
    accounts = Accounts(store, lambda: 0)
    assert accounts.register.bearer(first["token"]) is None
    assert accounts.register.bearer(second["token"]) == Account("Анна", "clerk", frozenset({17, 18}))
    held = accounts.register.password("Анна")
    assert held is not None and accounts.logins.passwords.fits("correct horse battery", held[1])
    assert [(row.peer, row.operation, row.subject) for row in accounts.audit.listed()] == [
        ("console", "account.add", "Анна"),
        ("console", "account.add", "сева"),
        ("console", "account.add", "rider"),
        ("console", "account.password", "анна"),
        ("console", "account.token", "Анна"),
        ("console", "account.revoke", "сева"),
    ]
    store.close()


def test_what_cannot_be_says_so_and_changes_nothing(tmp_path: Path) -> None:
    made(tmp_path, "add", "anna", "--role", "clerk")
    before = made(tmp_path, "list")
    for code, arguments in (
        ("account_taken", ("add", "ANNA", "--role", "admin")),
        ("account_role", ("add", "boss", "--role", "owner")),
        ("account_unfit", ("add", "rider", "--role", "courier")),
        ("account_name", ("add", "an na", "--role", "clerk")),
        ("token_days", ("add", "boss", "--role", "admin", "--days", "0")),
        ("account_unknown", ("revoke", "boss")),
        ("account_unknown", ("token", "boss")),
        ("account_unknown", ("password", "boss")),
        ("password_short", ("password", "anna")),
    ):
        ran = account(tmp_path, *arguments, typed="short\n")
        assert ran.returncode in (1, 2) and f"[{code}]" in ran.stderr, (code, ran.stderr)
    assert made(tmp_path, "list") == before


def test_a_running_desk_holds_its_accounts(desk: DeskProcess, tmp_path: Path) -> None:
    ran = account(tmp_path / "desk", "list")
    assert ran.returncode == 1 and "[desk_store_busy]" in ran.stderr


def test_a_desk_without_accounts_is_for_this_machine(tmp_path: Path, organisation: Organisation) -> None:
    def answers(host: str, **more: bool) -> str:
        """What it stops at: there is no such port."""
        with pytest.raises(PlombaError) as caught:
            serve(tmp_path, organisation.folder, host, 1 << 64, print, **more)
        return caught.value.code

    for host in ("0.0.0.0", "::", "192.0.2.1"):
        assert (answers(host), answers(host, lan=True)) == ("desk_open", "desk_port")
    for host in ("127.0.0.1", "localhost", "::1"):
        assert answers(host) == "desk_port"
    made(tmp_path, "add", "anna", "--role", "clerk")
    assert answers("0.0.0.0") == "desk_port"
    made(tmp_path, "revoke", "anna")
    assert answers("0.0.0.0") == "desk_port"


def test_a_token_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert desk_token(None) is None
    monkeypatch.setenv(VARIABLE, "plk_env\n")
    assert desk_token(None) == "plk_env"
    file = tmp_path / "token"
    file.write_bytes(b"plk_file\r\nsecond line\n")
    file.chmod(0o600)
    assert desk_token(file) == "plk_file"
    with refused("token_file_missing"):
        desk_token(tmp_path / "nowhere")
    for text in (b"", b"\n", b"plk_ x", b"plk_\xff", b"plk_\x00", b"plk_\rx-evil: 1"):
        file.write_bytes(text)
        with refused("token_form"):
            desk_token(file)
    monkeypatch.setenv(VARIABLE, "plk_\nx-evil: 1")
    with refused("token_form"):
        desk_token(None)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
def test_a_token_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("plk_x\n")
    file.chmod(0o644)
    with refused("token_file_readable"):
        desk_token(file)


@pytest.mark.anyio
@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
async def test_a_dock_shows_its_token_and_tells_a_refusal_from_silence(status: str) -> None:
    asked = list[str]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        body = b'{"title": "no", "detail": "not you"}'
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for token in ("plk_secret", None):
            async with Desk(url, token) as desk:
                for call in (desk.rules("00" * 8), desk.staff("00" * 8), desk.seals("00" * 8), desk.orders()):
                    with pytest.raises(PlombaError, match="not you") as caught:
                        await call
                    assert caught.value.code == "desk_not_allowed"
    assert len(asked) == 8
    assert all("authorization: bearer plk_secret\r\n" in one for one in asked[:4])
    assert not any("authorization" in one for one in asked[4:])
