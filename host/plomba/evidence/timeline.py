"""A verified pack in plain words: what happened, when at the earliest and at the latest, by which rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from plomba.evidence.verify import Entry, Evidence
from plomba.texts import say, verdict_word, words
from plomba_wire.schema import VOCABULARY
from plomba_wire.vocabulary import Flag, Tlv


def render(evidence: Evidence, lang: str) -> str:
    """The timeline as text for a console."""
    out = [
        say("evidence", "title", lang, order=shown(evidence.order)),
        say("evidence", "root", lang, fingerprint=evidence.root),
        say("evidence", "time_vouched", lang),
        "",
    ]
    out += [line for entry in evidence.entries for line in _lines(entry, lang)]
    out += ["", say("evidence", "checked", lang, count=len(evidence.entries)), say("evidence", "limits", lang)]
    out += _keys(evidence, lang)
    return "\n".join(out)


def facts(evidence: Evidence) -> dict[str, Any]:
    """The timeline for programs: names of the vocabulary, times in ISO 8601 UTC."""
    return {
        "schema": "plomba/evidence-timeline/1",
        "order": evidence.order,
        "root": evidence.root,
        "entries": [_fact(entry) for entry in evidence.entries],
    }


def shown(text: str) -> str:
    """A text from paper on its way to a console: control characters and direction marks become escapes."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def _lines(entry: Entry, lang: str) -> list[str]:
    head = entry.record.head
    verdict = verdict_word(head.action, head.verdict, lang)
    state = words("state", lang)
    moved = f"  {state[head.state_before]} → {state[head.state_after]}" if head.state_after != head.state_before else ""
    code = entry.record.parts.get(Tlv.CODE)
    read = f"  [{shown(code.decode(errors='replace'))}]" if code is not None else ""
    clock = _iso(head.t_utc) if head.flags & Flag.TIME_TRUSTED else say("evidence", "clock_unset", lang)
    return [
        f"{clock}  {words('action', lang)[head.action]}: {verdict}{moved}{read}",
        "    "
        + say(
            "evidence",
            "between",
            lang,
            after=_iso(entry.after) if entry.after else "…",
            before=_iso(entry.before),
            terminal=entry.certificate.label.decode(errors="replace"),
            seq=head.seq,
            rules=head.rules,
        ),
    ]


def _keys(evidence: Evidence, lang: str) -> list[str]:
    """How the private keys behind the records are kept, a line for each class there is."""
    kept: dict[int, set[str]] = {}
    for entry in evidence.entries:
        label = shown(entry.certificate.label.decode(errors="replace"))
        kept.setdefault(entry.certificate.protection, set()).add(label)
    return [
        say("evidence", f"key_{_name('protection', protection).lower()}", lang, terminals=", ".join(sorted(labels)))
        for protection, labels in sorted(kept.items())
    ]


def _fact(entry: Entry) -> dict[str, Any]:
    head = entry.record.head
    code = entry.record.parts.get(Tlv.CODE)
    return {
        "record": entry.record.identity,
        "action": _name("action", head.action),
        "verdict": _name("verdict", head.verdict),
        "state_before": _name("state", head.state_before),
        "state_after": _name("state", head.state_after),
        "code": code.hex() if code is not None else None,
        "rules": head.rules,
        "terminal_clock": _iso(head.t_utc) if head.flags & Flag.TIME_TRUSTED else None,
        "after": _iso(entry.after) if entry.after else None,
        "before": _iso(entry.before),
        "terminal": entry.certificate.label.decode(errors="replace"),
        "protection": _name("protection", entry.certificate.protection),
    }


def _name(section: str, code: int) -> str:
    names: dict[int, str] = {entry["code"]: name for name, entry in VOCABULARY[section].items()}
    return names[code]


def _iso(utc: int) -> str:
    return datetime.fromtimestamp(utc, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
