"""Whether a recording holds all that a rule reads; what it lacks is said, never taken for silence."""

from collections.abc import Iterable, Sequence

from alertdrill.core.promql import Selector
from alertdrill.core.recording import ALWAYS
from alertdrill.core.replay.dependencies import Place, Rules


def covers(recorded: Selector, wanted: Selector) -> bool:
    """Whether every series that one selector reads is read by another too, as far as their matchers tell."""
    if recorded.name and recorded.name != wanted.name:
        return False
    fixed = {one.label: one.value for one in wanted.matchers if one.op == "="}
    fixed |= {"__name__": wanted.name} if wanted.name else {}
    return all(one in wanted.matchers or (one.label in fixed and one.matches(fixed)) for one in recorded.matchers)


def lacking(rules: Rules, places: Iterable[Place], recorded: Sequence[Selector]) -> tuple[str, ...]:
    """The selectors of some rules whose series the recording need not hold, as PromQL; none where it holds all.

    What rules write is written anew by a replay, and counts as held.

    Args:
        rules: all of them.
        places: the rules in question.
        recorded: what was asked for when the drill was recorded.
    """
    missing: dict[str, None] = {}
    for place in places:
        for one in rules.selectors[place]:
            bare = Selector(one.name, one.matchers, 0.0, 0.0)
            held = bare.name in ALWAYS or rules.is_output({"__name__": bare.name})
            if not held and not any(covers(each, bare) for each in recorded):
                missing[bare.text()] = None
    return tuple(missing)
