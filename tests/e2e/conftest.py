from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.drills import Drill, Drills
from tests.e2e.recipes import RECIPES

AT_ONCE = 3  # a drill mostly waits: two cores have room for as many


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of disturbed drills come last: their drills queue up behind all others."""
    items.sort(key=lambda item: "seen" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def lanes() -> Iterator[ThreadPoolExecutor]:
    """Where drills run side by side, those of all modules."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield pool
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session", autouse=True)
def drills(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, lanes: ThreadPoolExecutor
) -> Drills:
    """Every drill that a collected test asks for, waiting for its turn."""
    found = Drills(tmp_path_factory.mktemp("drills"), RECIPES, lanes)
    for item in request.session.items:
        for marker in item.iter_markers("drill"):
            found.start(marker.args[0])
    return found


@pytest.fixture(scope="session", autouse=True)
def told(
    request: pytest.FixtureRequest, drills: Drills, tmp_path_factory: pytest.TempPathFactory, lanes: ThreadPoolExecutor
) -> dict[Any, Future[Any]]:
    """What became of every drill that a collected test wants disturbed, by the function that does it."""
    folder = tmp_path_factory.mktemp("disturbed")
    calls = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    stories = dict.fromkeys(params["seen"] for params in calls if "seen" in params)
    return {story: lanes.submit(story, folder / story.__name__) for story in stories}


@pytest.fixture
def drill(request: pytest.FixtureRequest, drills: Drills) -> Drill:
    """The drill that the test's `drill` marker names."""
    marker = request.node.get_closest_marker("drill")
    assert marker is not None
    return drills.get(marker.args[0])
