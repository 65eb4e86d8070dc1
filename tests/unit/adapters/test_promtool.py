from pathlib import Path

import pytest

from alertdrill.adapters.promtool import RulesRefused, check_rules, parse_problems

RULES = """groups:
  - name: g
    rules:
      - alert: A
        expr: foo >
      - alert: B
        expr: foo
        for: 5 s
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "a.yml"
    file.write_text(RULES)
    return file


def located(stderr: str, *files: Path) -> list[tuple[str | None, int | None, str]]:
    return [(m.file, m.line, m.got) for m in parse_problems(stderr, files)]


def test_a_position_of_promtools_is_taken_and_its_line_quoted(rules):
    text = f'  FAILED:\n{rules}: 5:15: group "g", rule 1, "A": could not parse expression: unexpected end of input\n'
    (problem,) = parse_problems(text, [rules])
    assert (problem.line, problem.column, problem.source) == (5, 15, "        expr: foo >")
    assert problem.got == 'group "g", rule 1, "A": could not parse expression: unexpected end of input'


def test_a_value_without_position_is_found_where_it_is_quoted(rules):
    text = f'  FAILED:\n{rules}: unknown unit " s" in duration "5 s"\n'
    assert located(text, rules) == [(str(rules), 8, 'unknown unit " s" in duration "5 s"')]


def test_a_rule_without_position_is_found_by_its_name(rules):
    text = f'  FAILED:\n{rules}: 0:0: 0:0: group "g", rule 2, "B": template: function "x" not defined\n'
    assert [line for _, line, _ in located(text, rules)] == [6]


def test_repeated_and_indented_lines_of_several_files_are_told_apart(rules, tmp_path):
    other = tmp_path / "b.yml"
    other.write_text("apiVersion: v1\nspec: {}\n")
    text = (
        f"  FAILED:\n{other}: yaml: unmarshal errors:\n  line 1: field apiVersion not found\n  line 2: field spec\n"
        f"  FAILED:\n{rules}: bad\n{rules}: bad\n"
    )
    assert located(text, rules, other) == [
        (str(other), 1, "line 1: field apiVersion not found; line 2: field spec"),
        (str(rules), None, "bad"),
    ]


def test_files_that_cannot_be_read_are_told_without_asking_promtool(tmp_path):
    binary = tmp_path / "binary.yml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(RulesRefused) as error:
        check_rules(tmp_path / "no-promtool", [tmp_path / "none.yml", tmp_path, binary])
    assert [mistake.got[:12] for mistake in error.value.mistakes] == ["no such file", "a directory", "'utf-8' code"]


def test_a_promtool_that_is_missing_or_says_nothing_is_not_taken_for_success(rules, tmp_path):
    with pytest.raises(RulesRefused, match="No such file"):
        check_rules(tmp_path / "no-promtool", [rules])
    silent = tmp_path / "promtool"
    silent.write_text("#!/bin/sh\necho strange >&2; exit 3\n")
    silent.chmod(0o755)
    with pytest.raises(RulesRefused, match="strange"):
        check_rules(silent, [rules])
