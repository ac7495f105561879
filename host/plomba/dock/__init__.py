"""The dock: pulls records from a terminal, keeps them, gives receipts, forwards them, and pushes objects down."""

from __future__ import annotations

from plomba.dock.enrolment import Request as EnrolmentRequest
from plomba.dock.enrolment import enrol
from plomba.dock.enrolment import request as request_enrolment
from plomba.dock.session import Dock, Report

__all__ = ["Dock", "EnrolmentRequest", "Report", "enrol", "request_enrolment"]
