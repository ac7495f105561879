"""Entries and the summary as lines for a person; `style` is a rich style, empty for plain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plomba.capture import TO_DEVICE
from plomba.dissect.entry import BAD, FRAME, OK, UNCHECKED, ZEROS, Entry, Signature, flag_bits

_WIDTH = 116
_BYTES_MAX = 64
_TEXT_MAX = 400
_STYLES = {OK: "green", BAD: "bold red", UNCHECKED: "yellow"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and how it looks on a terminal."""

    text: str
    style: str = ""


def entry_lines(entry: Entry) -> Iterator[Line]:
    """A head, then fields, faults, notes and signatures, indented."""
    yield Line(_head(entry), _head_style(entry))
    yield from _fields(entry.fields, "    ")
    if entry.raw:
        yield Line(f"    raw={_value(entry.raw)}", "dim")
    for fault in entry.faults:
        yield Line(f"    ! {fault}", "bold red")
    for note in entry.notes:
        yield Line(f"    ! {note.code}: {note.detail}", "yellow")
    for words, whats in _alike(entry.signatures).items():
        yield from (
            Line(line, _STYLES[words[0]]) for line in _packed(whats, f"    signature {_verdict(words)}: ", ", ")
        )


def summary_lines(summary: Mapping[str, Any]) -> Iterator[Line]:
    """The same facts as in JSON; what is zero is left out where that says nothing."""
    yield Line("")
    yield Line(
        f"{summary['bytes']} bytes in {summary['chunks']} chunks, {summary['entries']} entries,"
        f" {_seconds(summary['span_us'])} s",
        "bold",
    )
    for name, way in summary["directions"].items():
        yield Line(f"{name}: {way['frames']} frames, {way['bytes']} bytes")
        types = [f"{type} {n['frames']} ({n['bytes']} B)" for type, n in way["types"].items()]
        yield from (Line(line) for line in _packed(types, "    ", "  "))
    kinds = [f"{kind} {n['entries']} ({n['bytes']} B)" for kind, n in summary["kinds"].items()]
    yield Line("kinds: " + "  ".join(kinds))
    yield Line(
        f"damaged {summary['damaged']}  stale {summary['stale']}  repeated {summary['repeated']}"
        f"  unanswered {len(summary['unanswered'])}"
    )
    for name in ("notes", "errors", "signatures"):
        if summary[name]:
            yield Line(f"{name}: " + "  ".join(f"{code} {count}" for code, count in summary[name].items()))
    for known in summary["records"]:
        yield Line(
            f"records of {known['terminal']} epoch {known['epoch']}: {known['first']}..{known['last']},"
            f" {known['count']} of them, {known['bytes']} bytes, {known['retransmitted']} came again"
        )
    if summary["efficiency"] is not None:
        yield Line(
            f"efficiency: {summary['record_bytes']} bytes of records in {summary['line_bytes']} on the line,"
            f" {summary['efficiency']:.1%}"
        )
    for session in summary["sessions"]:
        ended = f"{session['ended']} at {_seconds(session['ended_us'])} s" if session["ended"] else "not ended"
        terminal = session["terminal"] or "no terminal"
        yield Line(f"session {session['session']} with {terminal}: from {_seconds(session['began_us'])} s, {ended}")


def _head(entry: Entry) -> str:
    arrow = "  " if entry.direction is None else "→ " if entry.direction == TO_DEVICE else "← "
    words = [f"#{entry.number}", f"{_seconds(entry.us)}", f"{arrow}terminal" if entry.direction is not None else "-"]
    words += [f"@{entry.offset}", f"{entry.size} B"]
    if entry.type is None:
        return "  ".join([*words, entry.kind])
    words += [entry.name if entry.crc == OK else f"{entry.name}?", f"session={entry.session}", f"tag={entry.tag}"]
    if entry.flags:
        words.append(f"flags={flag_bits(entry.flags)}")
    words.append(f"crc {entry.crc}")
    if entry.kind != FRAME:
        words.append(entry.kind)
    if entry.answers is not None:
        words.append(f"answers #{entry.answers.number} after {entry.answers.us / 1000:.3f} ms")
    return "  ".join(words)


def _head_style(entry: Entry) -> str:
    if entry.kind == FRAME:
        return "bold cyan" if entry.direction == TO_DEVICE else "bold blue"
    return "dim" if entry.kind == ZEROS else "bold red"


def _fields(fields: Mapping[str, object], indent: str) -> Iterator[Line]:
    """Simple values side by side, then what has fields of its own, each below its name."""
    simple = [f"{name}={_value(value)}" for name, value in fields.items() if not isinstance(value, dict | list)]
    yield from (Line(line) for line in _packed(simple, indent, "  "))
    for name, value in fields.items():
        if isinstance(value, dict) and value:
            yield from _below(name, value, indent)
        elif isinstance(value, list):
            for place, item in enumerate(value):
                if isinstance(item, dict):
                    yield from _below(f"{name}[{place}]", item, indent)
                else:
                    yield Line(f"{indent}{name}[{place}]={_value(item)}")


def _below(name: str, fields: Mapping[str, object], indent: str) -> Iterator[Line]:
    """Beside its name when it is a line by itself, else below."""
    lines = list(_fields(fields, indent + "  "))
    beside = f"{indent}{name}: {lines[0].text.strip()}" if len(lines) == 1 else ""
    if 0 < len(beside) <= _WIDTH:
        yield Line(beside)
    else:
        yield Line(f"{indent}{name}:")
        yield from lines


def _value(value: object) -> str:
    if isinstance(value, bytes):
        shown = value[:_BYTES_MAX].hex()
        return shown if len(value) <= _BYTES_MAX else f"{shown}… ({len(value)} bytes)"
    shown = str(value)
    return shown if len(shown) <= _TEXT_MAX else f"{shown[:_TEXT_MAX]}… ({len(shown)} characters)"


def _alike(signatures: list[Signature]) -> dict[tuple[str, str, str, str], list[str]]:
    """Verdict, reason, key, source -> what was signed."""
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for signature in signatures:
        words = (signature.verdict, signature.reason, signature.key.hex(), signature.source)
        alike.setdefault(words, []).append(signature.what)
    return alike


def _verdict(words: tuple[str, str, str, str]) -> str:
    verdict, reason, key, source = words
    by = ", ".join(word for word in (f"key {key}" if key else "", source and f"from the {source}") if word)
    return verdict + (f", {reason}" if reason else "") + (f" ({by})" if by else "")


def _packed(words: list[str], indent: str, between: str) -> Iterator[str]:
    line = ""
    for word in words:
        if line and len(indent) + len(line) + len(between) + len(word) > _WIDTH:
            yield indent + line
            line = ""
        line += between + word if line else word
    if line:
        yield indent + line


def _seconds(us: int) -> str:
    return f"{us // 1_000_000}.{us % 1_000_000:06d}"
