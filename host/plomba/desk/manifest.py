"""The manifest's body: what one terminal may meet at its place, as the sorted rows it searches on flash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from plomba.desk.orders import Order
from plomba.trust.objects import BLOCK, BLOCKS_MAX
from plomba_wire import chain
from plomba_wire.codec import CodeRow, ManifestHead, OrderRow
from plomba_wire.vocabulary import CodeKind, State

SIZE_MAX = BLOCK * BLOCKS_MAX
"""Bytes of the longest body."""
ORDERS_MAX = (SIZE_MAX - ManifestHead.SIZE) // (OrderRow.SIZE + CodeRow.SIZE)
"""Orders of one manifest at most, where none has a code beside its number; a code row could index 65,536."""
LIFE = 7 * 86400
"""Seconds a manifest is valid."""
SKEW = 300
"""Seconds its validity begins before it was made: the terminal's clock may be behind."""

_VOID = 0x01
_SHOWN = {State.CANCELLED: State.EXPIRED, State.CALLED_OFF: State.CANCELLED}
"""States of the desk's own, as a terminal gets to see them: a cancelled order is let go by nobody, and goes back; with
one that was called off before anybody picked it nothing is done any more."""


@dataclass(frozen=True, slots=True)
class Expected:
    """An order and where it stands now: its bag, b"" for none, and the seals that scans bound to it (False) or broke
    (True)."""

    order: Order
    state: int
    bag: bytes = b""
    bindings: Mapping[bytes, int] = field(default_factory=dict)

    def codes(self) -> Iterator[tuple[int, bytes, int]]:
        """(kind, code, flags). A broken seal is listed as void: an order whose seals are unknown may leave by any."""
        yield CodeKind.ORDER, self.order.id.encode(), 0
        for kind, code in self.order.codes:
            yield kind, code.encode(), _VOID if kind == CodeKind.SEAL and self.bindings.get(code.encode()) else 0
        for seal in self.bindings.keys() - {seal.encode() for seal in self.order.seals}:
            yield CodeKind.SEAL, seal, _VOID if self.bindings[seal] else 0


def fitting(expected: Iterable[Expected]) -> list[Expected]:
    """As many of them, from the first on, as one body holds."""
    fit = []
    size = ManifestHead.SIZE
    for row in expected:
        size += OrderRow.SIZE + CodeRow.SIZE * (sum(1 for _ in row.codes()) + bool(row.bag))
        if size > SIZE_MAX:
            break
        fit.append(row)
    return fit


def build(terminal: bytes, *, epoch: int, through: int, place: int, salt: bytes, expected: Sequence[Expected]) -> bytes:
    """The body, for the records of `terminal` known up to `through` in `epoch`. Orders of other places are listed as
    not here. They are as many as fit (`fitting`)."""
    rows = sorted(_distinct(expected), key=lambda row: row.order.ref)
    orders = bytearray()
    codes: list[CodeRow] = []
    in_bags: dict[bytes, int] = {}
    for index, row in enumerate(rows):
        order = row.order
        here = int(order.place == place) | bool(order.uins) << 1
        cell = order.cell.encode().ljust(8, b"\0")
        own = list(row.codes())
        seals = sum(kind == CodeKind.SEAL for kind, _, _ in own)
        orders += OrderRow(
            order.ref, order.order_class, _SHOWN.get(row.state, row.state), here, min(seals, 255), cell
        ).pack()
        if row.bag:
            # Numbered without a gap: a terminal asks for one after the other until there is none.
            number = in_bags[row.bag] = in_bags.get(row.bag, -1) + 1
            own.append((CodeKind.BAG, row.bag + number.to_bytes(2, "big"), 0))
        codes += [CodeRow(chain.code_tag(salt, kind, code), index, kind, flags) for kind, code, flags in own]
    codes.sort(key=lambda code: code.tag)
    head = ManifestHead(terminal, epoch, through, place, salt, len(rows), len(codes))
    return head.pack() + bytes(orders) + b"".join(code.pack() for code in codes)


def _distinct(expected: Iterable[Expected]) -> list[Expected]:
    """One order for each ref, the first one imported. A ref is 32 bits: a shop could make an order whose ref is that
    of another one, and the terminal files its own steps by ref. The later one is left out, so it is set aside as
    unknown instead. Ref 0 means "no order" in a record."""
    first: dict[int, Expected] = {}
    for row in expected:
        if row.order.ref:
            first.setdefault(row.order.ref, row)
    return list(first.values())
