"""Records about orders that are not in the book; `event` is the record's number."""

from alembic import op

from plomba.desk.migrations.columns import NUMBER, required, table

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    table("strays", required("event", NUMBER, primary_key=True, autoincrement=False), by_key=True)
    op.execute(
        "INSERT INTO strays (event) SELECT e.number FROM events e LEFT JOIN orders o ON o.id = e.order_id"
        " WHERE e.order_id IS NOT NULL AND o.id IS NULL"
        " UNION ALL SELECT e.number FROM events e WHERE e.order_id IS NULL AND e.order_ref <> 0"
        " AND (SELECT count(*) FROM orders o WHERE o.ref = e.order_ref) <> 1"
    )
