"""A courier brings parcels to the point: two terminals, and each one ends with the other's head in its records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plomba.cli import office
from plomba.cli.goods import Order
from plomba.cli.person import Person

_LATER_MS = 3000


async def taken_at_the_warehouse(courier: Person, parcels: Sequence[Order]) -> None:
    """From a party without a terminal: an act stands for it."""
    await courier.badge(office.COURIER, "shift")
    await courier.card("ПРИНИМАЮ", "TAKE", "mode")
    await courier.card("АКТ 17/2026", "ACT*17/2026", "act")
    for parcel in parcels:
        await courier.label(parcel, "taken_over")


async def given_to_the_point(
    courier: Person, clerk: Person, parcels: Sequence[Order], tell: Callable[..., None]
) -> None:
    """The courier's code first, then the parcels, then the clerk's code back."""
    await courier.card("ПЕРЕДАЮ", "GIVE", "mode")
    for parcel in parcels:
        await courier.label(parcel, "given")
    shown = await courier.show_token("courier_code")
    tell("given", count=len(parcels))
    # The desk puts records of two terminals in order by their clocks, in whole seconds.
    await clerk.terminal.warp(_LATER_MS)
    await clerk.card("ОТ КУРЬЕРА", "ARRIVAL", "mode")
    await clerk.scan_token(shown, "code_read")
    for parcel in parcels:
        await clerk.label(parcel, "arrived")
    await courier.scan_token(await clerk.show_token("clerk_code"), "code_back")
    tell("pair", count=len(parcels))
