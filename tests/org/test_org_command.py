"""`plomba org` as it is typed: what it makes, what it says, and what it never says."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from org_folders import NEW_PASSPHRASE, NOW, PASSPHRASE, Command, posix_only, secrets_of, snapshot

from plomba.trust.keys import PrivateKey
from plomba.trust.objects import CERTIFICATE_MAX
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import Role


def unlocked(folder: Path, passphrase: str = PASSPHRASE) -> Organisation:
    return Organisation.load(folder, passphrase=passphrase.encode())


def test_init_makes_a_locked_root_and_working_keys(run: Command, secret: Path, tmp_path: Path) -> None:
    folder = tmp_path / "org"
    ran = run("org", "init", folder, "--passphrase-file", secret)
    assert ran.status == 0
    assert ran.out.strip() == (folder / "root.fingerprint").read_text().strip()
    assert b"ENCRYPTED" in (folder / "root.pem").read_bytes()
    assert Organisation.load(folder).root is None
    organisation = unlocked(folder)
    assert organisation.unlocked().public == organisation.trust.root
    for signer in organisation.working.values():
        assert len(signer.certificate) <= CERTIFICATE_MAX
    everything = b"".join(snapshot(folder).values()) + (ran.out + ran.err).encode()
    assert not [found for found in secrets_of(organisation.unlocked()) if found in everything]


@posix_only
def test_what_init_writes_only_its_owner_can_read(run: Command, secret: Path, tmp_path: Path) -> None:
    folder = tmp_path / "org"
    old = os.umask(0)
    try:
        run("org", "init", folder, "--passphrase-file", secret)
    finally:
        os.umask(old)
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.glob("*.pem"):
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_status_says_who_has_which_key(run: Command, locked: Path, secret: Path) -> None:
    run("org", "issue", locked, "release", "--days", "20", "--passphrase-file", secret)
    found = json.loads(run("org", "status", locked, "--json").out)
    assert found["root"]["state"] == "locked"
    states = {key["role"]: (key["state"], key["epoch"], key["here"]) for key in found["keys"]}
    assert states == {"dock": ("good", 1, True), "desk": ("good", 1, True), "release": ("soon", 1, True)}
    assert (found["revocations"]["number"], found["revocations"]["state"]) == (1, "good")
    text = run("org", "status", locked).out
    assert "ENDS SOON" in text
    assert "under a passphrase" in text


def test_status_is_loud_about_a_root_without_a_passphrase(run: Command, opened: Organisation) -> None:
    assert json.loads(run("org", "status", opened.folder, "--json").out)["root"]["state"] == "open"
    assert "ROOT WITHOUT A PASSPHRASE" in run("org", "status", opened.folder).out


def test_status_names_what_ended(run: Command, tmp_path: Path) -> None:
    Organisation.create(tmp_path / "old", now=NOW - 3 * 366 * 86400)
    text = run("org", "status", tmp_path / "old").out
    assert text.count("EXPIRED") == 3
    found = json.loads(run("org", "status", tmp_path / "old", "--json").out)
    assert {key["state"] for key in found["keys"]} == {"expired"}


def test_issue_renews_a_key_in_the_next_epoch(run: Command, locked: Path, secret: Path) -> None:
    before = Organisation.load(locked).dock
    ran = run("org", "issue", locked, "dock", "--passphrase-file", secret)
    made = json.loads(ran.out)
    after = Organisation.load(locked).dock
    assert (after.key.id.hex(), made["epoch"]) == (made["key"], 2)
    assert after.key.id != before.key.id
    serials = [key["serial"] for key in json.loads(run("org", "status", locked, "--json").out)["keys"]]
    assert len(set(serials)) == len(serials) == 3


@pytest.mark.parametrize("form", ["raw", "hex", "pem"])
def test_issue_certifies_a_key_made_elsewhere(
    run: Command, locked: Path, secret: Path, tmp_path: Path, form: str
) -> None:
    key = PrivateKey.generate()
    public = tmp_path / "public"
    if form == "pem":
        (tmp_path / "key.pem").write_bytes(key.pem())
        openssl = ["openssl", "pkey", "-in", str(tmp_path / "key.pem"), "-pubout"]
        public.write_bytes(subprocess.run(openssl, check=True, capture_output=True).stdout)
    else:
        public.write_bytes(key.public if form == "raw" else key.public.hex().encode() + b"\n")
    arguments = ["--public", public, "--label", "пломбы", "--passphrase-file", secret]
    made = json.loads(run("org", "issue", locked, "seal-issuer", *arguments).out)
    certificate = Organisation.load(locked).trust.certificate(Path(made["certificate"]).read_bytes(), now=NOW)
    assert (certificate.role, certificate.public) == (Role.SEAL_ISSUER, key.public)
    assert not (locked / "seal-issuer.pem").exists()


def test_revoke_by_role_label_and_id(run: Command, locked: Path, secret: Path) -> None:
    unlock = ["--passphrase-file", secret]
    organisation = unlocked(locked)
    terminal = PrivateKey.generate()
    organisation.certify_terminal(terminal.public, epoch=1, protection=1, label="counter-1", now=NOW)
    ran = run("org", "revoke", locked, "counter-1", "--reason", "stolen", "--since", "2026-01-02T00:00+00:00", *unlock)
    assert json.loads(ran.out)["number"] == 2
    assert "org issue" in run("org", "revoke", locked, "dock", "--reason", "replaced", *unlock).err
    desk = organisation.desk.key.id
    assert json.loads(run("org", "revoke", locked, desk.hex(), "--reason", "lost", *unlock).out)["revoked"] == 3
    held = Organisation.load(locked).revoked()
    assert held.covers(terminal.id, 1767312000)
    assert not held.covers(terminal.id, 1767311999)
    assert held.covers(desk, NOW + 86400)
    assert "REVOKED since 2026-01-02: stolen or copied" in run("org", "status", locked).out
    renewed = json.loads(run("org", "revoke", locked, "--renew", "--days", "30", *unlock).out)
    assert (renewed["number"], renewed["revoked"]) == (5, 3)


def test_rotate_through_the_command(run: Command, locked: Path, secret: Path, new_secret: Path) -> None:
    before = Organisation.load(locked)
    ran = run("org", "rotate", locked, "--passphrase-file", secret, "--new-passphrase-file", new_secret)
    assert json.loads(ran.out) == {
        "fingerprint": Organisation.load(locked).fingerprint,
        "former": before.fingerprint,
    }
    assert unlocked(locked, NEW_PASSPHRASE).former == (before.trust.root,)
    assert "root rotations: 1" in run("org", "status", locked).out


def test_solo_says_what_to_type_next(run: Command, secret: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.txt"
    ran = run("org", "init", "--solo", tmp_path / "org", "--sheet", sheet, "--passphrase-file", secret)
    assert ran.status == 0
    assert f"plomba enroll PORT --org {tmp_path / 'org'}" in ran.err
    assert sheet.stat().st_mode & 0o077 == 0 or os.name != "posix"
    ran = run("org", "init", "--solo", tmp_path / "other", "--passphrase-file", secret)
    assert "There is no recovery sheet" in ran.err


def test_the_root_may_lie_elsewhere(run: Command, secret: Path, new_secret: Path, tmp_path: Path) -> None:
    folder, usb = tmp_path / "org", tmp_path / "usb"
    usb.mkdir()
    root = ["--root-key", usb / "shop.pem"]
    unlock = ["--passphrase-file", secret]
    assert run("org", "init", folder, *root, *unlock).status == 0
    assert not (folder / "root.pem").exists()
    assert Organisation.load(folder).root is None
    assert json.loads(run("org", "status", folder, "--json").out)["root"]["state"] == "elsewhere"
    assert json.loads(run("org", "status", folder, "--json", *root).out)["root"]["state"] == "locked"
    assert run("org", "issue", folder, "dock", *unlock).code == "root_offline"
    assert run("org", "issue", folder, "dock", *root, *unlock).status == 0
    assert run("org", "rotate", folder, *root, *unlock, "--new-passphrase-file", new_secret).status == 0
    assert [path.name for path in usb.iterdir()] == ["shop.pem"]
    assert Organisation.load(folder, root_key=usb / "shop.pem", passphrase=NEW_PASSPHRASE.encode()).root is not None


@posix_only
def test_a_passphrase_comes_through_a_descriptor_or_a_named_file(locked: Path, secret: Path) -> None:
    command = [sys.executable, "-m", "plomba", "org", "revoke", str(locked), "--renew"]
    reading, writing = os.pipe()
    os.write(writing, PASSPHRASE.encode() + b"\n")
    os.close(writing)
    through = [*command, "--passphrase-file", f"/dev/fd/{reading}"]
    ran = subprocess.run(through, pass_fds=[reading], capture_output=True, stdin=subprocess.DEVNULL)
    os.close(reading)
    assert ran.returncode == 0, ran.stderr
    named = os.environ | {"PLOMBA_PASSPHRASE_FILE": str(secret)}
    assert subprocess.run(command, env=named, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
    assert Organisation.load(locked).revoked().number == 3


@posix_only
def test_a_passphrase_typed_at_a_terminal_is_not_shown(tmp_path: Path) -> None:
    folder, sheet = tmp_path / "org", tmp_path / "sheet.txt"
    status, shown = typed(
        ["org", "init", "--solo", str(folder)],
        [("New passphrase", PASSPHRASE), ("Once more", PASSPHRASE), ("Where to write", str(sheet))],
    )
    assert status == 0, shown
    assert PASSPHRASE not in shown
    assert unlocked(folder).root is not None
    assert sheet.exists()
    lines = [
        line.split(maxsplit=1)[1] for line in sheet.read_text().splitlines() if line[:2] == "  " and line[2].isdecimal()
    ]
    (folder / "root.pem").unlink()
    slip = lines[2].translate(str.maketrans("0123456789", "1234567890"))
    asked = [(f"Line {number} of 7", line) for number, line in enumerate(lines, start=1)]
    asked.insert(2, ("Line 3 of 7", slip if slip != lines[2] else lines[3]))
    asked += [("New passphrase", NEW_PASSPHRASE), ("Once more", NEW_PASSPHRASE)]
    status, shown = typed(["org", "recover", str(folder)], asked)
    assert status == 0, shown
    assert "Line 3 of the sheet: there is a slip in it" in shown
    assert unlocked(folder, NEW_PASSPHRASE).root is not None


@posix_only
def test_a_second_passphrase_that_differs_makes_nothing(tmp_path: Path) -> None:
    asked = [("New passphrase", PASSPHRASE), ("Once more", PASSPHRASE + "!")]
    status, shown = typed(["org", "init", str(tmp_path / "org")], asked)
    assert (status, "[passphrase_differs]" in shown) == (2, True)
    assert not (tmp_path / "org").exists()


def typed(arguments: list[str], answers: list[tuple[str, str]]) -> tuple[int, str]:
    """Runs the command on a terminal of its own; each answer is typed when its question stands there."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ["PLOMBA_LANG"] = "en"
        os.execv(sys.executable, [sys.executable, "-m", "plomba", *arguments])
    shown = ""
    at = 0
    pending = list(answers)
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # Linux says EIO when the other end is closed
            break
        if not piece:
            break
        shown += piece.decode("utf-8", "replace")
        if pending and pending[0][0] in shown[at:]:
            at = len(shown)
            os.write(master, pending.pop(0)[1].encode() + b"\n")
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown
