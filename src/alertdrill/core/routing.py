"""Where an Alertmanager sends an alert: its routing tree, and the receivers at its leaves."""

import re
from collections.abc import Mapping
from typing import cast

from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.matchers import Matcher, Operator, all_match, misread

_MATCHER = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.DOTALL)
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


class _Frozen(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    r"""The matchers of a line of a configuration, such as `severity="P1"` or `{team=~"a|b",env!=dev}`.

    More forgiving than a scenario: what Alertmanager takes for a text is one, such as `\.` in quotes.

    Raises:
        ValueError: it is none, or its expression is none that we read.
    """
    text = text.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].rstrip().removesuffix(",")
    return tuple(_matcher(part) for part in _parts(text) if part.strip())


def _parts(text: str) -> list[str]:
    """Split at the commas outside of quotes."""
    parts, quoted, escaped = [""], False, False
    for one in text:
        quoted = quoted != (one == '"' and not escaped)
        escaped = one == "\\" and not escaped
        if one == "," and not quoted:
            parts.append("")
        else:
            parts[-1] += one
    return parts


def _matcher(text: str) -> Matcher:
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ValueError(f"no matcher: {text!r}")
    value = found[3]
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = re.sub(r'\\[n"\\]', lambda escape: _ESCAPES[escape[0]], value[1:-1])
    return matcher(found[1], found[2], value)


def matcher(label: str, op: str, value: str) -> Matcher:
    """A matcher whose expression, if it has one, can be read.

    Raises:
        ValueError: it cannot.
    """
    why = misread(value) if op in ("=~", "!~") else None
    if why is not None:
        raise ValueError(f"no expression that we read: {value!r}: {why}")
    return Matcher(label, cast(Operator, op), value)


class Route(_Frozen):
    """A node of the routing tree; what a route does not state it has from its parent. Times are seconds."""

    receiver: str
    matchers: tuple[Matcher, ...] = ()
    goes_on: bool = Field(default=False, description="whether the routes after it are looked at too (`continue`)")
    group_wait_s: float = 30.0
    muted_at: tuple[str, ...] = Field(default=(), description="names of time intervals in which it is silent")
    active_at: tuple[str, ...] = Field(default=(), description="names of the only time intervals in which it speaks")
    routes: tuple["Route", ...] = ()

    def leaves(self, labels: Mapping[str, str]) -> tuple["Route", ...]:
        """The routes that an alert with these labels ends at; none if it does not match."""
        if not all_match(self.matchers, labels):
            return ()
        found: list[Route] = []
        for child in self.routes:
            below = child.leaves(labels)
            found += below
            if below and not child.goes_on:
                break
        return tuple(found) or (self,)

    def named(self) -> frozenset[str]:
        """The receivers of this route and of all below it."""
        return frozenset({self.receiver}).union(*(child.named() for child in self.routes))


class Routing(_Frozen):
    """What of an Alertmanager's configuration decides whom an alert reaches."""

    route: Route
    receivers: Mapping[str, tuple[str, ...]] = Field(description="kinds of integrations by the name of their receiver")

    def leaves(self, labels: Mapping[str, str]) -> tuple[Route, ...]:
        """The routes that an alert with these labels ends at."""
        return self.route.leaves(labels)

    def reached(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The receivers of an alert with these labels, each once."""
        return tuple(dict.fromkeys(route.receiver for route in self.leaves(labels)))

    def group_wait_s(self, labels: Mapping[str, str], receiver: str | None) -> float:
        """How long a first alert waits for others before it is sent to a receiver (None: to any); 0 if it is not."""
        waits = [one.group_wait_s for one in self.leaves(labels) if receiver in (None, one.receiver)]
        return min(waits, default=0.0)
