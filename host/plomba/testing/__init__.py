"""The kit to test an order system against a terminal nobody owns: a rig with the real firmware, and a pytest plugin."""

from __future__ import annotations

from plomba.sim.gm65 import SeenCode
from plomba.sim.relay import Fault
from plomba.testing.point import DeskProcess, Point
from plomba.testing.rig import BlockingPoint, Event, Rig

__all__ = ["BlockingPoint", "DeskProcess", "Event", "Fault", "Point", "Rig", "SeenCode"]
