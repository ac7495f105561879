"""The terminal without hardware: the firmware's own process, a scan engine, labels and a camera."""

from __future__ import annotations
