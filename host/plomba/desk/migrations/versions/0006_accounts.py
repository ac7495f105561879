"""Accounts with their tokens and sessions, tries to log in, and who wrote what."""

from alembic import op

from plomba.desk.migrations.columns import BYTES, NUMBER, TEXT, optional, required, table

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    # `folded`: the name as it is looked up; `places`: JSON; `password`: passwords.py. Times are s since 1970.
    table(
        "accounts",
        required("number", NUMBER, primary_key=True),
        required("folded", TEXT, unique=True),
        required("name", TEXT),
        required("role", TEXT),
        required("places", TEXT),
        required("shop", TEXT),
        optional("badge", NUMBER),
        optional("password", TEXT),
        required("made", NUMBER),
        optional("revoked", NUMBER),
    )
    # `hash`: SHA-256 of the token; `used`: the day of its last use.
    table(
        "account_tokens",
        required("hash", BYTES, primary_key=True),
        required("account", NUMBER),
        required("made", NUMBER),
        optional("expires", NUMBER),
        optional("used", NUMBER),
        by_key=True,
    )
    op.create_index("account_tokens_by_account", "account_tokens", ["account"])
    table(
        "account_sessions",
        required("hash", BYTES, primary_key=True),
        required("account", NUMBER),
        required("made", NUMBER),
        required("seen", NUMBER),
        by_key=True,
    )
    op.create_index("account_sessions_by_account", "account_sessions", ["account"])
    # `subject`: SHA-256 of a name or an address: what is typed for a name may be a password.
    table(
        "login_attempts",
        required("subject", BYTES, primary_key=True),
        required("failures", NUMBER),
        required("last", NUMBER),
        by_key=True,
    )
    op.create_index("login_attempts_by_worth", "login_attempts", ["failures", "last"])
    table(
        "audit",
        required("number", NUMBER, primary_key=True),
        required("at", NUMBER),
        required("account", TEXT),
        required("peer", TEXT),
        required("operation", TEXT),
        required("subject", TEXT),
        required("outcome", TEXT),
        required("request", TEXT),
    )
    _append_only("audit")


def _append_only(name: str) -> None:
    """No row of it is changed or taken away, whoever asks."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION plomba_append_only() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name}"
            " FOR EACH STATEMENT EXECUTE FUNCTION plomba_append_only()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {name}_no_{event.lower()} BEFORE {event} ON {name}"
            f" BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
        )
