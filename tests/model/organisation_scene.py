"""A shop, its people, orders, seals and rules; its terminals, enrolled; and a desk to dock them at."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from boards_in_processes import Board, Told

from plomba.desk import rules as rule_packs
from plomba.desk import staff as staff_lists
from plomba.desk.book import Book
from plomba.desk.order_files import csv_rows
from plomba.desk.orders import read_orders
from plomba.trust import issuing, sealing
from plomba.trust.objects import Trust, package, seal, split_package, version_of
from plomba.trust.objects import bundle as bundled
from plomba.trust.organisation import Organisation
from plomba_wire import chain, tlv
from plomba_wire.codec import ReceiptBody, RecordHead, TimeBody
from plomba_wire.vocabulary import ObjectKind, Protection

NOW = 1_800_000_000
HERE, ELSEWHERE = 7, 9
PLACES = {"warehouse": HERE, "courier": HERE, "point": HERE, "spare": ELSEWHERE}
"""Terminal -> where it stands. The spare one may have no list: beside a marketplace's app."""
PINS = {11: "7391", 21: "8264", 12: "", 13: "", 14: "", 22: ""}
"""Badges that may work -> PIN."""
SUPERVISORS = (21, 22)
ENDED, UNKNOWN = 31, 99
STAFF = """
number = 1
[[badge]]
number = 11
name = "clerk"
hand = "CLERK"
pin = "7391"
[[badge]]
number = 12
name = "courier"
hand = "COURIER"
[[badge]]
number = 13
name = "packer"
hand = "PACKER"
[[badge]]
number = 14
name = "warehouse"
hand = "WAREHOUSE"
[[badge]]
number = 21
name = "supervisor"
hand = "SUPERVISOR"
pin = "8264"
[[badge]]
number = 22
name = "supervisor"
hand = "SUPERVISOR"
[[badge]]
number = 31
name = "ended"
hand = "SUPERVISOR"
until = 2020-01-01T00:00:00+00:00
"""
_PIECE = 2000
_NEWS = 'ru = "Правило"\nuk = "Правило"\nen = "Rule"\n'
_PACKS = {
    2: ("", "[limits]\noverride = 1\ntyped = 2\n"),
    3: ("valid_from = 2027-01-15T10:00:00+00:00\n", "[shift]\nlock_min = 10\n"),
}
LIMITS = {1: (2, 5), 2: (1, 2), 3: (2, 5)}
"""Number of a rule pack -> (overrides, typed codes) of a person in one shift."""


@dataclass(frozen=True)
class Parcel:
    """An order as the world has it: `seals` are on it, `others` further texts that stand for it (symbology, text)."""

    id: str
    sealed: bool
    state: str
    place: int = HERE
    seals: tuple[str, ...] = ()
    uins: tuple[str, ...] = ()
    codes: str = ""
    others: tuple[tuple[int, bytes], ...] = ()

    @property
    def row(self) -> str:
        kind = "sealed" if self.sealed else "plain"
        lists = f"{' '.join(self.seals)},{' '.join(self.uins)},{self.codes}"
        return f"{self.id},{kind},{self.state},{self.place},A-1,{lists}\n"

    @property
    def ref(self) -> int:
        return chain.order_ref(self.id.encode())


HEADER = "order,class,state,place,cell,seals,uins,codes\n"


def parcels(own: Sequence[sealing.Made]) -> list[Parcel]:
    """`own` are seals of the organisation's making; the first is on an order."""
    return [
        Parcel("A-1", False, "ACCEPTED"),
        Parcel("A-2", True, "ACCEPTED", uins=("1234567890123456",)),
        Parcel("B-1", False, "STAGED"),
        Parcel("B-2", True, "STAGED", seals=("S21",)),
        Parcel("C-1", False, "WITH_COURIER"),
        Parcel("C-2", True, "WITH_COURIER", seals=("S31", "S32")),
        Parcel("D-1", False, "AT_POINT"),
        Parcel("D-2", True, "AT_POINT", seals=("S41",)),
        Parcel("E-1", False, "READY", codes="np:20450059800767", others=((5, b"20450059800767"),)),
        Parcel("E-2", True, "READY", HERE, ("S51",), (), "sscc:106141411234567897", ((5, b"00106141411234567897"),)),
        Parcel("E-3", True, "READY", seals=("S61",), uins=("6543210987654321",)),
        Parcel("E-4", True, "READY"),
        Parcel("E-5", True, "READY", seals=(own[0].name,)),
        Parcel("E-6", True, "READY", seals=("S71",)),
        Parcel("E-7", True, "READY"),
        Parcel("F-1", True, "EXPIRED", seals=("S81",)),
        Parcel("X-1", False, "READY", ELSEWHERE),
        Parcel("X-2", True, "READY", ELSEWHERE, seals=("S91",)),
    ]


@dataclass(frozen=True)
class Record:
    """One record as it stands in the journal of a terminal."""

    body: bytes
    signature: bytes
    head: RecordHead
    parts: dict[int, bytes]

    @classmethod
    def read(cls, body: bytes, signature: bytes) -> Record:
        return cls(body, signature, RecordHead.read(body, 0), tlv.unpack(body, RecordHead.SIZE))


