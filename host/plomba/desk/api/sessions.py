"""Operations on the session of a browser, as they are described; accounts/gate.py carries them out."""

from __future__ import annotations

from plomba.desk.accounts import gate
from plomba.desk.api.openapi import SESSION, WRITING_SESSION
from plomba.desk.api.operations import ANYBODY, JSON, Body, Content, Operation

_PATH = "/api/v1/session"
_FOREIGN = ("desk_csrf", "desk_foreign_site")

OPERATIONS = (
    Operation(
        method="GET",
        path=_PATH,
        name="getSession",
        tag="session",
        summary="Who asks, with what rights, and the word for the header x-csrf-token.",
        right=ANYBODY,
        lenient=True,
        security=(*SESSION, ()),
        answers={200: Content(gate.Session)},
        errors={401: ("desk_token_unknown",)},
    ),
    Operation(
        method="POST",
        path=_PATH,
        name="logIn",
        tag="session",
        summary="Open a session: its cookie comes with the answer. Whoever tries too often has to wait.",
        right=ANYBODY,
        lenient=True,
        idempotent=False,
        body=Body((JSON,), gate.BODY_MAX, gate.Login),
        answers={200: Content(gate.Session)},
        errors={401: ("desk_login_wrong",), 403: ("desk_foreign_site",), 429: ("desk_login_wait",)},
    ),
    Operation(
        method="DELETE",
        path=_PATH,
        name="logOut",
        tag="session",
        summary="End the session of the cookie.",
        right=ANYBODY,
        lenient=True,
        idempotent=False,
        security=(*WRITING_SESSION, ()),
        answers={204: None},
        errors={401: ("desk_token_unknown",), 403: _FOREIGN},
    ),
    Operation(
        method="POST",
        path=f"{_PATH}/password",
        name="changePassword",
        tag="session",
        summary="Choose another password, from within a session.",
        right=ANYBODY,
        lenient=True,
        idempotent=False,
        security=WRITING_SESSION,
        body=Body((JSON,), gate.BODY_MAX, gate.Change),
        answers={204: None},
        errors={
            400: ("password_short", "password_long"),
            401: ("desk_login_needed", "desk_login_wrong", "desk_token_unknown"),
            403: _FOREIGN,
            429: ("desk_login_wait",),
        },
    ),
)
