"""Test vectors from outside for ECDSA on P-256 with SHA-256, read from the forms they are published in.

- Wycheproof (C2SP): JSON with `testGroups` of type EcdsaVerify (signatures in DER) or EcdsaP1363Verify (r || s).
- NIST CAVP: SigVer.rsp, SigGen.rsp and SigGen.txt, sections `[P-256,SHA-256]`; in the excerpt
  tests/keys/cavp_p256.rsp they are called `[SigVer]` and `[SigGen]`. A case with `d` is one to sign: with `k` as well
  it was signed with that nonce, without it with the nonce of RFC 6979. In a file without any `Result` all are valid.
- RFC 6979: JSON `{"form": "rfc6979", "source": TEXT, "cases": [{"message": TEXT, "d": HEX, "r": HEX, "s": HEX}]}`.
  A case may have `id`, `comment`, `msg` (hexadecimal) instead of `message`, `public` (04 || X || Y), `curve`, `hash`.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from outside_cases import Signature, ToVerify, VectorFile, coordinates, integer, sha256, to_sign, uncompressed

_P256 = ("P-256", "secp256r1", "prime256v1")
_SHA256 = ("SHA-256", "SHA256")
# SubjectPublicKeyInfo of a P-256 key up to its point (RFC 5480), taken off here: a loader would refuse a bad point.
_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
_SCHEMA = re.compile(r"ecdsa_(p1363_)?verify_schema(_v\d+)?\.json")
_CURVE_AND_HASH = re.compile(r"([BKP]-\d+)(?:,\s*(SHA-?\d[\d/]*))?")
# Sections of the excerpt tests/keys/cavp_p256.rsp.
_OURS = ("SigGen", "SigVer")
_KEYS_ONLY = ("KeyPair", "PKV")


class UnreadableVectors(Exception):
    """A file that is no vector file of a known form. `code` is stable; `reason` and `next_step` are for a person."""

    def __init__(self, path: Path, code: str, reason: str, next_step: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.code, self.reason, self.next_step = path, code, reason, next_step


class _Unknown(Exception):
    """Not one of the forms."""


def read(path: Path) -> VectorFile:
    """The cases of a file. Raises UnreadableVectors when it is missing, damaged, or of no form known here."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreadableVectors(
            path, "vectors_unreadable", reason, "Check the path and the right to read it"
        ) from error
    except UnicodeDecodeError as error:
        raise UnreadableVectors(
            path, "vectors_damaged", f"no UTF-8 text: byte {error.start}", "Unpack it, or fetch it again"
        ) from error
    try:
        if path.suffix == ".json" or text.lstrip().startswith("{"):
            file = _read_json(path, json.loads(text))
        else:
            file = _read_rsp(path, text)
        if not file.to_verify and not file.skipped:
            raise ValueError("there is no test in it")
    except _Unknown as error:
        step = "Pass Wycheproof ECDSA JSON, CAVP SigVer or SigGen .rsp, or RFC 6979 JSON (tools/outside_vectors.py)"
        raise UnreadableVectors(path, "vectors_unknown", f"its form is not known: {error}", step) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableVectors(path, "vectors_damaged", str(error), "Fetch it again from its publisher") from error
    return file


def _read_json(path: Path, content: Any) -> VectorFile:
    if isinstance(content, dict) and "testGroups" in content:
        if not _SCHEMA.fullmatch(str(content.get("schema", "ecdsa_verify_schema.json"))):
            raise _Unknown(f"schema {content['schema']}")
        file = VectorFile(path, "wycheproof")
        for number, group in _numbered(content, "testGroups"):
            with _at(f"group {number}"):
                _wycheproof(file, number, group)
    elif isinstance(content, dict) and content.get("form") == "rfc6979":
        file = VectorFile(path, "rfc6979")
        for number, case in _numbered(content, "cases"):
            with _at(f"case {number}"):
                _rfc6979(file, number, case)
    else:
        raise _Unknown('JSON with neither "testGroups" nor "form": "rfc6979"')
    return file


def _numbered(content: dict[str, Any], name: str) -> list[tuple[int, Any]]:
    items = content.get(name)
    if not isinstance(items, list):
        raise ValueError(f'"{name}" is no list')
    return list(enumerate(items, 1))


