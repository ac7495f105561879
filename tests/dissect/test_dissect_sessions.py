"""The two ends as one talk: what belongs to no session, what is said twice, what nobody asked for, what is missing."""

from __future__ import annotations

import struct

from recorded import DIGESTS, EPOCH, RECORDS, SESSION, Recorded, dissected, notes

from plomba_wire import codec

PING, PONG = codec.Ping(bytes(8)), codec.Pong(bytes(8), 4)


def last(made: Recorded) -> set[str]:
    return notes(dissected(made)[0][-1])


def test_a_talk_without_anything_wrong_has_no_notes() -> None:
    made = Recorded().opened().keyed().syncing().records(1, *RECORDS)
    made.down(codec.Credit(4, 512, 0, b""), 3).up(codec.SyncEnd(4, DIGESTS[3]), 2).down(codec.Bye(0))
    entries, summary = dissected(made)
    assert summary["notes"] == {} and summary["unanswered"] == []
    assert [entry.answers.number for entry in entries if entry.answers] == [2, 4, 6]
    assert [entry.answers.us for entry in entries if entry.answers] == [1000, 1000, 1000]
    assert summary["sessions"] == [
        {
            "session": SESSION,
            "terminal": "01b991b18d5d5438",
            "began_us": 0,
            "ended_us": 9000,
            "ended": "Bye",
        }
    ]


def test_a_frame_of_no_session_and_of_one_that_is_over() -> None:
    assert last(Recorded().down(PING, 1)) == {"no_session"}
    assert last(Recorded().opened().up(PONG, 1, session=99)) == {"no_session"}
    assert last(Recorded().opened().down(codec.Bye(0)).up(PONG, 1)) == {"stale"}
    again = Recorded().opened().opened(session=8, nonce=b"another!")
    assert last(again.up(PONG, 1)) == {"stale"}
    assert last(again.up(codec.Announce(3), session=8)) == set()
    _, summary = dissected(again)
    assert summary["stale"] == 1 and [session["ended"] for session in summary["sessions"]] == ["Hello", None]


def test_a_hello_with_the_same_nonce_is_said_again_and_opens_no_other_session() -> None:
    _, summary = dissected(Recorded().opened().opened())
    assert summary["repeated"] == 2 and len(summary["sessions"]) == 1


def test_the_answer_to_a_hello_that_is_over() -> None:
    made = Recorded().opened()
    late = made.chunks[-1]
    made.opened(session=8, nonce=b"another!").chunks.append(late)
    assert "stale" in last(made)


def test_a_hello_that_is_refused_belongs_to_no_session() -> None:
    made = Recorded().opened()
    del made.chunks[1]
    assert last(made.up(codec.Error(0x01, 0x01, 1, 0), session=0)) == set()


def test_a_request_said_again_and_answered_again() -> None:
    made = Recorded().opened().down(PING, 1).up(PONG, 1).down(PING, 1).up(PONG, 1)
    entries, summary = dissected(made)
    assert [notes(entry) for entry in entries[-4:]] == [set(), set(), {"repeated"}, {"repeated"}]
    assert summary["repeated"] == 2
    assert last(Recorded().opened().down(PING, 1).down(codec.Status(bytes(16)), 1)) == set(), "a tag of two requests"


def test_answers_that_nobody_asked_for() -> None:
    assert last(Recorded().opened().up(PONG, 5)) == {"unasked"}
    assert last(Recorded().opened().down(codec.Status(bytes(16)), 5).up(PONG, 5)) == {"unasked"}
    assert last(Recorded().opened().records(1, RECORDS[0])) == {"unasked"}
    assert last(Recorded().opened().down(codec.ObjectData(0, b"x"), 5)) == {"unasked"}
    assert last(Recorded().opened().down(PING, 5).up(codec.Error(6, 2, 0, 100), 5)) == set()


def test_requests_without_an_answer_are_named() -> None:
    _, summary = dissected(Recorded().opened().down(PING, 5).down(codec.Bye(0)))
    assert summary["unanswered"] == [{"number": 4, "type": "Ping"}]


def test_an_echo() -> None:
    assert last(Recorded().opened().up(PING, 5)) == {"echo"}
    assert last(Recorded().opened().down(PONG, 5)) == {"echo"}


def test_errors_are_counted_by_name() -> None:
    made = Recorded().opened().down(PING, 5).up(codec.Error(0x06, 2, 0, 100), 5)
    made.down(PING, 6).up(codec.Error(0x06, 2, 0, 100), 6).down(PING, 7).up(codec.Error(0x3F, 2, 0, 0), 7)
    assert dissected(made)[1]["errors"] == {"BUSY": 2, "INTERNAL": 1}


