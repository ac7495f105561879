"""One scan trace under the three generations of the jewellery rule gives three fixed lists, by the firmware itself."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pack_texts import FOLDER, changed

from plomba.cli import main
from plomba.desk import rules
from plomba.errors import PlombaError
from plomba.testing import trace as traces
from plomba.testing.replay import Answer, play

TRACE = Path(__file__).with_name("jewellery.toml")
BEGIN = ["OK+NEW_RULE", "OK", "OK"]
INSPECTED = ["NEED_RESULT", "NEED_PHOTO", "OK", "NEED_SEAL", "SEAL_OK", "OK"]
END = ["OK", "CONFIRM", "OK"]
VERDICTS = {
    # In a hurry; inspects; waits and refuses; any other order.
    1: [
        *BEGIN,
        *["CONFIRM", "OK", "NO_VISIT", "NO_VISIT", ""],
        *["CONFIRM", "NEED_RESULT", "OK", "NOTED", "OK", "NO_VISIT", ""],
        *["CONFIRM", "", "", "CONFIRM"],
        *END,
    ],
    2: [
        *BEGIN,
        *["CONFIRM", "OK", "NO_VISIT", "NO_VISIT", ""],
        *["CONFIRM", *INSPECTED],
        *["CONFIRM", "", "", "CONFIRM"],
        *END,
    ],
    3: [
        *BEGIN,
        *["NEED_SEAL", "NEED_SEAL", "WRONG_SEAL", "SEAL_OK", "OK"],
        *["NEED_SEAL", *INSPECTED],
        *["NEED_SEAL", "LEFT_UNSCANNED", "", "NEED_SEAL"],
        *END,
    ],
}


def played(trace: str | Path, pack: rules.RulePack, folder: Path) -> list[Answer]:
    if isinstance(trace, str):
        path = folder / "trace.toml"
        path.write_text(trace, encoding="utf-8")
        trace = path
    return asyncio.run(play(traces.load(trace), pack, folder))


def verdicts(answers: list[Answer]) -> list[str]:
    return ["+".join(answer.verdicts) for answer in answers]


@pytest.mark.parametrize("generation", [1, 2, 3])
def test_three_generations_three_lists_of_verdicts(tmp_path: Path, generation: int) -> None:
    pack = rules.load(FOLDER / f"jewellery-{generation}.toml")
    answers = played(TRACE, pack, tmp_path)
    assert verdicts(answers) == VERDICTS[generation]
    events = [event for answer in answers for event in answer.events]
    assert {event.raw.head.rules for event in events} == {100 + generation}, "each record names its pack"
    assert [event.order for event in events if event.state_after == "DELIVERED"] == ["RING-1", "RING-2", "BOOK-1"]


def test_the_lists_are_three() -> None:
    assert len({tuple(each) for each in VERDICTS.values()}) == 3


BADGE = '[[do]]\ncard = "BADGE*42"\n'


def dated(news: str) -> rules.RulePack:
    told = f'[news]\nru = "{news}"\nuk = "{news}"\nen = "{news}"\n\n[shift]'
    return rules.compile_pack(
        changed(("number = 1", "number = 5\nvalid_from = 2030-12-01T09:00:00Z"), ("[shift]", told)), "pack.toml"
    )


def test_a_pack_is_in_force_from_its_date_on(tmp_path: Path) -> None:
    """It came ten minutes early: until its date there are no rules, from then on nobody scans who has not read it."""
    trace = f"""at = 2030-12-01T08:50:00Z
{BADGE}
[[do]]
wait_s = 600
{BADGE}
[[do]]
card = "HANDOUT"
[[do]]
key = "ok"
[[do]]
card = "HANDOUT"
"""
    answers = played(trace, dated("New"), tmp_path)
    assert verdicts(answers) == ["NO_RULES", "", "OK+NEW_RULE", "NEW_RULE", "OK", "OK"]
    moment = datetime(2030, 12, 1, 9, tzinfo=UTC).timestamp()
    heads = [[event.raw.head for event in answer.events] for answer in answers]
    assert heads[0][0].t_utc < moment <= heads[2][0].t_utc


def test_without_a_time_of_its_own_a_trace_begins_when_its_pack_takes_force(tmp_path: Path) -> None:
    (answer,) = played(BADGE, dated("New"), tmp_path)
    assert verdicts([answer]) == ["OK+NEW_RULE"]
    assert 0 <= answer.events[0].raw.head.t_utc - datetime(2030, 12, 1, 9, tzinfo=UTC).timestamp() < 60


def test_what_cannot_be_read_is_played_too(tmp_path: Path) -> None:
    trace = f"""
