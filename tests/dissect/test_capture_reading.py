"""Captures are read a chunk at a time, and a message that does not fit does not hide those that do."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import RECORDS, Recorded, wire

from plomba import capture
from plomba.errors import UsageError
from plomba_wire import codec, framing


def test_a_message_that_does_not_fit_is_left_out(tmp_path: Path) -> None:
    made = Recorded().opened().raw(1, framing.encode(0x02, 0, 7, 1, b"short")).raw(9, b"astray")
    path = made.down(codec.Ping(bytes(8)), 2).write(tmp_path / "made.plcap")
    names = [type(message).__name__ for _, message in capture.messages(capture.read(path))]
    assert names == ["Hello", "HelloOk", "Ping"]


def test_a_reader_gives_what_is_left_of_a_cut_chunk(tmp_path: Path) -> None:
    path = Recorded().opened().records(1, *RECORDS).write(tmp_path / "made.plcap")
    raw = path.read_bytes()
    whole = capture.read(path)
    for cut in (1, 5, len(whole[-1].data), len(whole[-1].data) + 13):
        path.write_bytes(raw[:-cut])
        reader = capture.Reader(path)
        chunks = list(reader)
        assert chunks == whole[:-1]
        assert reader.left == raw[len(raw) - len(whole[-1].data) - 13 : len(raw) - cut]


def test_a_length_that_lies_asks_for_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "lying.plcap"
    path.write_bytes(capture.MAGIC + bytes(8) + b"\0" + b"\xff" * 4 + b"abc")
    reader = capture.Reader(path)
    assert list(reader) == [] and len(reader.left) == 16


def test_a_file_that_is_no_capture_is_said_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(wire(codec.Bye(0)))
    for path in (tmp_path / "x", tmp_path / "none", tmp_path):
        with pytest.raises(UsageError) as caught:
            list(capture.Reader(path))
        assert caught.value.code == "capture_unreadable"
