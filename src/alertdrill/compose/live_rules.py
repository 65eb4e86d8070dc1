"""The rules that were loaded in a drill, as if they had been given as files."""

from alertdrill.adapters.rule_documents import rules_of_text
from alertdrill.compose.recorded import Recorded
from alertdrill.compose.rule_set import RuleSet
from alertdrill.core.errors import BadInput
from alertdrill.core.replay.dependencies import Rules
from alertdrill.core.replay.evidence import unchanged
from alertdrill.core.replay.grid import groups_of
from alertdrill.core.written_rules import WrittenGroup, WrittenRule


def live_rules(one: Recorded) -> RuleSet:
    """The rules that were loaded in a drill: as their files had them, where these are kept and say the same.

    What the engine does not show of others (lines, `limit`, `query_offset`) is not known.
    """
    assert one.case.engine is not None, "recordings without an engine are refused"
    loaded, usual_s = Rules(groups_of(one.case)), one.case.engine.evaluation_interval_s
    try:
        groups = tuple(group for text in one.plan.rules for group in rules_of_text(text.text, text.path))
    except BadInput:
        groups = ()
    if groups and _same(Rules(tuple(group.loaded(usual_s) for group in groups)), loaded):
        return RuleSet((), groups, one.plan.rules)
    shown = (
        WrittenGroup(
            group.file, group.name, 1, group.interval_s, tuple(WrittenRule(rule, 1, {}) for rule in group.rules)
        )
        for group in loaded.groups
    )
    return RuleSet((), tuple(shown), one.plan.rules)


def _same(written: Rules, loaded: Rules) -> bool:
    def named(rules: Rules) -> list[tuple[str, float, int]]:
        return sorted((one.name, one.interval_s, len(one.rules)) for one in rules.groups)

    return named(written) == named(loaded) and all(unchanged(written, place, loaded) for place in written.places)
