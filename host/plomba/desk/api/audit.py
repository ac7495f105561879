"""The operation on the audit: who wrote what over the API."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from plomba.desk.accounts.audit import LISTED_MAX
from plomba.desk.api import shapes
from plomba.desk.api.cursors import listing, page
from plomba.desk.api.operations import Call, Content, Operation
from plomba.desk.api.services import Services
from plomba.desk.words import iso


class AuditEntry(Struct):
    """A write over the API, a login or a wrong password. `account` "" is nobody's; `outcome` is done, or the code of
    the refusal; `request` the idempotency key, "" for none."""

    number: int
    time: str | None
    account: str
    peer: str
    operation: str
    subject: str
    outcome: str
    request: str


class AuditEntries(Struct):
    """A page of the audit, the oldest first."""

    entries: list[AuditEntry]
    next: str | UnsetType = UNSET


def listed(services: Services, call: Call[shapes.Paged, None]) -> AuditEntries:
    query, cursors = call.query, services.cursors
    name = listing("audit")
    after = 0 if query.cursor is None else cursors.open(name, query.cursor, int)
    limit = min(query.limit, LISTED_MAX - 1)
    rows, more = page(services.accounts.audit.listed(after, limit + 1), limit, lambda one: one.number)
    return AuditEntries(
        [
            AuditEntry(
                number=row.number,
                time=iso(row.at),
                account=row.account,
                peer=row.peer,
                operation=row.operation,
                subject=row.subject,
                outcome=row.outcome,
                request=row.request,
            )
            for row in rows
        ],
        UNSET if more is None else cursors.seal(name, more),
    )


OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/audit",
        name="listAudit",
        tag="audit",
        summary=f"List who wrote what over the API, page by page, the oldest first: {LISTED_MAX - 1} rows at most.",
        right="audit.read",
        handler=listed,
        query=shapes.Paged,
        answers={200: Content(AuditEntries)},
        errors={400: ("desk_cursor",)},
    ),
)
