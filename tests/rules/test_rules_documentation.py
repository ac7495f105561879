"""docs/rules.md says what the data says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from plomba.desk.rules.required import required, states
from plomba.desk.words import names
from plomba.errors import codes
from plomba.testing import trace

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")


def test_the_table_of_what_is_required_is_whole_and_in_order() -> None:
    assert re.findall(r"^\| `(rules_\w+)` \|", PAGE, re.MULTILINE) == [wanted.error for wanted in required()]


def test_every_code_it_names_exists() -> None:
    named = set(re.findall(r"`((?:desk_)?rules_[a-z_]+)`", PAGE))
    assert named <= set(codes()) and len(named) > 12


def test_the_ends_are_those_of_the_data() -> None:
    listed = re.search(r"leads out of an end \(([^)]*)\)", PAGE)
    assert listed is not None
    assert set(listed[1].replace("\n", " ").split(", ")) == {names("state")[code] for code in states("ends")}


def test_its_trace_is_one(tmp_path: Path) -> None:
    block = re.search(r"```toml\n(at = .*?)```", PAGE, re.DOTALL)
    assert block is not None
    path = tmp_path / "trace.toml"
    path.write_text(block[1], encoding="utf-8")
    read = trace.load(path)
    assert [do.kind for do in read.steps] == ["card", "scan", "key", "wait_s", "unread"]
    assert read.at == tomllib.loads(block[1])["at"].timestamp()
    assert read.steps[1].expected(103) == ("NEED_SEAL",) and read.steps[1].expected(7) is None
