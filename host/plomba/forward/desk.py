"""The order desk as the dock sees it: an HTTP API. Any order system that speaks it can stand in its place."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

import httpx2

from plomba.errors import PlombaError
from plomba.ledger import Stored

_TIMEOUT_S = 10.0
_EVENTS = 5000
_NOTHING = 204
_NOT_FOUND = 404
_NOT_ALLOWED = (401, 403)


@dataclass(frozen=True, slots=True)
class Result:
    """What the desk said of one record. HTTP 200 alone says nothing."""

    status: Literal["accepted", "duplicate", "refused"]
    reason: str = ""


def cloud_event(record: Stored) -> dict[str, Any]:
    """A record as a CloudEvent (1.0, structured JSON); `source` and `id` identify it for ever."""
    terminal = record.terminal.hex()
    return {
        "specversion": "1.0",
        "id": record.identity,
        "source": f"urn:plomba:terminal:{terminal}",
        "type": "plomba.record.1",
        "datacontenttype": "application/json",
        "data": {
            "previous": record.previous.hex(),
            "body": base64.b64encode(record.body).decode("ascii"),
            "signature": base64.b64encode(record.signature).decode("ascii"),
        },
    }


class Desk:
    """A client of the desk's API. Raises PlombaError `desk_unreachable`, and `desk_not_allowed` where the desk wants an
    account, or another one."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """`token` is an account's, for a desk that has accounts."""
        self.url = url.rstrip("/")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        # A redirect is not followed: the token is this desk's alone.
        self._http = httpx2.AsyncClient(base_url=self.url, timeout=_TIMEOUT_S, headers=headers, follow_redirects=False)

    async def __aenter__(self) -> Desk:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def take(self, records: Sequence[Stored]) -> list[Result]:
        """Offers records; one result each, in their order."""
        response = await self._call(
            "POST",
            "/api/v1/events",
            json=[cloud_event(record) for record in records],
            headers={"content-type": "application/cloudevents-batch+json"},
        )
        results = {result["id"]: result for result in response.json()["results"]}
        out = []
        for record in records:
            result = results.get(record.identity)
            if result is None or result["status"] not in ("accepted", "duplicate", "refused"):
                raise PlombaError("desk_unreachable", url=self.url, reason=f"no result for {record.identity}")
            out.append(Result(result["status"], str(result.get("reason", ""))))
        return out

    async def register(self, certificate: bytes, place: int) -> None:
        """Makes a terminal known to the desk."""
        body = {"certificate": base64.b64encode(certificate).decode("ascii"), "place": place}
        await self._call("POST", "/api/v1/terminals", json=body)

    async def manifest(self, terminal: str) -> bytes:
        """The signed manifest for one terminal, as a bundle."""
        return (await self._call("GET", f"/api/v1/terminals/{terminal}/manifest")).content

    async def rules(self, terminal: str) -> bytes:
        """The signed rule pack in force, as a bundle."""
        return (await self._call("GET", f"/api/v1/terminals/{terminal}/rules")).content

    async def staff(self, terminal: str) -> bytes | None:
        """The signed staff list in force, as a bundle; None where the desk keeps none."""
        response = await self._ask("GET", f"/api/v1/terminals/{terminal}/staff")
        return None if response.status_code == 404 else self._good(response).content

    async def seals(self, terminal: str) -> bytes | None:
        """The signed list of the organisation's own seals, as a bundle; None where there is none, or where the order
        system does not know of such a thing."""
        response = await self._ask("GET", f"/api/v1/terminals/{terminal}/seals")
        if response.status_code in (_NOTHING, _NOT_FOUND):
            return None
        return self._good(response).content

    async def import_orders(self, text: bytes, content_type: str) -> int:
        """Hands over an order file; returns how many orders it held. Raises PlombaError `orders_refused`."""
        response = await self._call("POST", "/api/v1/orders", content=text, headers={"content-type": content_type})
        return int(response.json()["imported"])

    async def try_orders(self, text: bytes, content_type: str) -> dict[str, Any]:
        """What an import of the file would do (docs/orders.md, dry run); nothing of it is done."""
        response = await self._call(
            "POST", "/api/v1/orders", params={"dry_run": "1"}, content=text, headers={"content-type": content_type}
        )
        told: dict[str, Any] = response.json()
        return told

    async def orders(self) -> list[dict[str, Any]]:
        return self._listed(await self._call("GET", "/api/v1/orders"), "orders")

    async def events(self, order: str | None = None) -> list[dict[str, Any]]:
        parameters = {"limit": str(_EVENTS)} | ({"order": order} if order is not None else {})
        return self._listed(await self._call("GET", "/api/v1/events", params=parameters), "events")

    def _listed(self, response: httpx2.Response, name: str) -> list[dict[str, Any]]:
        body = response.json()
        listed: list[dict[str, Any]] = body[name] if isinstance(body, dict) else body
        return listed

    async def _call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        return self._good(await self._ask(method, path, **options))

    async def _ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        try:
            return await self._http.request(method, path, **options)
        except httpx2.HTTPError as error:
            raise PlombaError("desk_unreachable", url=self.url, reason=error or type(error).__name__) from error

    def _good(self, response: httpx2.Response) -> httpx2.Response:
        if response.status_code in _NOT_ALLOWED:
            raise PlombaError("desk_not_allowed", url=self.url, reason=_problem(response))
        if response.status_code == 422:
            raise PlombaError("orders_refused", reason=_problem(response))
        if response.status_code >= 400:
            raise PlombaError("desk_unreachable", url=self.url, reason=_problem(response))
        return response


def _problem(response: httpx2.Response) -> str:
    """RFC 9457 problem details in one line."""
    try:
        problem = response.json()
    except ValueError:
        return f"HTTP {response.status_code}"
    rows = "; ".join(
        f"{row.get('row', '')} {row.get('column', '')}: {row.get('reason', '')}" for row in problem.get("rows", [])[:5]
    )
    return " ".join(filter(None, (f"HTTP {response.status_code}", problem.get("title"), problem.get("detail"), rows)))
