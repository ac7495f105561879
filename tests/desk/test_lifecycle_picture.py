"""The lifecycle as it is drawn and told, against the file; `plomba desk lifecycle|calendar` as they are typed."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from plomba.cli import main
from plomba.desk import lifecycle
from plomba.desk.mermaid import diagram, table

FILE = resources.files("plomba.desk").joinpath("lifecycle.toml")
DATA = tomllib.loads(FILE.read_text(encoding="utf-8"))
LIFE = lifecycle.load()
DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "lifecycle.md").read_text(encoding="utf-8")
CROWD = 8


def written_ways() -> set[tuple[str, str, str]]:
    """(from, to, by what) of all that the file lets happen; of a gate the states it shuts are left out."""
    ways = set()
    ends = {name for name, state in DATA["state"].items() if state.get("end")}
    for move in DATA["move"]:
        targets = move.get("to", [])
        for to in targets if isinstance(targets, list) else [targets]:
            for origin in move.get("from", set(DATA["state"]) - ends):
                shut = [name for name, state in move.get("gate", {}).items() if state != origin]
                assert shut in ([], ["SEALED"])
                ways.add((origin, to, move["action"] + (" (plain)" if shut else "")))
    for decision in DATA["decision"]:
        ways |= {(origin, decision["to"], f"{decision['name']} (desk)") for origin in decision["from"]}
    return {(origin, to, by) for origin, to, by in ways if origin != to}


def test_every_way_is_drawn_or_counted() -> None:
    drawn = {
        (origin, to, by)
        for origin, to, all_by in re.findall(r"^    (\w+) --> (\w+) : (.+)$", diagram(LIFE), re.MULTILINE)
        for by in all_by.split("<br/>")
    }
    ways = written_ways()
    assert drawn <= ways
    boxes = dict(re.findall(r'^    state "([^"]*)" as (\w+)$', diagram(LIFE), re.MULTILINE))
    boxes = {name: told.split("<br/>") for told, name in boxes.items()}
    assert list(boxes) == list(DATA["state"])
    left = ways - drawn
    counted = set()
    for origin, to, by in left:
        sources = {way[0] for way in ways if way[1] == to}
        targets = {way[1] for way in ways if (way[0], way[2]) == (origin, by)}
        if len(sources) > CROWD:
            told = next(line for line in boxes[to] if line.startswith(f"from {len(sources)} states: "))
            assert by in told.partition(": ")[2].split(", ")
        else:
            assert len(targets) > CROWD
            assert f"{by} to {len(targets)} states" in boxes[origin]
        counted.add((origin, to, by))
    assert counted == left
    assert {to for _, to, by in left if by != "RELEASE"} == {"HELD", "CANCELLED"}


def test_a_sealed_order_is_not_drawn_as_leaving_without_its_seal() -> None:
    assert "    IDENTIFIED --> DELIVERED : HANDOUT (plain)\n" in diagram(LIFE)
    assert "    VERIFIED --> DELIVERED : HANDOUT\n" in diagram(LIFE)


def test_where_it_begins_and_ends() -> None:
    ends = re.findall(r"^    (\w+) --> \[\*\]$", diagram(LIFE), re.MULTILINE)
    assert ends == ["DELIVERED", "CALLED_OFF", "REFUNDED", "REJECTED", "LOST"]
    assert re.findall(r"^    \[\*\] --> (\w+)$", diagram(LIFE), re.MULTILINE) == ["NEW", "EXPIRED"]


def test_every_line_is_one_that_mermaid_knows() -> None:
    first, *lines = diagram(LIFE).splitlines()
    assert first == "stateDiagram-v2" and (diagram(LIFE) + table(LIFE)).isascii()
    known = re.compile(r'    (state "[^"#;]+" as \w+|(\[\*\]|\w+) --> (\[\*\]|\w+)( : [^"#;:]+)?)')
    assert [line for line in lines if not known.fullmatch(line)] == []


def test_the_table_has_every_way_and_every_deadline() -> None:
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table(LIFE).splitlines()]
    assert head == ["state", "holder", "import", "deadline", "incident", "left by"]
    assert [row[0] for row in rows] == list(DATA["state"])
    told = set()
    for state, holder, entry, _, incident, left_by in rows:
        written = DATA["state"][state]
        assert holder == written.get("holder", "-")
        assert entry == ("yes" if written.get("entry") else "-")
        kinds = [written[key]["incident"] for key in ("deadline", "sealed", "act") if key in written]
        assert incident == ("; ".join(kinds) or "-")
        for group in left_by.split("; ") if left_by != "-" else ():
            all_by, _, ends = group.partition(" -> ")
            told |= {(state, to, by) for to in ends.split(", ") for by in all_by.split(", ")}
    assert told == written_ways()
    deadlines = {row[0]: row[3] for row in rows}
    assert deadlines["ACCEPTED"] == "cutoff - 4h, else 8h open"
    assert deadlines["STAGED"] == "cutoff, else 12h open"
    assert deadlines["IDENTIFIED"] == "10m; sealed 10m"
    assert deadlines["FAILED"] == "closing"
    assert deadlines["WITH_COURIER"] == "start, else 1h"


def test_the_page_shows_what_the_command_prints() -> None:
    block = re.search(r"```mermaid\n(.*?)\n```", PAGE, re.DOTALL)
    assert block is not None and block[1] == diagram(LIFE)
    assert "\n\n" + table(LIFE) + "\n\n" in PAGE


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """(exit status, stdout, stderr) of `plomba desk …`."""
    monkeypatch.setenv("PLOMBA_LANG", "en")

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["desk", *arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def test_the_command_prints_the_table_and_the_diagram(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("lifecycle") == (0, table(LIFE) + "\n", "")
    own = tmp_path / "own.toml"
    own.write_text(FILE.read_text(encoding="utf-8").replace('within = "15m"', 'within = "16m"', 1), encoding="utf-8")
    status, out, _ = run("lifecycle", str(own), "--mermaid")
    assert status == 0 and "HANDOVER_OPEN 16m" in out


def test_a_lifecycle_that_is_not_one_is_told(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    own = tmp_path / "own.toml"
    own.write_text(FILE.read_text(encoding="utf-8").replace('"HANDOVER_OPEN"', '"handover"'), encoding="utf-8")
    status, out, err = run("lifecycle", str(own))
    assert (status, out) == (1, "") and "state.HANDING.deadline: incident" in err
    own.write_bytes(b"\xff")
    assert run("lifecycle", str(own))[0] == 1
    assert run("lifecycle", str(tmp_path / "none.toml"))[0] == 2


def example() -> str:
    block = re.search(r"```toml\n(.*?)```", (DOCS / "calendar.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return block[1]


def test_the_calendar_of_the_page_is_one(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "calendar.toml"
    path.write_text(example(), encoding="utf-8")
    status, out, err = run("calendar", str(path), "--since", "2026-12-31T00:00:00+03:00", "--count", "2")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "default  Europe/Moscow",
        "  2026-12-31 09:00 - 2026-12-31 21:00",
        "  2027-01-01 09:00 - 2027-01-01 21:00",
        "17  Europe/Moscow",
        "  2026-12-31 09:00 - 2026-12-31 15:00",
        "  2027-01-02 10:00 - 2027-01-02 18:00",
        "18  Asia/Yekaterinburg",
        "  2026-12-31 02:00 - 2026-12-31 08:00",
        "  2026-12-31 20:00 - 2027-01-01 08:00",
    ]
    assert run("calendar", str(path), "--place", "17")[1].startswith("17  Europe/Moscow\n")
    assert run("calendar", str(path), "--place", "5")[1].startswith("5  Europe/Moscow\n")


def test_all_that_is_wrong_with_a_calendar_is_told(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "calendar.toml"
    path.write_text(example().replace("20:00-08:00", "20:00-8").replace("15:00", "15:00-"), encoding="utf-8")
    status, out, err = run("calendar", str(path))
    assert (status, out) == (2, "")
    assert "place.17" in err and "place.18" in err and err.count("[calendar_invalid]") == 2
