"""One terminal with a past, everybody who may want something of it, and how an attack on it is written down.

It was enrolled under a first root, a second took over (rotation 3), and list 7 revokes a desk and a dock of the second.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from authority import Authority, behind, by
from workbench import PLACE, Workbench, label, plain

from plomba.desk import manifest as manifests
from plomba.desk import rules as rule_packs
from plomba.desk.manifest import Expected
from plomba.terminal import Terminal
from plomba.trust.keys import PrivateKey
from plomba.trust.objects import split_bundle, split_package
from plomba.trust.organisation import Signer
from plomba_wire import codec
from plomba_wire.codec import ReceiptBody, TimeBody
from plomba_wire.vocabulary import ObjectKind, Role

ORDERS = [plain("A-1"), plain("A-2")]
HELD = 5
"""Version of the rules and of the manifest."""
LIST = 7
ROTATION = 3
RULES, MANIFEST, TIME, LISTS, ROOT, STAFF = (
    ObjectKind.RULES,
    ObjectKind.MANIFEST,
    ObjectKind.TIME,
    ObjectKind.REVOCATIONS,
    ObjectKind.ROOT,
    ObjectKind.STAFF,
)
NEXT = PrivateKey.generate()
"""A root that would take over."""


class Scene:
    """The terminal and everybody who may want something of it. `status` is what it says of itself."""

    status: codec.StatusOk
    held_receipt: bytes
    before: tuple[object, ...]

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.first = Authority(bench.organisation.root)
        self.first_desk = bench.organisation.desk
        self.authority = Authority()
        self.stranger = Authority()
        self.signers = {role: self.authority.signer(role) for role in vars(Role).values() if isinstance(role, int)}
        self.desk = self.signers[Role.DESK]
        self.dock = self.signers[Role.DOCK]
        self.stolen_desk = self.authority.signer(Role.DESK)
        self.stolen_dock = self.authority.signer(Role.DOCK)
        self.now = self.authority.now

    async def prepare(self) -> None:
        await self.bench.ready(ORDERS, version=HELD)
        push = self.bench.push
        await push(ObjectKind.RULES, HELD, by(self.first_desk, ObjectKind.RULES, rules(HELD), HELD))
        await push(ObjectKind.ROOT, ROTATION, self.first.hands_over(self.authority.root, ROTATION))
        stolen = (self.stolen_desk.key.id, self.stolen_dock.key.id)
        await push(ObjectKind.REVOCATIONS, LIST, self.authority.revocations(LIST, stolen))
        await self.bench.terminal.scan(label("A-1"))
        async with self.bench.session() as session:
            self.status = await session.status(self.public)
            self.held_receipt = self.receipt()
            await session.give_receipt(self.held_receipt)
        await self.bench.terminal.scan(label("A-2"))
        async with self.bench.session() as session:
            self.before = await self.held(session)

    @property
    def public(self) -> bytes:
        assert self.bench.enrolled is not None
        return self.bench.enrolled.public

    def receipt(
        self, signer: Signer | None = None, *, not_before: int = 0, not_after: int = 0, **fields: object
    ) -> bytes:
        values = {
            "terminal": self.bench.id,
            "epoch": 1,
            "up_to": self.status.next_seq - 1,
            "head": self.status.head,
            "utc": self.now,
            "log_size": 1,
            "log_root": bytes(32),
        } | fields
        body = ReceiptBody(*values.values()).pack()
        return by(signer or self.dock, ObjectKind.RECEIPT, body, 1, not_before=not_before, not_after=not_after)

    def manifest(
        self, version: int, *, signer: Signer | None = None, orders: object = ORDERS, **fields: object
    ) -> bytes:
        terminal = fields.pop("terminal", self.bench.id)
        expected = [Expected(order, order.state) for order in orders]  # type: ignore[attr-defined]
        body = manifests.build(terminal, epoch=1, through=0, place=PLACE, salt=bytes(16), expected=expected)  # type: ignore[arg-type]
        return by(signer or self.desk, ObjectKind.MANIFEST, body, version, **fields)  # type: ignore[arg-type]

    def rules(self, version: int = 9, *, signer: Signer | None = None, **dates: int) -> bytes:
        return by(signer or self.desk, ObjectKind.RULES, rules(version), version, **dates)

    def staff(self, *, signer: Signer | None = None) -> bytes:
        """A list of nobody."""
        return by(signer or self.desk, ObjectKind.STAFF, bytes(64), 9)

    def time(self, nonce: bytes, *, signer: Signer | None = None, terminal: bytes = b"", utc: int = 0) -> bytes:
        body = TimeBody(terminal or self.bench.id, nonce, utc or self.now, 1000).pack()
        return by(signer or self.dock, ObjectKind.TIME, body, self.now)

    async def held(self, session: Terminal) -> tuple[object, ...]:
        """All that an attack could have changed."""
        status = await session.status(self.public)
        root = session.hello.growth
        return status.rules, status.manifest, status.revocations, status.image, status.receipted_seq, root

    async def recorded(self, session: Terminal) -> list[codec.RecordHead]:
        """The heads of the records since `prepare` began to listen."""
        out: list[codec.RecordHead] = []
        async for batch in session.pull(1, self.status.next_seq, self.status.head):
            out += [codec.RecordHead.read(body, 0) for body, _ in batch.records]
            session.credit(batch.first_seq + len(batch.records))
        return out


def rules(version: int) -> bytes:
    return json.dumps(json.loads(rule_packs.load().body) | {"number": version}).encode()


Act = Callable[[Scene, Terminal], Awaitable[object]]


@dataclass(frozen=True)
class Attack:
    """`code` is what the terminal has to answer to `act`."""

    name: str
    code: int
    act: Act


def pushed(name: str, code: int, kind: int, version: int, make: Callable[[Scene], bytes]) -> Attack:
    return Attack(name, code, lambda scene, session: session.push(kind, version, make(scene)))


def given(name: str, code: int, make: Callable[[Scene], bytes]) -> Attack:
    """A receipt."""
    return Attack(name, code, lambda scene, session: session.give_receipt(make(scene)))


def timed(name: str, code: int, make: Callable[[Scene, bytes], bytes]) -> Attack:
    """A time object over the nonce of this session."""
    return Attack(
        name,
        code,
        lambda scene, session: session.push(ObjectKind.TIME, scene.now, make(scene, session.hello.device_nonce)),
    )


def enrolled(name: str, code: int, make: Callable[[Scene], tuple[bytes, bytes]]) -> Attack:
    return Attack(name, code, lambda scene, session: session.request(codec.EnrolRoot(*make(scene))))


def sealed_anew(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The package with its object changed."""
    whole, content = split_package(data)
    certificate, signed = split_bundle(whole)
    return behind(certificate, change(signed)) + content


def certified_anew(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    whole, content = split_package(data)
    certificate, signed = split_bundle(whole)
    return behind(change(certificate), signed) + content


def under(signer: Signer, certificate: bytes) -> Signer:
    """The signer's key behind somebody else's certificate."""
    return Signer(signer.key, certificate)


def with_rotation(body: Callable[[Scene], bytes]) -> Callable[[Scene], bytes]:
    return lambda scene: scene.authority.sealed(ObjectKind.ROOT, body(scene), 9)
