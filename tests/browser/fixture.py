"""The browser as a fixture: one for all tests of a process; a clear reason where there is none to be had."""

import os
from collections.abc import Iterator

import pytest

from tests.browser.chromium import Chromium, chromium
from tests.browser.debian import NoBrowser, installed

REQUIRED = "ALERTDRILL_TESTS_NEED_CHROMIUM"


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    """A headless Chromium; `ALERTDRILL_TESTS_NEED_CHROMIUM=1`, which CI sets, makes a failure of having none."""
    try:
        found = installed()
    except NoBrowser as error:
        if os.environ.get(REQUIRED):
            pytest.fail(f"no Chromium: {error}")
        pytest.skip(f"no Chromium: {error}")
    with chromium(found) as running:
        yield running