[[order]]
id = "R-1"
class = "sealed"
state = "READY"
seals = ["S-1"]
{BADGE}
[[do]]
card = "HANDOUT"
[[do]]
scan = "R-1"
[[do]]
unread = 3
[[do]]
card = "HOLD"
[[do]]
scan = "R-1"
"""
    assert verdicts(played(trace, rules.load(), tmp_path)) == ["OK", "OK", "NEED_SEAL", "UNREADABLE", "OK", "HELD"]


def test_the_command_prints_the_same_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "trace.toml"
    trace.write_text(
        '[[order]]\nid = "R-1"\nclass = "sealed"\nstate = "READY"\nseals = ["S-1"]\n'
        f'{BADGE}[[do]]\nkey = "ok"\n[[do]]\ncard = "HANDOUT"\nexpect = "OK"\n'
        '[[do]]\nscan = "R-1"\nexpect = {101 = "CONFIRM", 103 = "NEED_SEAL"}\n'
        '[[do]]\nscan = "\\u001dX"\n',
        encoding="utf-8",
    )
    packs = [str(FOLDER / f"jewellery-{number}.toml") for number in (1, 3)]

    def run(*more: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["rules", "replay", str(trace), "--rules", *packs, *more])
        return int(ended.value.code or 0), capsys.readouterr().out

    for none in ((), ("--empty-rules",), ("--rules",)):
        with pytest.raises(SystemExit) as ended:
            main(["rules", "replay", str(trace), *none])
        assert ended.value.code not in (0, None), none
    assert "[replay_rules_none]" in capsys.readouterr().err
    status, out = run()
    assert status == 0 and (status, out) == run()
    assert out.count("R-1") == 2 and "≠ CONFIRM" in out and "\\x1dX" in out and out.isascii() is False
    status, out = run("--json")
    said = json.loads(out)
    assert (status, said["differ"], [pack["number"] for pack in said["packs"]]) == (0, [4], [101, 103])
    assert said["packs"][1]["steps"][3]["records"][0]["headline"]["en"] == "SCAN THE SEAL"
    trace.write_text(
        trace.read_text(encoding="utf-8").replace('103 = "NEED_SEAL"', '103 = "CONFIRM"'), encoding="utf-8"
    )
    status, out = run("--json")
    assert status == 1
    assert [step["expected"] for step in json.loads(out)["packs"][1]["steps"]] == [True, True, True, False, True]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "rules_missing", 1),
        ("[[do]]\n", "trace_step", 1),
        ('[[do]]\nscan = "a"\nkey = "ok"\n', "trace_step", 1),
        ('[[do]]\nkey = "up"\n', "rules_value", 2),
        ("[[do]]\nwait_s = 0\n", "rules_value", 2),
        ('[[do]]\nscan = ""\n', "rules_value", 2),
        ('[[do]]\nscan = "a"\nsymbology = "QR"\n', "rules_value", 3),
        ('[[do]]\nscan = "a"\nexpect = "FINE"\n', "rules_name", 3),
        ('[[do]]\nscan = "a"\nexpect = {x = "OK"}\n', "rules_value", 3),
        ('[[do]]\nscan = "a"\nexpect = [1]\n', "rules_value", 3),
        ('[[do]]\nscan = "a"\nwait = 1\n', "rules_key", 3),
        ('at = 2030-12-01T08:50:00\n[[do]]\nscan = "a"\n', "rules_value", 1),
        ('[[order]]\nid = "A"\nclass = "soft"\n[[do]]\nscan = "a"\n', "trace_order", 3),
        (
            '[[order]]\nid = "A"\nclass = "plain"\n[[order]]\nid = "A"\nclass = "plain"\n[[do]]\nscan = "a"\n',
            "trace_order",
            5,
        ),
        ("[[do]\n", "rules_syntax", 1),
    ],
)
def test_a_trace_that_cannot_be_played_is_refused_with_its_line(
    tmp_path: Path, text: str, code: str, line: int
) -> None:
    path = tmp_path / "trace.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlombaError) as caught:
        traces.load(path)
    assert caught.value.code == code
    assert f"{path}:{line}:" in caught.value.what("en")
