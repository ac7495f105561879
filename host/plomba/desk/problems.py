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
    "desk_terminal_unknown": 404,
    "desk_order_unknown": 404,
    "desk_staff_none": 404,
    "desk_not_found": 404,
    "desk_method": 405,
    "desk_certificate_older": 409,
    "desk_body_large": 413,
    "desk_media_type": 415,
    "desk_host": 421,
}


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


def import_problem(refused: ImportRefused, lang: str) -> JSONResponse:
    """422 with the mistakes: row, column, code, reason, next step."""
    count, rows = refused.total, mistakes_json(refused.bad, lang)
    return problem(UsageError("desk_import_refused", count=count), 422, lang, rows=rows, total=count)
