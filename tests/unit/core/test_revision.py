import json
from typing import Any

from drill import Drill

from alertdrill.core.revision import revision

BEFORE = json.loads(Drill().detect().judge().to_json())


def later(**changes: Any) -> dict[str, Any]:
    return {**json.loads(json.dumps(BEFORE)), "judged_by": "9.9.9", **changes}


def test_the_version_alone_is_no_difference() -> None:
    assert revision(BEFORE, later()) is None


def test_a_field_that_differs_is_shown_before_and_after() -> None:
    after = later(verdict="failed")
    after["expectations"][0]["verdict"] = "late"
    after["expectations"][0]["waterfall"][1]["seconds"] = 9.0
    found = revision(BEFORE, after)
    assert found is not None
    assert (found.judged_before_by, found.judged_again_by) == (BEFORE["judged_by"], "9.9.9")
    assert [(one.field, one.after) for one in found.changes] == [
        ("expectations[nulls/NullsHigh].verdict", "late"),
        ("expectations[nulls/NullsHigh].waterfall[1].seconds", 9.0),
        ("verdict", "failed"),
    ]
    assert found.changes[0].before == "detected"


def test_what_came_and_what_went_is_null_on_the_other_side() -> None:
    after = later(news=1)
    del after["mode"]
    after["expectations"].append({**after["expectations"][0], "id": "nulls/Other"})
    found = revision(BEFORE, after)
    assert found is not None
    assert [(one.field, one.before is None, one.after is None) for one in found.changes] == [
        ("expectations[nulls/Other]", True, False),
        ("mode", False, True),
        ("news", True, False),
    ]


def test_a_difference_is_canonical_json() -> None:
    found = revision(BEFORE, later(verdict="failed"))
    assert found is not None
    text = json.loads(found.to_json())
    assert text["schema"] == "alertdrill/diff/v1"
    assert list(text) == sorted(text)
