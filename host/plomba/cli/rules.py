"""`plomba rules`: rule packs, checked, compared, signed, and played on the firmware."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from plomba.desk import rules
from plomba.desk.manifest import SKEW
from plomba.desk.rules.changes import Change, changes, unsaid
from plomba.desk.rules.pack import body
from plomba.desk.rules.table import Mistake
from plomba.desk.rules.wording import told
from plomba.errors import StoreError
from plomba.texts import language, say
from plomba.trust import staged_files
from plomba.trust.objects import package
from plomba.trust.organisation import Organisation
from plomba_wire.vocabulary import ObjectKind

_AsJson = Annotated[bool, Parameter(name="--json", negative="", help="For programs, in English.")]
_After = Annotated[Path | None, Parameter(help="The pack that is in force: a change has to be told of and dated.")]


def check(file: Path, *, after: _After = None, as_json: _AsJson = False) -> int:
    """Check a rule pack: names, limits, texts, contradictions, and what it must not drop (docs/rules.md).

    Exit status 1 when it must not be signed; warnings alone are 0.

    Example: plomba rules check rules.toml --after rules-in-force.toml
    """
    checked, mistakes = _judged(file, after)
    sound = all(mistake.warning for mistake in mistakes)
    if as_json:
        listed = [_mistake(mistake) for mistake in mistakes]
        print(json.dumps({"file": str(file), "number": checked.pack.number, "sound": sound, "mistakes": listed}))
        return 0 if sound else 1
    for mistake in mistakes:
        kind = say("rules", "warning" if mistake.warning else "error")
        print(f"{kind}: {mistake.error.what()}  [{mistake.error.code}]\n  → {mistake.error.next_step()}")
    if sound:
        size = len(body(checked.pack))
        print(say("rules", "taken", path=file, number=checked.pack.number, size=size, longest=rules.PACK_MAX))
    return 0 if sound else 1


def diff(old: Path, new: Path, *, as_json: _AsJson = False) -> int:
    """Say in words what NEW has a terminal do otherwise than OLD, what it loosens, and whether it tells people so.

    Example: plomba rules diff jewellery-2.toml jewellery-3.toml
    """
    before, (checked, mistakes) = rules.load(old).checked.pack, _judged(new, old)
    found = changes(before, checked.pack) if checked.readable else []
    behaviour = [change for change in found if change.behaviour]
    if as_json:
        said = {
            "old": before.number,
            "new": checked.pack.number,
            "changes": [_change(change) for change in found],
            "mistakes": [_mistake(mistake) for mistake in mistakes],
        }
        print(json.dumps(said))
        return 0 if checked.readable else 1
    loose = sum(change.loosens for change in behaviour)
    count = len(behaviour)
    print(say("rules", "diff_head", old=before.number, new=checked.pack.number, count=count, loose=loose))
    for change in found:
        mark = f"  ! [{say('rules', 'loosens')}] " if change.loosens else "  - "
        print(mark + told(change, language()))
    if not behaviour:
        print(say("rules", "diff_same"))
    for mistake in mistakes:
        if not mistake.warning:
            print(f"{mistake.error.what()}  [{mistake.error.code}]\n  → {mistake.error.next_step()}")
    return 0 if checked.readable else 1


def sign(
    file: Path,
    *,
    org: Path,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="The signed object.")],
    after: _After = None,
) -> int:
    """Sign a rule pack with the desk's key. What `plomba rules check` refuses is not signed.

    Example: plomba rules sign rules.toml --org org --after rules-in-force.toml -o rules.obj
    """
    pack = rules.load(file)
    if after is not None:
        rules.follows(pack, rules.load(after).checked.pack)
    now = int(time.time())
    desk = Organisation.load(org).signer("desk", now=now)
    data = package(ObjectKind.RULES, pack.body, desk.key, desk.certificate, version=pack.number, not_before=now - SKEW)
    try:
        staged_files.replace(out, data, 0o644)
    except OSError as error:
        raise StoreError("file_unwritable", path=out, reason=error.strerror or error) from error
    valid_from = pack.checked.pack.valid_from
    print(json.dumps({"rules": str(out), "number": pack.number, "valid_from": valid_from, "bytes": len(data)}))
    return 0


def _judged(file: Path, after: Path | None) -> tuple[rules.Checked, list[Mistake]]:
    checked = rules.check(file)
    if after is None or not checked.readable:
        return checked, checked.mistakes
    return checked, [*unsaid(rules.load(after).checked.pack, checked.pack, checked.text), *checked.mistakes]


def _mistake(mistake: Mistake) -> dict[str, Any]:
    error = mistake.error
    return {
        "file": mistake.place.file,
        "line": mistake.place.line,
        "code": error.code,
        "warning": mistake.warning,
        "what": error.what("en"),
        "next": error.next_step("en"),
    }


def _change(change: Change) -> dict[str, Any]:
    return {"kind": change.kind, "loosens": change.loosens, "behaviour": change.behaviour, "text": told(change, "en")}
