"""An order system of one's own: it believes a record's signature, and moves an order by what the record says."""

from __future__ import annotations

from plomba.testing import BlockingPoint
from plomba.trust.records import verify_record


class OrderSystem:
    def __init__(self, terminal_key: bytes) -> None:
        self.states: dict[str, str] = {}
        self._key = terminal_key

    def take(self, order: str, state: str, previous: bytes, body: bytes, signature: bytes) -> None:
        verify_record(self._key, previous, body, signature)
        if order:
            self.states[order] = state


def test_a_sealed_order_is_delivered_only_with_its_seal(plomba_point: BlockingPoint) -> None:
    plomba_point.orders(plomba_point.sealed("RING-1", seal="SEAL-1"))
    plomba_point.scan("RING-1")
    plomba_point.mode("HANDOUT")
    assert plomba_point.scan("RING-1") == "next"
    assert plomba_point.press("ok") == "refused", plomba_point.screen
    assert plomba_point.seal("SEAL-1") == "ok"
    assert plomba_point.press("ok") == "release"

    enrolled = plomba_point.point.enrolled
    assert enrolled is not None
    system = OrderSystem(enrolled.public)
    for event in plomba_point.dock():
        raw = event.raw
        system.take(event.order, event.state_after, raw.previous, raw.body, raw.signature)
    assert system.states == {"RING-1": "DELIVERED"}
