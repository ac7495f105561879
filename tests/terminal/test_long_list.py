"""Ten thousand orders and twenty thousand codes: taken over the link behind the heap gate, and looked up in place."""

from __future__ import annotations

import pytest
from workbench import BADGE, HANDOUT, PLACE, Workbench, label, qr

from plomba.bench import counter
from plomba.sim.gm65 import SeenCode
from plomba.sim.interpreter import HEAP
from plomba_wire.vocabulary import Action, OrderClass, State, Verdict

pytestmark = pytest.mark.anyio

ORDERS, CODES = 10_000, 20_000
LISTED = counter.orders(ORDERS, CODES, PLACE, 1)
IN_ORDER = sorted([order for order in LISTED if order.state == State.AT_POINT], key=lambda order: order.ref)
SEALED = [order for order in IN_ORDER if order.order_class == OrderClass.SEALED]
EDGES = list(dict.fromkeys([IN_ORDER[0], IN_ORDER[-1], SEALED[0], SEALED[-1]]))
"""The first and the last order that is here, and the first and the last sealed one."""


async def test_a_long_list_is_taken_kept_and_answers(bench: Workbench) -> None:
    await bench.ready(LISTED)
    terminal = bench.terminal
    assert terminal.free_heap <= HEAP
    for order in EDGES[:-1]:
        assert await terminal.scan(label(order.id)) == "ok"
    await terminal.restart()
    await terminal.engine_ready()
    assert await terminal.scan(BADGE) == "repeat"
    assert await terminal.scan(label(EDGES[-1].id)) == "ok"
    assert await terminal.scan(label(EDGES[0].id)) == "repeat", "it knows what it stored before"
    assert await terminal.scan(label("nobody's")) == "refused"
    await terminal.scan(HANDOUT)
    for order in SEALED[0], SEALED[-1]:
        assert await terminal.scan(label(order.id)) == "next"
        assert await terminal.scan(qr(SEALED[1].seals[0])) == "refused", "the seal of another order"
        assert await terminal.scan(qr(order.seals[-1])) == "ok"
        assert await terminal.scan(SeenCode("DataMatrix", order.uins[-1].encode())) == "ok"
        assert await terminal.confirm() == "release"
    await bench.sync()
    answers = [(r.head.action, r.head.verdict) for r in bench.records()[-13:]]
    of_one = [
        (Action.RETRIEVE, Verdict.NEED_SEAL),
        (Action.SEAL_CHECK, Verdict.WRONG_SEAL),
        (Action.SEAL_CHECK, Verdict.SEAL_OK),
        (Action.INSPECT, Verdict.ITEM_OK),
        (Action.HANDOUT, Verdict.OK),
    ]
    assert [answer for answer in answers if answer[0] != Action.TIME_SET][-10:] == of_one * 2
