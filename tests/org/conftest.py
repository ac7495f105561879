"""Organisations whose root lies under a passphrase: made once, copied for each test, for scrypt takes its time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from org_folders import NEW_PASSPHRASE, NOW, PASSPHRASE, Command, Ran, passphrase_file

from plomba.cli import main
from plomba.trust.organisation import Organisation


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command in this process, in English; nothing it says may hold a passphrase."""
    monkeypatch.setenv("PLOMBA_LANG", "en")
    monkeypatch.delenv("PLOMBA_PASSPHRASE_FILE", raising=False)
    monkeypatch.delenv("PLOMBA_NEW_PASSPHRASE_FILE", raising=False)

    def command(*arguments: str | Path) -> Ran:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        for secret in (PASSPHRASE, NEW_PASSPHRASE):
            assert secret not in said.out + said.err
        assert "Traceback" not in said.err
        return Ran(ended.value.code, said.out, said.err)  # type: ignore[arg-type]

    return command


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    return passphrase_file(tmp_path / "passphrase", PASSPHRASE)


@pytest.fixture
def new_secret(tmp_path: Path) -> Path:
    return passphrase_file(tmp_path / "new-passphrase", NEW_PASSPHRASE)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "org"
    Organisation.create(folder, now=NOW, passphrase=PASSPHRASE.encode())
    return folder


@pytest.fixture
def locked(template: Path, tmp_path: Path) -> Path:
    """A folder whose root is under PASSPHRASE."""
    return Path(shutil.copytree(template, tmp_path / "org"))


@pytest.fixture
def opened(tmp_path: Path) -> Organisation:
    """An organisation whose root lies open."""
    return Organisation.create(tmp_path / "open", now=NOW)
