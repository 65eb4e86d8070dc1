from pathlib import Path
from typing import Literal

import pytest

import alertdrill
from alertdrill import generate
from alertdrill.core.faults.base import RowFault
from alertdrill.core.faults.catalogue import KINDS

CHECKOUT = Path(alertdrill.__file__).parents[2]


class NoReferences(RowFault):
    """Do something.

    What it does:
        Something.
    Why it matters:
        It does.
    Should trigger:
        An alert.
    Example:
        - {kind: no_references, features: [amount], share: 20%}
    References:
    """

    kind: Literal["no_references"]


def test_the_files_of_this_checkout_are_up_to_date():
    assert generate.outdated(CHECKOUT) == []


def test_a_fault_without_one_of_its_headings_is_refused_by_name():
    with pytest.raises(generate.Undocumented, match=r"NoReferences(.|\n)*expected(.|\n)*References(.|\n)*fix: "):
        generate.fault_page("no_references", NoReferences)


def test_a_page_has_every_heading_the_example_as_yaml_and_every_field():
    page = generate.fault_page("nulls", KINDS["nulls"])
    assert [line for line in page.splitlines() if line.startswith("#")] == [
        "# nulls",
        "## What it does",
        "## Why it matters",
        "## Should trigger",
        "## Example",
        "## Fields",
        "## References",
    ]
    assert "```yaml\nfaults:\n  - {kind: nulls, features: [amount], share: 20%}\n```" in page
    assert "| `features` | (required) |" in page


def test_writing_twice_changes_nothing_the_second_time(tmp_path: Path):
    assert set(generate.write(tmp_path)) == {name for name, _ in generate.generated()}
    assert generate.write(tmp_path) == []


def test_a_changed_a_missing_and_a_stray_file_are_out_of_date_and_mended(tmp_path: Path):
    generate.write(tmp_path)
    (tmp_path / "docs/faults/nulls.md").write_text("edited by hand")
    (tmp_path / "docs/faults/noop.md").unlink()
    (tmp_path / "docs/faults/gone.md").write_text("a fault that no longer exists")
    assert generate.outdated(tmp_path) == ["docs/faults/gone.md", "docs/faults/noop.md", "docs/faults/nulls.md"]
    generate.write(tmp_path)
    assert generate.outdated(tmp_path) == []
    assert not (tmp_path / "docs/faults/gone.md").exists()


def test_check_says_which_file_and_how_to_mend_it_and_writes_nothing(tmp_path: Path, monkeypatch, capsys):
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(alertdrill, "__file__", str(tmp_path / "src/alertdrill/__init__.py"))
    assert generate.main(["--check"]) == 1
    assert "docs/faults/nulls.md: out of date\n  fix: make generate" in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_outside_a_checkout_nothing_is_written(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(alertdrill, "__file__", str(tmp_path / "site-packages/alertdrill/__init__.py"))
    assert generate.main([]) == 2
    assert "expected a checkout" in capsys.readouterr().err
