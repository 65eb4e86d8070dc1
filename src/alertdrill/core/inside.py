"""What an ASGI middleware can do to an exchange, and what several injections do to the same one."""

from collections.abc import Mapping
from dataclasses import replace

from alertdrill.core.faults.base import Cut, ExchangeEffect, ExchangeFault, Fault, Place


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
    """What several injections, by id, do to one exchange in an app, and which of them take part; None if none does.

    Delays and downloads add up; of what else they do, the first stands, as in a fault proxy.
    """
    altering = next((cause for cause, one in effects.items() if _alters(one)), None)
    taking_part = {cause: one for cause, one in effects.items() if cause == altering or one.delay_s or one.download_s}
    if not taking_part:
        return None
    whole = replace(
        ExchangeEffect() if altering is None else effects[altering],
        delay_s=sum(one.delay_s for one in taking_part.values()),
        download_s=sum(one.download_s for one in taking_part.values()),
    )
    return whole, tuple(taking_part)


def _alters(effect: ExchangeEffect) -> bool:
    return any(part is not None for part in (effect.answer, effect.cut, effect.edit))
