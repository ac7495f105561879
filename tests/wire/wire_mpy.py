"""The protocol as a line server: one call a line on stdin, one answer a line on stdout.

A call is a name and its arguments. Bytes are in hexadecimal behind an `x`, numbers are decimal. The same file runs
under MicroPython and, imported, under CPython.
"""

import gc
import sys

# In this order, with a collection in between: compiling leaves crumbs, and the heap is a board's.
from plomba_wire import codec

gc.collect()
from memory_service import MemoryService  # noqa: E402

from plomba_wire import answering, base45, chain, framing, pin_proof, tlv  # noqa: E402
from plomba_wire.terminal_end import Refusal, TerminalEnd  # noqa: E402

gc.collect()

_state = {}


def value(text):
    return bytes.fromhex(text[1:]) if text[:1] == "x" else int(text)


def text(found):
    return "x" + bytes(found).hex() if isinstance(found, (bytes, bytearray)) else str(found)


def pack(name, *fields):
    return getattr(codec, name)(*fields).pack()


def unpack(name, data):
    """The fields, and what pack makes of them again."""
    layout = getattr(codec, name)
    message = layout.unpack(data)
    try:
        again = message.pack()
    except codec.Malformed:
        again = b""
    assert again == data
    return " ".join([text(getattr(message, field)) for field in layout.FIELDS])


def frames(*chunks):
    """The number of bad frames, then each frame with its size."""
    deframer = framing.Deframer()
    out = []
    for chunk in chunks:
        for frame in deframer.feed(chunk):
            fields = (frame.type, frame.flags, frame.session, frame.tag, frame.body, frame.size)
            out.append(" ".join([text(field) for field in fields]))
    return " ".join([str(deframer.bad)] + out)


def flood(length, chunk, byte):
    """`length` bytes without a delimiter in chunks, then a frame: what was bad, frames, growth of the heap."""
    deframer = framing.Deframer()
    piece = bytes([byte]) * chunk
    gc.collect()
    before = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
    most = before
    found = 0
    for at in range(0, length, chunk):
        found += len(deframer.feed(piece))
        if at % (chunk * 64) == 0 and before:
            gc.collect()
            most = max(most, gc.mem_alloc())
    found += len(deframer.feed(b"\0" + framing.encode(2, 0, 1, 1, b"12345678")))
    return f"{deframer.bad} {found} {most - before}"


def tlv_pack(*parts):
    return tlv.pack({parts[at]: parts[at + 1] for at in range(0, len(parts), 2)})


def tlv_unpack(body):
    """Parts behind a record's head."""
    codec.RecordHead.read(body, 0)
    parts = tlv.unpack(body, codec.RecordHead.SIZE)
    return " ".join([f"{type} {text(parts[type])}" for type in sorted(parts)]) or "none"


def fits(public, digest, signature):
    from terminal.objects import signed

    return int(signed.fits(public, digest, signature))


def sign(d, digest):
    from terminal.keys import p256

    return p256.sign(int.from_bytes(d, "big"), digest)


def answer_of(shared, terminal, order, need, challenge):
    from terminal.keys.nonce import hmac_sha256

    message = answering.answer_message(terminal, order, need, challenge)
    return answering.digits(hmac_sha256(answering.answer_key(shared), message))


class Signer:
    """A signer (firmware/terminal/keys/signer.py) whose key is `d`; in a chip where that is 0."""

    def __init__(self, d):
        self.d = d

    def agree(self, public):
        from terminal.keys import p256

        return p256.agree(int.from_bytes(self.d, "big"), public) if self.d else None


def expected(d, *arguments):
    from terminal.keys import answers

    return answers.expected(Signer(d), *arguments)


def open_bundle(root, now, kind, bundle, layout):
    """Version of the object, then the fields that `layout` finds at the front of its body."""
    from terminal.objects import signed

    envelope, body = signed.open_bundle(bundle, kind, root, now)
    found = getattr(codec, layout)
    message = found.unpack(body if found.TAIL else body[: found.SIZE])
    fields = [text(getattr(message, field)) for field in message.FIELDS]
    return " ".join([str(envelope.version)] + fields)


def token(terminal, seq, head):
    from terminal.work import token

    return token.text(terminal, seq, head)


