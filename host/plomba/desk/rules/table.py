"""One table of a pack's TOML, read key by key; every mistake in it is collected with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plomba.desk.rules.located import Keys, Located, Place
from plomba.errors import PlombaError


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a pack, or with `warning` what its author may not have meant."""

    place: Place
    error: PlombaError
    warning: bool = False


def mistake(place: Place, code: str, **fields: object) -> Mistake:
    """Something wrong. `place` fills the text too."""
    return Mistake(place, PlombaError(code, place=place, **fields))


def doubt(place: Place, code: str, **fields: object) -> Mistake:
    """A warning."""
    return Mistake(place, PlombaError(code, place=place, **fields), warning=True)


class Table:
    """`keys` lead to it. What cannot be read is None or empty, and is among the mistakes."""

    def __init__(self, text: Located, keys: Keys, mistakes: list[Mistake]) -> None:
        self._text = text
        self._keys = keys
        self._mistakes = mistakes
        data: Any = text.data
        for key in keys:
            data = data[key]
        self._data: Mapping[str, Any] = {}
        if isinstance(data, dict):
            self._data = data
        else:
            self.wrong("rules_value", key=keys[-1], found=_shown(data), wanted="[…]")

    @property
    def names(self) -> list[str]:
        return list(self._data)

    def place(self, *keys: str | int) -> Place:
        return self._text.place(*self._keys, *keys)

    def wrong(self, code: str, *keys: str | int, **fields: object) -> None:
        self._mistakes.append(mistake(self.place(*keys), code, **fields))

    def only(self, known: Iterable[str]) -> None:
        """Every other key is a mistake."""
        known = tuple(known)
        for key in self._data:
            if key not in known:
                self.wrong("rules_key", key, key=key, known=", ".join(known))

    def table(self, key: str, *, required: bool = True) -> Table | None:
        if key not in self._data:
            if required:
                self.wrong("rules_missing", key=key, wanted=f"[{key}]")
            return None
        return Table(self._text, (*self._keys, key), self._mistakes)

    def tables(self, key: str) -> list[Table]:
        """The elements of an array of tables; an absent one has none."""
        held = self._data.get(key, [])
        if not isinstance(held, list):
            self.wrong("rules_value", key, key=key, found=_shown(held), wanted=f"[[{key}]]")
            return []
        return [Table(self._text, (*self._keys, key, number), self._mistakes) for number in range(len(held))]

    def value(self, key: str) -> Any:
        """Whatever stands there, or None."""
        return self._data.get(key)

    def bad(self, key: str, wanted: str) -> None:
        """The value of `key` is not what is wanted, or it is missing."""
        if key in self._data:
            self.wrong("rules_value", key, key=key, found=_shown(self._data[key]), wanted=wanted)
        else:
            self.wrong("rules_missing", key=key, wanted=f"{key} = {wanted}")

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        value = self._data.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.bad(key, f"{low}…{high}")
        return low

    def flag(self, key: str) -> int:
        value = self._data.get(key)
        if isinstance(value, bool):
            return int(value)
        self.bad(key, "true | false")
        return 0

    def choice(self, key: str, options: Mapping[str, int]) -> int:
        value = self._data.get(key)
        if isinstance(value, str) and value in options:
            return options[value]
        self.bad(key, " | ".join(f'"{name}"' for name in options))
        return 0

    def code(self, key: str, section: str, options: Mapping[str, int], *, required: bool = False) -> int:
        """The code of a name, 0 when it is absent or none."""
        if key not in self._data:
            if required:
                self.bad(key, '"…"')
            return 0
        return self._known((key,), self._data[key], section, options)

    def codes(self, key: str, section: str, options: Mapping[str, int]) -> tuple[int, ...]:
        """The codes of a list of names, each once, in their order."""
        listed = self._data.get(key, [])
        if not isinstance(listed, list):
            self.bad(key, '["…"]')
            return ()
        found: list[int] = []
        for number, name in enumerate(listed):
            code = self._known((key, number), name, section, options)
            if code in found:
                self.wrong("rules_twice", key, number, found=name)
            elif code:
                found.append(code)
        return tuple(found)

    def _known(self, keys: Sequence[str | int], name: object, section: str, options: Mapping[str, int]) -> int:
        if isinstance(name, str) and name in options:
            return options[name]
        self.wrong("rules_name", *keys, section=section, found=_shown(name), known=", ".join(options))
        return 0


def _shown(value: object) -> str:
    try:
        text = f"“{value}”" if isinstance(value, str) else str(value)
    except ValueError:  # more digits than Python writes
        text = "…"
    return text if len(text) <= 60 else text[:59] + "…"
