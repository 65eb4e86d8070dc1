from collections.abc import Iterator

import pytest

from tests.e2e.drills import Drill, Drills
from tests.e2e.recipes import RECIPES


@pytest.fixture(scope="session")
def drills(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drills]:
    """Every drill that a collected test asks for, started at once."""
    found = Drills(tmp_path_factory.mktemp("drills"), RECIPES)
    for item in request.session.items:
        for marker in item.iter_markers("drill"):
            found.start(marker.args[0])
    yield found
    found.close()


@pytest.fixture
def drill(request: pytest.FixtureRequest, drills: Drills) -> Drill:
    """The drill that the test's `drill` marker names."""
    marker = request.node.get_closest_marker("drill")
    assert marker is not None
    return drills.get(marker.args[0])