def test_records_that_come_again_and_gaps() -> None:
    made = Recorded().opened().syncing().records(1, RECORDS[0]).records(3, RECORDS[2])
    assert last(made) == {"gap"}
    made.down(codec.Credit(2, 512, 0, struct.pack(">IB", 2, 1)), 4)
    assert last(made) == {"again"}
    assert last(made.records(2, RECORDS[1], flags=1)) == set()
    assert last(made.down(codec.Credit(1, 512, 1, b""), 5)) == {"rewind"}
    assert last(made.records(1, *RECORDS, flags=1)) == {"retransmitted"}
    _, summary = dissected(made)
    size = sum(len(body) + 66 for body, _ in RECORDS)
    assert summary["records"] == [
        {
            "terminal": "01b991b18d5d5438",
            "epoch": EPOCH,
            "first": 1,
            "last": 3,
            "count": 3,
            "bytes": size,
            "retransmitted": 3,
        }
    ]
    assert summary["record_bytes"] == size, "each counted once"
    assert summary["efficiency"] == round(size / summary["line_bytes"], 4)


def test_a_record_that_was_another_one_before_and_one_in_a_wrong_place() -> None:
    body = bytearray(RECORDS[0][0])
    body[5] ^= 1
    made = Recorded().opened().syncing().records(1, RECORDS[0]).records(1, (bytes(body), RECORDS[0][1]))
    assert last(made) == {"fork", "retransmitted"}
    assert last(Recorded().opened().syncing().records(1, RECORDS[1])) == {"out_of_order"}


def test_what_a_receiver_drops_moves_nothing() -> None:
    made = Recorded().opened().opened(session=8, nonce=b"another!")
    made.down(codec.SyncOpen(EPOCH, 1, DIGESTS[0], 512), 2, session=8).up(codec.SyncOpenOk(1, 4), 2, session=8)
    made.records(1, *RECORDS[:2])
    entries, _ = dissected(made.records(3, RECORDS[2], session=8))
    assert [notes(entry) for entry in entries[-2:]] == [{"stale"}, {"gap"}]
    assert entries[-1].notes[0].detail == "records 1..2 are missing before it"
    made = Recorded().opened().down(codec.ObjectOffer(5, 3, 8, 8, bytes(32)), 1).down(codec.Bye(0))
    entries, _ = dissected(made.down(codec.ObjectData(0, bytes(8)), 2))
    assert notes(entries[-1]) == {"stale"} and "package" not in entries[-1].fields


def test_an_echo_of_records_is_none() -> None:
    made = Recorded().opened().syncing().records(1, *RECORDS)
    made.raw(1, made.chunks.pop()[1])
    entries, summary = dissected(made)
    assert notes(entries[-1]) == {"echo"} and summary["records"] == [] and entries[-1].signatures == []


def test_a_head_that_is_another_one_than_the_records_make() -> None:
    made = Recorded().opened().keyed().syncing().records(1, *RECORDS)
    assert last(made.up(codec.SyncEnd(4, DIGESTS[3]), 2)) == set()
    assert last(made.up(codec.SyncEnd(4, DIGESTS[2]), 2)) == {"head_differs"}
    assert last(made.down(codec.SyncOpen(EPOCH, 3, bytes(32), 512), 9)) == {"head_differs"}


def test_one_line_of_the_two_is_not_blamed_for_the_other() -> None:
    """A passive ear hears the terminal only."""
    both = Recorded().opened().keyed().syncing().records(1, *RECORDS).up(codec.SyncEnd(4, DIGESTS[3]), 2)
    ear = Recorded()
    ear.chunks = [chunk for chunk in both.chunks if chunk[0] == 0]
    entries, summary = dissected(ear)
    assert summary["notes"] == {} and len(summary["sessions"]) == 1
    assert summary["signatures"]["ok"] == 3, "genesis follows from the key that was told"
    assert notes(dissected(ear.records(9, RECORDS[0]))[0][-1]) == {"gap", "retransmitted", "out_of_order"}
    assert entries[0].name == "HelloOk"


def test_bytes_that_a_terminal_has_already() -> None:
    offer = codec.ObjectOffer(5, 3, 300, 300, bytes(32))
    made = Recorded().opened().down(offer, 1).down(codec.ObjectData(200, bytes(100)), 2)
    assert last(made.down(codec.ObjectData(200, bytes(100)), 3)) == {"retransmitted"}
    assert last(made.down(codec.ObjectData(250, bytes(100)), 4)) == {"out_of_range"}
    assert last(made.down(codec.ObjectCommit(5, 3), 5)) == {"incomplete"}
    assert last(made.down(codec.ObjectCommit(5, 4), 6)) == {"unasked"}


def test_counts_of_frames_and_bytes() -> None:
    made = Recorded().opened().down(PING, 1).up(PONG, 1).down(PING, 2)
    _, summary = dissected(made)
    size = len(made.chunks[2][1])
    assert summary["directions"]["to_terminal"]["types"]["Ping"] == {"frames": 2, "bytes": 2 * size}
    assert summary["directions"]["from_terminal"]["frames"] == 2 and summary["span_us"] == 4000
    assert summary["line_bytes"] == sum(len(data) for _, data in made.chunks)
