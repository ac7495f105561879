"""Answers that are kept for requests that are sent again, and the secrets of the book."""

from alembic import op

from plomba.desk.migrations.columns import BYTES, NUMBER, TEXT, required, table

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # `key` is the request's Idempotency-Key, `request_hash` the SHA-256 of the request it came with (serving.py).
    table(
        "idempotency",
        required("account", TEXT, primary_key=True),
        required("key", TEXT, primary_key=True),
        required("operation", TEXT),
        required("request_hash", BYTES),
        required("status", NUMBER),
        required("media_type", TEXT),
        required("body", BYTES),
        required("made", NUMBER),
        by_key=True,
    )
    op.create_index("idempotency_by_age", "idempotency", ["made"])
    # `cursors` authenticates where listings go on (cursors.py).
    table("secrets", required("name", TEXT, primary_key=True), required("secret", BYTES), by_key=True)
