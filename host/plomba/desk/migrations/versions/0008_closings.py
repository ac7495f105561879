"""Records that close a courier's route, by terminal; `number` is that of the event."""

from plomba.desk.migrations.columns import BYTES, NUMBER, required, table

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    table(
        "closings",
        required("terminal", BYTES, primary_key=True),
        required("epoch", NUMBER, primary_key=True),
        required("seq", NUMBER, primary_key=True),
        required("number", NUMBER),
        by_key=True,
    )
