"""A picture of a page, by the browser that is on this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
_QUIET = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_PATIENCE_S = 30.0


async def picture(url: str, path: Path, size: tuple[int, int] = (1280, 900)) -> Path:
    """Saves a screenshot of a page; where there is no browser, the page itself beside it. Returns what was saved."""
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is not None:
        with tempfile.TemporaryDirectory() as profile:
            process = await asyncio.create_subprocess_exec(
                browser,
                *_QUIET,
                *_sandbox(),
                f"--user-data-dir={profile}",
                f"--window-size={size[0]},{size[1]}",
                f"--screenshot={path.resolve()}",
                "--timeout=3000",
                url,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                await asyncio.wait_for(process.wait(), _PATIENCE_S)
            except TimeoutError:
                process.kill()
                await process.wait()
        if path.exists():
            return path
    import httpx2

    async with httpx2.AsyncClient() as client:
        response = await client.get(url)
    page = path.with_suffix(".html")
    page.write_bytes(response.content)
    return page


def _sandbox() -> tuple[str, ...]:
    """Chromium refuses its sandbox to root."""

    return ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
