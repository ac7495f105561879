"""The line that the bench reckons with: a fast UART behind a USB adapter that holds bytes back for its usual 16 ms."""

from __future__ import annotations

from collections import deque

from plomba.bench.station import Docked, Station
from plomba.capture import FROM_DEVICE
from plomba.sim.virtual_terminal import VirtualTerminal
from plomba_wire import codec, framing

BAUD = 921_600
RTT_S = 0.016

Heard = tuple[int, bytes, float]
"""Direction, bytes, and when the line was done with them, in the order of the terminal's end: see sim.relay.Relay."""


def seconds(wire: int, round_trips: float) -> float:
    """Time of a transfer by the formula that holds for every protocol here: bytes both ways, and waits."""
    return wire * 10 / BAUD + round_trips * RTT_S


async def paced(
    station: Station, terminal: VirtualTerminal, *, baud: int = BAUD, rtt: float = RTT_S
) -> tuple[Docked, int, int]:
    """A docking in real time over a line with `rtt` seconds round trip; its round trips and stalls, see `stops`."""
    heard: list[Heard] = []
    relay = terminal.relay
    relay.watch = lambda *event: heard.append(event)
    for way in (relay.up, relay.down):
        way.baud, way.latency = baud, rtt / 2
    try:
        docked = await station.dock(terminal)
    finally:
        relay.watch = None
        for way in (relay.up, relay.down):
            way.baud, way.latency = None, 0.0
    return docked, *stops(heard, rtt)


def stops(heard: list[Heard], rtt: float) -> tuple[int, int]:
    """How often the window was too full for the next Data and the line had run dry when a Credit came, as round trips
    and stalls. It is a stall when a dock that took no time between the Data and its Credit would have kept the line
    busy: then it was the disk that was waited for."""
    up, down = framing.Deframer(), framing.Deframer()
    said: list[tuple[codec.Data | codec.Credit | codec.SyncOpen, int, float]] = []
    for direction, data, at in heard:
        for frame in (up if direction == FROM_DEVICE else down).feed(data):
            message = codec.MESSAGES[frame.type].unpack(frame.body)
            if isinstance(message, codec.Data | codec.Credit | codec.SyncOpen):
                said.append((message, frame.size, at))
    window = round_trips = stalls = 0
    dry_at = 0.0
    carried: dict[int, float] = {}
    in_flight: deque[tuple[int, int]] = deque()
    sizes = deque(size for message, size, _ in said if isinstance(message, codec.Data))
    for message, size, at in said:
        if isinstance(message, codec.Data):
            end = message.first_seq + message.count
            in_flight.append((end, size))
            sizes.popleft()
            carried[end] = dry_at = at
            continue
        full = bool(sizes and in_flight) and sum(size for _, size in in_flight) + sizes[0] > window
        if isinstance(message, codec.Credit):
            if full and dry_at < at:
                soonest = carried.get(message.next_seq, at - rtt) + rtt
                round_trips += dry_at < soonest
                stalls += dry_at >= soonest
            while in_flight and in_flight[0][0] <= message.next_seq:
                in_flight.popleft()
        else:
            in_flight.clear()
        window = message.window * 16
    return round_trips, stalls
