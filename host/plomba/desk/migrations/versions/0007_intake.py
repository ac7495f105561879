"""What an order is told with beside its codes; personal data apart from it; and what each party said of it."""

from alembic import op

from plomba.desk.migrations.columns import BYTES, NUMBER, TEXT, optional, required, table

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # `lacks`: columns that the intake asks for, separated by spaces.
    op.add_column("orders", optional("items", NUMBER))
    op.add_column("orders", optional("warehouse", NUMBER))
    op.add_column("orders", required("delivery", TEXT, server_default="point"))
    op.add_column("orders", required("lacks", TEXT, server_default=""))
    op.create_index("orders_by_place", "orders", ["place"])

    # A value is in this table and in no index: SQLite moves the rows of a table that only grows at its end never, so
    # that no copy of one stays behind when the row is deleted.
    table(
        "personal",
        required("number", NUMBER, primary_key=True),
        required("order_id", TEXT),
        required("field", TEXT),
        required("value", TEXT),
    )
    op.create_index("personal_once", "personal", ["order_id", "field"], unique=True)
    table(
        "personal_erased",
        required("order_id", TEXT, primary_key=True),
        required("at", NUMBER),
        required("person", TEXT),
        by_key=True,
    )

    # `status`: taken, refused (of an order that scans spoke of already), said; `content`: JSON without personal data.
    table(
        "order_versions",
        required("number", NUMBER, primary_key=True),
        required("order_id", TEXT),
        required("party", TEXT),
        required("source", TEXT),
        required("at", NUMBER),
        required("status", TEXT),
        required("content", TEXT),
        required("sha256", BYTES),
    )
    op.create_index("order_versions_by_order", "order_versions", ["order_id"])
