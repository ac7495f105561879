"""Vector files in the forms of tools/outside_vectors.py, made of one key and one message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from test_published_vectors import RFC6979_PUBLIC, RFC6979_SECRET, RFC6979_SHA256

import crypto_check

ROOT = Path(__file__).resolve().parents[2]
CAVP = ROOT / "tests" / "keys" / "cavp_p256.rsp"
ALL = {"cryptography", "host", "terminal", "terminal_wire"}

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KEY = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
POINT = KEY.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
OFF_CURVE = POINT[:-1] + bytes([POINT[-1] ^ 1])
MESSAGE = b"seal"
R, HIGH_OR_LOW = decode_dss_signature(KEY.sign(MESSAGE, ec.ECDSA(SHA256(), deterministic_signing=True)))
LOW, HIGH = sorted((HIGH_OR_LOW, N - HIGH_OR_LOW))
DER = encode_dss_signature(R, LOW)

Facts = dict[str, Any]


def checked(capsys: pytest.CaptureFixture[str], *paths: Path) -> tuple[int, Facts]:
    """Exit code and report of a check."""
    code = crypto_check.main([str(path) for path in paths])
    return code, json.loads(capsys.readouterr().out)


def raw(r: int, s: int) -> str:
    return f"{r:064x}{s:064x}"


def der(r: int, s: int) -> str:
    return encode_dss_signature(r, s).hex()


P1363: list[tuple[str, str, str]] = [
    ("low s", raw(R, LOW), "valid"),
    ("high s", raw(R, HIGH), "valid"),
    ("one bit flipped", raw(R ^ 1, LOW), "invalid"),
    ("r is 0", raw(0, LOW), "invalid"),
    ("s is n", raw(R, N), "invalid"),
    ("one byte short", raw(R, LOW)[:-2], "invalid"),
    ("one byte long", raw(R, LOW) + "00", "invalid"),
    ("a zero before s", f"{R:064x}00{LOW:064x}", "invalid"),
    ("a zero before r and s", f"00{R:064x}00{LOW:064x}", "invalid"),
    ("nothing", "", "invalid"),
]
ENCODED: list[tuple[str, str, str]] = [
    ("low s", der(R, LOW), "valid"),
    ("high s", der(R, HIGH), "valid"),
    ("one bit flipped", der(R, LOW ^ 1), "invalid"),
    ("r is 0", der(0, LOW), "invalid"),
    ("s is n", der(R, N), "invalid"),
    ("r of 257 bits", der(R + 2**256, LOW), "invalid"),
    ("BER: long form of a length", f"3081{DER[1]:02x}{DER[2:].hex()}", "acceptable"),
    ("truncated", DER[:-1].hex(), "invalid"),
    ("a byte behind it", DER.hex() + "00", "invalid"),
    ("r is negative", "30060201ff020101", "invalid"),
    ("high s, not said whether it is good", der(R, HIGH), "acceptable"),
]


def group(kind: str, tests: list[tuple[str, str, str]], point: bytes = POINT, **changes: str) -> Facts:
    return {
        "type": kind,
        "publicKey": {"type": "EcPublicKey", "curve": "secp256r1", "uncompressed": point.hex()},
        "sha": "SHA-256",
        "tests": [
            {"tcId": number, "comment": comment, "msg": MESSAGE.hex(), "sig": sig, "result": result}
            for number, (comment, sig, result) in enumerate(tests, 1)
        ],
        **changes,
    }


def p1363(tests: list[tuple[str, str, str]] = P1363, point: bytes = POINT, **changes: str) -> Facts:
    return group("EcdsaP1363Verify", tests, point, **changes)


def encoded(tests: list[tuple[str, str, str]] = ENCODED) -> Facts:
    return group("EcdsaVerify", tests)


def wycheproof(folder: Path, *groups: Facts, schema: str = "ecdsa_verify_schema_v1.json") -> Path:
    path = folder / "ecdsa_test.json"
    path.write_text(json.dumps({"algorithm": "ECDSA", "schema": schema, "testGroups": groups}))
    return path


def rfc6979(folder: Path, **changes: str) -> Path:
    path = folder / "rfc6979.json"
    cases = [
        {"message": message, "d": RFC6979_SECRET, "r": r, "s": s, "public": "04" + RFC6979_PUBLIC, **changes}
        for message, (_, r, s) in RFC6979_SHA256.items()
    ]
    path.write_text(json.dumps({"form": "rfc6979", "source": "RFC 6979, A.2.5", "cases": cases}))
    return path
