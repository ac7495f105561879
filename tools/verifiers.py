"""Every verifier and signer we ship for ECDSA on P-256, and OpenSSL as the reference, asked alike."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature

from outside_cases import N, ToSign, ToVerify
from plomba.sim.interpreter import interpreter
from plomba.trust import keys

REFERENCE = "cryptography"
"""The verifier that decides where a file leaves it open."""

WIRE = ("host", "terminal_wire")
"""Those that refuse high s before they verify (SPEC.md, Numbers)."""

WHERE = {
    REFERENCE: "OpenSSL through cryptography, DER made of r and s",
    "host": "host/plomba/trust/keys.py: verify, PrivateKey.sign",
    "terminal": "firmware/terminal/keys/p256.py: verify, sign without extra entropy, under MicroPython",
    "terminal_wire": "firmware/terminal/objects/signed.py: fits, under MicroPython",
}

_ROOT = Path(__file__).resolve().parent.parent
_BOARD_PATH = (_ROOT / "protocol", _ROOT / "firmware", _ROOT / "firmware" / "lib", Path(__file__).parent, ".frozen")
_ECDSA = ec.ECDSA(Prehashed(hashes.SHA256()))
_DETERMINISTIC = ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True)

Verdicts = dict[str, list[str]]


def verdicts(cases: Sequence[ToVerify]) -> Verdicts:
    """What each verifier says of each case: accepted, rejected, or that it raised or gave no answer.

    A signature that cannot be r || s never reaches the verifiers of r || s, so it counts as rejected.
    """
    calls = [
        f"{name} {_octets(case.public)} {_octets(case.digest)} {_octets(case.signature.raw)}"
        for case in cases
        if case.signature.raw is not None
        for name in ("verify", "fits")
    ]
    answers = iter([{"True": "accepted", "False": "rejected"}.get(answer, answer) for answer in ask_board(calls)])
    said: Verdicts = {name: [] for name in WHERE}
    for case in cases:
        said[REFERENCE].append(_verdict(_reference_accepts, case))
        said["host"].append(_verdict(_host_accepts, case))
        for name in ("terminal", "terminal_wire"):
            said[name].append("rejected" if case.signature.raw is None else next(answers))
    return said


def signed_by_host(case: ToSign) -> tuple[bytes, bytes]:
    """The public key and the signature; its nonce is a random one."""
    key = keys.PrivateKey(ec.derive_private_key(case.d, ec.SECP256R1()))
    return key.public, key.sign(case.digest)


def signed_by_reference(case: ToSign) -> bytes:
    """With the nonce of RFC 6979 and the smaller of s and n - s."""
    der = ec.derive_private_key(case.d, ec.SECP256R1()).sign(case.digest, _DETERMINISTIC)
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + min(s, N - s).to_bytes(32, "big")


def signed_by_terminal(cases: Sequence[ToSign]) -> list[tuple[str, str, str | None]]:
    """Public key, signature without extra entropy, and signature with the case's own nonce if it has one."""
    calls = []
    for case in cases:
        calls += [f"public {case.d:x}", f"sign {case.d:x} {case.digest.hex()}"]
        if case.nonce is not None:
            calls.append(f"sign_with {case.d:x} {case.digest.hex()} {case.nonce:x}")
    answers = iter(ask_board(calls))
    return [(next(answers), next(answers), None if case.nonce is None else next(answers)) for case in cases]


def ask_board(calls: Sequence[str]) -> list[str]:
    """Answers calls of verifiers_mpy.py in one process, in the heap of a board with 128 Ki words.

    If it dies on the way, its last words answer the rest. Raises PlombaError `no_interpreter`.
    """
    if not calls:
        return []
    finished = subprocess.run(
        [interpreter(), "-X", "heapsize=128wk", str(Path(__file__).with_name("verifiers_mpy.py"))],
        input="".join(f"{call}\n" for call in calls),
        env={**os.environ, "MICROPYPATH": ":".join(map(str, _BOARD_PATH))},
        # An uncaught error is written to stdout, too.
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = finished.stdout.splitlines()
    answers = [line.removeprefix("= ") for line in lines if line.startswith("= ")]
    last_words = lines[-1] if lines else f"exit code {finished.returncode}"
    return answers + [f"no answer: {last_words}"] * (len(calls) - len(answers))


def _reference_accepts(case: ToVerify) -> bool:
    if case.signature.numbers is None:
        return False
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + case.public)
        key.verify(encode_dss_signature(*case.signature.numbers), case.digest, _ECDSA)
    except (InvalidSignature, ValueError):
        return False
    return True


def _host_accepts(case: ToVerify) -> bool:
    raw = case.signature.raw
    return raw is not None and keys.verify(case.public, case.digest, raw)


def _verdict(accepts: Callable[[ToVerify], bool], case: ToVerify) -> str:
    try:
        return "accepted" if accepts(case) else "rejected"
    except Exception as error:
        # Whatever a verifier raises belongs to its case, and the check goes on.
        return f"raised {type(error).__name__}: {error}"


def _octets(data: bytes | None) -> str:
    return data.hex() if data else "-"
