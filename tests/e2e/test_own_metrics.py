"""Real model servers drilled by their own metrics: what each answers, what it counts, what its rules can see."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.drills import Drill, run
from tests.e2e.model_servers.own_metrics import (
    ON_BENTOML,
    ON_FASTAPI,
    ON_KSERVE,
    ON_MLSERVER,
    OwnMetrics,
    by_class,
    by_code,
    every_phase,
)
from tests.e2e.model_servers.servers import serving
from tests.e2e.model_servers.wines import statuses, write
from tests.e2e.own_metrics_drill import KEY

OK = {"clean": 200, "numeric text": 200, "tenfold": 200}
PROBES = ("null", "nan", "text", "missing", "extra", "truncated", "empty", "text/plain")


def _answers(*statuses: int) -> dict[str, int]:
    return OK | dict(zip(PROBES, statuses, strict=True))


FASTAPI_ANSWERS = _answers(422, 500, 422, 422, 200, 422, 422, 422)
BENTOML_ANSWERS = _answers(400, 500, 400, 400, 200, 400, 400, 200)
MLSERVER_ANSWERS = _answers(500, 422, 500, 500, 500, 422, 422, 422)
KSERVE_ANSWERS = _answers(500, 400, 500, 500, 500, 400, 400, 500)


@pytest.mark.drill("own_metrics")
def test_what_an_unknown_fastapi_app_answers_to_each_fault_and_what_it_counts_of_that(drill: Drill) -> None:
    answered, counted = json.loads((drill.folder.parents[2] / "answered.json").read_bytes())
    assert answered == FASTAPI_ANSWERS
    assert counted == by_class(answered)


@pytest.mark.drill("own_metrics")
def test_rules_on_a_server_s_own_metrics_see_its_errors_and_no_delay_in_front_of_it(drill: Drill) -> None:
    assert drill.expectation("nulls")["verdict"] == "detected", drill.output
    assert [one["verdict"] for one in drill.result["prohibitions"]] == ["quiet"]
    in_front = drill.expectation("in-front")
    assert (in_front["verdict"], in_front["reason"]["code"]) == ("out_of_view", "out_of_view"), drill.output
    assert in_front["views"] == ["server"]
    assert drill.exit_code == 1


@pytest.mark.drill("own_metrics")
def test_a_gateway_in_front_lets_the_drill_through_by_a_key_that_no_file_of_it_holds(drill: Drill) -> None:
    load = drill.result["load"]
    assert load["answered"] == load["sent"] > 0
    assert all(code != 401 for record in drill.journal if record["record"] == "served" for code in record["code"])
    for file in drill.folder.iterdir():
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        assert KEY.encode() not in data, file
    assert KEY not in drill.output


# The others, which take longer to install, and longer to drill

Serving = tuple[OwnMetrics, str]
AND_ONE_MORE = ON_BENTOML
SERVERS = [
    pytest.param(one, marks=[] if one is AND_ONE_MORE else pytest.mark.long, id=one.kind.name)
    for one in (ON_FASTAPI, ON_BENTOML, ON_KSERVE, ON_MLSERVER)
]


@pytest.fixture(scope="module", params=SERVERS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    server: OwnMetrics = request.param
    with serving(server.kind, tmp_path_factory.mktemp(server.kind.name)) as url:
        yield server, url


def _of_kserve(answered: Mapping[str, int]) -> Counter[str]:
    """All that came to its model: of malformed JSON it knows nothing."""
    return Counter({"wine": len(answered) - sum(status == 400 for status in answered.values())})


SAYS: dict[str, tuple[dict[str, int], Callable[[Mapping[str, int]], Counter[str]]]] = {
    "fastapi": (FASTAPI_ANSWERS, by_class),
    "bentoml": (BENTOML_ANSWERS, by_code),
    "mlserver": (MLSERVER_ANSWERS, by_code),
    "kserve": (KSERVE_ANSWERS, _of_kserve),
}


@pytest.mark.timeout(1500)
def test_what_each_answers_to_each_fault_and_what_it_counts_of_that(served: Serving, tmp_path: Path) -> None:
    server, url = served
    expected, counting = SAYS[server.kind.name]
    before = server.counts(url)
    answered = statuses(url, write(tmp_path, server.protocol, server.path))
    assert answered == expected
    assert server.counts(url) - before == counting(answered)


@pytest.mark.long
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("monitor", ["none", "sidecar"])
def test_what_each_can_see_by_itself_with_the_monitor_beside_it_or_without(
    served: Serving, tmp_path: Path, monitor: str
) -> None:
    server, url = served
    drill = run(tmp_path, str(server.write(tmp_path, url, every_phase, monitor))).ended()
    found = {one["phase"]: one["verdict"] for one in drill.result["expectations"]}
    # KServe counts from when it has the whole body, and the monitor passes whole requests on.
    uploads = "out_of_view" if monitor == "sidecar" else "missed" if server is ON_KSERVE else "detected"
    assert found == {"nulls": "detected", "in-front": "out_of_view", "uploads": uploads}, drill.output
    assert [one["verdict"] for one in drill.result["prohibitions"]] == ["quiet"], drill.output
    assert drill.exit_code == 1
