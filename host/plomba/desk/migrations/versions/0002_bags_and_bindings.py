"""Bags, and seals that are bound by scans. All of it is worked out again from the records (replay.py)."""

from alembic import op

from plomba.desk.migrations.columns import BYTES, NUMBER, TEXT, optional, partial, required, table

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # `bag`: the bag's id in the record; `seal`: what it binds to its order; `undoes`: seq of what it takes back.
    op.add_column("events", optional("bag", BYTES))
    op.add_column("events", optional("seal", BYTES))
    op.add_column("events", optional("undoes", NUMBER))
    partial("events_by_bag", "events", ["bag"], "bag IS NOT NULL")
    partial("events_by_seal", "events", ["seal"], "seal IS NOT NULL")
    partial("events_by_undone", "events", ["terminal", "epoch", "undoes"], "undoes IS NOT NULL")
    op.add_column("orders", required("holder", TEXT, server_default=""))
    op.add_column("orders", optional("bag", BYTES))
    partial("orders_by_bag", "orders", ["bag"], "bag IS NOT NULL")
    # What scans did to an order's seals: bound one that it was not imported with, or broke one.
    table(
        "bindings",
        required("order_id", TEXT, primary_key=True),
        required("seal", BYTES, primary_key=True),
        required("broken", NUMBER),
        by_key=True,
    )
    op.create_index("bindings_by_seal", "bindings", ["seal"])
    # A record of a whole bag does something to each order in it.
    op.drop_table("effects")
    table(
        "effects",
        required("event", NUMBER, primary_key=True, autoincrement=False),
        required("order_id", TEXT, primary_key=True),
        required("position", NUMBER),
        required("before", NUMBER),
        required("after", NUMBER),
        required("claim", NUMBER),
        required("why", TEXT),
        required("disputed", NUMBER),
        by_key=True,
    )
    op.create_index("effects_by_order", "effects", ["order_id", "position"])
    partial("effects_disputed", "effects", ["event"], "disputed = 1")
    # SHA-256 of the lifecycle that placed all orders.
    table("replayed", required("lifecycle", BYTES))
