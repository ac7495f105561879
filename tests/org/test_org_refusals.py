"""What `plomba org` refuses: a stable code, the next step, an exit status, and nothing changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from org_folders import NEW_PASSPHRASE, NOW, PASSPHRASE, Command, passphrase_file, posix_only, snapshot

from plomba import errors
from plomba.errors import PlombaError, StoreError, UsageError, VerificationError
from plomba.trust import issuing, revoking, staged_files
from plomba.trust.keys import PrivateKey
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Revocation


@pytest.mark.parametrize(
    ("arguments", "code", "status"),
    [
        (("issue", "ORG", "cook", "--passphrase-file", "OK"), "role_unknown", 2),
        (("issue", "ORG", "dock", "--days", "0", "--passphrase-file", "OK"), "days_range", 2),
        (("issue", "ORG", "dock", "--label", "x" * 33, "--passphrase-file", "OK"), "label_long", 2),
        (("issue", "ORG", "dock", "--label", "a\x1b[2J", "--passphrase-file", "OK"), "label_long", 2),
        (("issue", "ORG", "dock", "--public", "OK", "--passphrase-file", "OK"), "public_unreadable", 2),
        (("issue", "ORG", "dock", "--public", "ORG/dock.pem", "--passphrase-file", "OK"), "public_unreadable", 2),
        (("issue", "ORG", "dock", "--passphrase-file", "WRONG"), "passphrase_wrong", 1),
        (("issue", "ORG", "dock"), "passphrase_needed", 2),
        (("issue", "ORG", "dock", "--passphrase-file", "NONE"), "passphrase_file_missing", 2),
        (("issue", "ORG", "dock", "--root-key", "NONE", "--passphrase-file", "OK"), "root_offline", 1),
        (("issue", "ORG", "dock", "--root-key", "OTHER", "--passphrase-file", "OK"), "root_other", 1),
        (("revoke", "ORG", "dock", "--reason", "lost", "--passphrase-file", "WRONG"), "passphrase_wrong", 1),
        (("revoke", "ORG", "nobody", "--reason", "lost", "--passphrase-file", "OK"), "key_unknown", 2),
        (("revoke", "ORG", "00" * 8, "--reason", "lost", "--passphrase-file", "OK"), "key_unknown", 2),
        (("revoke", "ORG", "dock", "--passphrase-file", "OK"), "reason_unknown", 2),
        (("revoke", "ORG", "dock", "--reason", "bored", "--passphrase-file", "OK"), "reason_unknown", 2),
        (("revoke", "ORG", "--passphrase-file", "OK"), "revoke_what", 2),
        (("revoke", "ORG", "dock", "--renew", "--passphrase-file", "OK"), "revoke_what", 2),
        (
            ("revoke", "ORG", "dock", "--reason", "lost", "--since", "noon", "--passphrase-file", "OK"),
            "since_unreadable",
            2,
        ),
        (
            ("revoke", "ORG", "dock", "--reason", "lost", "--since", "2099-01-01", "--passphrase-file", "OK"),
            "since_future",
            2,
        ),
        (("rotate", "ORG", "--passphrase-file", "WRONG", "--new-passphrase-file", "OK"), "passphrase_wrong", 1),
        (("rotate", "ORG", "--passphrase-file", "OK", "--new-passphrase-file", "SHORT"), "passphrase_short", 2),
        (("rotate", "ORG", "--passphrase-file", "OK"), "passphrase_needed", 2),
        (("rotate", "ORG", "--sheet", "OK", "--passphrase-file", "OK"), "sheet_place", 2),
        (("init", "ORG", "--passphrase-file", "OK"), "key_exists", 1),
        (("export", "ORG", "OK"), "export_taken", 2),
        (("export", "ORG", "ORG"), "export_taken", 2),
        (("recover", "ORG"), "sheet_needed", 2),
        (("recover", "ORG", "NONE"), "file_missing", 2),
        (("recover", "ORG", "OK"), "sheet_line_missing", 2),
        (("status", "NONE"), "org_missing", 1),
    ],
)
def test_refused(
    run: Command, locked: Path, tmp_path: Path, arguments: tuple[str, ...], code: str, status: int
) -> None:
    other = tmp_path / "other.pem"
    PrivateKey.generate().save(other)
    places = {
        "ORG": locked,
        "OK": passphrase_file(tmp_path / "good", PASSPHRASE),
        "WRONG": passphrase_file(tmp_path / "wrong", NEW_PASSPHRASE),
        "SHORT": passphrase_file(tmp_path / "short", "11 characte"),
        "NONE": tmp_path / "none",
        "OTHER": other,
        "ORG/dock.pem": locked / "dock.pem",
    }
    before = snapshot(tmp_path)
    ran = run("org", *(places.get(argument, argument) for argument in arguments))
    assert (ran.code, ran.status, ran.out) == (code, status, "")
    assert "→" in ran.err
    assert "?" not in ran.err.replace("`", ""), "a field of the text has no value"
    assert snapshot(tmp_path) == before


def test_a_stick_that_is_not_there_makes_no_organisation(run: Command, secret: Path, tmp_path: Path) -> None:
    ran = run("org", "init", tmp_path / "org", "--root-key", tmp_path / "usb" / "x.pem", "--passphrase-file", secret)
    assert (ran.code, ran.status) == ("folder_failed", 1)
    assert str(tmp_path / "usb") in ran.err
    assert not (tmp_path / "org").exists()


def test_a_short_passphrase_makes_no_organisation(run: Command, tmp_path: Path) -> None:
    short = passphrase_file(tmp_path / "short", "elevenchars")
    ran = run("org", "init", tmp_path / "org", "--passphrase-file", short)
    assert (ran.code, ran.status) == ("passphrase_short", 2)
    assert "elevenchars" not in ran.err
    assert not (tmp_path / "org").exists()


@posix_only
def test_modes_that_let_others_in(run: Command, locked: Path, secret: Path) -> None:
    def refused(path: Path, mode: int, *arguments: str | Path) -> str:
        kept = path.stat().st_mode & 0o777
        path.chmod(mode)
        ran = run("org", *arguments)
        path.chmod(kept)
        assert ran.status in (1, 2)
        assert f"chmod {kept:o} {path}" in ran.err
        return ran.code

    issue = ("issue", locked, "dock", "--passphrase-file", secret)
    before = snapshot(locked)
    for name in ("dock.pem", "desk.pem"):
        assert refused(locked / name, 0o640, "status", locked) == "key_readable"
    assert refused(locked / "root.pem", 0o604, "status", locked) == "key_readable"
    assert refused(locked / "root.pem", 0o640, *issue) == "key_readable"
    assert refused(locked, 0o770, "status", locked) == "folder_writable"
    assert refused(secret, 0o644, *issue) == "passphrase_file_readable"
    assert snapshot(locked) == before


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda folder, other: (folder / "dock.pem").unlink(), "key_missing"),
        (lambda folder, other: (folder / "desk.cert").unlink(), "org_missing"),
        (lambda folder, other: (folder / "root.pub").write_bytes(b"x"), "key_damaged"),
        (lambda folder, other: (folder / "dock.pem").write_bytes(b"x"), "key_damaged"),
        (lambda folder, other: shutil.copy(other / "dock.pem", folder / "dock.pem"), "org_mixed"),
        (lambda folder, other: shutil.copy(other / "dock.cert", folder / "dock.cert"), "org_mixed"),
        (lambda folder, other: shutil.copy(other / "root.pub", folder / "root.pub"), "org_mixed"),
        (lambda folder, other: shutil.copy(other / "revocations.list", folder / "revocations.list"), "org_mixed"),
        (lambda folder, other: shutil.copy(other / "root.pem", folder / "root.pem"), "root_other"),
    ],
)
def test_a_folder_with_a_wrong_file(
    opened: Organisation, tmp_path: Path, damage: Callable[[Path, Path], object], code: str
) -> None:
    other = Organisation.create(tmp_path / "other", now=NOW)
    damage(opened.folder, other.folder)
    with pytest.raises(StoreError) as refused:
        Organisation.load(opened.folder)
    assert refused.value.code == code


def test_a_damaged_certificate_in_the_register(run: Command, opened: Organisation) -> None:
    path = next((opened.folder / "issued").iterdir())
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert run("org", "status", opened.folder).code == "certificate_damaged"


def test_a_working_key_that_may_not_sign_now(opened: Organisation) -> None:
    assert opened.signer("dock", now=NOW).key.id == opened.dock.key.id
    for moment in (NOW - 2 * 86400, NOW + 3 * 366 * 86400):
        with pytest.raises(VerificationError) as refused:
            opened.signer("dock", now=moment)
        assert refused.value.code == "certificate_dates"
    revoking.revoke(opened, opened.dock.key.id, reason=Revocation.STOLEN, since=NOW - 60, now=NOW)
    now = Organisation.load(opened.folder)
    with pytest.raises(VerificationError) as refused:
        now.signer("dock", now=NOW)
    assert refused.value.code == "key_revoked"
    with pytest.raises(StoreError) as missing:
        now.signer("release", now=NOW)
    assert missing.value.code == "key_missing"


def test_revocations_are_never_taken_back(opened: Organisation) -> None:
    key = opened.dock.key.id

    def revoke(since: int) -> None:
        revoking.revoke(Organisation.load(opened.folder), key, reason=Revocation.LOST, since=since, now=NOW)

    revoke(NOW - 100)
    for later in (NOW - 100, NOW):
        with pytest.raises(UsageError) as refused:
            revoke(later)
        assert refused.value.code == "revoked_already"
    revoke(NOW - 200)
    assert Organisation.load(opened.folder).revoked().rows == {key: (NOW - 200, Revocation.LOST)}


def test_a_label_of_two_keys_is_asked_back(opened: Organisation) -> None:
    keys = [PrivateKey.generate() for _ in range(2)]
    for key in keys:
        opened.certify_terminal(key.public, epoch=1, protection=1, label="counter", now=NOW)
    with pytest.raises(UsageError) as refused:
        revoking.resolve(opened, "counter")
    assert refused.value.code == "key_ambiguous"
    assert all(key.id.hex() in refused.value.what("en") for key in keys)
    revoking.revoke(opened, keys[0].id, reason=Revocation.LOST, since=NOW, now=NOW)
    assert revoking.resolve(Organisation.load(opened.folder), "counter") == keys[1].id


def test_the_root_is_not_revoked_but_rotated(opened: Organisation) -> None:
    with pytest.raises(UsageError) as refused:
        revoking.resolve(opened, opened.unlocked().id.hex(), unlisted=True)
    assert refused.value.code == "root_not_revocable"


def test_a_key_of_nobody_is_revoked_only_when_said_so(run: Command, locked: Path, secret: Path) -> None:
    ran = run("org", "revoke", locked, "ab" * 8, "--reason", "lost", "--unlisted", "--passphrase-file", secret)
    assert json.loads(ran.out)["key"] == "ab" * 8


def test_a_full_list(opened: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revoking, "REVOKED_MAX", 2)
    for at in range(2):
        revoking.revoke(opened, bytes([at] * 8), reason=Revocation.LOST, since=NOW, now=NOW)
    with pytest.raises(StoreError) as refused:
        revoking.revoke(opened, b"onemore!", reason=Revocation.LOST, since=NOW, now=NOW)
    assert refused.value.code == "revocations_full"


@posix_only
def test_two_writers_at_once(opened: Organisation) -> None:
    with staged_files.changing(opened.folder), pytest.raises(StoreError) as refused:
        issuing.issue_working(opened, "dock", now=NOW)
    assert refused.value.code == "folder_busy"
    issuing.issue_working(opened, "dock", now=NOW)


@posix_only
def test_a_disk_that_refuses(run: Command, locked: Path, secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot(locked)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    ran = run("org", "issue", locked, "dock", "--passphrase-file", secret)
    assert (ran.code, ran.status) == ("folder_failed", 1)
    assert "No space left" in ran.err
    monkeypatch.undo()
    assert {name: data for name, data in snapshot(locked).items() if not name.startswith(".next")} == before


def test_serials_never_repeat(opened: Organisation) -> None:
    for label in ("a", "b"):
        opened.certify_terminal(PrivateKey.generate().public, epoch=1, protection=1, label=label, now=NOW)
        issuing.issue_working(opened, "release", now=NOW, label=label)
        opened.certify_terminal(PrivateKey.generate().public, epoch=1, protection=1, label=label, now=NOW - 1000)
    certified = [int(path.stem) for path in (opened.folder / "issued").iterdir()]
    assert len(set(certified)) == 8
    shutil.rmtree(opened.folder / "issued")
    later = NOW + 3600
    issuing.issue_working(opened, "dock", now=later)
    assert int(next((opened.folder / "issued").iterdir()).stem) > max(certified)


def test_every_code_of_this_room_has_three_languages_and_a_next_step() -> None:
    ours = Path(__file__).parents[2] / "host" / "plomba"
    sources = [*ours.glob("trust/*.py"), *ours.glob("cli/org*.py"), ours / "cli" / "passphrase.py"]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    codes = [
        code for code in errors.codes() if f'"{code}"' in text and code.startswith(("passphrase", "sheet", "key_"))
    ]
    assert len(codes) > 20
    for code in codes:
        error = PlombaError(code)
        assert len({error.what(lang) for lang in ("ru", "uk", "en")}) == 3
        assert all(error.next_step(lang) for lang in ("ru", "uk", "en"))
