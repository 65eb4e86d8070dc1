import io
import json
import time
from pathlib import Path

import pytest

from alertdrill.adapters.rule_documents import read_rules, rules_to_load
from alertdrill.core.errors import BadInput
from alertdrill.core.written_rules import WrittenGroup, places

RULES = """\
groups:
  - name: fast
    interval: 500ms
    rules:
      - record: job:x:rate
        expr: rate(x[5s])
      - alert: High
        expr: |
          job:x:rate
            > 1
        for: 1m30s
        keep_firing_for: 5m
        labels: {severity: P1, since: 2026-01-01, on: yes}
        annotations: {summary: 'of {{ $labels.job }}'}
  - name: usual
    rules: [{alert: Always, expr: vector(1)}]
"""
PLAIN = "groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]"


def resource(kind: str = "PrometheusRule", text: str = PLAIN) -> str:
    return f"apiVersion: monitoring.coreos.com/v1\nkind: {kind}\nmetadata: {{name: r}}\nspec:\n" + indented(text, 2)


def indented(text: str, by: int) -> str:
    return "".join(" " * by + line + "\n" for line in text.splitlines())


def config_map(text: str, style: str = "|") -> str:
    data = f"data:\n  notes: no rules\n  rules.yml: {style}\n"
    return "kind: ConfigMap\nmetadata: {name: c}\n" + data + indented(text, 4)


def read(folder: Path, text: str, name: str = "rules.yml") -> tuple[WrittenGroup, ...]:
    file = folder / name
    file.write_text(text)
    return read_rules([file])


def found(groups: tuple[WrittenGroup, ...]) -> list[tuple[str, str, int]]:
    return [(group.name, one.rule.name, one.line) for group, one in places(groups)]


def mistakes(folder: Path, text: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(BadInput) as wrong:
        read(folder, text)
    return [(one.line, one.where, one.got) for one in wrong.value.mistakes]


def test_a_rule_file_says_all_that_the_engine_would_and_where(tmp_path: Path) -> None:
    fast, usual = read(tmp_path, RULES)
    assert (fast.interval_s, usual.interval_s, fast.line, usual.line) == (0.5, None, 2, 15)
    recorded, alert = fast.rules
    assert (recorded.rule.type, recorded.rule.name, recorded.line) == ("recording", "job:x:rate", 5)
    rule = alert.rule
    assert (rule.type, rule.query, rule.for_s, rule.keep_firing_for_s) == ("alerting", "job:x:rate\n  > 1", 90.0, 300.0)
    assert dict(rule.labels) == {"severity": "P1", "since": "2026-01-01", "on": "yes"}
    assert (alert.line, alert.lines["expr"], alert.lines["for"]) == (7, 9, 11)


def test_groups_keep_their_own_interval_or_take_that_of_the_engine(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    loaded = rules_to_load([tmp_path / "rules.yml"], 2.0)
    assert [(group.interval_s, group.file) for group in loaded] == [
        (0.5, str(tmp_path / "rules.yml")),
        (2.0, str(tmp_path / "rules.yml")),
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (PLAIN, [1]),
        (json.dumps({"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up == 0"}]}]}), [1]),
        (resource(), [5]),
        (f"# helm\n---\n{resource()}---\nkind: Service\nspec: {{a: 1}}\n---\n{resource()}", [7, 16]),
        ("kind: List\nitems:\n" + indented("- " + indented(resource(), 2).strip(), 2), [7]),
        (config_map(PLAIN), [6]),
        (config_map("# of the team\n\n" + PLAIN), [8]),
        (config_map(json.dumps(PLAIN), ""), [6]),
        ("namespace: team\n" + PLAIN, [2]),
    ],
    ids=["plain", "JSON", "PrometheusRule", "Helm", "List", "ConfigMap", "comments", "quoted", "Mimir's namespace"],
)
def test_rules_are_found_where_teams_keep_them(tmp_path: Path, text: str, lines: list[int]) -> None:
    groups = read(tmp_path, text)
    assert [line for _, _, line in found(groups)] == lines
    assert {(group, alert) for group, alert, _ in found(groups)} == {("g", "A")}


def test_a_mistake_in_a_config_map_is_told_with_the_line_of_the_file(tmp_path: Path) -> None:
    text = config_map("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up ==\n    fro: 5m\n")
    assert [(line, where) for line, where, _ in mistakes(tmp_path, text)] == [
        (10, "groups[0].rules[0].expr"),
        (11, "fro"),
    ]


