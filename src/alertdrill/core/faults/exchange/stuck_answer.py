"""Give every caller the first caller's answer."""

from typing import Literal

from alertdrill.core.faults.base import ExchangeEffect, ExchangeFault


class StuckAnswer(ExchangeFault):
    """Give every caller the first caller's answer.

    What it does:
        The fault proxy at `place` keeps the first whole answer with status 200 and a body of at most 64 kB that an
        untouched request of the drill got, and gives it again to every touched request, which it does not pass on:
        status, content type and body. Until there is such an answer, nothing is touched.
    Why it matters:
        A cache that never expires, or whose key leaves out what matters: every caller gets the prediction of the
        first. Nothing is slow, nothing fails, and every dashboard of the service looks better than before.
    Should trigger:
        A drift alert on the predictions, or one on their variety, measured before `place`; labels that come later.
        Nothing of the bundled ones does: the monitor watches what is asked, not what is answered. At dependency the
        bundled model scores every card with the history of the first.
    Example:
        - {kind: stuck_answer, share: 50%, place: model}
    References:
        RFC 9111, HTTP Caching, sections 2 (cache keys) and 4.2 (freshness).
        Sculley et al. 2015, Hidden Technical Debt in Machine Learning Systems (NIPS): prediction bias.
    """

    kind: Literal["stuck_answer"]

    def effect(self, draw: float, dose: float) -> ExchangeEffect:
        """The same for every touched request."""
        return ExchangeEffect(replay=True)
