"""`python3 tools crypto-check` reads vector files of every form, and says why it does not read the others."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from made_vectors import (
    ALL,
    CAVP,
    KEY,
    LOW,
    OFF_CURVE,
    P1363,
    POINT,
    ROOT,
    Facts,
    R,
    checked,
    encoded,
    group,
    p1363,
    raw,
    rfc6979,
    wycheproof,
)
from test_published_vectors import RFC6979_SECRET, RFC6979_SHA256

import crypto_check
import tasks
from plomba.trust import keys

Ask = Callable[[list[str]], list[str]]
Run = Callable[..., tuple[int, Facts]]


@pytest.fixture
def run(ask_board: Ask, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code and report of a check. Skips where MicroPython has no wheel."""
    ask_board([])
    return partial(checked, capsys)


def test_p1363(tmp_path: Path, run: Run) -> None:
    code, report = run(wycheproof(tmp_path, p1363(), schema="ecdsa_p1363_verify_schema_v1.json"))
    assert (code, report["disagreements"]) == (0, [])
    (file,) = report["files"]
    assert file["verdicts"] == {"valid": 2, "invalid": 8, "acceptable": 0}
    assert file["valid_with_high_s"] == 1
    standard, wire = {"accepted": 2, "rejected": 8}, {"accepted": 1, "rejected": 9}
    assert file["verified"] == {"cryptography": standard, "terminal": standard, "host": wire, "terminal_wire": wire}


def test_der(tmp_path: Path, run: Run) -> None:
    code, report = run(wycheproof(tmp_path, encoded()))
    assert (code, report["disagreements"]) == (0, [])
    (file,) = report["files"]
    assert (file["rejected_by_der"], file["rejected_by_size"]) == (4, 1)
    standard, wire = {"accepted": 2, "rejected": 7}, {"accepted": 1, "rejected": 8}
    assert file["verified"] == {"cryptography": standard, "terminal": standard, "host": wire, "terminal_wire": wire}
    standard, wire = {"accepted": 1, "rejected": 1}, {"accepted": 0, "rejected": 2}
    assert file["acceptable"] == {"cryptography": standard, "terminal": standard, "host": wire, "terminal_wire": wire}


def test_a_key_that_is_no_point_is_rejected_by_each(tmp_path: Path, run: Run) -> None:
    as_valid = [("low s", raw(R, LOW), "valid")]
    code, report = run(wycheproof(tmp_path, p1363([("low s", raw(R, LOW), "invalid")], OFF_CURVE)))
    assert (code, report["disagreements"]) == (0, [])
    for point in (OFF_CURVE, POINT[:-1], POINT + b"\x00", b"\x04"):
        code, report = run(wycheproof(tmp_path, p1363(as_valid, point)))
        assert code == 1
        assert {entry["implementation"] for entry in report["disagreements"]} == ALL


@pytest.mark.parametrize("form", ["key", "publicKeyDer", "keyPem"])
def test_older_and_other_places_of_the_key(tmp_path: Path, run: Run, form: str) -> None:
    changed = p1363()
    key = changed.pop("publicKey")
    encoding = serialization.Encoding.PEM if form == "keyPem" else serialization.Encoding.DER
    spki = KEY.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    if form == "key":
        changed |= {"key": key}
    else:
        del key["uncompressed"]
        changed |= {"key": key, form: spki.decode() if form == "keyPem" else spki.hex()}
    code, report = run(wycheproof(tmp_path, changed))
    assert (code, report["total"]["verified"]["terminal"]["accepted"]) == (0, 2)


