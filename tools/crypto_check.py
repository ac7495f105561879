"""Holds every verifier and signer we ship to test vectors from outside: `python3 tools crypto-check FILE…`.

The forms of file are those of outside_vectors.py. OpenSSL and the terminal's primitive are held to the file's verdict;
the host's verifier and the terminal's wire rule to the file's verdict and low s. Where a file says `acceptable`, all
are held to OpenSSL, and the counts stand apart.

The terminal's signer and OpenSSL's deterministic one have to give the r and the smaller of s and n - s of an RFC 6979
case. Of a case with a nonce of its own the terminal's signer has to give them when it is handed that nonce, and
without it what OpenSSL gives. The host's signer takes random nonces: every verifier has to accept its signature.

Prints one JSON object. Exit code: 0 no disagreement, 1 some, 2 a file that cannot be read or whose form is not known.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import verifiers
from outside_cases import N, Signature, ToSign, ToVerify, VectorFile
from outside_vectors import UnreadableVectors, read
from plomba.errors import PlombaError

Facts = dict[str, Any]


def check(files: Sequence[VectorFile]) -> Facts:
    """The whole report. Raises PlombaError `no_interpreter` where there is no MicroPython."""
    disagreements: list[Facts] = []
    reports = [_check_file(file, disagreements) for file in files]
    return {
        "implementations": {
            name: {
                "where": where,
                "held_to": "the file's verdict" + (" and low s" if name in verifiers.WIRE else ""),
            }
            for name, where in verifiers.WHERE.items()
        },
        "files": reports,
        "total": _total(reports),
        "disagreements": disagreements,
    }


def _check_file(file: VectorFile, disagreements: list[Facts]) -> Facts:
    cases = file.to_verify
    said = verifiers.verdicts(cases)
    disagreements += _against_the_file(file.path, cases, said)
    signed: dict[str, Counter[str]] = {}
    for signer, case, answer, expected in _signed(file.to_sign):
        signed.setdefault(signer, Counter(agreed=0, differed=0))["agreed" if answer == expected else "differed"] += 1
        if answer != expected:
            disagreements.append(_disagreement(file.path, case, signer, answer, expected))
    decided = [at for at, case in enumerate(cases) if case.verdict != "acceptable"]
    left_open = [at for at, case in enumerate(cases) if case.verdict == "acceptable"]
    return {
        "file": str(file.path),
        "form": file.form,
        "tests": len(cases),
        "verdicts": {"valid": 0, "invalid": 0, "acceptable": 0} | Counter(case.verdict for case in cases),
        "valid_with_high_s": sum(case.verdict == "valid" and case.signature.high_s for case in cases),
        "rejected_by_der": sum(case.signature.stopped == "der" for case in cases),
        "rejected_by_size": sum(case.signature.stopped == "size" for case in cases),
        "verified": {name: _counts(answers, decided) for name, answers in said.items()},
        "acceptable": {name: _counts(answers, left_open) for name, answers in said.items()},
        "signed": signed,
        "skipped": [
            {"group": group, "reason": reason, "tests": tests} for (group, reason), tests in file.skipped.items()
        ],
    }


def _against_the_file(path: Path, cases: Sequence[ToVerify], said: verifiers.Verdicts) -> Iterator[Facts]:
    for at, case in enumerate(cases):
        for name, answers in said.items():
            expected = {"valid": "accepted", "invalid": "rejected"}.get(case.verdict, said[verifiers.REFERENCE][at])
            if name in verifiers.WIRE and case.signature.high_s:
                expected = "rejected"
            if answers[at] != expected:
                yield _disagreement(path, case, name, answers[at], expected)


def _signed(cases: Sequence[ToSign]) -> Iterator[tuple[str, ToSign, str, str]]:
    """Signer, case, what it gave and what it should have given."""
    by_host = [verifiers.signed_by_host(case) for case in cases]
    by_terminal = verifiers.signed_by_terminal(cases)
    said = verifiers.verdicts(
        [
            ToVerify(case.id, case.comment, case.public, case.digest, Signature.p1363(signature), "valid")
            for case, (_, signature) in zip(cases, by_host, strict=True)
        ]
    )
    for at, case in enumerate(cases):
        host_public, host_signature = by_host[at]
        public, plain, with_nonce = by_terminal[at]
        published = f"{case.r:064x}{min(case.s, N - case.s):064x}"
        reference = verifiers.signed_by_reference(case).hex()
        yield "host_public_key", case, host_public.hex(), case.public.hex()
        yield "terminal_public_key", case, public, case.public.hex()
        accepting = [name for name, answers in said.items() if answers[at] == "accepted"]
        yield "host", case, _taken(host_signature, accepting), _taken(host_signature, list(said))
        if case.nonce is None:
            yield verifiers.REFERENCE, case, reference, published
            yield "terminal", case, plain, published
        else:
            yield "terminal", case, plain, reference
            yield "terminal_given_nonce", case, str(with_nonce), published


def _taken(signature: bytes, names: Sequence[str]) -> str:
    return f"{signature.hex()} accepted by {', '.join(names) or 'none'}"


def _disagreement(path: Path, case: ToVerify | ToSign, implementation: str, said: str, expected: str) -> Facts:
    return {
        "file": str(path),
        "test": case.id,
        "comment": case.comment,
        "implementation": implementation,
        "said": said,
        "expected": expected,
    }


def _counts(answers: Sequence[str], cases: Sequence[int]) -> Facts:
    """How often accepted and rejected among some cases, and anything else if there was any."""
    return {"accepted": 0, "rejected": 0} | Counter(answers[at] for at in cases)


def _total(reports: Sequence[Facts]) -> Facts:
    """The sums of all numbers that stand at the same place; of what was skipped, the tests."""
    total: Facts = {}
    for report in reports:
        _add(total, {**report, "skipped": sum(group["tests"] for group in report["skipped"])})
    return total


def _add(total: Facts, facts: Facts) -> None:
    for name, value in facts.items():
        if isinstance(value, dict):
            _add(total.setdefault(name, {}), value)
        elif isinstance(value, int):
            total[name] = total.get(name, 0) + value


def main(arguments: list[str]) -> int:
    """Prints the report of the files named, or on stderr why there is none."""
    parser = argparse.ArgumentParser(prog="python3 tools crypto-check", description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="Wycheproof, CAVP or RFC 6979 vectors")
    try:
        report = check([read(path) for path in parser.parse_args(arguments).files])
    except UnreadableVectors as error:
        print(f"crypto-check: {error.path}: {error.reason}  [{error.code}]\n  → {error.next_step}", file=sys.stderr)
        return 2
    except PlombaError as error:
        print(f"crypto-check: {error.what()}  [{error.code}]\n  → {error.next_step()}", file=sys.stderr)
        return 2
    print(json.dumps(report, indent=2))
    if not report["total"]["tests"]:
        print("crypto-check: nothing was checked: no test is for P-256 with SHA-256", file=sys.stderr)
    return 1 if report["disagreements"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
