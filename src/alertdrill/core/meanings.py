"""What every verdict and every reason code means, in words, and what would change it.

A test fails where a verdict or a code has no words here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from alertdrill.core.result import Code, DrillVerdict, ProhibitionVerdict, Verdict


@dataclass(frozen=True)
class Words:
    """What a reason code means, and what would change the verdict that it stands beside."""

    meaning: str
    change: str


VERDICTS: Mapping[Verdict, str] = {
    Verdict.DETECTED: "the alert fired because of the fault, in time, with the labels asked for, and all else held too",
    Verdict.INCONCLUSIVE: "the evidence allows neither a detection nor a miss, so it counts as neither",
    Verdict.OUT_OF_VIEW: "the fault acts where the alert's series are not measured: its rule cannot see it",
    Verdict.MISSED: "the rule could have spoken up to the deadline, and did not",
    Verdict.WRONG_LABELS: "an alert of the name fired because of the fault, but none with the labels asked for",
    Verdict.LATE: "the alert fired because of the fault, after `within`",
    Verdict.FLAPPED: "the alert fired in time and resolved while the fault still acted",
    Verdict.NOT_NOTIFIED: "the alert fired in time, and whoever should be told was not, or too late",
    Verdict.NOT_RESOLVED: "the alert fired in time and went on firing after `resolves_within`",
}

PROHIBITIONS: Mapping[ProhibitionVerdict, str] = {
    ProhibitionVerdict.QUIET: "every rule that it speaks of was loaded, healthy and evaluated, and none fired",
    ProhibitionVerdict.FALSE_ALARM: "an alert that must not fire did",
    ProhibitionVerdict.INCONCLUSIVE: "nothing fired, but it is not certain that the rules could have spoken",
}

DRILLS: Mapping[DrillVerdict, str] = {
    DrillVerdict.PASSED: "every expectation was met, every prohibition kept, and nothing weakens the evidence",
    DrillVerdict.FAILED: "something is proven to be wrong; that stays so, whatever else could not be told",
    DrillVerdict.INCONCLUSIVE: "nothing is proven to be wrong, but not everything could be told",
    DrillVerdict.ABORTED: "a stop condition ended the drill and rolled it back",
}

REASONS: Mapping[Code, Words] = {
    Code.RULE_NOT_LOADED: Words(
        "the engine listed its rules at the start and this alert was not among them, which proves that it cannot fire",
        "a loaded rule of that name, or the right name in the scenario",
    ),
    Code.RULE_UNHEALTHY: Words(
        "a rule that comes, goes or changes during a drill is another rule: its silence says nothing of either",
        "rules that stay as they are while the drill runs",
    ),
    Code.RULE_ERROR: Words(
        "an evaluation of the rule failed; the engine then writes no samples, though its page may go on saying firing",
        "an expression that can be evaluated: `promtool check rules`, then the engine's /rules page for the error",
    ),
    Code.RULE_NO_DATA: Words(
        "what the rule reads had no answer (Grafana's state `nodata`), so it could not tell whether anything was wrong",
        "a rule whose query has an answer all the time",
    ),
    Code.ALREADY_FIRING: Words(
        "the label set was pending or firing before the fault began, so its firing later is not the fault's doing",
        "a steady state in which the alert is inactive",
    ),
    Code.CARRY_OVER: Words(
        "an earlier fault still moved the signal when this one began",
        "a longer settle, or the faults in another order",
    ),
    Code.NOTHING_TOUCHED: Words(
        "no request differed on the wire from what it would have been, so there was nothing to notice",
        "a fault that changes what is sent; a control with share 0 passes just so",
    ),
    Code.FAULT_NOT_DELIVERED: Words(
        "fewer than 99% of the planned effects were confirmed, or others were, so what the alert saw is not the plan's",
        "all traffic through the load and the proxies of alertdrill, and an injector that lives",
    ),
    Code.LOAD_UNDER_RATE: Words(
        "under 99% of the requests were sent within 100 ms of their time, or were turned away (over 1% by 429, most by "
        "401 or 403) before anything was broken; traffic that dies raises ratios by itself",
        "a lower rate, more workers, or a machine with idle CPU",
    ),
    Code.SCRAPE_GAP: Words(
        "a target that the rule reads was not scraped for over 1.5 intervals, so the rule may have had nothing to see",
        "a target that answers each scrape within its timeout",
    ),
    Code.EVALUATION_GAP: Words(
        "the rule was not evaluated for more than 1.5 intervals, or not to its deadline, so it may have been unable to "
        "speak",
        "an engine with enough CPU that runs to the end of the drill, with this rule loaded",
    ),
    Code.ENGINE_RESTARTED: Words(
        "the engine was restarted while the rule was watched: meanwhile nothing was scraped or evaluated, and `for` "
        "may have begun anew or been restored, so neither silence nor an instant is the rule's own",
        "an engine that runs through",
    ),
    Code.QUERY_FAILED: Words(
        "the engine or the Alertmanager died or did not answer; a question without an answer is never an answer",
        "an engine, and an Alertmanager, that can be reached to the end of the drill",
    ),
    Code.REPLICAS_DISAGREE: Words(
        "one replica of the Prometheus raised the alert and another, which could have, did not, or far too late: the "
        "alert went out, and half of the pair is blind; nobody would notice before the other half is gone",
        "replicas with the same rules, targets and settings: compare their /rules and /targets pages",
    ),
    Code.CLOCK_DOUBT: Words(
        "the engine's clock and ours could not be compared to within 0.1 s, or its samples and its own posts state "
        "different instants, so instants cannot be subtracted",
        "clocks that are synchronised, and an engine that answers quickly and runs through",
    ),
    Code.INSTANT_DOUBT: Words(
        "the engine does not state instants so exactly that it is certain whether the alert fired, or resolved, in "
        "time",
        "a deadline that is further away than `ttd_error_s`",
    ),
    Code.SETTLE_TIMEOUT: Words(
        "the gate before the phase stayed shut, so its fault was never injected",
        "alerts that become inactive before settle.timeout, or a longer one",
    ),
    Code.CROSSED_BEFORE_SERVED: Words(
        "the condition held before the first broken request was answered, so something else had raised the signal",
        "a steady signal before the fault: a longer baseline shows what moves it",
    ),
    Code.SERIES_NOT_RECORDED: Words(
        "the recording lacks what the verdict needs, or contradicts what the engine itself posted; or the rule's query "
        "is not PromQL, so that nobody knows what it needs",
        "the folder as the drill left it; a query that is PromQL",
    ),
    Code.NEVER_PENDING: Words(
        "the rule was loaded, healthy, evaluated and fed, and its condition never held for the labels asked for",
        "a stronger fault, a lower threshold or a shorter window",
    ),
    Code.NEVER_FIRING: Words(
        "the condition held, but not for as long as `for` asks without a break",
        "a fault that lasts longer, a shorter `for`, or labels that do not change from one evaluation to the next",
    ),
    Code.LABELS_DIFFER: Words(
        "the same alert, with other labels: whoever routes by labels would have been told something else",
        "the labels of the rule, or those of the expectation",
    ),
    Code.TOO_LATE: Words(
        "it came after the deadline; the time below shows where it went",
        "the setting that took most of the time, or a longer deadline",
    ),
    Code.RESOLVED_EARLY: Words(
        "the alert said that all was well while requests were still broken",
        "a longer window, `keep_firing_for`, or a fault that acts evenly",
    ),
    Code.SUPPRESSED: Words(
        "the alert reached the Alertmanager, where a silence, another alert or a time interval held it back",
        "the silence, the inhibition or the time interval that the reason names",
    ),
    Code.WRONG_RECEIVER: Words(
        "the alert is routed or was delivered to other receivers than the one asked for",
        "the routes of the Alertmanager, or the receiver in the scenario",
    ),
    Code.OUT_OF_VIEW: Words(
        "the alert's series are measured at another place than the one where the fault acts",
        "a fault at a place that the series see, or an alert on series that see this one",
    ),
    Code.NOT_POSTED: Words(
        "the alert fired and no post of it reached the receiver of alertdrill, or there is none that listens",
        "`alerting.alertmanagers` of the engine, and the network between",
    ),
    Code.NOT_ACCEPTED: Words(
        "the alert fired, and the Alertmanager that should route it never had it",
        "`alerting.alertmanagers` and `alert_relabel_configs` of the engine, and the network between",
    ),
    Code.NOT_DELIVERED: Words(
        "the Alertmanager had the alert, and its receiver was told nothing of it",
        "an integration of the receiver, its templates, a shorter `group_wait`, or a route that is not mute",
    ),
    Code.STILL_FIRING: Words(
        "the alert was firing at the deadline to resolve, counted from the fault's last effect",
        "a shorter window or `keep_firing_for`, or a longer `resolves_within`",
    ),
    Code.RELOAD_FAILED: Words(
        "the engine could not load its configuration or its rules when it was last told to, and goes on with older "
        "ones: what was drilled is not what its files say",
        "files that `promtool check config` accepts, and a reload of the engine",
    ),
    Code.INTERRUPTED: Words(
        "the drill ended before this could be told",
        "a drill that runs to its end",
    ),
    Code.NOT_REPLAYABLE: Words(
        "the rule asks for something that a recording does not hold, or that a replay would answer otherwise than live",
        "a drill with these rules loaded",
    ),
}
