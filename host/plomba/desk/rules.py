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
        pack: Any = _pack(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, _Wrong) as error:
        raise PlombaError("desk_data_invalid", path=path, where=str(error)) from error
    body = json.dumps(pack, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    if len(body) > PACK_MAX:
        raise PlombaError("desk_data_invalid", path=path, where=f"{len(body)} > {PACK_MAX}")
    return RulePack(pack["number"], body)


class _Wrong(Exception):
    """Where in the file the mistake is."""


def _pack(data: Mapping[str, Any]) -> dict[str, Any]:
    need = {"seal": 3, "item": 7, "result": 8, "reason": 9, "photo": 10, "supervisor": 11, "act": 14, "apply": 0x67}
    when = {"never": 0, "inspects": 1, "always": 2}
    shift, limits = data["shift"], data["limits"]
    valid = data.get("valid_from")
    pack: dict[str, Any] = {
        "number": data["number"],
        "from": int(valid.timestamp()) if valid else 0,
        "title": data["title"],
        "shift": {
            "badge": int(shift["badge"]),
            "pin": int(shift["pin"]),
            "close": int(shift["close"] == "docked"),
            "lock_s": shift["lock_min"] * 60,
        },
        "limits": {
            "tries": limits["tries"],
            "override": limits["override"],
            "typed": limits["typed"],
            "stale_s": limits["stale_h"] * 3600,
            "stale": ["silent", "warn", "refuse"].index(limits["stale"]),
        },
        "classes": {},
        "hands": {
            str(_code("hand", hand.upper(), "hands")): [_code("mode", mode, "hands") for mode in modes]
            for hand, modes in data.get("hands", {}).items()
        },
        "steps": [],
    }
    if "news" in data:
        pack["news"] = data["news"]
    for name, entry in data["class"].items():
        pack["classes"][str(_code("order_class", name.upper(), name))] = {
            "seal": when[entry.get("seal", "never")],
            "item": when[entry.get("item", "never")],
            "siren_s": entry.get("siren_s", 0),
            "typed": ["no", "yes", "photo"].index(entry.get("typed", "no")),
            "needs": {
                str(_code("action", action, name)): [need[word] for word in words]
                for action, words in entry.get("needs", {}).items()
            },
        }
    for at, entry in enumerate(data["step"], start=1):
        pack["steps"].append(
            {
                "m": _code("mode", entry["mode"], f"step {at}") if "mode" in entry else 0,
                "a": _code("action", entry["action"], f"step {at}"),
                "f": [_code("state", name, f"step {at}") for name in entry.get("from", ())],
                "t": _code("state", entry["to"], f"step {at}") if "to" in entry else 0,
                "x": _code("state", entry["fail"], f"step {at}") if "fail" in entry else 0,
                "p": _code("state", entry["part"], f"step {at}") if "part" in entry else 0,
                "n": [need[word] for word in entry.get("needs", ())],
            }
        )
    return pack


def _code(section: str, name: object, where: str) -> int:
    code = codes(section).get(name) if isinstance(name, str) else None
    if code is None:
        raise _Wrong(f"{where}: {section} {name}")
    return code
