"""`plomba desk`: the order desk as a process, and its order files."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from plomba.cli.desk_token import TokenFile, desk_token
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
        bool,
        Parameter(
            negative="", help="Serve whoever reaches a --host beyond this machine: without accounts, with a staff list."
        ),
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


def import_(
    file: Path,
    *,
    desk: str,
    token_file: TokenFile = None,
    dry_run: Annotated[
        bool, Parameter(negative="", help="Check everything and list every mistake; take nothing.")
    ] = False,
) -> int:
    """Import an order file, CSV or JSON (docs/orders.md): all of it, or nothing. A dry run ends with 2 for a file that
    would be refused.

    Example: plomba desk import orders.csv --desk http://127.0.0.1:8080
    """
    from plomba.forward import Desk

    token = desk_token(token_file)
    try:
        text = file.read_bytes()
    except OSError as error:
        raise UsageError("file_missing", path=file) from error
    content_type = "application/json" if file.suffix.lower() == ".json" else "text/csv"

    async def run() -> int:
        async with Desk(desk, token) as client:
            return await client.import_orders(text, content_type)

    async def try_() -> dict[str, Any]:
        async with Desk(desk, token) as client:
            return await client.try_orders(text, content_type)

    if dry_run:
        told = asyncio.run(try_())
        print(json.dumps(told, ensure_ascii=False))
        return 2 if told["bad"] else 0

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
