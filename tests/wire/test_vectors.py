"""Both interpreters read the golden vectors of protocol/vectors and make the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from vector_calls import call, values

from plomba_wire import codec, framing
from plomba_wire.pull import split_records

Ask = Callable[[Iterable[str]], list[str]]
Vectors = Callable[[str], Any]


def test_every_layout_has_vectors(vectors: Vectors) -> None:
    layouts = vectors("layouts")
    assert set(layouts) == set(codec.__all__) - {"Malformed", "MESSAGES", "SCHEMA"}
    assert {name: content["type"] for name, content in layouts.items() if "type" in content} == {
        layout.__name__: type for type, layout in codec.MESSAGES.items()
    }
    assert all(len(content["good"]) == 3 for content in layouts.values())
    assert all(content["bad"] for content in layouts.values())


def test_trap_22_layouts(ask: Ask, vectors: Vectors) -> None:
    calls, expected = [], []
    for layout, content in vectors("layouts").items():
        for case in content["good"]:
            fields = " ".join(values(layout, case["fields"]))
            calls += [f"pack {layout} {fields}", f"unpack {layout} x{case['bytes']}"]
            expected += [f"x{case['bytes']}", fields]
    assert ask(calls) == expected


def test_trap_22_bad_layouts(ask: Ask, vectors: Vectors) -> None:
    cases = [(layout, case) for layout, content in vectors("layouts").items() for case in content["bad"]]
    answers = ask(f"unpack {layout} x{case['bytes']}" for layout, case in cases)
    read = [f"{layout}: {case['reason']}" for (layout, case), got in zip(cases, answers, strict=True) if _read(got)]
    assert not read


def _read(answer: str) -> bool:
    return answer != "Malformed"


def test_trap_07_cobs(ask: Ask, vectors: Vectors) -> None:
    frames = vectors("frames")
    assert ask(call("cobs", case["plain"]) for case in frames["cobs"]) == [
        f"x{case['encoded']}00" for case in frames["cobs"]
    ]
    both = frames["cobs"] + frames["cobs_also_read"]
    assert ask(call("uncobs", case["encoded"]) for case in both) == [f"x{case['plain']}" for case in both]
    assert set(ask(call("uncobs", case["encoded"]) for case in frames["cobs_bad"])) == {"Malformed"}


@pytest.mark.parametrize("chunk", [1, 7, 1024])
def test_streams(ask: Ask, vectors: Vectors, chunk: int) -> None:
    streams = [case for case in vectors("frames")["streams"] if chunk > 7 or len(case["wire"]) < 4000]
    answers = ask(call("frames", *_cut(case["wire"], chunk)) for case in streams)
    expected = []
    for case in streams:
        found = [values_of_frame(frame) for frame in case["frames"]]
        expected.append((case["name"], " ".join([str(case["bad"]), *found])))
    assert list(zip([case["name"] for case in streams], map(_without_sizes, answers), strict=True)) == expected


def values_of_frame(frame: dict[str, Any]) -> str:
    return f"{frame['type']} {frame['flags']} {frame['session']} {frame['tag']} x{frame['body']}"


def _cut(wire: str, chunk: int) -> list[str]:
    return [wire[at : at + 2 * chunk] for at in range(0, len(wire), 2 * chunk)]


def _without_sizes(answer: str) -> str:
    """The count of bad frames, and each frame without its last word."""
    words = answer.split()
    return " ".join(word for at, word in enumerate(words) if at == 0 or at % 6)


def test_frames_are_made_as_the_vectors_have_them(ask: Ask, vectors: Vectors) -> None:
    """In every stream without damage or extra delimiters the frames are what encode makes."""
    streams = [case for case in vectors("frames")["streams"] if not case["bad"] and case["frames"]]
    streams = [
        case for case in streams if case["name"] not in ("delimiters between frames", "a frame that has not ended")
    ]
    calls = [f"encode {values_of_frame(frame)}" for case in streams for frame in case["frames"]]
    made = iter(ask(calls))
    for case in streams:
        assert "".join(next(made)[1:] for _ in case["frames"]) == case["wire"], case["name"]
    assert len(calls) >= 9


def test_record_bodies(ask: Ask, vectors: Vectors) -> None:
    good = vectors("records")["good"]
    heads = [" ".join(values("RecordHead", case["head"])) for case in good]
    parts = [" ".join(f"{type} x{value}" for type, value in case["parts"].items()) for case in good]
    assert ask(call("tlv_unpack", case["body"]) for case in good) == [part or "none" for part in parts]
    made = list(
        zip(ask(f"pack RecordHead {head}" for head in heads), ask(f"tlv_pack {part}" for part in parts), strict=True)
    )
    assert [head + part[1:] for head, part in made] == [f"x{case['body']}" for case in good]


def test_bad_record_bodies(ask: Ask, vectors: Vectors) -> None:
    bad = vectors("records")["bad"]
    answers = ask(call("tlv_unpack", case["body"]) for case in bad)
    assert [case["reason"] for case, got in zip(bad, answers, strict=True) if _read(got)] == []


def test_runs_of_records(vectors: Vectors) -> None:
    runs = vectors("records")["runs"]
    for case in runs["good"]:
        found = split_records(codec.Data(1, case["count"], bytes.fromhex(case["records"])))
        assert found is not None
        assert [{"body": body.hex(), "signature": signature.hex()} for body, signature in found] == case["found"]
    for case in runs["bad"]:
        assert split_records(codec.Data(1, case["count"], bytes.fromhex(case["records"]))) is None, case["reason"]


DIGESTS = {
    "key_id": ("public", "id"),
    "genesis": ("public", "epoch", "digest"),
    "step": ("previous", "body", "digest"),
    "object": ("unsigned", "digest"),
    "possession": ("nonce", "public", "epoch", "protection", "digest"),
    "head": ("nonce", "terminal", "epoch", "next_seq", "head", "digest"),
    "code_tag": ("salt", "kind", "code", "tag"),
    "order_ref": ("order", "ref"),
    "pin_proof": ("salt", "badge", "pin", "proof"),
    "challenge": ("terminal", "epoch", "seq", "order_ref", "challenge"),
    "answer": ("shared", "terminal", "order", "need", "challenge", "answer"),
}


@pytest.mark.parametrize("name", DIGESTS)
def test_digests(ask: Ask, vectors: Vectors, name: str) -> None:
    *inputs, output = DIGESTS[name]
    cases = vectors("digests")[name]
    assert vectors("digests").keys() == DIGESTS.keys() and cases
    answers = ask(call(name, *(case[key] for key in inputs)) for case in cases)
    assert answers == [f"x{case[output]}" if isinstance(case[output], str) else str(case[output]) for case in cases]


def test_errors(ask: Ask, vectors: Vectors) -> None:
    """Every case in a session of its own; before and after it the session is alive."""
    errors = vectors("errors")
    cases = [(kind, case) for kind in ("answered", "refused", "silent") for case in errors[kind]]
    calls = []
    for _, case in cases:
        calls += ["terminal_end 2000 0 200"]
        calls += [f"heard x{wire}" for wire in (errors["hello"], errors["alive"], case["wire"], errors["alive"])]
    answers = ask(calls)
    for number, (kind, case) in enumerate(cases):
        _, opened, before, said, after = answers[5 * number : 5 * number + 5]
        assert opened != "x" and before == after != "x", case["name"]
        if kind == "silent":
            assert said == "x", case["name"]
            continue
        [frame] = framing.Deframer().feed(bytes.fromhex(said[1:]))
        error = codec.Error.unpack(frame.body)
        assert {name: getattr(error, name) for name in codec.Error.FIELDS} == case["error"], case["name"]
        assert (frame.type, frame.session, frame.tag) == (codec.Error.TYPE, case["session"], case["tag"]), case["name"]
