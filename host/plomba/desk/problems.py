"""Errors over HTTP: RFC 9457 problem details, with our stable code and the next step."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse

from plomba.desk.orders import ImportRefused
from plomba.desk.tellings import mistakes_json
from plomba.errors import PlombaError, StoreError, UsageError, VerificationError
from plomba.texts import LANGUAGES

_STATUS = {
    "desk_login_needed": 401,
    "desk_login_wrong": 401,
    "desk_token_unknown": 401,
    "desk_right": 403,
    "desk_csrf": 403,
    "desk_foreign_site": 403,
    "account_unknown": 404,
    "account_taken": 409,
    "desk_login_wait": 429,
    "desk_terminal_unknown": 404,
    "desk_order_unknown": 404,
    "desk_incident_unknown": 404,
    "desk_incident_closed": 409,
    "desk_decision_record": 422,
    "desk_decision_state": 409,
    "desk_staff_none": 404,
    "desk_not_found": 404,
    "desk_method": 405,
    "desk_certificate_older": 409,
    "desk_body_large": 413,
    "desk_media_type": 415,
    "desk_host": 421,
    "desk_key_running": 409,
    "desk_key_reused": 422,
}
_TELLING = ("desk_store_failed", "desk_store_busy", "desk_store_unsafe")
"""Codes whose words name the place of the book, and say what its database said."""


class Malformed(UsageError):
    """A request of another form than its operation takes. `field` is the place in it ("" = all of it), `reason` what is
    wrong there, in English."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__("desk_request_malformed", where=f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


def language_of(request: Request, default: str = "en") -> str:
    """`?lang=`, else the best of Accept-Language (RFC 9110 section 12.5.4), else `default`: ru, uk or en."""
    asked = request.query_params.get("lang", "")
    if asked in LANGUAGES:
        return asked
    best, weight = default, 0.0
    for item in request.headers.get("accept-language", "").split(","):
        tag, _, parameters = item.strip().partition(";")
        primary = tag.strip().lower().partition("-")[0]
        try:
            quality = float(parameters.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if primary in LANGUAGES and quality > weight:
            best, weight = primary, quality
    return best


def status_of(error: PlombaError) -> int:
    """The HTTP status that fits an error."""
    if error.code in _STATUS:
        return _STATUS[error.code]
    if isinstance(error, VerificationError):
        return 422
    if isinstance(error, UsageError):
        return 400
    return 503 if isinstance(error, StoreError) else 500


def problem(error: PlombaError, status: int, lang: str, **members: object) -> JSONResponse:
    """`title` is the status in words (type about:blank), `detail` the thing and the reason, `next` the next step."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": error.code,
        "detail": error.what(lang),
        "next": error.next_step(lang),
        **members,
    }
    return JSONResponse(content, status, media_type="application/problem+json")


def problem_of(error: PlombaError | ImportRefused, lang: str) -> JSONResponse:
    """The problem that an error is. A malformed request's names the field and the reason. Where the book lies and what
    its database says is for the desk's own output, not for whoever asks."""
    if isinstance(error, ImportRefused):
        return _import_problem(error, lang)
    if isinstance(error, Malformed):
        return problem(error, 400, lang, field=_text(error.field), reason=_text(error.reason))
    if error.code in _TELLING:
        error = StoreError("desk_store_down")
    answer = problem(error, status_of(error), lang)
    answer.headers.update(headers_for(error))
    return answer


def headers_for(error: PlombaError) -> dict[str, str]:
    """What an answer with this error carries beside its status (RFC 9110 sections 10.2.3 and 11.6.1)."""
    if error.code == "desk_key_running":
        return {"retry-after": "1"}
    if error.code in ("desk_login_needed", "desk_token_unknown"):
        return {"www-authenticate": 'Bearer realm="plomba"'}
    seconds = getattr(error, "seconds", None)
    return {} if seconds is None else {"retry-after": str(seconds)}


def _text(said: str) -> str:
    """What can be said in UTF-8."""
    return said.encode("utf-8", "replace").decode()


def _import_problem(refused: ImportRefused, lang: str) -> JSONResponse:
    """422 with the mistakes: row, column, code, reason, next step."""
    count, rows = refused.total, mistakes_json(refused.bad, lang)
    return problem(UsageError("desk_import_refused", count=count), 422, lang, rows=rows, total=count)
