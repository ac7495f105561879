"""The paper sheet and the exported folder: what brings an organisation back, and what neither gives away."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from org_folders import NEW_PASSPHRASE, NOW, PASSPHRASE, Command, passphrase_file, secrets_of, snapshot

from plomba.errors import StoreError, UsageError
from plomba.trust import passphrases, recovery_sheet
from plomba.trust.keys import PrivateKey
from plomba.trust.organisation import Organisation
from plomba.trust.revoking import revoke
from plomba_wire.vocabulary import Revocation

KEY = PrivateKey.from_number(bytes(range(1, 33)))
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def sheet(key: PrivateKey = KEY, lang: str = "en") -> str:
    return recovery_sheet.write(key, made="2026-11-25", lang=lang)


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line[:2] == "  " and line[2].isdecimal()]


@pytest.mark.parametrize("lang", ["ru", "uk", "en"])
def test_a_sheet_reads_as_it_was_written(lang: str) -> None:
    text = sheet(lang=lang)
    found = recovery_sheet.read(text)
    assert found.key.number == KEY.number
    assert found.fingerprint is not None
    assert max(map(len, text.splitlines())) <= 80
    assert not [secret for secret in secrets_of(KEY) if secret in text.encode()]


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 2**256 - 2**224))
def test_any_key_comes_back(number: int) -> None:
    key = PrivateKey.from_number(number.to_bytes(32, "big"))
    assert recovery_sheet.read(sheet(key)).key.number == key.number


def test_typed_in_whatever_way() -> None:
    lines = lines_of(sheet())
    assert any("0" in line[5:] for line in lines)
    assert any("1" in line[5:] for line in lines)
    sloppy = [line[:5] + line[5:].lower().replace("0", "o").replace("1", "l").replace(" ", "-") for line in lines]
    noted = [f"{line.strip()[0]}) {line.strip()[1:].replace(' ', '')}\r" for line in lines]
    cyrillic = [line.translate(str.maketrans("ABCEHKMPTXY", "АВСЕНКМРТХУ")) for line in lines]
    for typed in (sloppy, noted, cyrillic, lines[::-1], ["my notes", "", *lines, "12 apples"]):
        assert recovery_sheet.read("\n".join(typed)).key.number == KEY.number


def test_every_wrong_character_is_found_and_its_line_named() -> None:
    lines = lines_of(sheet())
    for at, line in enumerate(lines):
        for column in range(5, len(line)):
            if line[column] == " ":
                continue
            for other in LETTERS:
                if other != line[column]:
                    slip = line[:column] + other + line[column + 1 :]
                    assert wrong_line([*lines[:at], slip, *lines[at + 1 :]]) == at + 1


def test_every_swap_and_every_lost_character_is_found() -> None:
    lines = lines_of(sheet())
    for at, line in enumerate(lines):
        columns = [column for column in range(5, len(line)) if line[column] != " "]
        for one in columns:
            assert wrong_line([*lines[:at], line[:one] + line[one + 1 :], *lines[at + 1 :]]) == at + 1
            for two in columns:
                if one < two < 14 and line[one] != line[two]:
                    slip = line[:one] + line[two] + line[one + 1 : two] + line[one] + line[two + 1 :]
                    assert wrong_line([*lines[:at], slip, *lines[at + 1 :]]) == at + 1


def wrong_line(lines: list[str]) -> str | int:
    with pytest.raises(UsageError) as refused:
        recovery_sheet.read("\n".join(lines))
    assert refused.value.code == "sheet_line_wrong"
    assert not set(refused.value.fields) - {"line"}, "an error names the line, never what stands in it"
    return int(refused.value.fields["line"])


def test_lines_of_two_sheets_do_not_go_together() -> None:
    mine, others = lines_of(sheet()), lines_of(sheet(PrivateKey.generate()))
    with pytest.raises(UsageError) as refused:
        recovery_sheet.read("\n".join([*mine[:3], *others[3:]]))
    assert refused.value.code == "sheet_unreadable"
    with pytest.raises(UsageError) as refused:
        recovery_sheet.read("\n".join([*mine, others[2]]))
    assert (refused.value.code, refused.value.fields["line"]) == ("sheet_line_twice", "3")
    with pytest.raises(UsageError) as refused:
        recovery_sheet.read("\n".join([*mine[:4], *mine[5:]]))
    assert (refused.value.code, refused.value.fields["line"]) == ("sheet_line_missing", "5")
    swapped = [mine[0].replace("1 ", "2 ", 1), mine[1].replace("2 ", "1 ", 1), *mine[2:]]
    with pytest.raises(UsageError) as refused:
        recovery_sheet.read("\n".join(swapped))
    assert refused.value.code == "sheet_line_wrong"


def test_noise_is_refused_without_a_traceback() -> None:
    source = random.Random(1)
    for _ in range(2000):
        text = "".join(source.choice("0123456789 ABCXYZ.\n\t\x00ЖÄ�") for _ in range(source.randrange(200)))
        with pytest.raises(UsageError):
            recovery_sheet.read(text)


def test_a_forgotten_passphrase(run: Command, locked: Path, secret: Path, new_secret: Path, tmp_path: Path) -> None:
    paper = tmp_path / "sheet.txt"
    run("org", "export", locked, tmp_path / "public", "--sheet", paper, "--passphrase-file", secret)
    before = Organisation.load(locked)
    ran = run("org", "recover", locked, paper, "--passphrase-file", new_secret)
    assert (ran.status, ran.out.strip()) == (0, before.fingerprint)
    after = Organisation.load(locked, passphrase=NEW_PASSPHRASE.encode())
    assert after.unlocked().public == before.trust.root
    assert after.dock.certificate == before.dock.certificate
    assert after.unlocked().number.hex() not in ran.out + ran.err


def test_a_sheet_of_another_organisation_or_a_former_root(
    run: Command, locked: Path, secret: Path, new_secret: Path, tmp_path: Path
) -> None:
    foreign, former, typo = tmp_path / "foreign.txt", tmp_path / "former.txt", tmp_path / "typo.txt"
    foreign.write_text(sheet(), encoding="utf-8")
    root = Organisation.load(locked, passphrase=PASSPHRASE.encode()).unlocked()
    former.write_text(sheet(root), encoding="utf-8")
    lines = lines_of(sheet(root))
    typo.write_text("\n".join([lines[0][:-1] + LETTERS[(LETTERS.index(lines[0][-1]) + 1) % 32], *lines[1:]]))
    run("org", "rotate", locked, "--passphrase-file", secret, "--new-passphrase-file", new_secret)
    before = snapshot(locked)
    for paper, code in ((foreign, "sheet_foreign"), (former, "sheet_former"), (typo, "sheet_line_wrong")):
        ran = run("org", "recover", locked, paper, "--passphrase-file", secret)
        assert (ran.code, ran.status) == (code, 2)
        assert not [part for part in lines[1].split() if len(part) == 4 and part in ran.out + ran.err]
    assert snapshot(locked) == before


def test_a_lost_folder(run: Command, locked: Path, secret: Path, new_secret: Path, tmp_path: Path) -> None:
    organisation = Organisation.load(locked, passphrase=PASSPHRASE.encode())
    terminal = PrivateKey.generate()
    organisation.certify_terminal(terminal.public, epoch=1, protection=1, label="counter", now=NOW)
    unlock = ["--passphrase-file", secret]
    run("org", "revoke", locked, "counter", "--reason", "lost", *unlock)
    run("org", "rotate", locked, *unlock, "--new-passphrase-file", new_secret)
    paper, public = tmp_path / "sheet.txt", tmp_path / "public"
    run("org", "export", locked, public, "--sheet", paper, "--passphrase-file", new_secret)
    before = Organisation.load(locked)
    shutil.rmtree(locked)
    assert run("org", "recover", locked, paper, "--copy", public, *unlock).status == 0
    after = Organisation.load(locked, passphrase=PASSPHRASE.encode())
    assert (after.trust.root, after.roots, after.rotations) == (before.trust.root, before.roots, before.rotations)
    assert after.revoked().covers(terminal.id, NOW + 86400)
    assert after.revoked().number > before.revoked().number
    assert after.dock.key.id != before.dock.key.id
    states = [key["key"] for key in json.loads(run("org", "status", locked, "--json").out)["keys"]]
    assert {terminal.id.hex(), before.dock.key.id.hex(), after.dock.key.id.hex()} <= set(states)
    shutil.rmtree(locked)
    assert run("org", "recover", locked, paper, *unlock).status == 0
    alone = Organisation.load(locked)
    assert alone.trust.root == before.trust.root
    assert alone.revoked().number >= NOW, "above every number that a terminal can hold"
    shutil.rmtree(locked)
    foreign = tmp_path / "foreign.txt"
    foreign.write_text(sheet(), encoding="utf-8")
    assert run("org", "recover", locked, foreign, "--copy", public, *unlock).code == "sheet_foreign"
    assert not locked.exists()


def test_an_export_holds_no_private_byte(run: Command, locked: Path, secret: Path, tmp_path: Path) -> None:
    run("org", "issue", locked, "release", "--passphrase-file", secret)
    public = tmp_path / "public"
    ran = run("org", "export", locked, public)
    assert json.loads(ran.out)["fingerprint"] == (public / "root.fingerprint").read_text().strip()
    organisation = Organisation.load(locked, passphrase=PASSPHRASE.encode())
    written = b"".join(snapshot(public).values()) + "".join(snapshot(public)).encode() + ran.out.encode()
    for key in (organisation.unlocked(), *(signer.key for signer in organisation.working.values())):
        assert not [form for form in secrets_of(key) if form in written]
    assert b"PRIVATE" not in written
    for path in locked.glob("*.pem"):
        assert not [line for line in path.read_bytes().splitlines() if len(line) > 20 and line in written]
    assert set(snapshot(public)) >= {"root.pub", "root.fingerprint", "dock.cert", "release.cert", "revocations.list"}


def test_an_export_is_renewed_in_place(run: Command, locked: Path, secret: Path, tmp_path: Path) -> None:
    public = tmp_path / "public"
    for number in (1, 2):
        assert run("org", "export", locked, public).status == 0
        assert Organisation.load(locked).revoked().number == number
        assert (public / "revocations.list").read_bytes() == (locked / "revocations.list").read_bytes()
        run("org", "revoke", locked, "--renew", "--passphrase-file", secret)
    stranger = Organisation.create(tmp_path / "stranger", now=NOW)
    ran = run("org", "export", stranger.folder, public)
    assert (ran.code, ran.status) == ("export_taken", 2)


def test_the_passphrase_is_the_same_however_it_is_composed(tmp_path: Path) -> None:
    composed, apart = "йогурт ёлка йод ой", "и\u0306огурт е\u0308лка и\u0306од ои\u0306"
    KEY.save(tmp_path / "key.pem", composed.encode())
    assert PrivateKey.load(tmp_path / "key.pem", apart.encode()).number == KEY.number


def test_the_file_says_what_stretches_the_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    KEY.save(path, PASSPHRASE.encode())
    text = path.read_text()
    assert text.startswith("plomba-scrypt n=131072 r=8 p=1 salt=")
    for cost in ("n=131073", "n=16777216", "n=0", "n=65536"):
        passphrase_file(path, text.replace("n=131072", cost))
        with pytest.raises(StoreError) as refused:
            PrivateKey.load(path, PASSPHRASE.encode())
        assert refused.value.code == "passphrase_wrong"
    with pytest.raises(ValueError, match="out of bounds"):
        passphrases.stretched(b"x", text.replace("n=131072", "n=16777216").encode())


def test_a_key_that_openssl_encrypted_is_read(tmp_path: Path) -> None:
    KEY.save(tmp_path / "plain.pem")
    (tmp_path / "word").write_text("some passphrase\n")
    path = tmp_path / "key.pem"
    command = ["openssl", "pkcs8", "-topk8", "-in", tmp_path / "plain.pem", "-out", path, "-v2", "aes-256-cbc"]
    subprocess.run([*command, "-passout", f"file:{tmp_path / 'word'}"], check=True, capture_output=True)
    os.chmod(path, 0o600)
    assert PrivateKey.load(path, b"some passphrase").number == KEY.number


def test_revoked_since_is_kept_over_recovery(opened: Organisation) -> None:
    held = revoke(opened, b"12345678", reason=Revocation.LOST, since=NOW - 5, now=NOW)
    fresh = Organisation.create(
        opened.folder.parent / "again", now=NOW, root=opened.unlocked(), held=held, copy={}
    ).revoked()
    assert fresh.rows == {b"12345678": (NOW - 5, Revocation.LOST)}
    assert fresh.number > held.number
