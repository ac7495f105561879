"""The record of another terminal that a record names: terminal 8, seq u32."""

from alembic import op

from plomba.desk.migrations.columns import BYTES, optional, partial

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("events", optional("peer", BYTES))
    partial("events_by_peer", "events", ["peer"], "peer IS NOT NULL")
