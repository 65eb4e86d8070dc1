"""A past of three alerts, as a replay of it finds them."""

from alertdrill.core.history.result import FalseAlarms, Firing, HistoryResult, Past, Reading, RuleHistory
from alertdrill.core.replay.comparison import Change, Outcome
from alertdrill.core.result import Code, Reason, Verdict

ONSET = 1_795_140_600.0
"""2026-11-20 02:10 UTC, 03:10 in Berlin."""

DAYS_30 = 30 * 86_400.0


def alert(name: str, verdict: Verdict, reason: Reason | None = None, ttd_s: float | None = None) -> RuleHistory:
    fired = None if ttd_s is None else ONSET + ttd_s
    return RuleHistory(
        id=name,
        alert=name,
        file="rules.yml",
        line=3,
        verdict=verdict,
        reason=reason,
        labels=None if ttd_s is None else {"alertname": name},
        fault_start=ONSET,
        pending_at=fired,
        firing_at=fired,
        resolved_at=None,
        ttd_s=ttd_s,
        error_s=0.0,
        before_onset=(),
        after_onset=(),
        false_alarms=FalseAlarms(count=0, episodes=0, judged_s=DAYS_30, at_most_per_30_d=2.9957, error_s=60.0),
        notes=(),
    )


def reason(code: Code, text: str) -> Reason:
    return Reason(code=code, text=text, decide_it_by="wait")


PAST = HistoryResult(
    prometheus="http://prometheus:9090",
    version="2.42.0",
    engine="2.42.0",
    from_=ONSET - 600,
    to=ONSET + 8400,
    onset=ONSET,
    zone="Europe/Berlin",
    rules=("rules.yml",),
    against=None,
    fail_on=("lost",),
    verdict="inconclusive",
    alerts=(
        alert("NullsHigh", Verdict.DETECTED, ttd_s=2460.0),
        alert("Silent", Verdict.MISSED, reason(Code.NEVER_PENDING, "never pending in 2h20m after the onset")),
        alert("Watchdog", Verdict.INCONCLUSIVE, reason(Code.ALREADY_FIRING, "firing at the onset")).model_copy(
            update={
                "before_onset": (
                    Firing(
                        labels={"alertname": "Watchdog"},
                        pending_at=ONSET - 300,
                        firing_at=ONSET - 300,
                        resolved_at=None,
                    ),
                )
            }
        ),
    ),
    alerts_before=None,
    changes=(),
    counts={},
    past=Past(asked_s=DAYS_30, from_=ONSET - DAYS_30, held_from=None, outages_s=0.0),
    reading=Reading(chunks=35, asked=36, kept=0, samples=715_405, markers="remote_read", seconds=8.0),
    notes=(),
    questions=10,
    seconds=2.0,
)

COMPARED = PAST.model_copy(
    update={
        "against": ("base.yml",),
        "counts": {Outcome.LOST: 1},
        "verdict": "failed",
        "changes": (
            Change(
                outcome=Outcome.LOST,
                id="NullsHigh",
                alert="NullsHigh",
                before="detected",
                after="missed",
                ttd_before_s=2460.0,
                causes=("rules.yml:3 0.05→0.5",),
            ),
        ),
    }
)