class Company:
    """What is the same in every run: made once, its terminals enrolled and their flash kept. A context manager."""

    def __init__(self, folder: Path, firmware: Path | None = None) -> None:
        self.folder = folder
        made = Organisation.create(folder / "org", now=NOW)
        self.organisation = replace(made, revocations=None, trust=Trust(made.trust.root))
        issuing.issue_working(made, sealing.KEY, now=NOW)
        made = Organisation.load(folder / "org")
        own = sealing.issue(made, 6, now=NOW)
        sealing.void(made, [own[2].name], "void", now=NOW)
        self.own = own
        self.parcels = parcels(own)
        self.boards = {name: Board(folder, name, firmware) for name in PLACES}
        self.public: dict[str, bytes] = {}
        self.certificates: dict[str, bytes] = {}
        self.held: dict[str, list[int]] = {name: [] for name in PLACES}
        self._stack = ExitStack()
        self._books = 0

    def __enter__(self) -> Company:
        for name, board in self.boards.items():
            self._stack.enter_context(board)
            self._enrol(name, board)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def packed(self, kind: int, body: bytes, version: int, *, by_dock: bool = False, after: int = 0) -> bytes:
        signer = self.organisation.dock if by_dock else self.organisation.desk
        return package(
            kind, body, signer.key, signer.certificate, version=version, not_before=NOW - 86400, not_after=after
        )

    def rules(self, number: int) -> bytes:
        if number == 1:
            pack = rule_packs.load()
        else:
            since, changes = _PACKS[number]
            path = self.folder / f"rules-{number}.toml"
            text = f'base = "sample"\nnumber = {number}\n{since}\n[news]\n{_NEWS}\n{changes}'
            path.write_text(text, encoding="utf-8")
            pack = rule_packs.load(path)
        return self.packed(ObjectKind.RULES, pack.body, pack.number)

    def book(self) -> Book:
        self._books += 1
        folder = self.folder / f"desk-{self._books}"
        folder.mkdir()
        return Book(folder, self.organisation, lambda: NOW)

    def _enrol(self, name: str, board: Board) -> None:
        public = bytes.fromhex(board.ask("start")["public"])
        certificate = self.organisation.certify_terminal(
            public, epoch=1, protection=Protection.OPEN, label=name, now=NOW
        )
        self.public[name], self.certificates[name] = public, certificate
        board.ask("enrol", [self.organisation.trust.root.hex(), certificate.hex()])
        put(board, ObjectKind.RULES, self.rules(1))
        staff = staff_lists.compile_list(STAFF, "staff").body(self.organisation.desk.key.public)
        put(board, ObjectKind.STAFF, self.packed(ObjectKind.STAFF, staff, 1))
        board.keep_flash(self.folder / f"{name}.kept")


def put(board: Board, kind: int, data: bytes) -> Told:
    """An object goes down as a dock brings it; what came of the last message, `refused` when it was not taken."""
    bundle, _ = split_package(data)
    version = version_of(data)
    told = board.ask("offer", [kind, version, len(data), len(bundle), hashlib.sha256(bundle).hexdigest()])
    pieces = [["piece", [at, data[at : at + _PIECE].hex()]] for at in range(0, len(data), _PIECE)]
    for name, given in [*pieces, ["commit", [kind, version]]]:
        if "refused" in told:
            break
        told = board.ask(str(name), given)
    return told


@dataclass
class Terminal:
    """One terminal in a run, as anybody can see it from outside. `head` is its chain, `docked` how many of `records`
    the desk has, `world_ms` when it was last addressed, `token` the newest one on its screen."""

    name: str
    board: Board
    public: bytes
    told: Told = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    docked: int = 0
    world_ms: int = 0
    token: bytes = b""
    rules: int = 1

    @property
    def id(self) -> bytes:
        return chain.key_id(self.public)

    @property
    def last(self) -> Record:
        return self.records[-1]


