"""Customers at the counter of the point with a list: what goes wrong before noon, and what is otherwise after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from plomba.cli import office
from plomba.cli.goods import Order
from plomba.cli.person import Person

_PATIENCE_MS = 61_000
_WORN_CODE, _NOT_AS_ORDERED = 20, 5
"""Reasons (vocabulary.toml)."""


class Visits:
    """`pins` are those of the badges that have one; `tell(key, **fields)` is called as things happen."""

    def __init__(self, clerk: Person, pins: dict[int, str], tell: Callable[..., None]) -> None:
        self._clerk = clerk
        self._pins = pins
        self._tell = tell

    async def first(self, orders: Sequence[Order], rng: Random) -> None:
        """Plain orders of one customer, who is known by a code."""
        clerk = self._clerk
        await clerk.card("ПОКУПАТЕЛЬ", f"CUSTOMER*{rng.randrange(10**8):08}", "customer")
        for order in orders:
            await clerk.label(order, "confirm")
        await clerk.ok(len(orders))
        self._tell("visit", count=len(orders))

    async def hurried(self, jewel: Order, other: Order) -> None:
        """Every seal but the right one, and the OK key before it."""
        clerk = self._clerk
        await clerk.label(jewel, "need_seal")
        self._tell("need_seal", order=jewel.id)
        await clerk.ok()
        clerk.keep("refused")
        self._tell("refused")
        await clerk.seal("PL-NOT-OURS", "wrong_seal")
        await clerk.seal(other.seal, "other_seal")
        self._tell("wrong_seal")
        await clerk.tag(jewel.uin)
        await clerk.seal(jewel.seal, "seal_ok")
        await clerk.ok()
        clerk.keep("handed_out")
        self._tell("handed_out", order=jewel.id)

    async def came_back(self, order: Order) -> None:
        """Refused, and taken later."""
        clerk = self._clerk
        await clerk.label(order, "taken")
        await clerk.seal(order.seal, "seal_ok")
        await clerk.card("ОТКАЗ", "REFUSE", "refusal")
        self._tell("refusal", order=order.id)
        await clerk.hand_over(order)
        self._tell("came_back", order=order.id)

    async def used(self, order: Order, gone: Order) -> None:
        """A seal that left with another order."""
        clerk = self._clerk
        await clerk.label(order, "need_seal")
        await clerk.seal(gone.seal, "used_seal")
        self._tell("used_seal", order=order.id)
        await clerk.seal(order.seal, "seal_ok")
        await clerk.ok()

    async def forged(self, order: Order, text: str, forged: str) -> None:
        """A seal of our own, and a copy with its number and without its signature."""
        clerk = self._clerk
        await clerk.label(order, "need_seal")
        await clerk.seal(forged, "forged_seal")
        self._tell("forged_seal", order=order.id)
        await clerk.seal(text, "own_seal")
        await clerk.ok()
        self._tell("own_seal", seal=order.seal)

    async def held(self, order: Order) -> None:
        """A seal that cannot be read, and nobody decides."""
        await self._unreadable(order)
        self._clerk.keep("unreadable")
        await self._clerk.card("ЗАДЕРЖАТЬ", "HOLD", "held")
        self._tell("held", order=order.id)

    async def decided(self, order: Order) -> None:
        """A seal that cannot be read, and a supervisor decides: why, by what photograph, who."""
        from plomba.sim import labels

        clerk = self._clerk
        await self._unreadable(order)
        photo = clerk.album.evidence(labels.seal(order.seal), "worn_seal")
        await clerk.card("РЕШАЕТ СТАРШИЙ", "OVERRIDE", "why")
        await clerk.card("КОД СТЁРТ", f"REASON*{_WORN_CODE}", "need_photo")
        await clerk.card("ФОТО", f"PHOTO*{photo}", "need_supervisor")
        await clerk.badge(office.SUPERVISOR, "allowed", self._pins[office.SUPERVISOR])
        await clerk.ok()
        self._tell("decided", order=order.id)

    async def typed(self, order: Order) -> None:
        """A seal that cannot be read but by a person: typed twice, and let go with a photograph."""
        from plomba.sim import labels

        clerk = self._clerk
        await self._unreadable(order)
        await clerk.type(order.seal, "typed_ok")
        await clerk.ok()
        clerk.keep("typed_photo")
        await clerk.card("ФОТО", f"PHOTO*{clerk.album.evidence(labels.seal(order.seal), 'typed_seal')}", "photo_kept")
        await clerk.ok()
        self._tell("typed", order=order.id)

    async def forgotten(self, order: Order) -> None:
        """A minute without the seal."""
        clerk = self._clerk
        terminal = clerk.terminal
        await clerk.label(order, "need_seal")
        await terminal.warp(_PATIENCE_MS)
        await terminal.wait(lambda: terminal.tones[-1] in ("siren", "alarm"), "siren")
        clerk.keep("left_unscanned")
        self._tell("left_unscanned", order=order.id)
        await clerk.seal(order.seal, "seal_ok")
        await clerk.ok()

    async def undone(self, order: Order) -> None:
        """Handed out by mistake, then right, then once too often."""
        clerk = self._clerk
        await clerk.label(order, "confirm")
        await clerk.ok()
        await clerk.card("ОТМЕНА", "UNDO", "undo")
        self._tell("undo", order=order.id)
        await clerk.terminal.warp(2000)
        await clerk.label(order, "confirm")
        await clerk.ok()
        await clerk.terminal.warp(2000)
        await clerk.label(order, "wrong_state")
        self._tell("wrong_state", order=order.id)

    async def under_the_new_rule(self, order: Order) -> None:
        """The rule is on the screen: nothing is scanned before it was read. What it asks for is asked for."""
        clerk = self._clerk
        await clerk.label(order, "rule_first")
        await clerk.ok()
        clerk.keep("rule_read")
        self._tell("rule_read")
        await clerk.terminal.warp(2000)
        await clerk.label(order, "taken")
        await clerk.seal(order.seal, "seal_ok")
        await clerk.card("ОТКАЗ", "REFUSE", "refusal_why")
        await clerk.card("НЕ ТО", f"REASON*{_NOT_AS_ORDERED}", "refusal_reason")
        self._tell("refusal_reason", order=order.id)

    async def quiet(self, orders: Sequence[Order]) -> None:
        await self._clerk.card("ВЫДАЧА", "HANDOUT", "mode")
        for order in orders:
            await self._clerk.hand_over(order)
        self._tell("quiet_visits", count=len(orders))

    async def _unreadable(self, order: Order) -> None:
        await self._clerk.label(order, "need_seal")
        await self._clerk.fail_to_read()
