"""Who answers for an order at every moment, what it waits for, and the incidents of what did not come."""

import time

import sqlalchemy as sa
from alembic import op

from plomba.desk.migrations.columns import BYTES, NUMBER, TEXT, optional, partial, required, table

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # `party`: which of the holders; `imported`: by the desk's clock; `plan`: JSON of the promised moments.
    # `course`: what a later record goes on from (course.py); with it `merged_t`, `merged_by`: time and terminal of the
    # record that counts last by them. `seals`: how many hold. `check_at`: when a deadline has to be looked at;
    # `awaited`: the terminal that it waits for, and since which deadline it was not heard.
    op.add_column("orders", required("party", TEXT, server_default=""))
    op.add_column("orders", required("imported", NUMBER, server_default="0"))
    # Of what was imported before this was kept, the first record to arrive tells how old it is at most.
    now = sa.bindparam("now", int(time.time()), type_=sa.BigInteger)
    op.execute(
        sa.text("UPDATE orders SET imported = coalesce((SELECT min(received) FROM events), :now)").bindparams(now)
    )
    op.add_column("orders", required("plan", TEXT, server_default=""))
    op.add_column("orders", optional("course", TEXT))
    op.add_column("orders", required("seals", NUMBER, server_default="0"))
    op.add_column("orders", required("records", NUMBER, server_default="0"))
    op.add_column("orders", required("disputed", NUMBER, server_default="0"))
    op.add_column("orders", required("merged_t", NUMBER, server_default="0"))
    op.add_column("orders", optional("merged_by", BYTES))
    op.add_column("orders", optional("check_at", NUMBER))
    op.add_column("orders", optional("awaited", BYTES))
    op.add_column("orders", optional("unheard", NUMBER))
    partial("orders_to_check", "orders", ["check_at"], "check_at IS NOT NULL")
    partial("orders_awaiting", "orders", ["awaited"], "awaited IS NOT NULL")
    # The newest moment of a terminal's clock that the contiguous records prove, per terminal.
    op.add_column("terminals", required("heard", NUMBER, server_default="0"))

    # Every order has a state, and each scan changes it: nothing is found by it that is not found sooner otherwise.
    op.drop_index("orders_by_state", "orders")

    # What records and decisions did, in the order they count: `at` is when, s since 1970.
    op.drop_table("effects")
    table(
        "effects",
        required("order_id", TEXT, primary_key=True),
        required("position", NUMBER, primary_key=True, autoincrement=False),
        optional("event", NUMBER),
        optional("decision", NUMBER),
        required("at", NUMBER),
        required("before", NUMBER),
        required("after", NUMBER),
        required("claim", NUMBER),
        required("why", TEXT),
        required("disputed", NUMBER),
        by_key=True,
    )
    partial("effects_by_event", "effects", ["event"], "event IS NOT NULL")
    partial("effects_disputed", "effects", ["event"], "disputed = 1")

    # Who held an order, from effect `position` on (-1: from its import). `owed`: whether somebody answers for it then.
    table(
        "custody",
        required("order_id", TEXT, primary_key=True),
        required("position", NUMBER, primary_key=True, autoincrement=False),
        required("since", NUMBER),
        optional("until", NUMBER),
        required("kind", TEXT),
        required("party", TEXT),
        required("owed", NUMBER),
        by_key=True,
    )
    op.create_index("custody_by_owner", "custody", ["kind", "party", "since"])

    # `entry` is what began the deadline that was missed: a record's identity, "import" or "decision-N".
    table(
        "incidents",
        required("number", NUMBER, primary_key=True),
        required("order_id", TEXT),
        required("entry", TEXT),
        required("kind", TEXT),
        required("state", NUMBER),
        required("due", NUMBER),
        required("opened", NUMBER),
        required("holder", TEXT),
        required("party", TEXT),
        optional("value", NUMBER),
        required("currency", TEXT),
        optional("outcome", TEXT),
        optional("closed", NUMBER),
        required("level", NUMBER),
        optional("escalates", NUMBER),
    )
    op.create_index("incidents_once", "incidents", ["order_id", "entry", "kind"], unique=True)
    partial("incidents_escalating", "incidents", ["escalates"], "escalates IS NOT NULL")
    table(
        "incident_notes",
        required("number", NUMBER, primary_key=True),
        required("incident", NUMBER),
        required("at", NUMBER),
        required("what", TEXT),
        required("record", TEXT),
        optional("seconds", NUMBER),
        required("person", TEXT),
        required("text", TEXT),
    )
    op.create_index("incident_notes_by_incident", "incident_notes", ["incident"])

    # What a person decided at the desk. `record`: identity of the record that it stands on.
    table(
        "decisions",
        required("number", NUMBER, primary_key=True),
        required("order_id", TEXT),
        required("kind", TEXT),
        required("at", NUMBER),
        required("record", TEXT),
        required("person", TEXT),
        required("source", TEXT),
        required("external_id", TEXT),
        required("reason", TEXT),
    )
    op.create_index("decisions_by_order", "decisions", ["order_id"])
