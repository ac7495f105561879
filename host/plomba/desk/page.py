"""The live page: one overview in words, in Russian, Ukrainian or English. Everything shown is data and is escaped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jinja2

from plomba.desk.lifecycle import Lifecycle
from plomba.desk.views import Overview, decimal
from plomba.desk.words import codes, names
from plomba.texts import LANGUAGES, language, say, words
from plomba_wire.schema import VOCABULARY

_SIGNS = {"RUB": "₽", "UAH": "₴", "KZT": "₸", "EUR": "€", "USD": "$"}
_NARROW_SPACE = "\u202f"


@dataclass(frozen=True, slots=True)
class Said:
    """What a template may ask for, in one language."""

    lang: str

    def t(self, key: str, **fields: object) -> str:
        return say("desk", key, self.lang, **fields)

    def word(self, section: str, code: int) -> str:
        return words(section, self.lang)[code]

    def verdict(self, verdict: int) -> str:
        """The terminal's headline; a page does not shout it."""
        return self.word("verdict", verdict).capitalize()

    def lamp(self, action: int, verdict: int) -> str:
        """The colour the terminal's lamp had: off, green, blue, amber or red."""
        entry = VOCABULARY["verdict"][names("verdict")[verdict]]
        lamp: str = entry.get("on", {}).get(names("action")[action], {}).get("lamp", entry["lamp"])
        return lamp

    def money(self, minor: int, currency: str) -> str:
        whole, _, part = decimal(minor, currency).partition(".")
        group, point = (",", ".") if self.lang == "en" else (_NARROW_SPACE, ",")
        digits = f"{int(whole):,}".replace(",", group)
        shown = digits if not int(part) else f"{digits}{point}{part}"
        return f"{shown}{_NARROW_SPACE}{_SIGNS.get(currency, currency)}"

    def clock(self, time: int) -> str:
        """Local time of the desk: of today the time alone."""
        moment = datetime.fromtimestamp(time, UTC)
        # Windows knows no local time before 1970 UTC, and a clock that was never right may say so.
        local = moment.astimezone() if moment.year > 1970 else moment
        return local.strftime("%H:%M:%S" if local.date() == datetime.now().date() else "%d.%m.%Y %H:%M")

    def utc(self, time: int) -> str:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Page:
    """Renders; reads nothing."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.default_language = language()
        self._states = lifecycle.states
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("plomba.desk"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._whole = environment.get_template("page.html")
        self._live = environment.get_template("live.html")
        self._failing = environment.get_template("failing.html")
        self._login = environment.get_template("login.html")

    def whole(self, overview: Overview, revision: str, lang: str, failing: bool = False, name: str = "") -> str:
        """The whole page. `failing`: the book can be read, but what came last could not be written. `name`: whose
        session it is, "" for none."""
        return self._whole.render(self._known(overview, revision, lang, failing), name=name)

    def live(self, overview: Overview, revision: str, lang: str, failing: bool = False) -> str:
        """The part that changes, to be put in the place of the old one."""
        return self._live.render(self._known(overview, revision, lang, failing))

    def failing(self, lang: str) -> str:
        """The page of a book that cannot be read."""
        return self._failing.render(said=Said(lang), t=Said(lang).t)

    def login(self, lang: str, name: str = "", role: str = "") -> str:
        """The page for nobody, who may log in; or for the account `name`, whose role has no page."""
        return self._login.render(said=Said(lang), t=Said(lang).t, languages=LANGUAGES, name=name, role=role)

    def _known(self, overview: Overview, revision: str, lang: str, failing: bool) -> dict[str, Any]:
        return {
            "failing": failing,
            "said": Said(lang),
            "t": Said(lang).t,
            "languages": LANGUAGES,
            "book": overview,
            "revision": revision,
            "states": self._states,
            "state_names": names("state"),
            "sealed": codes("order_class")["SEALED"],
        }
