"""Whatever is broken, an implementation or a file, `python3 tools crypto-check` names it and exits with 1."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from made_vectors import ALL, CAVP, DER, P1363, POINT, ROOT, Facts, N, checked, encoded, p1363, rfc6979, wycheproof

import verifiers
from plomba.trust import keys

Ask = Callable[[list[str]], list[str]]
Run = Callable[..., tuple[int, Facts]]


@pytest.fixture
def run(ask_board: Ask, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code and report of a check. Skips where MicroPython has no wheel."""
    ask_board([])
    return partial(checked, capsys)


@pytest.mark.parametrize(
    ("index", "wrong", "said"), [(0, "invalid", "accepted"), (2, "valid", "rejected"), (5, "valid", "rejected")]
)
def test_a_wrong_verdict_in_a_file_is_named_for_each(
    tmp_path: Path, run: Run, index: int, wrong: str, said: str
) -> None:
    tests = list(P1363)
    tests[index] = (*tests[index][:2], wrong)
    path = wycheproof(tmp_path, p1363(tests))
    code, report = run(CAVP, path)
    assert code == 1
    assert {entry["implementation"] for entry in report["disagreements"]} == ALL
    assert report["disagreements"][0] == {
        "file": str(path),
        "test": str(index + 1),
        "comment": tests[index][0],
        "implementation": "cryptography",
        "said": said,
        "expected": "rejected" if said == "accepted" else "accepted",
    }


def test_der_that_is_none_cannot_be_valid(tmp_path: Path, run: Run) -> None:
    code, report = run(wycheproof(tmp_path, encoded([("truncated", DER[:-1].hex(), "valid")])))
    assert (code, {entry["implementation"] for entry in report["disagreements"]}) == (1, ALL)


def test_wrong_public_key_of_a_signature(tmp_path: Path, run: Run) -> None:
    code, report = run(rfc6979(tmp_path, public=POINT.hex()))
    assert code == 1
    assert {"host_public_key", "terminal_public_key"} <= {entry["implementation"] for entry in report["disagreements"]}


def everything(folder: Path) -> list[Path]:
    return [wycheproof(folder, p1363(), encoded()), rfc6979(folder), CAVP]


BROKEN_BOARD = {
    "verify takes anything": (
        "terminal/keys/p256.py",
        "return (r * zz - x) % P == 0 or",
        "return True or",
        {"terminal", "terminal_wire"},
    ),
    "verify refuses high s": (
        "terminal/keys/p256.py",
        "0 < s < N)",
        "0 < s < N // 2)",
        {"terminal"},
    ),
    "the wire rule takes high s": ("terminal/objects/signed.py", "> _HALF_N", "> _HALF_N * 2", {"terminal_wire"}),
    "verify raises": (
        "terminal/keys/p256.py",
        "    w = _inverse(s, N)\n",
        "    w = 1 // 0\n",
        {"terminal", "terminal_wire"},
    ),
    "sign gives high s": (
        "terminal/keys/p256.py",
        "min(s, N - s)",
        "max(s, N - s)",
        {"terminal", "terminal_given_nonce"},
    ),
    "another nonce": ("terminal/keys/nonce.py", 'b"\\x01" + seed', 'b"\\x02" + seed', {"terminal"}),
    "another public key": (
        "terminal/keys/p256.py",
        "_affine([_times_base(d)])",
        "_affine([_times_base(d + 1)])",
        {"terminal_public_key"},
    ),
    "it does not start": ("terminal/objects/signed.py", "import struct", "import strict", None),
}


@pytest.mark.parametrize("what", BROKEN_BOARD)
def test_a_broken_terminal_is_found(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    name, old, new, found = BROKEN_BOARD[what]
    firmware = tmp_path / "firmware"
    shutil.copytree(ROOT / "firmware", firmware)
    source = (firmware / name).read_text()
    assert source.count(old) == 1
    (firmware / name).write_text(source.replace(old, new))
    path = [firmware if part == ROOT / "firmware" else part for part in verifiers._BOARD_PATH]
    monkeypatch.setattr(verifiers, "_BOARD_PATH", path)
    code, report = run(*everything(tmp_path))
    assert code == 1
    named = {entry["implementation"] for entry in report["disagreements"]}
    # A host's signature that the terminal does not take is a disagreement of the host's signer as well.
    assert named - {"host"} == (found or {name for name in named if name.startswith("terminal")}) and named
    if what in ("verify raises", "it does not start"):
        said = {entry["said"] for entry in report["disagreements"] if entry["implementation"] == "terminal_wire"}
        assert any("ZeroDivisionError" in words or "ImportError" in words for words in said)


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (lambda *_: True, {"host"}),
        (lambda *_: False, {"host"}),
        (lambda *_: 1 // 0, {"host"}),
    ],
    ids=["takes anything", "takes nothing", "raises"],
)
def test_a_broken_host_verifier_is_found(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, broken: Callable[..., bool], found: set[str]
) -> None:
    monkeypatch.setattr(keys, "verify", broken)
    code, report = run(*everything(tmp_path))
    assert (code, {entry["implementation"] for entry in report["disagreements"]}) == (1, found)


def test_a_host_that_takes_high_s_is_found(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_HALF_N", N)
    code, report = run(wycheproof(tmp_path, p1363(), encoded()))
    assert code == 1
    assert {(entry["implementation"], entry["said"]) for entry in report["disagreements"]} == {("host", "accepted")}
    assert {entry["comment"] for entry in report["disagreements"]} == {"high s", "high s, not said whether it is good"}


def test_a_host_that_signs_with_high_s_is_found(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "min", max, raising=False)
    code, report = run(rfc6979(tmp_path))
    assert (code, {entry["implementation"] for entry in report["disagreements"]}) == (1, {"host"})
    assert report["disagreements"][0]["said"].endswith(" accepted by cryptography, terminal")


def test_a_broken_reference_is_found(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifiers, "_reference_accepts", lambda case: True)
    code, report = run(wycheproof(tmp_path, p1363()))
    assert (code, {entry["implementation"] for entry in report["disagreements"]}) == (1, {"cryptography"})
