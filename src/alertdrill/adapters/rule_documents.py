"""Reads alert rules where teams keep them: rule files, PrometheusRule resources, Lists, ConfigMaps, Helm's output."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from alertdrill.adapters.prometheus_answers import duration_s
from alertdrill.adapters.yaml_nodes import Node, NotYaml, Spot, compose_all
from alertdrill.core.errors import BadInput, Mistake, nearest
from alertdrill.core.observations import RuleGroup, RuleInfo
from alertdrill.core.promql import PromqlError, parse
from alertdrill.core.written_rules import WrittenGroup, WrittenRule

STDIN = "-"
SUFFIXES = (".yml", ".yaml", ".rules", ".json")
MAX_NODES = 2_000_000
_RESOURCES = ("PrometheusRule", "List", "PrometheusRuleList", "ConfigMap", "ConfigMapList")
_GROUP_FIELDS = ("name", "interval", "limit", "rules", "query_offset", "labels", "evaluation_delay", "source_tenants")
_ASKING = ("limit", "query_offset", "evaluation_delay")
_RULE_FIELDS = ("alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations")
_THANOS = ("partial_response_strategy",)


def read_rules(sources: Sequence[str | Path]) -> tuple[WrittenGroup, ...]:
    """The groups of all sources, in their order.

    A source is a file, a folder (its .yml, .yaml, .rules and .json files, and those of the folders in it) or `-`,
    standard input. A file holds one document or several: a rule file of Prometheus (`groups`), a PrometheusRule, a List
    of resources, a ConfigMap with rule files as its values. Other resources, of which Helm writes many, are passed by.

    Raises:
        BadInput: every mistake of every file: what is no YAML, no rule, no PromQL; a source without any rule file.
    """
    reader = _Reader()
    groups = [group for source in sources for group in reader.read(str(source))]
    if reader.mistakes:
        files = {one.file: position for position, one in reversed([*enumerate(reader.mistakes)])}
        raise BadInput(sorted(reader.mistakes, key=lambda one: (files[one.file], one.line or 0)))
    return tuple(groups)


def rules_of_text(text: str, file: str) -> tuple[WrittenGroup, ...]:
    """The groups of a file that was read before.

    Raises:
        BadInput: as `read_rules`.
    """
    reader = _Reader()
    groups = tuple(reader.read_text(text, file))
    if reader.mistakes:
        raise BadInput(reader.mistakes)
    return groups


def rules_to_load(files: Sequence[Path], evaluation_interval_s: float) -> tuple[RuleGroup, ...]:
    """The groups of rule files as an engine with that evaluation interval (seconds) loads them.

    Raises:
        BadInput: as `read_rules`.
    """
    return tuple(one.loaded(evaluation_interval_s, str(Path(one.file).absolute())) for one in read_rules(files))


class _Text(NamedTuple):
    """A text to read, and how many lines of its file stand above it; `fixed` where they cannot be told apart."""

    text: str
    file: str
    above: int = 0
    fixed: bool = False

    def line(self, spot: Spot) -> int:
        return self.above if self.fixed else self.above + spot.line


class _Reader:
    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self._passed: dict[str, int] = {}
        self._found = False

    def read(self, source: str) -> list[WrittenGroup]:
        """The groups of one source."""
        self._found, self._passed, before = False, {}, len(self.mistakes)
        groups = [group for text in self._texts(source) for group in self._document_groups(text)]
        if self._passed and not self._found and len(self.mistakes) == before:
            got = "only " + ", ".join(f"{kind} ({count})" for kind, count in sorted(self._passed.items()))
            kinds = "a rule file (groups: …), a PrometheusRule, a List of them or a ConfigMap that holds one"
            self._wrong(
                _Text("", source), None, "rules", got, kinds, "name files with rules; Helm: `helm template . |`"
            )
        return groups

    def read_text(self, text: str, file: str) -> Iterator[WrittenGroup]:
        """The groups of one text."""
        return self._document_groups(_Text(text, file))

    def _wrong(self, text: _Text, node: Node | None, where: str, got: str, expected: str, fix: str) -> None:
        line = text.line(node.spot) if node else None
        self.mistakes.append(Mistake(where, got, expected, fix, line=line, file=text.file))

    def _texts(self, source: str) -> Iterator[_Text]:
        if source == STDIN:
            yield _Text(sys.stdin.read(), STDIN)
            return
        path = Path(source)
        files = [path]
        if path.is_dir():
            files = sorted(one for one in path.rglob("*") if one.suffix in SUFFIXES and one.is_file())
            if not files:
                self._wrong(_Text("", source), None, "rules", "an empty folder", "rule files", "name one with rules")
        for file in files:
            try:
                yield _Text(file.read_text(encoding="utf-8-sig"), str(file))
            except (OSError, UnicodeDecodeError) as error:
                got = "no such file" if isinstance(error, FileNotFoundError) else str(error)
                self._wrong(_Text("", str(file)), None, "rules", got, "a readable text file", "write the path of one")

    def _document_groups(self, text: _Text) -> Iterator[WrittenGroup]:
        try:
            documents, duplicates = compose_all(text.text, text.file, MAX_NODES)
        except NotYaml as error:
            fix = error.fix
            if "{{" in text.text:
                fix = "if this is a template: render it, `helm template . | … -`"
            line = text.line(error.spot)
            self.mistakes.append(Mistake("rules", error.got, error.expected, fix, line=line, file=text.file))
            return
        for one in duplicates:
            got, fix = f"the key {one.path[-1]} twice", "remove one of the two"
            line = text.line(one.spot)
            self.mistakes.append(Mistake("rules", got, "each key once", fix, line=line, file=text.file))
        for document in documents:
            yield from self._of(document, text)

    def _of(self, node: Node, text: _Text) -> Iterator[WrittenGroup]:
        """The groups of a document or of an item of a List."""
        if node.value is None or node.value == {}:
            return
        if not isinstance(node.value, dict):
            got = "a list" if isinstance(node.value, list) else f"the text {node.text[:40]!r}"
            self._wrong(text, node, "rules", got, "groups: […], or a resource with a kind", "see promtool check rules")
            return
        kind = node.value["kind"].text if "kind" in node.value else None
        if kind is None:
            yield from self._groups(node, text)
        elif kind not in _RESOURCES:
            self._passed[kind] = self._passed.get(kind, 0) + 1
        elif kind == "PrometheusRule":
            spec = node.value.get("spec")
            if spec is None or not isinstance(spec.value, dict):
                self._wrong(text, node, "spec", "none", "spec: {groups: […]}", "write the rules into it")
            else:
                yield from self._groups(spec, text)
        elif kind == "ConfigMap":
            yield from self._config_map(node, text)
        else:
            items = node.value.get("items")
            for item in items.value if items and isinstance(items.value, list) else ():
                yield from self._of(item, text)

    def _config_map(self, node: Node, text: _Text) -> Iterator[WrittenGroup]:
        data = node.value.get("data")
        for held in (data.value if data and isinstance(data.value, dict) else {}).values():
            if not isinstance(held.value, str) or "groups" not in held.value:
                continue
            above = text.line(held.spot)
            inner = _Text(held.value, text.file, above, fixed=text.fixed or not held.literal)
            yield from self._document_groups(inner)
        self._passed["ConfigMap"] = self._passed.get("ConfigMap", 0) + 1

    def _groups(self, node: Node, text: _Text) -> Iterator[WrittenGroup]:
        known = ("groups", "namespace")
        for key, spot in node.keys.items():
            if key not in known:
                self._unknown(text, spot, key, known)
        if "groups" not in node.value:
            self._wrong(text, node, "groups", "none", "groups: […], or a resource with a kind", "write the rules there")
            return
        self._found = True
        names: set[str] = set()
        for position, group in enumerate(self._list(node.value["groups"], text, "groups")):
            found = self._group(group, text, f"groups[{position}]")
            if found is None:
                continue
            if found.name in names:
                where = f"groups[{position}].name"
                self._wrong(text, group, where, f"{found.name} again", "each name once in a file", "rename the group")
            names.add(found.name)
            yield found

    def _list(self, node: Node | None, text: _Text, where: str) -> list[Node]:
        if node is None or node.value is None:
            return []
        if isinstance(node.value, list):
            return node.value
        self._wrong(text, node, where, "no list", "a list", "start each of them with a dash")
        return []

    def _unknown(self, text: _Text, spot: Spot, key: str, known: Sequence[str]) -> None:
        near = nearest(key, known)
        fix = f"write {near}" if near else "remove it"
        self.mistakes.append(
            Mistake(key, "an unknown field", f"one of {', '.join(known)}", fix, line=text.line(spot), file=text.file)
        )

    def _fields(self, node: Node, text: _Text, where: str, known: Sequence[str]) -> Mapping[str, Node] | None:
        if not isinstance(node.value, dict):
            self._wrong(text, node, where, f"{node.text[:40]!r}", "a mapping", f"write one of {', '.join(known)}")
            return None
        for key, spot in node.keys.items():
            if key not in (*known, *_THANOS):
                self._unknown(text, spot, key, known)
        found: dict[str, Node] = node.value
        return found

    def _group(self, node: Node, text: _Text, where: str) -> WrittenGroup | None:
        fields = self._fields(node, text, where, _GROUP_FIELDS)
        if fields is None:
            return None
        name = fields["name"].text if "name" in fields else ""
        if not name:
            self._wrong(text, node, f"{where}.name", "none", "a name", "write name: …")
        interval_s = self._duration(fields, "interval", text, where) if "interval" in fields else None
        shared = self._labels(fields, "labels", text, where)
        written = self._list(fields.get("rules"), text, f"{where}.rules")
        rules = [self._rule(one, text, f"{where}.rules[{n}]", shared) for n, one in enumerate(written)]
        found = tuple(one for one in rules if one)
        asks = tuple(key for key in _ASKING if key in fields and fields[key].text not in ("", "0", "0s"))
        return WrittenGroup(text.file, name, text.line(node.spot), interval_s or None, found, asks)

    def _rule(self, node: Node, text: _Text, where: str, shared: Mapping[str, str]) -> WrittenRule | None:
        fields = self._fields(node, text, where, _RULE_FIELDS)
        if fields is None:
            return None
        kinds = [key for key in ("alert", "record") if key in fields and fields[key].text]
        if len(kinds) != 1:
            got = "both alert and record" if kinds else "neither alert nor record"
            self._wrong(text, node, where, got, "one of alert and record", "name the alert, or what is recorded")
            return None
        alert = kinds == ["alert"]
        for key in ("for", "keep_firing_for", "annotations"):
            if key in fields and not alert:
                self._wrong(
                    text, fields[key], f"{where}.{key}", "a recording rule with it", "no such field", "remove it"
                )
        rule = RuleInfo(
            name=fields[kinds[0]].text,
            type="alerting" if alert else "recording",
            query=self._expression(fields, node, text, where),
            for_s=self._duration(fields, "for", text, where),
            keep_firing_for_s=self._duration(fields, "keep_firing_for", text, where),
            labels={**shared, **self._labels(fields, "labels", text, where)},
            annotations=self._labels(fields, "annotations", text, where),
            health="unknown",
            last_error="",
        )
        lines = {key: text.line(value.spot) + (value.literal and not text.fixed) for key, value in fields.items()}
        return WrittenRule(rule, text.line(node.spot), lines)

    def _expression(self, fields: Mapping[str, Node], rule: Node, text: _Text, where: str) -> str:
        node = fields.get("expr")
        if node is None or not node.text:
            self._wrong(text, node or rule, f"{where}.expr", "none", "an expression", "write expr: …")
            return ""
        try:
            parse(node.text)
        except PromqlError as error:
            got = f"{' '.join(node.text.split())[:80]} ({error})"
            self._wrong(text, node, f"{where}.expr", got, "PromQL", "correct it; MetricsQL and LogQL are not read")
        return node.text.strip()

    def _duration(self, fields: Mapping[str, Node], key: str, text: _Text, where: str) -> float:
        node = fields.get(key)
        if node is None or node.text in ("", "0"):
            return 0.0
        try:
            return duration_s(node.text)
        except ValueError:
            self._wrong(text, node, f"{where}.{key}", node.text[:40], "a duration", "write such as 30s, 5m or 1h30m")
            return 0.0

    def _labels(self, fields: Mapping[str, Node], key: str, text: _Text, where: str) -> dict[str, str]:
        node = fields.get(key)
        if node is None or node.value is None:
            return {}
        if not isinstance(node.value, dict):
            self._wrong(text, node, f"{where}.{key}", f"{node.text[:40]!r}", "names and texts", "write name: text")
            return {}
        return {name: value.text for name, value in node.value.items()}
