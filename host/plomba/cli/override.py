"""`plomba override`: what a remote owner answers to a challenge, and which overrides nobody answered."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from plomba.desk.words import names
from plomba.errors import StoreError, UsageError
from plomba.ledger import Ledger
from plomba.trust import answer_log, answers, issued
from plomba.trust.answer_log import Answered
from plomba.trust.issued import Issued
from plomba.trust.keys import PrivateKey
from plomba.trust.organisation import Organisation
from plomba_wire import tlv
from plomba_wire.codec import RecordHead
from plomba_wire.vocabulary import Action, Role, Tlv, Verdict


def answer(
    *,
    org: Path,
    terminal: Annotated[str, Parameter(help="Its label, its id (16 hex digits), or a file with its certificate.")],
    order: str,
    challenge: Annotated[str, Parameter(help="The eight digits on its screen.")],
    need: Annotated[str, Parameter(help="What the terminal wants and you do without: SEAL, ITEM, PHOTO, …")],
    ledger: Annotated[Path | None, Parameter(help="Where else the terminal may be known.")] = None,
    key: Annotated[Path | None, Parameter(help="The owner's key that the staff list names; else the desk's.")] = None,
) -> int:
    """Print the eight digits that let one order go without what was needed, and note it in ORG/answers.jsonl.

    Ask who is calling, which terminal, which order, and why: the answer says yes in your name.

    Example: plomba override answer --org org --terminal counter-1 --order A-17 --challenge 12345678 --need SEAL
    """
    now = int(time.time())
    organisation = Organisation.load(org)
    name, code = answers.need_named(need)
    certified = _certified(organisation, terminal, ledger)
    organisation.trust.certificate(certified.data, now=now, what=terminal)
    owner = PrivateKey.load(key) if key is not None else organisation.signer("desk", now=now).key
    challenge = "".join(challenge.split())
    digits = answers.answer(owner, certified.public, order, code, challenge)
    answer_log.append(org, Answered(now, certified.id.hex(), certified.label, order, name, challenge, owner.id.hex()))
    print(digits)
    return 0


def audit(*, org: Path, ledger: Path) -> int:
    """List the overrides in LEDGER that were granted by an answer which nobody noted. Exit 4 when there is one.

    Example: plomba override audit --org org --ledger dock.db
    """
    organisation = Organisation.load(org)
    given = {(each.terminal, each.order, each.need, each.challenge) for each in answer_log.read(organisation.folder)}
    overrides, unanswered = 0, []
    with Ledger.open(ledger) as store:
        for record in store.all_records():
            head = RecordHead.read(record.body, 0)
            parts = tlv.unpack(record.body, RecordHead.SIZE)
            if (head.action, head.verdict) != (Action.OVERRIDE, Verdict.OK) or Tlv.CHALLENGE not in parts:
                continue
            overrides += 1
            said = (
                record.terminal.hex(),
                parts.get(Tlv.ORDER, b"").decode("utf-8", "replace"),
                names("verdict").get(int.from_bytes(parts.get(Tlv.NEED, b""), "big"), ""),
                parts[Tlv.CHALLENGE].decode("ascii", "replace"),
            )
            if said not in given:
                unanswered.append({"record": record.identity, "order": said[1], "challenge": said[3]})
    print(json.dumps({"overrides": overrides, "answers": len(given), "unanswered": unanswered}))
    return 4 if unanswered else 0


def _certified(organisation: Organisation, text: str, ledger: Path | None) -> Issued:
    """The newest certificate of the terminal that a person means. Raises UsageError `answer_terminal`,
    `answer_terminals`; StoreError; VerificationError."""
    certified = issued.read_all(organisation.folder, organisation.roots)
    found = [each for each in certified if each.role == Role.TERMINAL and text in (each.id.hex(), each.label)]
    found = found or _held(organisation, text, ledger) or _in_file(organisation, text)
    if not found:
        raise UsageError("answer_terminal", terminal=text)
    if len({each.id for each in found}) > 1:
        raise UsageError("answer_terminals", terminal=text, ids=", ".join(sorted({each.id.hex() for each in found})))
    return found[-1]


def _in_file(organisation: Organisation, text: str) -> list[Issued]:
    """A terminal's certificate from the file of that name."""
    # Path.is_file raises for a name that no system takes, until Python 3.13.
    if not os.path.isfile(text):
        return []
    try:
        found = Issued.parse(Path(text).read_bytes(), organisation.roots)
    except OSError as error:
        raise StoreError("certificate_damaged", path=text, reason=error.strerror or error) from error
    return [found] if found.role == Role.TERMINAL else []


def _held(organisation: Organisation, text: str, ledger: Path | None) -> list[Issued]:
    """What the ledger knows of a terminal by its id."""
    try:
        id = bytes.fromhex(text)
    except ValueError:
        return []
    if ledger is None:
        return []
    with Ledger.open(ledger) as store:
        enrolled = store.terminal(id)
    return [] if enrolled is None else [Issued.parse(enrolled.certificate, organisation.roots)]
