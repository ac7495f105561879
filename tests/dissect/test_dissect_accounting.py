"""Every byte of a capture is in exactly one entry, whatever has become of the file."""

from __future__ import annotations

import itertools
import json
import re
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import OBJECTS, RECORDS, Recorded, dissected, shown

from plomba import capture
from plomba.dissect import Dissector, Entry
from plomba.dissect.entry import CUT_CHUNK, WHOLE
from plomba_wire import codec, framing

_CHUNK_HEAD = 13


def _file() -> bytes:
    made = Recorded().opened().keyed().syncing().records(1, *RECORDS)
    made.down(codec.Credit(4, 512, 0, bytes.fromhex("0000000100")), 3)
    made.down(codec.Receipt(bytes.fromhex(OBJECTS["good"][0]["bundle"])), 4)
    package = bytes.fromhex(OBJECTS["good"][-1]["bundle"] + OBJECTS["good"][-1]["content"])
    made.down(codec.ObjectOffer(4, 17, len(package), len(package) - 122, bytes(32)), 5)
    made.down(codec.ObjectData(0, package), 6).down(codec.ObjectCommit(4, 17), 7).down(codec.Bye(0), 0)
    with tempfile.TemporaryDirectory() as folder:
        return made.write(Path(folder) / "made.plcap").read_bytes()


FILE = _file()
_at = st.integers(len(capture.MAGIC), len(FILE))
_mutations = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), _at, st.integers(1, 255)),
        st.tuples(st.just("cut"), _at, st.integers(1, 400)),
        st.tuples(st.just("add"), _at, st.binary(max_size=40)),
        st.tuples(st.just("zero"), _at, st.integers(1, 40)),
        st.tuples(st.just("end"), _at, st.none()),
        st.tuples(st.just("long"), _at, st.integers(4000, 6000)),
    ),
    max_size=6,
)


def _mutated(mutations: list[tuple[str, int, object]]) -> bytes:
    raw = bytearray(FILE)
    for name, at, what in mutations:
        at = min(at, len(raw))
        if name == "flip" and at < len(raw):
            raw[at] ^= int(str(what))
        elif name == "cut":
            del raw[at : at + int(str(what))]
        elif name == "add":
            raw[at:at] = what  # type: ignore[call-overload]
        elif name == "zero":
            raw[at:at] = bytes(int(str(what)))
        elif name == "end":
            del raw[at:]
        elif name == "long":
            # A chunk of its own: what is in it is longer than a frame.
            raw[at:at] = bytes(8) + b"\0" + int(str(what)).to_bytes(4, "big") + b"\x55" * int(str(what))
    return bytes(raw)


def _read(path: Path) -> tuple[list[Entry], dict[str, object]]:
    reader = capture.Reader(path)
    dissector = Dissector()
    entries = [entry for chunk in reader for entry in dissector.feed(chunk)]
    entries += dissector.end(reader.left)
    return entries, dissector.summary()


@settings(max_examples=300, deadline=None)
@given(_mutations)
def test_sizes_add_up_to_the_file(mutations: list[tuple[str, int, object]]) -> None:
    raw = _mutated(mutations)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutated.plcap"
        path.write_bytes(raw)
        entries, summary = _read(path)
        chunks = capture.read(path)
    sizes = sum(entry.size for entry in entries)
    assert len(capture.MAGIC) + _CHUNK_HEAD * len(chunks) + sizes == len(raw)
    assert summary["bytes"] == sizes and summary["chunks"] == len(chunks)
    for direction in (0, 1, None):
        at = 0
        for entry in entries:
            if entry.direction == direction and entry.kind != CUT_CHUNK:
                assert entry.offset == at, "no gap and no overlap in a direction's bytes"
                at += entry.size
    text = shown(entries, summary)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    assert json.loads(json.dumps(summary)) == summary


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 400), st.binary(max_size=5)), min_size=1, max_size=4))
def test_sizes_add_up_when_what_is_wrong_lies_behind_a_good_crc(changes: list[tuple[int, int, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.plcap"
        path.write_bytes(FILE)
        chunks = capture.read(path)
    made = Recorded()
    for number, chunk in enumerate(chunks):
        plain = bytearray(framing.cobs_decode(chunk.data.strip(b"\0"))[:-4])
        for _, at, what in (change for change in changes if change[0] == number):
            plain[6 + at : 6 + at + len(what)] = what
        body = bytes(plain[6:])
        made.raw(chunk.direction, framing.encode(plain[0], plain[1], int.from_bytes(plain[2:4], "big"), 1, body))
    entries, summary = dissected(made)
    assert summary["damaged"] == 0 and {entry.crc for entry in entries} == {"ok"}
    assert summary["bytes"] == sum(entry.size for entry in entries) == sum(len(data) for _, data in made.chunks)


@settings(max_examples=200, deadline=None)
@given(_mutations)
def test_frames_are_those_that_a_receiver_takes(mutations: list[tuple[str, int, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutated.plcap"
        path.write_bytes(_mutated(mutations))
        entries, summary = _read(path)
        chunks = capture.read(path)
    bad = 0
    for direction in (capture.FROM_DEVICE, capture.TO_DEVICE):
        deframer = framing.Deframer()
        data = [chunk.data for chunk in chunks if chunk.direction == direction]
        frames = [frame for piece in data for frame in deframer.feed(piece)]
        mine = [entry for entry in entries if entry.direction == direction and entry.kind in WHOLE]
        assert [(f.type, f.flags, f.session, f.tag, f.size) for f in frames] == [
            (e.type, e.flags, e.session, e.tag, e.size) for e in mine
        ]
        bad += deframer.bad
    assert summary["damaged"] == bad


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 300), max_size=60))
def test_how_the_bytes_are_cut_into_chunks_changes_no_frame(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.plcap"
        path.write_bytes(FILE)
        chunks = capture.read(path)
    whole = {direction: b"".join(c.data for c in chunks if c.direction == direction) for direction in (0, 1)}

    def frames(pieces: list[bytes]) -> list[dict[str, object]]:
        dissector = Dissector()
        found = []
        for piece in pieces:
            found += [entry for entry in dissector.feed(capture.Chunk(0, 1, piece)) if entry.kind != "zeros"]
        found += dissector.end()
        return [{**entry.as_json(), "number": 0} for entry in found]

    cuts = [0]
    for size in sizes:
        cuts.append(min(len(whole[1]), cuts[-1] + size))
    cuts.append(len(whole[1]))
    assert frames([whole[1][a:b] for a, b in itertools.pairwise(cuts)]) == frames([whole[1]])