def test_other_curves_and_hashes_are_skipped_with_the_reason(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    p384 = p1363(publicKey={"curve": "secp384r1", "uncompressed": "04"})
    sha512 = p1363(sha="SHA-512")
    code, report = run(wycheproof(tmp_path, p384, p1363(), sha512))
    assert code == 0
    assert report["files"][0]["skipped"] == [
        {"group": "group 1", "reason": "curve secp384r1", "tests": len(P1363)},
        {"group": "group 3", "reason": "hash SHA-512", "tests": len(P1363)},
    ]
    assert (report["total"]["tests"], report["total"]["skipped"]) == (len(P1363), 2 * len(P1363))
    assert crypto_check.main([str(wycheproof(tmp_path, p384))]) == 0
    assert "nothing was checked" in capsys.readouterr().err


def test_cavp(run: Run) -> None:
    code, report = run(CAVP)
    assert (code, report["disagreements"]) == (0, [])
    (file,) = report["files"]
    assert (file["tests"], file["verdicts"]["valid"]) == (30, 18)
    assert file["verified"]["terminal"] == file["verified"]["cryptography"] == {"accepted": 18, "rejected": 12}
    signers = ("host", "host_public_key", "terminal", "terminal_public_key", "terminal_given_nonce")
    assert file["signed"] == {signer: {"agreed": 15, "differed": 0} for signer in signers}
    assert [(part["group"], part["tests"]) for part in file["skipped"]] == [("KeyPair", 10), ("PKV", 12)]


def test_cavp_as_nist_writes_it(tmp_path: Path, run: Run) -> None:
    """Sections by curve and hash, and CR LF; of the three only one is ours. Without `Result` all are valid."""
    body = CAVP.read_text().partition("[SigVer]\n")[2]
    path = tmp_path / "SigVer.rsp"
    sections = "".join(f"[{name}]\n{body}\n" for name in ("P-256,SHA-224", "P-256,SHA-256", "K-283,SHA-256"))
    path.write_bytes(f"#  CAVS 11.0\n\n{sections}".replace("\n", "\r\n").encode())
    code, report = run(path)
    assert (code, report["total"]["tests"], report["total"]["skipped"]) == (0, 15, 30)
    path.write_text("[P-256,SHA-256]\n" + "".join(line for line in body.splitlines(True) if "Result" not in line))
    code, report = run(path)
    assert code == 1
    assert {entry["expected"] for entry in report["disagreements"]} <= {"accepted"}


def test_rfc6979(tmp_path: Path, run: Run) -> None:
    code, report = run(rfc6979(tmp_path))
    assert (code, report["disagreements"]) == (0, [])
    signers = ("host", "host_public_key", "cryptography", "terminal", "terminal_public_key")
    assert report["total"]["signed"] == {signer: {"agreed": 2, "differed": 0} for signer in signers}
    assert report["total"]["verified"]["terminal"] == {"accepted": 2, "rejected": 0}


def test_rfc6979_in_the_form_of_cavp(tmp_path: Path, run: Run) -> None:
    """Without k the nonce is the RFC's; a signature with another nonce, good as it is, is then a disagreement."""
    path = tmp_path / "SigGen.rsp"
    _, r, s = RFC6979_SHA256["sample"]
    case = f"[P-256,SHA-256]\n\nMsg = {b'sample'.hex()}\nd = {RFC6979_SECRET}\nR = "
    path.write_text(f"{case}{r}\nS = {s}\n")
    code, report = run(path)
    assert (code, report["total"]["signed"]["terminal"]) == (0, {"agreed": 1, "differed": 0})
    key = keys.PrivateKey(ec.derive_private_key(int(RFC6979_SECRET, 16), ec.SECP256R1()))
    other = key.sign(sha256(b"sample").digest()).hex()
    path.write_text(f"{case}{other[:64]}\nS = {other[64:]}\n")
    code, report = run(path)
    assert code == 1
    assert {entry["implementation"] for entry in report["disagreements"]} == {"cryptography", "terminal"}
    assert {entry["expected"] for entry in report["disagreements"]} == {other}


@pytest.mark.parametrize(
    ("name", "content", "code", "reason"),
    [
        ("gone.json", None, "vectors_unreadable", "No such file"),
        ("cut.json", '{"testGroups": [', "vectors_damaged", "line 1"),
        ("deep.json", "[" * 100_000, "vectors_damaged", ""),
        ("bytes.rsp", b"\xff\xfe\x00", "vectors_damaged", "no UTF-8"),
        ("other.json", '{"keys": []}', "vectors_unknown", "testGroups"),
        ("list.json", "[]", "vectors_unknown", "testGroups"),
        ("schema.json", json.dumps({"schema": "xdh_comp_schema.json", "testGroups": []}), "vectors_unknown", "xdh"),
        ("type.json", json.dumps({"testGroups": [group("EcdhTest", P1363)]}), "vectors_unknown", "EcdhTest"),
        ("empty.json", '{"testGroups": []}', "vectors_damaged", "no test"),
        ("groups.json", '{"testGroups": 5}', "vectors_damaged", "no list"),
        ("group.json", '{"testGroups": [5]}', "vectors_damaged", "group 1"),
        ("key.json", json.dumps({"testGroups": [p1363(point=b"\x02" * 33)]}), "vectors_damaged", "group 1: its key"),
        ("hex.json", json.dumps({"testGroups": [p1363([("", "zz", "valid")])]}), "vectors_damaged", "test 1: "),
        ("result.json", json.dumps({"testGroups": [p1363([("", "", "good")])]}), "vectors_damaged", "'good'"),
        ("d.json", json.dumps({"form": "rfc6979", "cases": [{"message": "", "d": "0"}]}), "vectors_damaged", "case 1"),
        ("nothing.rsp", "", "vectors_unknown", "no [section]"),
        ("words.rsp", "Dear Sir\n", "vectors_unknown", "[section]"),
        ("aes.rsp", "[ENCRYPT]\n\nCOUNT = 0\n", "vectors_unknown", "[ENCRYPT]"),
        ("cut.rsp", "[P-256,SHA-256]\n\nMsg = 00\nQx = 01\n", "vectors_damaged", "P-256,SHA-256 1: no Qy"),
        ("twice.rsp", "[P-256,SHA-256]\n\nMsg = 00\nMsg = 01\n", "vectors_damaged", "Msg = 01"),
    ],
)
def test_what_is_no_vector_file_is_named_with_reason_and_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | bytes | None, code: str, reason: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert crypto_check.main([str(CAVP), str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"crypto-check: {path}: ") and f"[{code}]\n  → " in err and reason in err


def test_as_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is named from where the person stands; exit codes are the program's."""
    monkeypatch.setattr(tasks.environment, "ready", lambda: None)
    monkeypatch.chdir(tmp_path)
    rfc6979(tmp_path)
    command = [sys.executable, *tasks.TASKS["crypto-check"](["rfc6979.json"])[1:]]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (finished.returncode, json.loads(finished.stdout)["disagreements"]) == (0, [])
    (tmp_path / "rfc6979.json").unlink()
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "crypto-check FILE" in tasks.USAGE
