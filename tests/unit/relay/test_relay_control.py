"""What a relay does with its handler's own answers."""

from typing import Any, cast

import pytest

from alertdrill.relay.control import Control
from alertdrill.relay.exchange import Request, Response

LAST_RESORT = Response(200, (), b"page", last_resort=True)
NOWHERE = Response(404, (), b"nothing")


class Saying:
    """A handler that answers every request alike."""

    def __init__(self, response: Response | None) -> None:
        self._response = response

    def local(self, request: Request) -> Response | None:
        return self._response


def local(response: Response | None, otherwise: Response | None) -> Response | None:
    control = Control(cast(Any, Saying(response)), cast(Any, None), 1, otherwise=otherwise)
    return control.local(Request(b"GET", b"/", (), b"", 0.0))


@pytest.mark.parametrize(
    ("response", "otherwise", "expected"),
    [
        (None, None, None),
        (None, NOWHERE, NOWHERE),
        (LAST_RESORT, None, LAST_RESORT),
        (LAST_RESORT, NOWHERE, Response(200, (), b"page")),
    ],
    ids=["forwarded", "nowhere", "asked-first", "at-once"],
)
def test_an_answer_of_last_resort_is_given_at_once_where_there_is_nobody_to_ask(
    response: Response | None, otherwise: Response | None, expected: Response | None
) -> None:
    assert local(response, otherwise) == expected
