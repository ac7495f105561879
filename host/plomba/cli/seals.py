"""`plomba seals`: seals of our own, numbered, signed, printed, void."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from plomba.errors import StoreError, UsageError
from plomba.texts import language, say
from plomba.trust import seal_batch, sealing, staged_files
from plomba.trust.organisation import Organisation
from plomba.trust.seal_register import Register

_PAPER = "70x37"
Org = Annotated[Path, Parameter(help="The organisation's folder.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON object.")]
Out = Annotated[Path, Parameter(name=["--out", "-o"], help="File to write.")]


def issue(
    *,
    org: Org,
    count: Annotated[int, Parameter(help="How many.")],
    out: Out,
    batch: Annotated[int | None, Parameter(help="Go on with this batch; without it a new one begins.")] = None,
) -> int:
    """Make the next COUNT seals with the seal issuer's key and write them into OUT, a new file, a line each.

    Example: plomba seals issue --org org --count 240 --out seals.txt
    """
    seal_batch.refuse_taken(out)
    made = sealing.issue(Organisation.load(org), count, batch=batch, now=_now())
    seal_batch.write(out, made)
    print(json.dumps({"first": made[0].name, "last": made[-1].name, "seals": len(made), "file": str(out)}))
    _say("deliver")
    return 0


def print_(
    batch: Annotated[Path, Parameter(help="File that `seals issue` wrote.")],
    *,
    out: Out,
    paper: Annotated[str, Parameter(help="Label paper: 70x37, 48.5x25.4 or 38.1x21.2, mm.")] = _PAPER,
) -> int:
    """Make A4 sheets of the seals in BATCH: an HTML file, to be printed by a browser at 100 % without margins.

    Example: plomba seals print seals.txt -o sheet.html
    """
    from plomba.cli.seal_sheet import PAPERS, render

    if paper not in PAPERS:
        raise UsageError("label_paper_unknown", found=paper, known=", ".join(PAPERS))
    made = seal_batch.read(batch)
    page = render(made, PAPERS[paper], batch.name)
    # A file's name may be no text.
    _write(out, page.encode(errors="replace"))
    size = PAPERS[paper].columns * PAPERS[paper].rows
    print(json.dumps({"sheets": -(-len(made) // size), "seals": len(made), "file": str(out)}))
    return 0


def void(
    *names: Annotated[str, Parameter(help="Names as they stand under the QR codes, or FIRST..LAST of one batch.")],
    org: Org,
    reason: Annotated[str, Parameter(help="Why, for people.")],
) -> int:
    """Put seals on the void list. They never come off it.

    Example: plomba seals void 01-0017-000123-7 --org org --reason "sheet lost"
    """
    if not names:
        raise UsageError("seal_name_wrong", name="")
    fresh, already = sealing.void(Organisation.load(org), names, reason, now=_now())
    print(json.dumps({"void": fresh, "already": already}))
    if fresh:
        _say("deliver")
    return 0


def list_(*, org: Org, json_: Json = False) -> int:
    """Which numbers were issued by whom, and how many of them are void.

    Example: plomba seals list --org org
    """
    found = _facts(Organisation.load(org))
    print(json.dumps(found) if json_ else "\n".join(_lines(found)))
    return 0


def sign(*, org: Org, out: Out) -> int:
    """Sign the list of seals with the desk's key and write it into OUT, for a dock whose desk does not make it itself.

    Example: plomba seals sign --org org -o seals.obj
    """
    organisation = Organisation.load(org)
    organisation.signer("desk", now=_now())
    register = Register.load(org)
    if not register.given:
        raise StoreError("seals_none", path=org)
    data = sealing.sign(organisation, register, sealing.body(organisation, register), now=_now())
    _write(out, data)
    print(json.dumps({"version": register.version, "bytes": len(data), "file": str(out)}))
    return 0


def _facts(organisation: Organisation) -> dict[str, Any]:
    register = Register.load(organisation.folder)
    revoked = organisation.revoked().rows
    listed = sealing.certificates(organisation)
    issuers = [
        {
            "number": number,
            "key": key.hex(),
            "state": "revoked" if key in revoked else "good" if key in listed else "unlisted",
            "batches": [
                {"batch": batch[1], "last": last, "void": register.void_count(batch)}
                for batch, last in sorted(register.given.items())
                if batch[0] == number
            ],
        }
        for number, key in sorted(register.issuers.items())
    ]
    return {"version": register.version, "issuers": issuers}


def _lines(found: dict[str, Any]) -> list[str]:
    lang = language()
    lines = []
    for issuer in found["issuers"]:
        state = say("seals", issuer["state"], lang)
        lines.append(say("seals", "issuer", lang, number=issuer["number"], id=issuer["key"], state=state))
        lines += [say("seals", "batch", lang, **batch) for batch in issuer["batches"]]
    return [*lines, say("seals", "version", lang, version=found["version"])]


def _write(path: Path, data: bytes) -> None:
    try:
        staged_files.replace(path, data)
    except OSError as error:
        raise StoreError("file_unwritable", path=path, reason=error.strerror or error) from error


def _now() -> int:
    return int(time.time())


def _say(key: str) -> None:
    print(say("seals", key, language()), file=sys.stderr)
