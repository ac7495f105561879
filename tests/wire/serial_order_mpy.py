"""What goes out first when a scan is signed while a request lies in the UART. Under MicroPython only; mode in argv."""

import asyncio
import io
import sys

from memory_service import MemoryService

import terminal.link.serial as serial
from plomba_wire import codec, framing

SESSION = 7


class Uart(io.IOBase):
    """Bytes in `rx` can be read; what is written and set is in `log`, with the rate it went out at."""

    def __init__(self):
        self.rx = b""
        self.log = []
        self.baud = 115200

    def readinto(self, buffer, count=-1):
        if not self.rx:
            return None
        count = min(len(buffer), len(self.rx))
        buffer[:count] = self.rx[:count]
        self.rx = self.rx[count:]
        return count

    def write(self, data):
        self.log.append((self.baud, bytes(data)))
        return len(data)

    def ioctl(self, request, argument):
        if request == 3:
            return argument & (4 | (1 if self.rx else 0))
        return -1 if request == 10 else 0

    def init(self, baud):
        self.log.append((baud, b""))
        self.baud = baud


class Clock:
    def __init__(self):
        self.now = 0

    def mono_ms(self):
        self.now += 60
        return self.now


class Health:
    end = None


class Terminal:
    clock = Clock()
    health = Health()
    on_record = None


def wire(message, tag, session=SESSION):
    return framing.encode(message.TYPE, 0, session, tag, message.pack())


def names(log):
    deframer = framing.Deframer()
    out = []
    for baud, data in log:
        if not data:
            out.append("rate=%d" % baud)
        for frame in deframer.feed(data):
            out.append("%s@%d" % (codec.MESSAGES[frame.type].__name__, baud))
    return out


async def main(mode):
    service = MemoryService(60 if mode == "hello" else 3)
    serial.Service = lambda terminal, bauds: service
    uart = Uart()
    link = serial.SerialLink(uart, Terminal, (115200, 921600))
    tasks = [asyncio.create_task(task) for task in (link.listen(), link.announce())]
    hello = codec.Hello(b"12345678", SESSION, 1, 1, 2000, 512, 7, b"")
    uart.rx += wire(hello, 0, 0)
    await asyncio.sleep_ms(100)
    del uart.log[:]
    opening = codec.SyncOpen(1, 1, service.digests[0], 4000)
    if mode == "hello":
        uart.rx += wire(opening, 1)
        await asyncio.sleep_ms(0)
        await asyncio.sleep_ms(0)
        uart.rx += wire(codec.Hello(b"another-", 8, 1, 1, 2000, 512, 7, b""), 0, 0)
    else:
        service.add(200)
        uart.rx += wire(opening if mode == "sync" else codec.Baud(921600), 1)
        Terminal.on_record()
    await asyncio.sleep_ms(100)
    assert not any(task.done() for task in tasks)
    print(" ".join(names(uart.log)))


asyncio.run(main(sys.argv[1]))
