"""The ways a carrier is recognised; carriers.py is the table made of them."""

from plomba_wire.application_identifiers import CSET82
from plomba_wire.reading import AI_DATA, PLAIN, Reading


class Carrier:
    """A row of the table.

    `kind`: the CodeKind of its identity. `symbologies`: those it stands in, () for any. `check`: (function, from, to)
    over the identity, None without one. `sure`: the symbologies in which its shape alone is a claim, so that a check
    that fails means a damaged or a made-up code.
    """

    def __init__(self, name: str, kind: int, symbologies, check, sure) -> None:  # type: ignore[no-untyped-def]
        self.name = name
        self.kind = kind
        self.symbologies = symbologies
        self.check = check
        self.sure = sure

    def value(self, reading: Reading) -> "bytes | None":
        """The identity, its check not looked at; None when the reading is none of these."""
        raise NotImplementedError

    def claimed(self, reading: Reading) -> bool:
        """Whether a reading that has a value claims to be one of these."""
        return reading.symbology in self.sure

    def fits(self, value: bytes) -> bool:
        """Whether the check holds."""
        if self.check is None:
            return True
        holds, start, stop = self.check
        return bool(holds(value[start:stop]))


class Elements(Carrier):
    """Element strings or a Digital Link. `needs`: (application identifier, lengths its value may have, () for any) of
    each that has to be there; `lacks`: one that must not; `only`: nothing else may be there, and no link.
    `parts`: (text before, application identifier) of what the identity is joined from."""

    def __init__(  # type: ignore[no-untyped-def]
        self, name: str, kind: int, needs, parts, check, symbologies=(), sure=(), only: bool = False, lacks: bytes = b""
    ) -> None:
        super().__init__(name, kind, symbologies, check, sure)
        self.needs = needs
        self.parts = parts
        self.only = only
        self.lacks = lacks

    def value(self, reading: Reading) -> "bytes | None":
        elements = reading.elements
        if elements is None or self.lacks in elements:
            return None
        if self.only and (reading.link or len(elements) != len(self.needs)):
            return None
        for identifier, lengths in self.needs:
            value = elements.get(identifier)
            if value is None or (lengths and len(value) not in lengths):
                return None
        return b"".join([before + elements[identifier] for before, identifier in self.parts])

    def claimed(self, reading: Reading) -> bool:
        return super().claimed(reading) and reading.says != PLAIN and not reading.link


class Text(Carrier):
    """The whole text. `shape`: `9` a digit, `A` a letter, which becomes upper case, `*` a character of GS1's set 82.
    `parts`: (text before, from, to) of what the identity is joined from. `claims`, where given, has to hold of a text
    before its shape is a claim."""

    def __init__(  # type: ignore[no-untyped-def]
        self, name: str, kind: int, shape: bytes, parts, check=None, symbologies=(), sure=(), claims=None
    ) -> None:
        super().__init__(name, kind, symbologies, check, sure)
        self.shape = shape
        self.parts = parts
        self.claims = claims

    def value(self, reading: Reading) -> "bytes | None":
        text = reading.text
        if len(text) != len(self.shape) or reading.elements is not None:
            return None
        for at in range(len(text)):
            wanted = self.shape[at]
            byte = text[at]
            if wanted == 0x39:
                if not 0x30 <= byte <= 0x39:
                    return None
            elif wanted == 0x41:
                if not 0x41 <= byte & 0xDF <= 0x5A:
                    return None
            elif byte not in CSET82:
                return None
        if b"A" in self.shape:
            text = text.upper()
        return b"".join([before + text[start:stop] for before, start, stop in self.parts])

    def claimed(self, reading: Reading) -> bool:
        return super().claimed(reading) and (self.claims is None or bool(self.claims(reading.text)))


class Inside(Carrier):
    """Exactly one run of exactly so many digits, bare or inside another text; not one among element strings."""

    def __init__(self, name: str, kind: int, digits: int, symbologies) -> None:  # type: ignore[no-untyped-def]
        super().__init__(name, kind, symbologies, None, ())
        self.digits = digits

    def value(self, reading: Reading) -> "bytes | None":
        elements = reading.elements
        if elements is not None and not reading.link and (len(elements) > 1 or reading.says == AI_DATA):
            return None
        return self.only_run(reading.text)

    def only_run(self, text: bytes) -> "bytes | None":
        """None unless there is exactly one."""
        only = None
        run = 0
        for at in range(len(text) + 1):
            if at < len(text) and 0x30 <= text[at] <= 0x39:
                run += 1
                continue
            if run == self.digits:
                if only is not None:
                    return None
                only = text[at - run : at]
            run = 0
        return only
