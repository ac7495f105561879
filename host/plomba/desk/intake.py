"""What an order has to tell before anybody works on it: the organisation's own list, DATA/intake.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from plomba.desk import order_cells, personal_cells
from plomba.desk.orders import COLUMNS, DELIVERIES, READ, Order
from plomba.errors import UsageError
from plomba_wire.vocabulary import State

FILE = "intake.toml"
COMPLETE, INCOMPLETE = State.NEW, State.NEED_DATA
CHECKED = (COMPLETE, INCOMPLETE)
"""States of entry in which an order is checked: in any other one somebody works on it already."""
PERSONAL = personal_cells.FIELDS


@dataclass(frozen=True, slots=True)
class Requirements:
    """Kind of delivery -> columns that an order needs. Without any, no order is asked for more than it tells."""

    required: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def lacking(self, order: Order, personal: Collection[str]) -> tuple[str, ...]:
        """Columns that the order does not tell; `personal`: the fields that are told of its recipient."""
        wanted = self.required.get(order.delivery, ())
        if not wanted or order.state not in CHECKED:
            return ()
        told = {*order_cells.cells(order), *personal}
        return tuple(column for column in wanted if column not in told)


def load(folder: Path) -> Requirements:
    """The list in `folder`, else none. Raises UsageError `intake_invalid`."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Requirements()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("intake_invalid", path=path, reason=error) from error
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError("intake_invalid", path=path, reason=error) from error
    required = tables.pop("required", {})
    if tables or not isinstance(required, dict):
        raise UsageError("intake_invalid", path=path, reason="[required]")
    return Requirements({kind: _columns(path, kind, columns) for kind, columns in required.items()})


def _columns(path: Path, kind: str, columns: object) -> tuple[str, ...]:
    if kind not in DELIVERIES:
        raise UsageError("intake_invalid", path=path, reason=f"required.{kind}: {', '.join(DELIVERIES)}")
    if not isinstance(columns, list) or not all(type(column) is str and column in READ for column in columns):
        known = ", ".join((*COLUMNS, *personal_cells.FIELDS))
        raise UsageError("intake_invalid", path=path, reason=f"required.{kind}: {known}")
    return tuple(dict.fromkeys(columns))