def test_a_folder_is_read_with_the_folders_in_it_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.yaml").write_text(PLAIN.replace("A,", "B,"))
    (tmp_path / "a.rules").write_text(PLAIN)
    (tmp_path / "README.md").write_text("groups: of people")
    (tmp_path / "values.yaml").write_text("kind: Deployment")
    assert [alert for _, alert, _ in found(read_rules([tmp_path]))] == ["A", "B"]


def test_standard_input_is_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(resource()))
    assert [(group.file, alert.line) for group, alert in places(read_rules(["-"]))] == [("-", 5)]


@pytest.mark.parametrize("text", ["", "---\n", "# nothing yet\n", "{}", "groups:\n", "groups: []"])
def test_a_file_without_any_rule_is_a_rule_file(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == ()


def test_every_mistake_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    text = """\
groups:
  - name: g
    interval: often
    rules:
      - {alert: A, expr: up == 0, for: soon}
      - {alert: A, record: b, expr: up}
      - {expr: up}
      - {alert: NoExpression}
      - {record: r, expr: up, for: 5m}
      - {alert: Unknown, expr: 'uptime(up)'}
      - {alert: Metrics, expr: 'rollup(up[5m]) default 0'}
      - {alert: Labels, expr: up, labels: [severity]}
      - {alert: Twice, expr: up, expr: down}
      - text
  - name: g
  - rules: {}
group: []
"""
    assert mistakes(tmp_path, text) == [
        (3, "groups[0].interval", "often"),
        (5, "groups[0].rules[0].for", "soon"),
        (6, "groups[0].rules[1]", "both alert and record"),
        (7, "groups[0].rules[2]", "neither alert nor record"),
        (8, "groups[0].rules[3].expr", "none"),
        (9, "groups[0].rules[4].for", "a recording rule with it"),
        (10, "groups[0].rules[5].expr", "uptime(up) (unknown function with name 'uptime')"),
        (11, "groups[0].rules[6].expr", "rollup(up[5m]) default 0 (invalid promql query)"),
        (12, "groups[0].rules[7].labels", "''"),
        (13, "rules", "the key expr twice"),
        (14, "groups[0].rules[9]", "'text'"),
        (15, "groups[1].name", "g again"),
        (16, "groups[2].name", "none"),
        (16, "groups[2].rules", "no list"),
        (17, "group", "an unknown field"),
    ]


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("a: [\n", "what YAML cannot read"),
        ("[]\n", "a list"),
        ("just words\n", "the text 'just words'"),
        ("rules: []\n", "an unknown field"),
        ("groups: 5\n", "no list"),
        ("kind: Deployment\n---\nkind: Service\n", "only Deployment (1), Service (1)"),
        ("kind: PrometheusRule\n", "none"),
        ("kind: ConfigMap\ndata: {a: b}\n", "only ConfigMap (1)"),
        ("\x00", "the control character U+0000"),
        ("a: &a [*a]", "the alias *a inside of &a"),
        ("[" * 10_000, "too much nesting"),
    ],
)
def test_what_holds_no_rules_is_refused_and_named(tmp_path: Path, text: str, got: str) -> None:
    assert mistakes(tmp_path, text)[0][2].startswith(got)


def test_a_template_that_was_not_rendered_is_told_from_broken_yaml(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text("groups:\n{{- range .Values.groups }}\n  - name: {{ .name }}\n{{- end }}\n")
    with pytest.raises(BadInput, match="helm template"):
        read_rules([file])


def test_files_that_are_not_there_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput) as wrong:
        read_rules([tmp_path / "none.yml", tmp_path / "empty", tmp_path / "neither.yml"])
    assert [one.got for one in wrong.value.mistakes] == ["no such file", "an empty folder", "no such file"]


def test_aliases_do_not_multiply_beyond_a_bound(tmp_path: Path) -> None:
    many = "groups: &a0 [x]\n" + "".join(f"k{n}: &a{n + 1} [{', '.join(['*a' + str(n)] * 10)}]\n" for n in range(12))
    began = time.process_time()
    assert "too many values" in mistakes(tmp_path, many)[0][2]
    assert time.process_time() - began < 5.0
