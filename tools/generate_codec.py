"""codec.py with its types, vocabulary.py and the tables of SPEC.md, from schema.py and vocabulary.toml."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

import construct as c

from plomba_wire import states
from plomba_wire.schema import LAYOUTS, VOCABULARY, Blob, Layout, OneOf, Rest

_INTEGERS = {1: ("B", "u8"), 2: ("H", "u16"), 4: ("I", "u32"), 8: ("Q", "u64")}


@dataclass
class Field:
    """One field of a layout as the generator sees it. `fmt` is its struct code, empty for a run of bytes."""

    name: str
    doc: str
    fmt: str
    size: int
    kind: str
    python: str = "int"
    const: Any = None
    section: str = ""
    limit: int = 0
    prefix: str = ""


@dataclass
class Plan:
    """A layout in order: fixed fields first, then at most one run of bytes (Blob or Rest) after each group."""

    layout: Layout
    fields: list[Field] = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum(f.size for f in self.fields)

    @property
    def given(self) -> list[Field]:
        return [f for f in self.fields if f.const is None]


def planned(layout: Layout) -> Plan:
    plan = Plan(layout)
    for renamed in layout.struct.subcons:
        if renamed is c.Terminated or renamed.name is None:
            continue
        subcon = renamed
        while isinstance(subcon, c.Renamed):
            subcon = subcon.subcon
        plan.fields.append(_field(renamed.name, str(renamed.docs), subcon))
    return plan


def _field(name: str, doc: str, subcon: Any) -> Field:
    if isinstance(subcon, OneOf):
        inner = _field(name, doc, subcon.subcon)
        inner.section = subcon.section
        inner.kind = f"{inner.kind} {subcon.section}"
        return inner
    if isinstance(subcon, c.Const):
        inner = _field(name, doc, subcon.subcon)
        inner.const = subcon.value
        return inner
    if isinstance(subcon, c.FormatField):
        code, kind = _INTEGERS[subcon.length]
        return Field(name, doc, code, subcon.length, kind)
    if isinstance(subcon, c.Bytes):
        return Field(name, doc, f"{subcon.length}s", subcon.length, f"bytes {subcon.length}", "bytes")
    if isinstance(subcon, Blob):
        code, kind = _INTEGERS[subcon.length.sizeof()]
        label = f"{kind} length, bytes ≤ {subcon.limit}"
        return Field(name, doc, "", subcon.length.sizeof(), label, "bytes", limit=subcon.limit, prefix=code)
    if isinstance(subcon, Rest):
        return Field(name, doc, "", 0, f"bytes ≤ {subcon.limit}", "bytes", limit=subcon.limit)
    raise TypeError(f"{name}: the generator does not know {subcon!r}")


def codec() -> str:
    """Source of codec.py: one table a layout."""
    plans = [planned(layout) for layout in LAYOUTS.values()]
    sections = sorted({f.section for p in plans for f in p.fields if f.section})
    parts = [
        '"""Every layout of PLP/1, for CPython and MicroPython. Generated from schema.py: python3 tools gen."""',
        "# fmt: off",
        "",
        "from plomba_wire.layout import Layout, Malformed",
        "",
        "__all__ = [" + ", ".join(f'"{name}"' for name in ("Malformed", *LAYOUTS, "MESSAGES", "SCHEMA")) + "]",
        "",
    ]
    for section in sections:
        codes = sorted(entry["code"] for entry in VOCABULARY[section].values())
        parts.append(f'_{section.upper()} = b"' + "".join(f"\\x{code:02x}" for code in codes) + '"')
    for plan in plans:
        parts += ["", "", *_table(plan)]
    parts += ["", "", "MESSAGES = {"]
    parts += [f"    {p.layout.code:#04x}: {p.layout.name}," for p in plans if p.layout.code is not None]
    parts += ["}", '"""Message type -> layout of its body."""']
    schema = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    parts += [
        f'SCHEMA = bytes.fromhex("{schema}")',
        '"""First 8 bytes of SHA-256 over the tables above: two programs with the same one read alike."""',
        "",
    ]
    return "\n".join(parts)


def stub() -> str:
    """Source of codec.pyi: the same classes with their fields typed."""
    plans = [planned(layout) for layout in LAYOUTS.values()]
    parts = [
        '"""Types of codec.py. Generated from schema.py: python3 tools gen."""',
        "# fmt: off",
        "",
        "from typing import Self",
        "",
        "from plomba_wire.layout import Layout",
        "from plomba_wire.layout import Malformed as Malformed",
    ]
    for plan in plans:
        given = plan.given
        arguments = ", ".join(["self", *(f"{f.name}: {f.python}" for f in given)])
        parts += ["", f"class {plan.layout.name}(Layout):"]
        parts += [f"    {f.name}: {f.python}" for f in given]
        parts += [
            f"    def __init__({arguments}) -> None: ...",
            "    @classmethod",
            "    def unpack(cls, data: bytes) -> Self: ...",
            "    @classmethod",
            "    def read(cls, data: bytes, at: int) -> Self: ...",
        ]
    parts += ["", "MESSAGES: dict[int, type[Layout]]", "SCHEMA: bytes", ""]
    return "\n".join(parts)


def _table(plan: Plan) -> list[str]:
    layout = plan.layout
    fixed = [f for f in plan.fields if f.fmt]
    tail = [f for f in plan.fields if not f.fmt]
    if len(tail) > 1 or (tail and plan.fields[-1] is not tail[0]):
        raise TypeError(f"{layout.name}: a run of bytes can only be the last field")
    out = [f"class {layout.name}(Layout):", f'    """{layout.doc}"""', ""]
    if layout.code is not None:
        out.append(f"    TYPE = {layout.code:#04x}")
    names = ", ".join(f'"{f.name}"' for f in plan.given)
    out += [
        f"    SIZE = {plan.size}",
        f"    FIELDS = ({names}{',' if len(plan.given) == 1 else ''})",
        "    __slots__ = FIELDS",
        f'    FORMAT = ">{"".join(f.fmt for f in fixed)}"',
    ]
    constants = [f"({at}, {f.const!r})" for at, f in enumerate(fixed) if f.const is not None]
    codes = [f"({at}, _{f.section.upper()})" for at, f in enumerate(fixed) if f.section]
    for name, pairs in (("CONSTANTS", constants), ("CODES", codes)):
        if pairs:
            out.append(f"    {name} = ({', '.join(pairs)}{',' if len(pairs) == 1 else ''})")
    if tail:
        prefix = f">{tail[0].prefix}" if tail[0].prefix else ""
        out.append(f'    TAIL = ("{prefix}", {tail[0].limit})')
    return out


def vocabulary() -> str:
    """Source of vocabulary.py."""
    out = ['"""The codes both sides share. Generated from vocabulary.toml: python3 tools gen."""', "# fmt: off", ""]
    for section, entries in VOCABULARY.items():
        if section in ("languages", "ui"):
            continue
        title = "".join(word.capitalize() for word in section.split("_"))
        out += ["", f"class {title}:"]
        out += [f"    {name} = {entry['code']:#04x}" for name, entry in entries.items()]
        out.append("")
    for title, section, about in (
        ("MODES", "mode", "Card name -> mode."),
        ("COMMANDS", "command", "Card name -> command."),
    ):
        out += ["", f"{title} = {{"]
        out += [f'    b"{name}": {entry["code"]},' for name, entry in VOCABULARY[section].items()]
        out += ["}", f'"""{about}"""']
    for title, section, about in (
        ("MODE_ACTIONS", "mode", "Mode -> what is done to a parcel that is scanned in it."),
        ("COMMAND_ACTIONS", "command", "Command -> what is done to the parcel that was scanned last."),
    ):
        out += ["", f"{title} = {{"]
        acting = [entry for entry in VOCABULARY[section].values() if "action" in entry]
        out += [f"    {entry['code']}: {VOCABULARY['action'][entry['action']]['code']:#04x}," for entry in acting]
        out += ["}", f'"""{about}"""']
    return "\n".join(out).rstrip("\n") + "\n"


def specification(text: str) -> str:
    """SPEC.md with its tables between the `<!-- begin … -->` and `<!-- end … -->` marks made anew."""
    for name, body in (
        ("messages", _message_table()),
        ("layouts", _layout_tables()),
        ("codes", _code_tables()),
        ("errors", _error_table()),
        ("states", _state_tables()),
    ):
        pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.S)
        if not pattern.search(text):
            raise ValueError(f"SPEC.md lost its mark for {name}")
        text = pattern.sub(lambda m, body=body: m.group(1) + body + m.group(2), text)
    return text


def _message_table() -> str:
    rows = ["| type | message | from | |", "|---|---|---|---|"]
    for layout in LAYOUTS.values():
        if layout.code is not None:
            rows.append(
                f"| `{layout.code:02X}` | [{layout.name}](#{layout.name.lower()}) | {layout.sender} | {layout.doc} |"
            )
    return "\n".join(rows) + "\n"


def _layout_tables() -> str:
    out = []
    for layout in LAYOUTS.values():
        out += [f"### {layout.name}", "", layout.doc, "", "| offset | field | type | |", "|---|---|---|---|"]
        offset: int | None = 0
        for f in planned(layout).fields:
            const = f" = {f.const if isinstance(f.const, int) else f.const.decode()}" if f.const is not None else ""
            out.append(f"| {'' if offset is None else offset} | {f.name} | {f.kind}{const} | {f.doc} |")
            offset = offset + f.size if offset is not None and f.fmt else None
        out.append("")
    return "\n".join(out)


def _code_tables() -> str:
    out = []
    for section, entries in VOCABULARY.items():
        if section in ("languages", "ui", "error"):
            continue
        out += [f"### {section.replace('_', ' ')}", "", "| code | name | |", "|---|---|---|"]
        for name, entry in entries.items():
            text = entry.get("doc") or entry.get("en", "")
            text = text if isinstance(text, str) else text[0].capitalize()
            out.append(f"| `{entry['code']:02X}` | {name} | {text} |")
        out.append("")
    return "\n".join(out)


def _state_tables() -> str:
    out = []
    for end, table in (("terminal", states.TERMINAL), ("dock", states.DOCK)):
        out += [f"**{end}**", "", "| state | takes | which leads to |", "|---|---|---|"]
        for state, row in table.items():
            for target in sorted(set(row.values()), key=lambda target: (target != state, target)):
                words = ", ".join(word for word, leads in row.items() if leads == target)
                out.append(f"| {state} | {words} | {target if target != state else 'itself'} |")
            if not row:
                out.append(f"| {state} | nothing | |")
        out.append("")
    return "\n".join(out)


def _error_table() -> str:
    rows = ["| code | name | blame | again | raised by the host as | |", "|---|---|---|---|---|---|"]
    for name, entry in VOCABULARY["error"].items():
        again = "yes" if entry.get("retry") else ""
        code = f"`refused_{name.lower()}`"
        rows.append(f"| `{entry['code']:02X}` | {name} | {entry['blame']} | {again} | {code} | {entry['en']} |")
    return "\n".join(rows) + "\n"
