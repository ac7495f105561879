"""Rule packs: written in TOML with the vocabulary's names, compiled to the compact JSON a terminal reads."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from plomba.desk.words import codes
from plomba.errors import PlombaError
from plomba.texts import LANGUAGES

PACK_MAX = 7800
"""Bytes of the longest body: with envelope, signature and certificate it stays under the terminal's 8192."""
MODES = ("store", "handout")
_NUMBER_MAX = 0xFFFF
_SIREN_MAX = 3600


@dataclass(frozen=True, slots=True)
class RulePack:
    """A pack ready to be signed. Its object's version is `number`, u16: a record's head names it."""

    number: int
    body: bytes


def load(path: Path | None = None) -> RulePack:
    """The pack in `path`, or the sample. Raises PlombaError that names the place of a mistake."""
    if path is None:
        file = resources.files("plomba.desk").joinpath("rules", "sample.toml")
        return compile_pack(file.read_text(encoding="utf-8"), str(file))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlombaError("desk_data_invalid", path=path, where=str(error)) from error
    return compile_pack(text, str(path))


def compile_pack(text: str, path: str) -> RulePack:
    """Raises PlombaError."""
    try:
        pack = _pack(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, _Wrong) as error:
        raise PlombaError("desk_data_invalid", path=path, where=str(error)) from error
    body = json.dumps(pack, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    if len(body) > PACK_MAX:
        raise PlombaError("desk_data_invalid", path=path, where=f"{len(body)} > {PACK_MAX}")
    return RulePack(pack["number"], body)


class _Wrong(Exception):
    """Where in the file the mistake is."""


def _pack(data: Mapping[str, Any]) -> dict[str, Any]:
    _only(data, {"number", "title", "shift", "class", "step"}, "pack")
    shift = data.get("shift", False)
    if not isinstance(shift, bool):
        raise _Wrong("shift")
    number = _whole(data.get("number"), 1, _NUMBER_MAX, "number")
    title = data.get("title")
    if not isinstance(title, dict) or set(title) != set(LANGUAGES):
        raise _Wrong("title")
    if not all(isinstance(text, str) and text and text.isprintable() for text in title.values()):
        raise _Wrong("title")
    gates = _gates(data.get("class"))
    steps = data.get("step")
    if not isinstance(steps, list) or not steps:
        raise _Wrong("step")
    compiled = [_step(entry, f"step {at}") for at, entry in enumerate(steps, start=1)]
    if len({(step["mode"], step["action"]) for step in compiled}) != len(compiled):
        raise _Wrong("step: mode and action twice")
    return {"number": number, "title": title, "shift": int(shift), "gates": gates, "steps": compiled}


def _gates(classes: Any) -> dict[str, dict[str, int]]:
    if not isinstance(classes, dict):
        raise _Wrong("class")
    gates = {}
    for name, entry in classes.items():
        where = f"class.{name}"
        _only(entry, {"gate", "siren_s"}, where)
        gate: dict[str, int] = {"seal": 0}
        if "gate" in entry:
            if entry["gate"] != "seal":
                raise _Wrong(f"{where}.gate")
            gate["seal"] = 1
        if "siren_s" in entry:
            gate["siren_s"] = _whole(entry["siren_s"], 1, _SIREN_MAX, f"{where}.siren_s")
        gates[str(_code("order_class", name.upper(), where))] = gate
    return gates


def _step(entry: Any, where: str) -> dict[str, Any]:
    _only(entry, {"mode", "action", "from", "to"}, where)
    if entry.get("mode") not in MODES:
        raise _Wrong(f"{where}.mode")
    origins = entry.get("from")
    if not isinstance(origins, list) or not origins:
        raise _Wrong(f"{where}.from")
    return {
        "mode": entry["mode"],
        "action": _code("action", entry.get("action"), where),
        "from": [_code("state", name, where) for name in origins],
        "to": _code("state", entry.get("to"), where),
    }


def _code(section: str, name: object, where: str) -> int:
    code = codes(section).get(name) if isinstance(name, str) else None
    if code is None:
        raise _Wrong(f"{where}: {section} {name}")
    return code


def _whole(value: object, low: int, high: int, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _Wrong(where)
    return value


def _only(entry: object, keys: set[str], where: str) -> None:
    if not isinstance(entry, dict) or set(entry) - keys:
        raise _Wrong(where)
