"""`plomba desk`: the order desk as a process, and its order files."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from plomba.errors import UsageError


def serve(
    *,
    data: Path,
    org: Path,
    host: str = "127.0.0.1",
    port: int = 8080,
    rules: Annotated[Path | None, Parameter(help="The rule pack (docs/rules.md); else DATA/rules.toml.")] = None,
    staff: Annotated[Path | None, Parameter(help="The staff list (docs/staff.md); else DATA/staff.toml.")] = None,
    lan: Annotated[
        bool, Parameter(negative="", help="Give a staff list to whoever reaches a --host beyond this machine.")
    ] = False,
) -> int:
    """Run the order desk until it is stopped. Prints its address as one JSON line; port 0 takes a free one.

    Example: plomba desk serve --data desk --org org --rules rules.toml
    """
    from plomba.desk.server import serve as run

    def ready(url: str) -> None:
        print(json.dumps({"desk": url}), flush=True)

    run(data, org, host, port, ready, rules=rules, staff=staff, lan=lan)
    return 0


def import_(file: Path, *, desk: str) -> int:
    """Import an order file, CSV or JSON (docs/orders.md): all of it, or nothing.

    Example: plomba desk import orders.csv --desk http://127.0.0.1:8080
    """
    from plomba.forward import Desk

    try:
        text = file.read_bytes()
    except OSError as error:
        raise UsageError("file_missing", path=file) from error
    content_type = "application/json" if file.suffix.lower() == ".json" else "text/csv"

    async def run() -> int:
        async with Desk(desk) as client:
            return await client.import_orders(text, content_type)

    print(json.dumps({"imported": asyncio.run(run())}))
    return 0


def openapi(*, out: Path | None = None) -> int:
    """Write the OpenAPI document of the desk's API (docs/api.md) to OUT, else to the screen.

    Example: plomba desk openapi --out docs/openapi.json
    """
    from plomba.desk.api.app import document

    if out is None:
        print(document(), end="")
    else:
        out.write_text(document(), encoding="utf-8", newline="\n")
    return 0
