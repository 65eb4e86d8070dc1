"""A drill whose notifications were followed, judged again from its folder."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from recorded_runs import left_behind
from told import MANAGED, OWN, Told

from alertdrill.compose import check_folder
from alertdrill.core.result import Verdict


def delivered() -> Told:
    return Told(MANAGED).posted().accepted().delivered(40)


def suppressed() -> Told:
    return Told(OWN).posted().silence(ours=False).accepted(state="suppressed", silenced_by=("s1",))


@pytest.mark.parametrize(("told", "verdict"), [(delivered, Verdict.DETECTED), (suppressed, Verdict.NOT_NOTIFIED)])
def test_notifications_are_judged_again_to_the_same_bytes(
    tmp_path: Path, told: Callable[[], Told], verdict: Verdict
) -> None:
    first = left_behind(tmp_path, "one", told().drill)
    before = (first.folder / "result.json").read_bytes()
    again = check_folder(first.folder)
    assert (again.revision, again.result.to_json()) == (None, before)
    assert [one.verdict for one in again.result.expectations] == [verdict]
    assert again.result.second_witness is not None
    (first.folder / "result.json").unlink()
    check_folder(first.folder)
    assert (first.folder / "result.json").read_bytes() == before


def test_a_delivery_that_was_taken_out_of_the_journal_is_seen_in_the_difference(tmp_path: Path) -> None:
    folder = left_behind(tmp_path, "one", delivered().drill).folder
    before = (folder / "result.json").read_bytes()
    lines = (folder / "journal.jsonl").read_text().splitlines(keepends=True)
    (folder / "journal.jsonl").write_text("".join(one for one in lines if json.loads(one)["record"] != "delivered"))
    revision = check_folder(folder).revision
    assert revision is not None
    changes = {one.field: (one.before, one.after) for one in revision.changes}
    assert changes["expectations[nulls/NullsHigh].notification"] == ("delivered", "not_delivered")
    assert changes["expectations[nulls/NullsHigh].verdict"] == ("detected", "not_notified")
    assert changes["expectations[nulls/NullsHigh].notified_at"][1] is None
    assert (folder / "result.json").read_bytes() == before
