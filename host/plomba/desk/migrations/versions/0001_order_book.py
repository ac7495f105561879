"""The order book. A record is kept as it was signed; what it means is worked out from it, never stored beside it."""

import sqlalchemy as sa
from alembic import op

from plomba.desk.migrations.columns import BYTES, NUMBER, TEXT, optional, partial, required, table

revision = "0001"
down_revision = None


def upgrade() -> None:
    # `terminal` is the id of its key, 8 bytes; `public` X || Y; epoch and serial are its certificate's.
    table(
        "terminals",
        required("terminal", BYTES, primary_key=True),
        required("public", BYTES),
        required("epoch", NUMBER),
        required("serial", NUMBER),
        required("label", TEXT),
        required("place", NUMBER),
        required("certificate", BYTES),
        by_key=True,
    )
    # `number` is the order of import, `ref` the first 4 bytes of SHA-256 of the id, `entered` the state at import;
    # `value` is in minor units. `state` and `last` follow from the records: replay.py alone writes them.
    table(
        "orders",
        required("number", NUMBER, primary_key=True),
        required("id", TEXT, unique=True),
        required("ref", NUMBER),
        required("class", NUMBER),
        required("entered", NUMBER),
        required("place", NUMBER),
        optional("value", NUMBER),
        required("currency", TEXT),
        required("shop", TEXT),
        required("cell", TEXT),
        required("state", NUMBER),
        optional("last", NUMBER),
    )
    op.create_index("orders_by_ref", "orders", ["ref"])
    op.create_index("orders_by_last", "orders", ["last"])
    op.create_index("orders_by_state", "orders", ["state"])
    table(
        "order_codes",
        required("kind", NUMBER, primary_key=True, autoincrement=False),
        required("code", TEXT, primary_key=True),
        required("order_id", TEXT),
        by_key=True,
    )
    op.create_index("order_codes_by_order", "order_codes", ["order_id"])
    # `number` is the order of arrival; with `body_hash` (SHA-256 of the unsigned bytes), terminal, epoch and seq are
    # the identity. `order_id` is the order it names, known here or not; `received` by the desk's clock, s since 1970.
    table(
        "events",
        required("number", NUMBER, primary_key=True),
        required("terminal", BYTES),
        required("epoch", NUMBER),
        required("seq", NUMBER),
        required("body_hash", BYTES),
        required("previous", BYTES),
        required("digest", BYTES),
        required("body", BYTES),
        required("signature", BYTES),
        optional("order_id", TEXT),
        required("order_ref", NUMBER),
        required("received", NUMBER),
        sa.UniqueConstraint("terminal", "epoch", "seq", name="events_identity"),
    )
    op.create_index("events_by_order", "events", ["order_id"])
    op.create_index("events_by_ref", "events", ["order_ref"])
    # Verified records that contradict a held one: two journals with one key.
    table(
        "conflicts",
        required("number", NUMBER, primary_key=True),
        required("terminal", BYTES),
        required("epoch", NUMBER),
        required("seq", NUMBER),
        required("code", TEXT),
        required("previous", BYTES),
        required("body", BYTES),
        required("signature", BYTES),
        required("received", NUMBER),
        sa.UniqueConstraint("terminal", "epoch", "seq", "previous", "body", name="conflicts_identity"),
    )
    # What records did to orders.
    table(
        "effects",
        required("event", NUMBER, primary_key=True, autoincrement=False),
        required("order_id", TEXT),
        required("position", NUMBER),
        required("before", NUMBER),
        required("after", NUMBER),
        required("claim", NUMBER),
        required("why", TEXT),
        required("disputed", NUMBER),
    )
    op.create_index("effects_by_order", "effects", ["order_id"])
    partial("effects_disputed", "effects", ["event"], "disputed = 1")
    # The highest contiguous record held, per terminal and epoch.
    table(
        "marks",
        required("terminal", BYTES, primary_key=True),
        required("epoch", NUMBER, primary_key=True, autoincrement=False),
        required("through", NUMBER),
        by_key=True,
    )
    # The newest signed object of each kind for each terminal; an object for everybody has an empty terminal. `content`
    # is the SHA-256 of what it says.
    table(
        "issued",
        required("kind", NUMBER, primary_key=True, autoincrement=False),
        required("terminal", BYTES, primary_key=True),
        required("version", NUMBER),
        required("content", BYTES),
        required("bundle", BYTES),
        required("made", NUMBER),
        by_key=True,
    )
    table("counters", required("name", TEXT, primary_key=True), required("value", NUMBER), by_key=True)
