"""A desk in a process of its own, as tests start, ask and end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
from desk_records import Scanner

NOW = int(time.time())
"""Of the tests' certificates and records, s since 1970: a real desk checks dates by its own clock."""
BATCH = "application/cloudevents-batch+json"

# Windows has no SIGTERM that a process could catch; a console break reaches a process group.
_END = signal.CTRL_BREAK_EVENT if os.name == "nt" else signal.SIGTERM
_OWN_GROUP = subprocess.CREATE_NEW_PROCESS_GROUP if os.name == "nt" else 0

_SERVE = """
import sys
from pathlib import Path
from plomba.desk.server import serve
from plomba.cli import complain
serve(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), lambda url: print(url, flush=True),
      database=sys.argv[5] if len(sys.argv) > 5 else None, failing=complain)
"""


class DeskProcess:
    """A desk in a process of its own, and a client on it."""

    def __init__(
        self, data: Path, org: Path, host: str = "127.0.0.1", port: int = 0, before: str = "", database: str = ""
    ) -> None:
        """`before`: Python that runs in the process before the desk does."""
        place = [database] if database else []
        self.process = subprocess.Popen(
            [sys.executable, "-c", before + _SERVE, str(data), str(org), host, str(port), *place],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            creationflags=_OWN_GROUP,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            _, errors = self.process.communicate(timeout=20)
            raise RuntimeError(errors)
        self.http = httpx2.Client(base_url=self.url, timeout=20, trust_env=False)

    def post(self, *events: object) -> list[dict[str, Any]]:
        answer = self.http.post("/api/v1/events", json=list(events), headers={"content-type": BATCH})
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    def enrol(self, scanner: Scanner) -> None:
        answer = self.http.post("/api/v1/terminals", json=scanner.enrolment)
        assert answer.status_code == 200, answer.text

    def orders(self, csv: str) -> None:
        answer = self.http.post("/api/v1/orders", content=csv.encode(), headers={"content-type": "text/csv"})
        assert answer.status_code == 200, answer.text

    def order(self, id: str) -> dict[str, Any]:
        answer = self.http.get(f"/api/v1/orders/{id}")
        assert answer.status_code == 200, answer.text
        order: dict[str, Any] = answer.json()
        return order

    def stop(self) -> int:
        """Asks it to end. Returns the exit status."""
        self.process.send_signal(_END)
        return self.ended()

    def ended(self) -> int:
        self.http.close()
        _, self.errors = self.process.communicate(timeout=20)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.ended()


def statuses(results: list[dict[str, Any]]) -> list[str]:
    """`accepted`, `duplicate`, or the code of the refusal."""
    return [result.get("code", result["status"]) for result in results]
