"""Somebody at a terminal: holds labels and cards before it, as photographs, presses its keys, keeps what it shows."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

from plomba.cli import goods
from plomba.sim.gm65 import SeenCode
from plomba.sim.screen_png import to_png
from plomba.testing.point import Point

if TYPE_CHECKING:
    from PIL.Image import Image

_UNREADABLE_MS = 6000
_TRIES = 3


class Album:
    """Photographs in `folder`, the first of each name, and the newest screen of each. `unreadable` counts photographs
    that had to be taken again."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.scans = 0
        self.unreadable = 0
        self.screens: dict[str, bytes] = {}
        self._seed = seed
        self._folder = folder

    def photograph(self, picture: Image, name: str) -> SeenCode:
        """Takes one after the other until the camera reads it, as a person moves a scanner."""
        from plomba.sim import labels
        from plomba.sim.vision import decode

        for attempt in range(20):
            photo = labels.wild(picture, self._seed * 10_000 + self.scans * 20 + attempt)
            seen = decode(photo)
            if seen:
                break
            self.unreadable += 1
        if not (self._folder / f"{name}.png").exists():
            photo.save(self._folder / f"{name}.png", compress_level=1)
        self.scans += 1
        return seen[0]

    def evidence(self, picture: Image, name: str) -> str:
        """Keeps a picture that nobody could read. The 32 digits that a photo's card has."""
        from plomba.sim import labels

        path = self._folder / f"{name}.png"
        labels.photograph(picture, self._seed, blur=8, contrast=0.5).save(path)
        return hashlib.sha256(path.read_bytes()).hexdigest()[:32]


class Person:
    """`name` in each call is that of the photograph and of the screen that follows."""

    def __init__(self, point: Point, album: Album) -> None:
        self.point = point
        self.terminal = point.terminal
        self.album = album

    async def label(self, order: goods.Order, name: str) -> None:
        from plomba.sim import labels

        await self._scan(labels.order_label(order.id, order.cell), name)

    async def seal(self, text: str, name: str) -> None:
        from plomba.sim import labels

        await self._scan(labels.seal(text), name)

    async def tag(self, number: str) -> None:
        from plomba.sim import labels

        await self._scan(labels.jewellery_tag(number), "item")

    async def card(self, title: str, code: str, name: str) -> None:
        from plomba.sim import labels

        await self._scan(labels.command_card(title, f"PLB*{code}"), name)

    async def badge(self, number: int, name: str, pin: str = "") -> None:
        """Scans a badge, and types its PIN with the cards of digits."""
        await self.card(f"БЕЙДЖ {number}", f"BADGE*{number}", "badge" if pin else name)
        for sign in pin:
            await self._sign(sign)
        if pin:
            self.keep("pin")
            await self.card("ГОТОВО", "ENTER", name)

    async def type(self, text: str, name: str) -> None:
        """Types a code twice, with the card НАБРАТЬ КОД before it."""
        await self.card("НАБРАТЬ КОД", "TYPE", "type")
        for sign in text:
            await self._sign(sign)
        self.keep("typed")
        await self._sign("ENTER")
        self.keep("typed_again")
        for sign in text:
            await self._sign(sign)
        await self.card("ГОТОВО", "ENTER", name)

    async def ok(self, count: int = 1) -> None:
        """Presses OK, which lets go of so many parcels or says why not."""
        terminal = self.terminal
        tones, screens = len(terminal.tones), len(terminal.screens)
        terminal.press("ok")
        await terminal.wait(
            lambda: len(terminal.tones) >= tones + count and len(terminal.screens) >= screens + count, "hand-out"
        )

    async def show_token(self, name: str) -> Image:
        """Presses OK behind a hand-over: the screen, with the code that the other person is to scan."""
        from PIL import Image

        terminal = self.terminal
        screens = len(terminal.screens)
        terminal.press("ok")
        await terminal.wait(lambda: len(terminal.screens) > screens, "hand-over code")
        self.keep(name)
        return Image.open(io.BytesIO(to_png(terminal.screen)))

    async def scan_token(self, screen: Image, name: str) -> None:
        """Scans what the other person's terminal shows."""
        await self._scan(screen, name)

    async def hand_over(self, order: goods.Order) -> None:
        """To a customer, with all it takes."""
        await self.label(order, "taken")
        if order.sealed:
            await self.seal(order.seal, "seal_ok")
        await self.ok()

    async def fail_to_read(self) -> None:
        """Presses the scan key three times, and nothing is there that could be read."""
        terminal = self.terminal
        for _ in range(_TRIES):
            terminal.press("scan")
            await terminal.wait_until(lambda: terminal.engine_reading)
            await terminal.warp(_UNREADABLE_MS)
            await terminal.wait_until(lambda: not terminal.engine_reading)

    def keep(self, name: str) -> None:
        self.album.screens[name] = self.terminal.screen

    async def _sign(self, sign: str) -> None:
        """A card with a sign of what is being typed: no tone, but another screen."""
        from plomba.sim import labels

        terminal = self.terminal
        code = "ENTER" if sign == "ENTER" else f"DIGIT*{sign}"
        seen = self.album.photograph(labels.command_card(sign, f"PLB*{code}"), "sign")
        screens = len(terminal.screens)
        terminal.show(seen)
        terminal.press("scan")
        await terminal.wait(lambda: len(terminal.screens) > screens, "sign")
        terminal.show()

    async def _scan(self, picture: Image, name: str) -> None:
        await self.terminal.scan(self.album.photograph(picture, name))
        self.keep(name)