def _wycheproof(file: VectorFile, number: int, group: dict[str, Any]) -> None:
    decoders = {"EcdsaVerify": Signature.der, "EcdsaP1363Verify": Signature.p1363}
    decode = decoders.get(group["type"])
    if decode is None:
        raise _Unknown(f"group {number} is of type {group['type']!r}")
    key = group.get("publicKey") or group["key"]
    if other := _other(key["curve"], group["sha"]):
        file.skipped[f"group {number}", other] += len(group["tests"])
        return
    public = _point(group, key)
    for test in group["tests"]:
        with _at(f"test {test['tcId']}"):
            if test["result"] not in ("valid", "invalid", "acceptable"):
                raise ValueError(f"its result is {test['result']!r}")
            digest, signature = sha256(test["msg"]), decode(bytes.fromhex(test["sig"]))
            case = ToVerify(str(test["tcId"]), test.get("comment", ""), public, digest, signature, test["result"])
        file.to_verify.append(case)


def _point(group: dict[str, Any], key: dict[str, Any]) -> bytes:
    """X || Y of a group's key, which need not be a point of the curve."""
    if "uncompressed" in key:
        return uncompressed(key["uncompressed"])
    if der := group.get("publicKeyDer") or group.get("keyDer"):
        spki = bytes.fromhex(der)
    else:
        pem = group.get("publicKeyPem") or group["keyPem"]
        spki = base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-")))
    if not spki.startswith(_SPKI):
        raise ValueError("its key is no uncompressed point")
    return uncompressed(spki[len(_SPKI) :].hex())


def _rfc6979(file: VectorFile, number: int, case: dict[str, Any]) -> None:
    if other := _other(case.get("curve", "P-256"), case.get("hash", "SHA-256")):
        file.skipped["cases", other] += 1
        return
    message = bytes.fromhex(case["msg"]) if "msg" in case else case["message"].encode()
    public = uncompressed(case["public"]) if "public" in case else None
    comment = case.get("comment") or case.get("message", "")
    file.add(to_sign(str(case.get("id", number)), comment, message.hex(), case, public, nonce=None))


def _read_rsp(path: Path, text: str) -> VectorFile:
    file = VectorFile(path, "cavp")
    section, cases = "", Counter[str]()
    all_valid = not re.search(r"^Result\b", text, re.MULTILINE)
    for block in re.split(r"\n(?=\[)|\n\s*\n", text):
        lines = [line.strip() for line in block.splitlines() if line.strip() and not line.startswith("#")]
        if lines and lines[0].startswith("["):
            section = lines.pop(0).strip("[] ")
            if section not in _OURS + _KEYS_ONLY and not _CURVE_AND_HASH.fullmatch(section):
                raise _Unknown(f"a section [{section}]")
        if not lines:
            continue
        if not section:
            raise _Unknown("it begins with neither { nor a [section]")
        cases[section] += 1
        if other := _other_section(section):
            file.skipped[section, other] += 1
        else:
            name = f"{section} {cases[section]}"
            with _at(name):
                _cavp(file, name, _fields(lines), all_valid)
    if not section:
        raise _Unknown("there is no [section] in it")
    return file


def _fields(lines: list[str]) -> dict[str, str]:
    fields = dict[str, str]()
    for line in lines:
        name, equals, value = line.partition("=")
        if not equals or name.strip() in fields:
            raise ValueError(f"{line[:40]!r} is no field of its own")
        fields[name.strip()] = value.strip()
    return fields


def _other_section(section: str) -> str:
    """Why a section is left out, or nothing."""
    if section in _OURS:
        return ""
    if section in _KEYS_ONLY:
        return "no signatures"
    found = _CURVE_AND_HASH.fullmatch(section)
    return _other(found[1], found[2] or "not named") if found else "no signatures"


def _cavp(file: VectorFile, name: str, case: dict[str, str], all_valid: bool) -> None:
    public = coordinates(case["Qx"], case["Qy"]) if "Qx" in case or "d" not in case else None
    if public is None or "d" in case:
        nonce = integer(case["k"]) if "k" in case else None
        file.add(to_sign(name, "", case["Msg"], case, public, nonce))
        return
    result = "P" if all_valid else case["Result"]
    found = re.fullmatch(r"([PF])\s*(?:\((.*)\))?", result)
    if found is None:
        raise ValueError(f"Result is {result!r}, neither P nor F")
    verdict = "valid" if found[1] == "P" else "invalid"
    signature = Signature.of(integer(case["R"]), integer(case["S"]))
    file.to_verify.append(ToVerify(name, (found[2] or "").strip(), public, sha256(case["Msg"]), signature, verdict))


@contextmanager
def _at(where: str) -> Iterator[None]:
    """Names the place of what is missing or wrong."""
    try:
        yield
    except KeyError as error:
        raise ValueError(f"{where}: no {error.args[0]}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from error


def _other(curve: str, sha: str) -> str:
    """What else than P-256 or SHA-256 this is, or nothing."""
    if curve not in _P256:
        return f"curve {curve}"
    return "" if sha in _SHA256 else f"hash {sha}"
