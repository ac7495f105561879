"""Accounts of the desk: who asks, what for, over which orders, and who wrote what (docs/accounts.md)."""

from __future__ import annotations

from plomba.desk.accounts.account import Account, Anonymous, Identity
from plomba.desk.accounts.accounts import Accounts
from plomba.desk.accounts.audit import Audit

__all__ = ["Account", "Accounts", "Anonymous", "Audit", "Identity"]
