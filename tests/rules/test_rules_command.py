"""`plomba rules check|diff|sign` as they are typed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from pack_texts import FOLDER, SAMPLE, changed, line_of

from plomba.cli import main
from plomba.desk import rules
from plomba.errors import PlombaError
from plomba.trust.objects import SignedObject, split_bundle
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import ObjectKind

ONE, TWO, THREE = (str(FOLDER / f"jewellery-{number}.toml") for number in (1, 2, 3))


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLOMBA_LANG", "en")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """(exit status, stdout, stderr) of `plomba rules …`."""

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["rules", *arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "pack.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_sound_pack(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    status, out, _ = run("check", written(tmp_path, SAMPLE))
    assert status == 0 and "may be signed" in out


def test_warnings_alone_are_no_failure(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    status, out, _ = run("check", written(tmp_path, changed(("override = 2", "override = 0"))))
    assert status == 0 and "warning: " in out and "[rules_override_none]" in out


def test_errors_have_line_code_and_next_step(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    text = changed(('needs = ["reason", "photo", "supervisor"]', 'needs = ["reason", "photo"]'))
    path = written(tmp_path, text)
    line = line_of(text, 'needs = ["reason", "photo"]')
    status, out, _ = run("check", path)
    assert status == 1
    assert (
        out.startswith(f"error: {path}:{line}: required: ") and "[rules_lacks_override]\n  → Put OVERRIDE back" in out
    )
    status, out, _ = run("check", path, "--json")
    (mistake,) = json.loads(out)["mistakes"]
    assert status == 1
    assert (mistake["file"], mistake["line"], mistake["code"]) == (path, line, "rules_lacks_override")
    assert mistake["warning"] is False and json.loads(out)["sound"] is False


def test_a_file_that_is_no_toml(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = written(tmp_path, "number = 1\n[class\n")
    status, _, err = run("check", path)
    assert status == 1 and f"{path}:2:" in err and "[rules_syntax]" in err
    assert run("check", str(tmp_path / "none.toml"))[0] == 2


def test_a_change_without_a_word_is_refused(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = written(tmp_path, Path(THREE).read_text(encoding="utf-8").replace("[news]", "[title.x]", 1))
    assert run("check", path)[0] == 1
    lines = Path(THREE).read_text(encoding="utf-8").splitlines(keepends=True)
    at = lines.index("[news]\n")
    silent = written(tmp_path, "".join(lines[:at] + lines[at + 4 :]))
    assert run("check", silent)[0] == 0
    status, out, _ = run("check", silent, "--after", TWO)
    assert status == 1 and "the rule changes without a word" in out
    status, _, err = run("sign", silent, "--org", "none", "--after", TWO, "-o", str(tmp_path / "rules.obj"))
    assert status == 1 and "[rules_silent]" in err and not (tmp_path / "rules.obj").exists()
    status, out, _ = run("diff", TWO, silent)
    assert status == 0 and "[rules_silent]" in out and "sealed: the seal is scanned at hand-out: always" in out


@pytest.mark.parametrize(("lang", "word"), [("ru", "ослабляет"), ("uk", "послаблює"), ("en", "loosens")])
def test_diff_says_what_is_loosened(run, monkeypatch: pytest.MonkeyPatch, lang: str, word: str) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("PLOMBA_LANG", lang)
    status, out, _ = run("diff", THREE, ONE)
    assert status == 0
    assert sum(f"[{word}]" in line for line in out.splitlines()) == 4
    assert "[rules_number_back]" in out
    status, out, _ = run("diff", ONE, ONE)
    assert len(out.splitlines()) == 4


def test_diff_for_programs(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    status, out, _ = run("diff", ONE, THREE, "--json")
    said = json.loads(out)
    assert (status, said["old"], said["new"], said["mistakes"]) == (0, 101, 103, [])
    assert {change["kind"] for change in said["changes"]} == {"title", "news", "valid_from", "class", "class_needs"}
    assert not any(change["loosens"] for change in said["changes"])
    assert run("diff", ONE, written(tmp_path, "number = 1"), "--json")[0] == 1


def test_a_signed_pack_is_what_a_terminal_takes(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    import time

    now = int(time.time())
    organisation = Organisation.create(tmp_path / "org", now=now)
    out = tmp_path / "rules.obj"
    status, said, err = run("sign", THREE, "--org", str(tmp_path / "org"), "--after", TWO, "-o", str(out))
    assert status == 0, err
    pack = rules.load(Path(THREE))
    assert json.loads(said) == {
        "rules": str(out),
        "number": 103,
        "valid_from": pack.checked.pack.valid_from,
        "bytes": out.stat().st_size,
    }
    signed = organisation.trust.open(out.read_bytes(), ObjectKind.RULES, now=now)
    assert (signed.envelope.version, signed.body) == (103, pack.body)
    assert SignedObject.parse(split_bundle(out.read_bytes())[1]).body == pack.body
    before = out.read_bytes()
    refused = written(tmp_path, SAMPLE.replace('seal = "always"', 'seal = "never"'))
    status, _, err = run("sign", refused, "--org", str(tmp_path / "org"), "-o", str(out))
    assert status == 1 and "[rules_waiver]" in err and out.read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="a folder that nobody may write")
def test_a_place_that_cannot_be_written(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    Organisation.create(tmp_path / "org", now=1_900_000_000)
    status, _, err = run("sign", ONE, "--org", str(tmp_path / "org"), "-o", str(tmp_path / "no" / "rules.obj"))
    assert status != 0 and "plomba:" in err


def test_the_first_mistake_is_the_error_and_all_are_kept() -> None:
    with pytest.raises(rules.RulesRefused) as caught:
        rules.compile_pack(changed(("tries = 3", "tries = 0"), ("typed = 5", "typed = -1")), "f.toml")
    assert isinstance(caught.value, PlombaError)
    assert [mistake.error.code for mistake in caught.value.mistakes] == ["rules_value"] * 2
    assert caught.value.what("en") == caught.value.mistakes[0].error.what("en")
