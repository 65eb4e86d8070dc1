"""Reads the configuration of an Alertmanager, and rewrites a team's so that it notifies nobody but us.

Routes, grouping, inhibition and time intervals stay as they are written, names of receivers too. Every integration of
a receiver becomes one of ours: e-mail keeps its recipients, headers and templates and goes to our mail server, all
others become webhooks. What could lead elsewhere (addresses, keys, proxies, the rest of `global`) is left out.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from alertdrill.adapters.prometheus_answers import duration_s
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.matchers import Matcher
from alertdrill.core.routing import Route, Routing, matcher, parse_matchers

MINIMAL = """\
route: {receiver: pager, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: pager, webhook_configs: [{url: 'http://127.0.0.1'}]}]
"""
"""What stands in for a configuration where a team gives none: every alert is told at once, by itself."""

RECEIVER_HEADER = "X-Alertdrill-Receiver"
ALERTS_HEADER = "X-Alertdrill-Alerts"
ALERTS_TEMPLATE = (
    "{{ range .Alerts }}{{ .Status }} {{ .StartsAt.UnixMilli }} "
    "{{ range .Labels.SortedPairs }}{{ .Name }}={{ urlquery .Value }}&{{ end }};{{ end }}"
)
"""What an e-mail is about, for a machine: `firing 1790000000123 alertname=A&severity=P1&;` for each alert."""

KEPT_GLOBALS = ("resolve_timeout", "smtp_from")
KEPT_OF_EMAIL = ("to", "from", "html", "text", "send_resolved")
SILENT_ABOUT_RESOLVED = ("email", "slack", "wechat")
"""Integrations that say nothing of resolved alerts unless told to."""

_TRUE = ("true", "yes", "on", "y")
_DEFAULT_WAIT = "30s"

Tree = Mapping[str, Any]


_MERGE_ALONE = {"<": [("tag:yaml.org,2002:merge", re.compile(r"^(?:<<)$"))]}


class _Texts(yaml.SafeLoader):
    """Every scalar as it was written, so that `17:00` stays a time; anchors and merges are resolved."""

    yaml_implicit_resolvers = _MERGE_ALONE


class _AsWritten(yaml.SafeDumper):
    """Scalars as they were written, with quotes where they had them."""

    yaml_implicit_resolvers = _MERGE_ALONE


@dataclass(frozen=True)
class AlertmanagerConfig:
    """A configuration that amtool has accepted.

    Attributes:
        text: as it was written.
        directory: what paths in it are relative to.
        routing: whom alerts reach.
    """

    text: str
    directory: Path
    routing: Routing

    def rewritten(self, webhook: str, mail: str) -> str:
        """The same configuration, all integrations ours.

        Each integration tells us the number of its receiver, counted from 0 in the order of the file.

        Args:
            webhook: address of our webhook; number of the receiver and kind of the integration are appended.
            mail: `host:port` of our mail server.
        """
        kept = yaml.compose(self.text, Loader=_Texts)
        tree = _tree(self.text)
        replaced = {
            "global": {key: tree["global"][key] for key in KEPT_GLOBALS if key in (tree.get("global") or {})},
            "receivers": [_rewritten(one, f"{webhook}/{n}", mail, n) for n, one in enumerate(tree["receivers"])],
            "templates": [str(self.directory / path) for path in tree.get("templates") or ()],
        }
        ours = _AsWritten(io.StringIO()).represent_data(replaced)
        assert isinstance(kept, yaml.MappingNode), "its routing was read"
        members = [pair for pair in kept.value if pair[0].value not in replaced]
        return str(yaml.serialize(yaml.MappingNode(kept.tag, [*members, *ours.value]), Dumper=_AsWritten))

    def changes(self) -> Iterator[str]:
        """What `rewritten` does to each receiver, in words."""
        for receiver in _tree(self.text)["receivers"]:
            kinds = [f"{kind} to {one['to']}" if kind == "email" else kind for kind, one in _integrations(receiver)]
            if kinds:
                yield f"receiver {receiver['name']}: {', '.join(kinds)}: delivered to alertdrill instead"
            else:
                yield f"receiver {receiver['name']}: notifies nobody, as written"


def read_config(text: str, directory: Path) -> AlertmanagerConfig:
    """A configuration from its text.

    Raises:
        ValueError: it is none that we read.
    """
    return AlertmanagerConfig(text, directory, read_routing(text))


def read_routing(text: str) -> Routing:
    """Whom alerts reach by a configuration.

    Raises:
        ValueError: it is none that we read.
    """
    try:
        tree = _tree(text)
        receivers = {one["name"]: tuple(kind for kind, _ in _integrations(one)) for one in tree["receivers"]}
        return Routing(route=_route(tree["route"], "", _DEFAULT_WAIT), receivers=receivers)
    except (KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise ValueError(f"no configuration that we read: {type(error).__name__}: {error}") from None


def _tree(text: str) -> Tree:
    tree = yaml.load(text, Loader=_Texts)
    if not isinstance(tree, dict):
        raise ValueError("no configuration: its top is no mapping")
    return tree


def _route(tree: Tree, receiver: str, wait: str) -> Route:
    receiver, wait = tree.get("receiver") or receiver, tree.get("group_wait") or wait
    return Route(
        receiver=receiver,
        matchers=tuple(_matchers(tree)),
        goes_on=str(tree.get("continue", "")).lower() in _TRUE,
        group_wait_s=duration_s(wait),
        muted_at=tuple(tree.get("mute_time_intervals") or ()),
        active_at=tuple(tree.get("active_time_intervals") or ()),
        routes=tuple(_route(child, receiver, wait) for child in tree.get("routes") or ()),
    )


def _matchers(tree: Tree) -> Iterator[Matcher]:
    for name, value in (tree.get("match") or {}).items():
        yield matcher(name, "=", value)
    for name, value in (tree.get("match_re") or {}).items():
        yield matcher(name, "=~", value)
    for line in tree.get("matchers") or ():
        yield from parse_matchers(line)


def _integrations(receiver: Tree) -> Iterator[tuple[str, Tree]]:
    """Kind and settings of everything by which a receiver is told: `email`, `pagerduty` and so on."""
    for key, entries in receiver.items():
        if key.endswith("_configs"):
            for one in entries or ():
                yield key.removesuffix("_configs"), one


def _rewritten(receiver: Tree, webhook: str, mail: str, number: int) -> dict[str, Any]:
    mails: list[Any] = []
    hooks: list[Any] = []
    for kind, one in _integrations(receiver):
        if kind == "email":
            mails.append(_mail(one, mail, number))
        else:
            told = one.get("send_resolved", "false" if kind in SILENT_ABOUT_RESOLVED else "true")
            hooks.append({"url": f"{webhook}/{kind}", "send_resolved": told})
    parts = {"email_configs": mails, "webhook_configs": hooks}
    return {"name": receiver["name"], **{key: entries for key, entries in parts.items() if entries}}


def _mail(one: Tree, mail: str, number: int) -> dict[str, Any]:
    kept = {key: one[key] for key in KEPT_OF_EMAIL if key in one}
    headers = {**(one.get("headers") or {}), RECEIVER_HEADER: str(number), ALERTS_HEADER: ALERTS_TEMPLATE}
    return {**kept, "headers": headers, "smarthost": mail, "require_tls": "false"}


def refused(file: Path, said: str, lines: Sequence[str]) -> BadInput:
    """The error for a configuration that amtool refuses, in its words, with the line where it tells or quotes one."""
    failed = [line.partition("FAILED: ")[2] or line for line in said.splitlines() if _says_something(line)]
    words = "; ".join(line.strip() for line in failed) or said.strip()
    return BadInput(
        [
            Mistake(
                where="monitoring.alertmanager.config",
                got=words,
                expected="a configuration that Alertmanager accepts",
                fix=f"correct the file, then: amtool check-config {file}",
                line=_line_of(words, lines),
                file=str(file),
            )
        ]
    )


def _says_something(line: str) -> bool:
    return "FAILED: " in line or line.startswith("  line ")


def _line_of(words: str, lines: Sequence[str]) -> int | None:
    if found := re.search(r"\bline (\d+)", words):
        return int(found[1])
    for quoted in re.findall(r'"([^"]+)"', words) or [words.rpartition(": ")[2]]:
        for number, line in enumerate(lines, 1):
            if quoted in line:
                return number
    return None
