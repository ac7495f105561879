"""`plomba dissect FILE|PORT`: a readable dump of what passed on a link."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Protocol

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.text import Text

from plomba.capture import Reader
from plomba.cli.verify import pinned_root
from plomba.dissect import Dissector, Entry, KeyRing, Line, entry_lines, listen, summary_lines
from plomba.errors import UsageError, VerificationError
from plomba.ledger import Ledger
from plomba.transport import open_transport
from plomba.trust.keys import fingerprint

_PUBLIC = re.compile(r"[0-9a-fA-F]{128}")
_PORT = re.compile(r"usb:|[a-z0-9+.-]+://|/dev/|com\d+$", re.IGNORECASE)


def dissect(
    source: str,
    *,
    seconds: Annotated[
        float | None, Parameter(validator=Number(gte=0), help="For a port: how long to listen; else until interrupted.")
    ] = None,
    capture: Annotated[Path | None, Parameter(help="For a port: keep what arrives in this file (.plcap).")] = None,
    ledger: Annotated[Path | None, Parameter(help="A dock's ledger: the keys of its terminals.")] = None,
    root: Annotated[
        str | None, Parameter(help="The root: its fingerprint (64 hex digits), its public key (128), or a file.")
    ] = None,
    json_: Annotated[
        bool, Parameter(name="--json", negative="", help="One JSON object; JSON lines for a port.")
    ] = False,
) -> int:
    """Take a capture apart: every frame and field by name, what is damaged, repeated or missing, and the signatures.

    SOURCE is a .plcap file, or a port: then what arrives there is dissected, and nothing is said on the line.
    docs/captures.md describes the dump. Exit 4 when a signature does not fit; damage on the line is no error.

    Example: plomba dissect sync.plcap --root org/root.fingerprint
    """
    port = _is_port(source)
    for option, value in (("--seconds", seconds), ("--capture", capture)):
        if value is not None and not port:
            raise UsageError("dissect_port_only", option=option, source=source)
    with ExitStack() as stack:
        lookup = None
        if ledger is not None:
            if not ledger.is_file():
                raise UsageError("file_missing", path=ledger)
            book = stack.enter_context(Ledger.open(ledger))
            lookup = lambda id: known.public if (known := book.terminal(id)) else None  # noqa: E731
        public, pin = _root(root) if root is not None else (None, None)
        dissector = Dissector(KeyRing(root=public, pin=pin, ledger=lookup))
        printer: _Printer = _Lines(port) if json_ else _Dump()
        try:
            if port:
                asyncio.run(_port(source, capture, seconds, dissector, printer))
            else:
                _file(Path(source), dissector, printer)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read has read enough (`| head`); Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if dissector.bad:
        raise VerificationError("dissect_signature_bad", source=source, count=dissector.bad)
    return 0


def _file(path: Path, dissector: Dissector, printer: _Printer) -> None:
    reader = Reader(path)
    for chunk in reader:
        printer.entries(dissector.feed(chunk))
    printer.entries(dissector.end(reader.left))
    printer.summary(dissector.summary())


async def _port(
    name: str, capture: Path | None, seconds: float | None, dissector: Dissector, printer: _Printer
) -> None:
    transport = open_transport(name, capture)
    await transport.open()
    try:
        async for chunk in listen(transport, seconds):
            printer.entries(dissector.feed(chunk))
    except asyncio.CancelledError:
        # Interrupted: the usual end of listening.
        pass
    finally:
        await transport.close()
        printer.entries(dissector.end())
        printer.summary(dissector.summary())


class _Printer(Protocol):
    def entries(self, found: Iterable[Entry]) -> None: ...

    def summary(self, facts: dict[str, object]) -> None: ...


class _Dump:
    """For a person: with colours on a terminal, plain elsewhere."""

    def __init__(self) -> None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")
        self._console = Console(highlight=False, soft_wrap=True) if sys.stdout.isatty() else None

    def entries(self, found: Iterable[Entry]) -> None:
        for entry in found:
            self._print(entry_lines(entry))
        sys.stdout.flush()

    def summary(self, facts: dict[str, object]) -> None:
        self._print(summary_lines(facts))

    def _print(self, lines: Iterable[Line]) -> None:
        for line in lines:
            if self._console is None:
                print(line.text)
            else:
                self._console.print(Text(line.text, line.style))


class _Lines:
    """JSON: an entry a line and {"summary": ...}, alone or, for a file, as one object around them.

    Everything but ASCII is escaped: a code from paper does not reach a terminal raw this way either.
    """

    def __init__(self, alone: bool) -> None:
        self._alone = alone
        self._began = False

    def entries(self, found: Iterable[Entry]) -> None:
        for entry in found:
            self._print(json.dumps(entry.as_json()))

    def summary(self, facts: dict[str, object]) -> None:
        if self._alone:
            print(json.dumps({"summary": facts}), flush=True)
            return
        print(("\n" if self._began else '{"entries": [\n') + f'], "summary": {json.dumps(facts)}}}')

    def _print(self, text: str) -> None:
        if self._alone:
            print(text, flush=True)
            return
        print((",\n" if self._began else '{"entries": [\n') + text, end="")
        self._began = True


def _is_port(source: str) -> bool:
    """A device, what is named like one, or an address; everything else is a file, there or not."""
    try:
        return _PORT.match(source) is not None or Path(source).is_char_device()
    except OSError:
        return False


def _root(given: str) -> tuple[bytes | None, str | None]:
    """The root's public key, and the fingerprint where there is only that. Raises UsageError `root_unreadable`."""
    path = Path(given)
    try:
        raw = path.read_bytes()
    except (OSError, ValueError):
        raw = given.encode(errors="replace")
    if len(raw) == 64 and not raw.isalnum():
        return raw, None
    text = re.sub(rb"[\s:]", b"", raw).decode(errors="replace")
    if _PUBLIC.fullmatch(text):
        return bytes.fromhex(text), None
    pin = pinned_root(given)
    beside = path.with_name("root.pub")
    if path.is_file() and beside.is_file() and fingerprint(beside.read_bytes()) == pin:
        return beside.read_bytes(), None
    return None, pin
