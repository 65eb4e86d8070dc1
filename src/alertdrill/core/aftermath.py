"""What came after an alert fired: its end."""

from alertdrill.core.alerts import Episode
from alertdrill.core.asked import Asked, because, too_near
from alertdrill.core.health import doubt
from alertdrill.core.result import Code, Reason


def resolution_of(asked: Asked, episode: Episode) -> tuple[str, Reason | None]:
    """`resolved`, `flapped`, `not_resolved` or `inconclusive`, and why."""
    last, wanted, resolved = asked.delivery.last_ms or 0, asked.expectation.resolves_within, episode.resolved_at
    early = resolved is not None and resolved < last
    if wanted is None and not early:
        return ("resolved" if resolved is not None else "not_asked"), None
    deadline = last + round((wanted or 0.0) * 1000)
    silent = _doubt_about_end(asked, episode, last, deadline)
    if silent:
        return "inconclusive", silent
    if resolved is not None and early:
        text = f"resolved {(last - resolved) / 1000:.1f} s before the fault ended"
        return "flapped", because(Code.RESOLVED_EARLY, text, "a longer window, or keep_firing_for")
    doubtful = None if resolved is None else too_near(asked, "resolved", resolved - deadline)
    if doubtful:
        return "inconclusive", doubtful
    if resolved is not None and resolved <= deadline:
        return "resolved", None
    return "not_resolved", because(
        Code.STILL_FIRING,
        f"still firing {wanted:g} s after the fault ended",
        "raise resolves_within, or shorten the window",
    )


def _doubt_about_end(asked: Asked, episode: Episode, last_ms: int, deadline_ms: int) -> Reason | None:
    """Why an alert that vanished need not have resolved, or one that is not known to have resolved need not fire still.

    A target that goes down takes its series away up to one look back later, and a rule that fails writes no samples.
    """
    if asked.rule is None:
        return None
    firing, resolved, interval = episode.firing_at or episode.pending_at, episode.resolved_at, asked.rule.interval_ms
    if resolved is None:
        return doubt(asked.case, asked.rule, max(firing, last_ms), deadline_ms)
    since = min(last_ms, resolved - asked.case.book.lookback_ms(asked.rule) - interval)
    return doubt(asked.case, asked.rule, max(firing, since), resolved + interval // 2)
