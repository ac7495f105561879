"""`plomba verify PACK`: proves an evidence pack offline, against a root you pinned."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from platformdirs import user_config_path

from plomba.errors import UsageError, VerificationError
from plomba.evidence import verify_pack
from plomba.evidence.timeline import facts, render
from plomba.texts import language
from plomba.trust.forks import ForkProof, is_fork

_FINGERPRINT = re.compile(r"[0-9a-fA-F]{64}")


def verify(
    pack: Path,
    *,
    root: Annotated[str | None, Parameter(help="The root's fingerprint, 64 hex digits, or a file with it.")] = None,
    revocations: Annotated[Path | None, Parameter(help="A newer list of revocations than the pack's own.")] = None,
    json_: Annotated[bool, Parameter(name="--json", negative="", help="The timeline as one JSON object.")] = False,
) -> int:
    """Verify an evidence pack, or the proof of a copied terminal. Exit 0 and what it proves, or 4 and the fault.

    The fingerprint comes from the organisation, never from the pack. Without --root the file `root.fingerprint` in the
    user's plomba configuration folder counts, or PLOMBA_ROOT.

    Example: plomba verify order.plomba --root root.fingerprint
    """
    pinned = pinned_root(root)
    data = _read(pack)
    if is_fork(data):
        return _fork(data, pinned, json_)
    evidence = verify_pack(data, pinned, _read(revocations) if revocations is not None else None)
    if json_:
        print(json.dumps(facts(evidence), ensure_ascii=False))
    else:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")
        print(render(evidence, language()))
    return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError("file_missing", path=path) from error


def _fork(data: bytes, pinned: str, json_: bool) -> int:
    certificate, first, second = ForkProof.parse(data).verify(pinned)
    proved = {
        "proves": "fork",
        "terminal": first.head.terminal.hex(),
        "label": certificate.label.decode(errors="replace"),
        "epoch": first.head.epoch,
        "seq": first.head.seq,
        "digests": [first.digest.hex(), second.digest.hex()],
    }
    if json_:
        print(json.dumps(proved))
    else:
        for name, value in proved.items():
            print(f"{name}: {value}")
    return 0


def pinned_root(root: str | None) -> str:
    """The fingerprint to trust. Raises VerificationError `root_unpinned`, UsageError `root_unreadable`."""
    given = root or os.environ.get("PLOMBA_ROOT")
    if given is None:
        configured = user_config_path("plomba") / "root.fingerprint"
        if not configured.exists():
            raise VerificationError("root_unpinned")
        given = str(configured)
    compact = re.sub(r"[\s:]", "", given)
    if _FINGERPRINT.fullmatch(compact):
        return compact.lower()
    try:
        text = re.sub(r"[\s:]", "", Path(given).read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise UsageError("root_unreadable", root=given) from error
    if not _FINGERPRINT.fullmatch(text):
        raise UsageError("root_unreadable", root=given)
    return text.lower()
