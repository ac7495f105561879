"""Operations on personal data of recipients: reading them, and erasing them for good."""

from __future__ import annotations

from msgspec import Struct

from plomba.desk.api import shapes
from plomba.desk.api.operations import Call, Content, Operation, Reply
from plomba.desk.api.services import Services
from plomba.desk.api.visible import order_of, person
from plomba.desk.personal import Erased
from plomba.desk.words import iso


class ErasedAnswer(Struct):
    """Who erased an order's personal data, and when."""

    time: str | None
    person: str


class PersonalAnswer(Struct):
    """What is held of an order's recipient, by field: recipient, phone, address and the like."""

    order: str
    fields: dict[str, str]
    erased: ErasedAnswer | None


def held(services: Services, call: Call[None, None]) -> PersonalAnswer:
    id = order_of(services, call).id
    personal = services.book.personal
    return PersonalAnswer(id, personal.of(id), _erased(personal.erasures([id]).get(id)))


def erase(services: Services, call: Call[None, None]) -> Reply:
    id = order_of(services, call).id
    personal = services.book.personal
    erased = personal.forget(id, person(call))
    return Reply(PersonalAnswer(id, {}, _erased(erased)), after=personal.scour)


def _erased(erased: Erased | None) -> ErasedAnswer | None:
    return None if erased is None else ErasedAnswer(iso(erased.at), erased.person)


_UNKNOWN = {404: ("desk_order_unknown",)}

OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/orders/{id:path}/personal",
        name="getPersonal",
        tag="personal",
        summary="Personal data of an order's recipient.",
        right="personal.read",
        handler=held,
        at=shapes.OrderPath,
        answers={200: Content(PersonalAnswer)},
        errors=_UNKNOWN,
    ),
    Operation(
        method="DELETE",
        path="/api/v1/orders/{id:path}/personal",
        name="erasePersonal",
        tag="personal",
        summary="Erase personal data of an order's recipient for good. What is told of them later is not taken; records"
        " and their proofs stay valid.",
        right="personal.erase",
        handler=erase,
        at=shapes.OrderPath,
        answers={200: Content(PersonalAnswer)},
        errors=_UNKNOWN,
        # Once or again is the same, and the second time ends what a desk that died has left undone.
        idempotent=False,
    ),
)
