"""The API on an order book of this process, with accounts that cost next to nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from account_scene import HERE, accounts_in, with_token
from book_scene import Clock
from starlette.testclient import TestClient

from plomba.desk.api.app import create_app
from plomba.desk.book import Book
from plomba.desk.live import Live


class Api:
    """Whoever is asked for first makes the desk one that asks for accounts."""

    def __init__(self, book: Book, clock: Clock, thread: ThreadPoolExecutor) -> None:
        self.book = book
        self.accounts = accounts_in(book.store, clock)
        self.app = create_app(book, thread, Live(), None, self.accounts)
        self.http = self.client()

    def client(self, token: str = "") -> TestClient:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return TestClient(self.app, base_url=f"http://{HERE}", headers=headers, raise_server_exceptions=True)

    def as_(self, name: str, role: str, **bound: Any) -> TestClient:
        """A client of a new account."""
        return self.client(with_token(self.accounts, name, role, **bound))

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = self.http.get(f"/api/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def refusal(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]
