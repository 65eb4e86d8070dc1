import pytest

from alertdrill.monitor.sources import Place, Source, parse_source


def test_a_source_is_a_pointer_or_a_header() -> None:
    assert parse_source("/a/b") == Source(Place.ANSWER, "/a/b")
    assert parse_source("request:/a~1b") == Source(Place.REQUEST, "/a~1b")
    assert parse_source("answer-header:X-Id") == Source(Place.ANSWER_HEADER, "x-id")
    assert parse_source("request-header:x-id") == Source(Place.REQUEST_HEADER, "x-id")


@pytest.mark.parametrize("text", ["", "answer:/x", "body:/x", "answer-header:", "request-header:x y", "request:x"])
def test_a_source_that_is_none_is_explained(text: str) -> None:
    with pytest.raises(ValueError, match="fix: write /prediction_id"):
        parse_source(text)
