"""A webhook receiver: every scan arrives once as a CloudEvent, signed, whatever the cable does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from plomba.testing import BlockingPoint


@pytest.fixture
def receiver() -> Iterator[HTTPServer]:
    class Receive(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            events = json.loads(self.rfile.read(int(self.headers["content-length"])))
            got.extend(events)
            answer = json.dumps({"results": [{"id": event["id"], "status": "accepted"} for event in events]}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """The test's output stays its own."""

    got: list[dict[str, object]] = []
    server = HTTPServer(("127.0.0.1", 0), Receive)
    server.events = got  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_every_scan_arrives_once(plomba_point: BlockingPoint, receiver: HTTPServer) -> None:
    plomba_point.orders(plomba_point.plain("ORDER-1"), plomba_point.plain("ORDER-2"))
    plomba_point.scan("ORDER-1")
    plomba_point.scan("ORDER-2")
    plomba_point.dock()
    url = f"http://127.0.0.1:{receiver.server_port}"
    taken = plomba_point.forward(url)
    assert plomba_point.forward(url) == 0
    events = receiver.events  # type: ignore[attr-defined]
    assert len(events) == taken == len({event["id"] for event in events})
    assert all(event["type"] == "plomba.record.1" and event["specversion"] == "1.0" for event in events)
