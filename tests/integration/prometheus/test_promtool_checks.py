import pytest

from alertdrill.adapters.promtool import RulesRefused, check_rules

GOOD = "      - alert: A\n        expr: up == 0\n"


def test_good_rules_pass(binaries, rules):
    check_rules(binaries.promtool.path, [rules(GOOD)])


def test_all_broken_files_are_told_at_once_with_line_and_promtools_words(binaries, rules, tmp_path):
    expression = rules("      - alert: A\n        expr: foo >\n", "expression.yml")
    duration = rules("      - alert: B\n        expr: foo\n        for: 5 s\n", "duration.yml")
    template = rules(GOOD + '        annotations: {s: "{{ nofunc }}"}\n', "template.yml")
    wrapped = tmp_path / "wrapped.yml"
    wrapped.write_text("apiVersion: monitoring.coreos.com/v1\nspec:\n  groups: []\n")
    with pytest.raises(RulesRefused) as error:
        check_rules(
            binaries.promtool.path,
            [expression, rules(GOOD, "good.yml"), duration, template, wrapped, tmp_path / "none"],
        )
    found = {(m.file, m.line): m.got for m in error.value.mistakes}
    assert "unexpected end of input" in found[str(expression), 5]
    assert '"5 s"' in found[str(duration), 6]
    assert "nofunc" in found[str(template), 4]
    assert "apiVersion" in found[str(wrapped), 1]
    assert found[str(tmp_path / "none"), None] == "no such file"
    assert "good.yml" not in str(error.value)
    assert f"{expression}:5:15: rules\n" in str(error.value)
    assert "fix: correct the file, then: promtool check rules" in str(error.value)


def test_a_file_whose_name_starts_with_a_dash_is_a_file(binaries, rules, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = rules(GOOD, "-v.yml")
    check_rules(binaries.promtool.path, [named.relative_to(tmp_path)])
