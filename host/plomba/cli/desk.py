"""`plomba desk`: the order desk as a process, and its order files."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from plomba.cli.desk_token import TokenFile, desk_token
from plomba.errors import UsageError

Database = Annotated[
    str | None,
    Parameter(
        env_var="PLOMBA_DESK_DATABASE",
        help="postgresql://user@host/name: the book is there and not in DATA. A password goes into the environment.",
    ),
]


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
    name: Annotated[
        list[str] | None,
        Parameter(
            negative="",
            help="A name that a proxy on this machine passes on as Host; may be given again. Needs accounts.",
        ),
    ] = None,
    database: Database = None,
) -> int:
    """Run the order desk until it is stopped. Prints its address as one JSON line; port 0 takes a free one.

    Example: plomba desk serve --data desk --org org --rules rules.toml
    """
    from plomba.cli import complain
    from plomba.desk.server import serve as run

    def ready(url: str) -> None:
        print(json.dumps({"desk": url}), flush=True)

    names = name or ()
    run(
        data,
        org,
        host,
        port,
        ready,
        rules=rules,
        staff=staff,
        lan=lan,
        names=names,
        database=database,
        failing=complain,
    )
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


def lifecycle(
    file: Path | None = None,
    *,
    mermaid: Annotated[bool, Parameter(negative="", help="A diagram that GitHub draws, instead of the table.")] = False,
) -> int:
    """Print the lifecycle of an order: states, holders, ways on, deadlines (docs/lifecycle.md).

    FILE is another lifecycle than the one that ships with the desk.

    Example: plomba desk lifecycle --mermaid
    """
    from plomba.desk.lifecycle import load, parse
    from plomba.desk.mermaid import diagram, table

    if file is None:
        life = load()
    else:
        try:
            life = parse(file.read_text(encoding="utf-8"), str(file))
        except OSError as error:
            raise UsageError("file_missing", path=file) from error
        except UnicodeDecodeError as error:
            raise UsageError("desk_data_invalid", path=file, where=error) from error
    print(diagram(life) if mermaid else table(life))
    return 0


def calendar(
    file: Path,
    *,
    place: Annotated[int | None, Parameter(help="This place alone; else all that the file names.")] = None,
    since: Annotated[datetime | None, Parameter(help="From this moment on, else from now.")] = None,
    count: Annotated[int, Parameter(help="How many openings.")] = 7,
) -> int:
    """Check a calendar and print the next opening hours of its places, by their own clocks (docs/calendar.md).

    Exit status 2 when it must be corrected; every mistake is told.

    Example: plomba desk calendar calendar.toml --place 17
    """
    from plomba.cli import complain
    from plomba.desk.calendars import DEFAULT, Calendars

    calendars, mistakes = Calendars.read(file)
    for mistake in mistakes:
        complain(mistake)
    if mistakes:
        return mistakes[0].exit_status
    shown = {str(number): calendars.of(number) for number in calendars.own()}
    shown = {DEFAULT: calendars.default, **shown} if place is None else {str(place): calendars.of(place)}
    moment = int((since or datetime.now(UTC)).timestamp())
    for name, each in shown.items():
        print(f"{name}  {each.zone}")
        for opening in each.openings(moment, count):
            opens, closes = (datetime.fromtimestamp(end, each.zone) for end in opening)
            print(f"  {opens:%Y-%m-%d %H:%M} - {closes:%Y-%m-%d %H:%M}")
    return 0


def backup(out: Path, *, data: Path, database: Database = None) -> int:
    """Write the whole order book of a desk that does not run into one file.

    Example: plomba desk backup monday.zip --data desk
    """
    from plomba.desk.backup import back_up
    from plomba.desk.store import Store

    with closing(Store(data, database)) as store:
        print(json.dumps(back_up(store, out, int(datetime.now(UTC).timestamp()))))
    return 0


def restore(
    file: Path,
    *,
    data: Path,
    org: Annotated[
        Path | None, Parameter(help="Prove the terminals' certificates by this organisation's root.")
    ] = None,
    database: Database = None,
) -> int:
    """Put a backup into an empty order book, of either store: all of it, or nothing. Every record is proved.

    Example: plomba desk restore monday.zip --data desk --org org --database postgresql://desk@db/orders
    """
    from plomba.desk.backup import restore as put_back
    from plomba.desk.store import Store
    from plomba.trust.organisation import Organisation

    organisation = Organisation.load(org) if org is not None else None
    with closing(Store(data, database)) as store:
        print(json.dumps(put_back(file, store, organisation)))
    return 0