def peer_head(code):
    from terminal.work import token

    return token.peer_head(code)


def block_list(body):
    from terminal.objects import transfer

    found = transfer.block_list(body)
    return f"{found.size} {text(found.hashes)}"


def terminal_end(max_body, records, length):
    """A new terminal's end, over a service with that many records of that length."""
    _state["end"] = TerminalEnd(MemoryService(records, length), max_body)
    _state["now"] = 0
    return 0


def heard(data):
    """What the terminal's end says to these bytes, asked for it as the firmware's loop does."""
    end = _state["end"]
    _state["now"] += 100
    out = frame = end.receive(data, _state["now"]) or end.pump() or b""
    while frame:
        frame = end.pump() or b""
        out += frame
    return out


def split(*steps):
    """The packets of one sender: a number sets its MTU, bytes are a frame."""
    from plomba_wire import fragments

    fragmenter = fragments.Fragmenter()
    out = []
    for step in steps:
        if isinstance(step, int):
            fragmenter.mtu = step
        else:
            out += [text(packet) for packet in fragmenter.split(step)]
    return " ".join(out)


def join(*packets):
    """What was bad, missed and doubled, then each frame with its size. A number is a new connection."""
    from plomba_wire import fragments

    defragmenter = fragments.Defragmenter()
    out = []
    for packet in packets:
        if isinstance(packet, int):
            defragmenter.reset()
            continue
        frame = defragmenter.feed(packet)
        if frame is not None:
            fields = (frame.type, frame.flags, frame.session, frame.tag, frame.body, frame.size)
            out.append(" ".join([text(field) for field in fields]))
    return " ".join([str(defragmenter.bad), str(defragmenter.gaps), str(defragmenter.doubled)] + out)


def packet_flood(count, length):
    """`count` packets that never end a frame, then a good one: what was bad, frames, growth of the heap."""
    from plomba_wire import fragments

    defragmenter = fragments.Defragmenter()
    pieces = [bytes([counter]) + bytes(length - 1) for counter in range(64)]
    first = bytes([0x80]) + bytes(length - 1)
    gc.collect()
    before = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
    most = before
    found = 0
    for at in range(count):
        found += defragmenter.feed(pieces[at & 63] if at else first) is not None
        if at % 64 == 0 and before:
            gc.collect()
            most = max(most, gc.mem_alloc())
    last = bytes([0xC0 | count & 63]) + framing.frame_bytes(2, 0, 1, 1, b"12345678")
    found += defragmenter.feed(last) is not None
    return f"{defragmenter.bad} {found} {most - before}"


CALLS = {
    "pack": pack,
    "unpack": unpack,
    "frames": frames,
    "flood": flood,
    "encode": framing.encode,
    "base45": base45.encode,
    "unbase45": base45.decode,
    "cobs": framing.cobs_encode,
    "uncobs": framing.cobs_decode,
    "tlv_pack": tlv_pack,
    "tlv_unpack": tlv_unpack,
    "key_id": chain.key_id,
    "genesis": chain.genesis,
    "step": chain.step,
    "object": chain.object_digest,
    "possession": chain.possession_digest,
    "head": chain.head_digest,
    "code_tag": chain.code_tag,
    "order_ref": chain.order_ref,
    "pin_proof": pin_proof.pin_proof,
    "challenge": answering.challenge,
    "answer": answer_of,
    "expected": expected,
    "digits": answering.digits,
    "fits": fits,
    "sign": sign,
    "open": open_bundle,
    "block_list": block_list,
    "token": token,
    "peer_head": peer_head,
    "terminal_end": terminal_end,
    "heard": heard,
    "split": split,
    "join": join,
    "packet_flood": packet_flood,
}


def answer(line):
    """What a call returned, as text; `Malformed`, or `Refusal` and its code, when it raised that."""
    name, *arguments = line.split()
    try:
        return text(CALLS[name](*[word if word in codec.__all__ else value(word) for word in arguments]))
    except codec.Malformed:
        return "Malformed"
    except Refusal as refusal:
        return f"Refusal {refusal.code}"


if __name__ == "__main__":
    for call in sys.stdin:
        print(answer(call))
