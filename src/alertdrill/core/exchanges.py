"""What several injections do to one exchange, and what of it an ASGI middleware can do."""

from collections.abc import Mapping
from dataclasses import replace

from alertdrill.core.faults.base import Cut, ExchangeEffect, ExchangeFault, Fault, Place

_WIRE = (Place.EDGE, Place.MODEL, Place.INSIDE, Place.DEPENDENCY)
"""The places of exchange faults, in the order in which requests pass them."""


def cannot_be_inside(fault: Fault) -> str | None:
    """Where a fault at `place: inside` must stand instead, and why; None if it can act there or stands elsewhere.

    An ASGI app hands a server whole messages: it has no hold on the connection, nor on how a request comes in.
    """
    if not isinstance(fault, ExchangeFault) or fault.place is not Place.INSIDE:
        return None
    effect = fault.effect(0.5, 1.0)
    cannot = {
        "reset a connection": effect.cut is Cut.RESET,
        "break an answer off": effect.kept is not None,
        "slow the upload of a request": effect.upload_s > 0,
        "give an earlier answer again": effect.replay,
    }
    reason = next((what for what, needed in cannot.items() if needed), None)
    return None if reason is None else f"edge or model, as an ASGI app cannot {reason}"


def combined(effects: Mapping[str, ExchangeEffect]) -> tuple[ExchangeEffect, tuple[str, ...]] | None:
    """What several injections, by id, do to one exchange, and which of them take part; None if none does.

    Delays, uploads and downloads add up; of what else they do, the first stands. What is not passed on has no upload,
    what is cut no download.
    """
    if not effects:
        return None
    altering = next((cause for cause, one in effects.items() if alters(one)), None)
    first = ExchangeEffect() if altering is None else effects[altering]
    passed_on, answered = first.answer is None and first.cut is None and not first.replay, first.cut is None
    taking_part = {
        cause: one
        for cause, one in effects.items()
        if cause == altering or one.delay_s or (one.upload_s and passed_on) or (one.download_s and answered)
    }
    if not taking_part:
        return None
    whole = replace(
        first,
        delay_s=sum(one.delay_s for one in taking_part.values()),
        upload_s=sum(one.upload_s for one in taking_part.values()),
        download_s=sum(one.download_s for one in taking_part.values()),
    )
    return whole, tuple(taking_part)


def ends_before(one: Fault, other: Fault) -> bool:
    """Whether `one` answers or cuts an exchange before `other` can act on it: earlier on the wire, or at one place."""
    if not isinstance(one, ExchangeFault) or not isinstance(other, ExchangeFault):
        return False
    does, later = one.effect(0.5, 1.0), other.effect(0.5, 1.0)
    if does.answer is None and does.cut is None:
        return False
    if one.place is not other.place:
        return _WIRE.index(one.place) < _WIRE.index(other.place)
    return later.upload_s > 0 or (later.download_s > 0 and does.cut is not None)


def alters(effect: ExchangeEffect) -> bool:
    """Whether it does more than take time."""
    return effect.replay or any(part is not None for part in (effect.answer, effect.cut, effect.edit, effect.kept))
