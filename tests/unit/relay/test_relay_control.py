"""What a relay does with its handler's own answers."""

from typing import Any, cast

import pytest

from alertdrill.relay.control import Control
from alertdrill.relay.exchange import Effect, Request, Response

LAST_RESORT = Response(200, (), b"page", last_resort=True)
NOWHERE = Response(404, (), b"nothing")


class Saying:
    """A handler that answers every request alike."""

    def __init__(self, response: Response | None) -> None:
        self._response = response

    def local(self, request: Request) -> Response | None:
        return self._response

    def effect(self, request: Request) -> None:
        return None


class Nowhere:
    """A pool without an upstream."""

    authority = b"nowhere"


def treatment(response: Response | None, otherwise: Response | None) -> Response | Effect | None:
    control = Control(cast(Any, Saying(response)), cast(Any, Nowhere()), 1, otherwise=otherwise)
    return control.treatment(Request(b"GET", b"/", (), b"", 0.0))


@pytest.mark.parametrize(
    ("response", "otherwise", "expected"),
    [
        (None, None, None),
        (None, NOWHERE, NOWHERE),
        (LAST_RESORT, None, LAST_RESORT),
        (LAST_RESORT, NOWHERE, LAST_RESORT),
    ],
    ids=["forwarded", "nowhere", "asked-first", "nobody-to-ask"],
)
def test_the_handlers_answer_goes_before_what_stands_for_it(
    response: Response | None, otherwise: Response | None, expected: Response | None
) -> None:
    assert treatment(response, otherwise) == expected