class World:
    """One run: every terminal as it was enrolled, a desk with all orders, and a clock. `witness` sees every record."""

    def __init__(
        self,
        company: Company,
        witness: Any,
        parcels: Sequence[Parcel],
        terminals: Sequence[str] = tuple(PLACES),
        unlisted: Sequence[str] = (),
    ) -> None:
        """`unlisted` terminals never get a list of orders."""
        self.company = company
        self.witness = witness
        self.book = company.book()
        self.book.take_orders(
            read_orders(csv_rows((HEADER + "".join(p.row for p in parcels)).encode()), self.book.lifecycle)
        )
        self.ms = 0
        self.trace: list[str] = []
        self.unlisted = unlisted
        self.terminals: dict[str, Terminal] = {}
        for name in terminals:
            board = company.boards[name]
            self.book.enrol(company.certificates[name], PLACES[name])
            board.put_flash(company.folder / f"{name}.kept")
            terminal = self.terminals[name] = Terminal(name, board, company.public[name])
            terminal.heads.append(chain.genesis(terminal.public, 1))
            self._all_of(terminal, board.ask("start"))
            company.held[name].append(terminal.told["held"])
            self.dock(name)

    def close(self) -> None:
        self.book.close()

    @property
    def utc(self) -> int:
        return NOW + self.ms // 1000

    def do(self, name: str, what: str, *arguments: Any, ms: int = 2000) -> list[Record]:
        """Something a person does at a terminal, `ms` after the last thing that was done anywhere."""
        terminal = self.terminals[name]
        self.trace.append(f"{name}: {_spoken(what, arguments)}" + ("" if ms == 2000 else f" after {ms} ms"))
        self.ms += ms
        since, terminal.world_ms = self.ms - terminal.world_ms, self.ms
        given = [arguments[0], arguments[1].hex()] if what == "scan" else list(arguments)
        return self._took(terminal, terminal.board.ask("step", [since, what, given]))

    def restart(self, name: str) -> None:
        terminal = self.terminals[name]
        self.trace.append(f"{name}: restart")
        terminal.world_ms = self.ms
        told = terminal.board.ask("start")
        self.witness.restarted(terminal)
        self._took(terminal, told)

    def new_rules(self, name: str) -> None:
        terminal = self.terminals[name]
        if terminal.rules < max(LIMITS):
            terminal.rules += 1
            self.trace.append(f"{name}: rules {terminal.rules}")
            self._took(terminal, put(terminal.board, ObjectKind.RULES, self.company.rules(terminal.rules)))

    def dock(self, name: str) -> None:
        """Records up, a receipt, the time and a fresh list down."""
        terminal, company = self.terminals[name], self.company
        self.trace.append(f"{name}: dock")
        events = [self._event(terminal, at) for at in range(terminal.docked, len(terminal.records))]
        for answer in self.book.accept(events):
            assert answer.status == "accepted", answer
        terminal.docked = len(terminal.records)
        self.witness.docked(self, terminal)
        through = terminal.docked
        nonce = bytes.fromhex(terminal.board.ask("nonce")["nonce"])
        clock = TimeBody(terminal.id, nonce, self.utc, 1000).pack()
        signed = company.packed(ObjectKind.TIME, clock, self.utc, by_dock=True)
        self._took(terminal, put(terminal.board, ObjectKind.TIME, signed))
        body = ReceiptBody(terminal.id, 1, through, terminal.heads[through], self.utc, through, bytes(32))
        dock = company.organisation.dock
        signed = seal(ObjectKind.RECEIPT, body.pack(), dock.key, version=through, not_before=NOW - 300)
        told = terminal.board.ask("receipt", bundled(dock.certificate, signed).hex())
        assert "refused" not in told, told
        self._took(terminal, told)
        seals = self.book.seals(terminal.id)
        assert seals is not None
        if not terminal.token and through < 10:
            self._took(terminal, put(terminal.board, ObjectKind.SEALS, seals))
        if name not in self.unlisted:
            self._took(terminal, put(terminal.board, ObjectKind.MANIFEST, self.book.manifest(terminal.id)))
            self.witness.listed(self, terminal)

    def states(self) -> dict[str, tuple[int, str]]:
        """Order -> where the desk has it, and who holds it."""
        rows = self.book.store.query("SELECT id, state, holder FROM orders")
        return {id: (state, holder) for id, state, holder in rows}

    def _all_of(self, terminal: Terminal, told: Told) -> None:
        """A flash from the kept image: its first records are not among those that a start tells of."""
        self.witness.begins(terminal)
        everything = terminal.board.ask("everything")
        self._took(terminal, {**told, "records": everything["records"]})

    def _took(self, terminal: Terminal, told: Told) -> list[Record]:
        terminal.told = told
        records = [Record.read(bytes.fromhex(body), bytes.fromhex(signature)) for body, signature in told["records"]]
        for record in records:
            terminal.records.append(record)
            terminal.heads.append(chain.step(terminal.heads[-1], record.body))
        for kind, text, _ in told["said"]:
            if kind == "token":
                terminal.token = text.encode()
        for record in records:
            self.witness.saw(terminal, record)
        return records

    def _event(self, terminal: Terminal, at: int) -> dict[str, Any]:
        record = terminal.records[at]
        head = record.head
        return {
            "specversion": "1.0",
            "id": f"{terminal.id.hex()}-{head.epoch}-{head.seq}",
            "source": f"urn:plomba:terminal:{terminal.id.hex()}",
            "type": "plomba.record.1",
            "data": {
                "previous": terminal.heads[at].hex(),
                "body": base64.b64encode(record.body).decode(),
                "signature": base64.b64encode(record.signature).decode(),
            },
        }


def _spoken(what: str, arguments: tuple[Any, ...]) -> str:
    if what == "scan":
        code = arguments[1]
        return f"scan {code!r} ({arguments[0]})" if len(code) < 140 else f"scan {len(code)} bytes {code[:20]!r}"
    return " ".join([what, *map(str, arguments)])
