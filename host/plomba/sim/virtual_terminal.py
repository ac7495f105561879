"""A terminal without hardware: the real firmware under MicroPython's unix port, a scan engine model, and the relay.

Three sockets lead to the process: UART 1 (scan engine), UART 0 (the link, through the relay), and the side channel
with screen, tones and lamp out, keys, clock and power in. A fourth, with a secure element, is the I²C bus.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from plomba.errors import TerminalError
from plomba.sim.atecc608 import Atecc608
from plomba.sim.engine_cable import EngineCable
from plomba.sim.gm65 import SeenCode
from plomba.sim.i2c_line import I2cLine
from plomba.sim.interpreter import HEAP, HEAP_WITH_CODE, BoardProcess
from plomba.sim.relay import Relay
from plomba.sim.screen_png import to_png

if TYPE_CHECKING:
    from PIL.Image import Image

FLASH_BLOCKS = 688
"""Blocks of 4096 bytes that the board's flash has; 128 of them are the journal."""

_POWER_ON, _WATCHDOG = 1, 3
_FAILED_STARTS = 3
_PATIENCE_S = 10.0
_GLANCE_S = 0.005
_LINK = 0


class VirtualTerminal:
    """Use it as an async context manager. `folder` keeps flash and engine settings, so it can be started again.

    `wire` is what the dock opens; `clock` stopped moves only by `warp`; `engine_pace` is how many times faster than
    real time the scan engine's model lives; `engine_capture` gets what passes between firmware and engine. More
    `flash_blocks` than the board has make its journal longer; they may not change once there is a flash.
    `secure_element` True is a chip whose EEPROM lives in `folder` too; it may be one of yours, or None.

    `release` is the kind of build; `watchdog_pace` lets the watchdog bite, so many times faster than real time, and
    `fed` counts how often it was fed; `console` is the slave of a pty that the interpreter gets as its line, as
    a board has its REPL's.

    `tones`, `screens` (1024 bytes each, MONO_VLSB) and `lamp` are what a person would hear and see; `code_heap` and
    `free_heap` are bytes, after the firmware's imports. `resets` counts how often it started again by itself,
    `failed_starts` how often it did so before it was up.
    """

    def __init__(
        self,
        folder: Path,
        *,
        wire: Literal["pty", "tcp"] = "pty",
        clock: Literal["real", "stopped"] = "real",
        engine_pace: float = 1.0,
        engine_capture: Path | None = None,
        heap: int = HEAP,
        flash_blocks: int = FLASH_BLOCKS,
        secure_element: Atecc608 | Literal[True] | None = None,
        battery: int = 255,
        release: bool = False,
        watchdog_pace: float | None = None,
        console: int | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.tones: list[str] = []
        self.screens: list[bytes] = []
        self.lamp = "off"
        self.power_cuts = self.resets = self.failed_starts = 0
        self.battery = battery
        self.code_heap = self.free_heap = 0
        self._wire = wire
        self._clock = clock
        self._heap = heap
        self._flash_blocks = flash_blocks
        self._release = release
        self.watchdog_pace = watchdog_pace
        self.fed = 0
        self._watchdog: asyncio.TimerHandle | None = None
        self._console = console
        self._resetting: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._engine = EngineCable(self.folder, engine_pace, engine_capture, self._changed.set)
        if secure_element is True:
            self.folder.mkdir(parents=True, exist_ok=True)
            secure_element = Atecc608(self.folder / "secure_element.json")
        self.secure_element = secure_element
        self._i2c: I2cLine | None = None
        self._process: BoardProcess | None = None
        self._printed = bytearray()
        self._relay: Relay | None = None
        self._sockets: dict[str, socket.socket] = {}
        self._link_baud = 115200
        self._panel_rest = b""
        self._ready = False
        self._failed_in_a_row = 0
        self._given_up = False
        self._dead = False
        self._warped = 0

    async def __aenter__(self) -> VirtualTerminal:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def relay(self) -> Relay:
        assert self._relay is not None
        return self._relay

    @property
    def port(self) -> str:
        """What a dock opens."""
        return self.relay.port

    @property
    def link_baud(self) -> int:
        """The rate that the terminal's end of the link has now."""
        return self._link_baud

    @property
    def screen(self) -> bytes:
        """The newest screen."""
        return self.screens[-1]

    def screen_png(self) -> bytes:
        return to_png(self.screen)

    async def start(self, *, cut: tuple[int, int] | None = None) -> None:
        """Switches it on and waits until it answers. `cut` (operation, torn) takes its power away while it starts.

        Raises PlombaError `no_interpreter`, TerminalError `terminal_died`.
        """
        self._failed_in_a_row, self._given_up = 0, False
        try:
            await self._start(cut, _POWER_ON)
            await self.wait(lambda: self._ready or self._dead, "start")
        except BaseException:
            await self.stop()
            raise

    async def _start(self, cut: tuple[int, int] | None, reset: int) -> None:
        loop = asyncio.get_running_loop()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ready = self._dead = False
        self._panel_rest = b""
        theirs = {}
        for name in ("panel", "link", "engine", *(("i2c",) if self.secure_element else ())):
            ours, other = socket.socketpair()
            ours.setblocking(False)
            # MicroPython's I2C blocks, and so does its end here.
            other.setblocking(name == "i2c")
            self._sockets[name], theirs[name] = ours, other
        variables = {
            "SIM_PANEL_FD": str(theirs["panel"].fileno()),
            "SIM_UART0_FD": str(theirs["link"].fileno()),
            "SIM_UART1_FD": str(theirs["engine"].fileno()),
            "SIM_I2C0_FD": str(theirs["i2c"].fileno()) if "i2c" in theirs else "",
            "SIM_FLASH": str(self.folder / "flash.bin"),
            "SIM_FLASH_BLOCKS": str(self._flash_blocks),
            "SIM_CLOCK": self._clock,
            "SIM_HEAP": str(self._heap),
            "SIM_RESET": str(reset),
            "SIM_BATTERY": str(self.battery),
            "SIM_RELEASE": str(int(self._release)),
            "SIM_CUT": f"{cut[0]}:{cut[1]}" if cut is not None else "",
        }
        try:
            self._process = await BoardProcess.spawn(
                self.folder,
                variables,
                [end.fileno() for end in theirs.values()],
                heap=HEAP_WITH_CODE + max(0, self._heap - HEAP),
                console=self._console,
                ended=self._changed.set,
            )
        finally:
            for end in theirs.values():
                end.close()
        loop.add_reader(self._sockets["panel"], self._read_panel)
        loop.add_reader(self._sockets["engine"], self._read_engine)
        if self.secure_element is not None:
            self.secure_element.power_on()
            self._i2c = I2cLine(self.secure_element, self._lose_power)
            loop.add_reader(self._sockets["i2c"], self._serve_i2c)
        self._relay = Relay(self._sockets["link"], self._link_path())
        self._relay.before_reading = self._read_panel
        self._engine.power_on(self._sockets["engine"])

    async def stop(self) -> None:
        """Switches it off, as a person would: at once."""
        while (resetting := self._resetting) is not None:
            # To its end: a stop that was cut in half left readers on closed sockets.
            await asyncio.gather(resetting, return_exceptions=True)
            if self._resetting is resetting:
                self._resetting = None
        await self._stop()

    async def _stop(self) -> None:
        # What the board has said still lies in the sockets: it must not arm a watchdog for nobody.
        loop = asyncio.get_running_loop()
        for name, end in self._sockets.items():
            if name != "link":
                loop.remove_reader(end)
        self._feed(None)
        process, self._process = self._process, None
        if process is not None:
            await process.kill()
            self._printed += process.output
            self._engine.power_off()
            self.relay.close()
            if self.secure_element is not None:
                self.secure_element.power_off()
        for end in self._sockets.values():
            end.close()
        self._sockets.clear()

    async def restart(self) -> None:
        """Off and on again: RAM is lost, flash and the engine's EEPROM are not."""
        await self.stop()
        await self.start()

    def charge(self, percent: int) -> None:
        """What the battery's gauge says from now on; 255 = nothing."""
        self.battery = percent
        self._send({"battery": percent})

    def break_keys(self) -> None:
        """The keyboard's wires come off: the board's driver has an OSError for the firmware."""
        self._send({"key": None})

    def wear_out_flash(self) -> None:
        """No block of it can be erased any more, until it is switched off."""
        self._send({"worn": True})

    def unplug_engine(self) -> None:
        """The scan engine's cable comes off: neither side hears the other."""
        self._engine.plugged = False

    def plug_engine(self) -> None:
        """It is on again."""
        self._engine.plugged = True

    def freeze(self) -> None:
        """The interpreter stands still, as a board that hangs. Only the watchdog ends that."""
        assert self._process is not None
        self._process.freeze()

    async def cut_power(self, after: int, torn: int) -> None:
        """Takes the power away in flash operation `after` from now (0 = the next one), torn 0 to 4; see norflash.py."""
        self._send({"cut": after, "torn": torn})

    @property
    def up(self) -> bool:
        """Whether it answers."""
        return self._ready and self._resetting is None

    @property
    def engine_reading(self) -> bool:
        """Whether the engine was told to read and has neither read nor given up."""
        return self._engine.engine.reading

    @property
    def powered_down(self) -> bool:
        """Whether a scripted cut has struck."""
        return self._dead

    def press(self, key: Literal["scan", "ok", "back"]) -> None:
        self._send({"key": key})

    def show(self, *codes: SeenCode) -> None:
        """Puts codes in front of the engine's window; nothing takes them away."""
        self._engine.see(codes)

    async def scan(self, picture: Image | SeenCode) -> str:
        """Holds a picture, or what a decoder made of one, before the engine, presses the key, waits for the verdict.

        Raises TerminalError when nothing is heard within 10 s.
        """
        if isinstance(picture, SeenCode):
            seen: Sequence[SeenCode] = [picture]
        else:
            from plomba.sim.vision import decode

            seen = decode(picture)
        self.show(*seen)
        try:
            return await self._verdict("scan")
        finally:
            self.show()

    async def confirm(self) -> str:
        """Presses OK and waits for the tone."""
        return await self._verdict("ok")

    async def _verdict(self, key: Literal["scan", "ok"]) -> str:
        """The tone comes first, its screen right after it."""
        heard, seen = len(self.tones), len(self.screens)
        self.press(key)
        await self.wait(lambda: len(self.tones) > heard and len(self.screens) > seen, "verdict")
        return self.tones[heard]

    async def warp(self, ms: int) -> None:
        """Moves the terminal's clock ahead, every timer on the way in its order, and waits until it is there."""
        want = self._warped + 1
        self._engine.warp(ms)
        self._send({"warp": ms})
        await self.wait(lambda: self._warped >= want, "clock")

    async def engine_ready(self) -> None:
        """Waits until the driver has raised the engine's rate: it is configured and takes a trigger."""
        await self.wait(lambda: self._engine.board_baud == self._engine.engine.baud == 115200, "engine")

    async def wait(self, condition: Callable[[], bool], what: str, patience: float = _PATIENCE_S) -> None:
        """Waits until `condition` holds; it is looked at whenever the terminal said something. Raises TerminalError."""
        try:
            async with asyncio.timeout(patience):
                while not condition():
                    gone = self._process is not None and self._process.over
                    if self._given_up or (gone and self._resetting is None):
                        raise TerminalError("terminal_died", reason=self.output[-280:] or "it ended without a word")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            raise TerminalError("terminal_died", reason=f"no {what} within {patience:g} s; {self.output}") from error

    async def wait_until(self, condition: Callable[[], bool], patience: float = _PATIENCE_S) -> None:
        """Waits for something the terminal does not announce, such as bytes that passed the relay."""
        async with asyncio.timeout(patience):
            while not condition():
                await asyncio.sleep(_GLANCE_S)

    @property
    def output(self) -> str:
        """What the interpreter printed: tracebacks, mostly."""
        printed = self._printed + (self._process.output if self._process is not None else b"")
        return printed.decode(errors="replace").strip()

    def take_output(self) -> str:
        """The same, once."""
        output = self.output
        self._printed.clear()
        if self._process is not None:
            self._process.output.clear()
        return output

    def _link_path(self) -> Path | None:
        return self.folder / "port" if self._wire == "pty" else None

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._sockets["panel"].sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise TerminalError("terminal_died", reason=self.output or error) from error

    def _read_panel(self) -> None:
        try:
            data = self._sockets["panel"].recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._sockets["panel"])
            return
        *lines, self._panel_rest = (self._panel_rest + data).split(b"\n")
        for line in lines:
            self._hear(json.loads(line))
        self._changed.set()

    def _hear(self, message: dict[str, Any]) -> None:
        if "tone" in message:
            self.tones.append(message["tone"])
        elif "screen" in message:
            self.screens.append(bytes.fromhex(message["screen"]))
        elif "lamp" in message:
            self.lamp = message["lamp"]
        elif "baud" in message:
            if message["uart"] == _LINK:
                self._link_baud = message["baud"]
                self.relay.change_rate(message["sent"], message["baud"])
            else:
                self._engine.board_baud = message["baud"]
        elif "code_heap" in message:
            self.code_heap, self.free_heap = message["code_heap"], message["free_heap"]
        elif "ready" in message:
            self._ready = True
            self._failed_in_a_row = 0
        elif "wdt" in message:
            self._feed(message["wdt"])
        elif "reset" in message:
            self._reset(message["reset"])
        elif "warped" in message:
            self._warped += 1
        elif "power" in message:
            self._lose_power()

    def _lose_power(self) -> None:
        self._dead = True
        self.power_cuts += 1
        self._changed.set()

    def _serve_i2c(self) -> None:
        end = self._sockets["i2c"]
        try:
            data = end.recv(4096)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(end)
            return
        assert self._i2c is not None
        with suppress(OSError):  # the board may be without power
            end.sendall(self._i2c.receive(data, asyncio.get_running_loop().time()))

    def _feed(self, timeout_ms: int | None) -> None:
        """The watchdog is quiet for so long; None takes it away."""
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        if timeout_ms is None:
            return
        self.fed += 1
        if self.watchdog_pace is not None:
            delay = timeout_ms / 1000 / self.watchdog_pace
            self._watchdog = asyncio.get_running_loop().call_later(delay, self._reset, _WATCHDOG)

    def _reset(self, cause: int) -> None:
        """The board starts again; one that does not come up again and again stays down."""
        if self._resetting is not None:
            return
        if not self._ready:
            self.failed_starts += 1
            self._failed_in_a_row += 1
            if self._failed_in_a_row > _FAILED_STARTS:
                self._given_up = True
                return
        self._ready = False
        self._resetting = asyncio.create_task(self._start_again(cause))

    async def _start_again(self, cause: int) -> None:
        await self._stop()
        await self._start(None, cause)
        self.resets += 1
        self._resetting = None
        self._changed.set()

    def _read_engine(self) -> None:
        # A change of rate is told on the side channel before the bytes that are sent at it.
        self._read_panel()
        try:
            data = self._sockets["engine"].recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._sockets["engine"])
            return
        self._engine.heard(data)
