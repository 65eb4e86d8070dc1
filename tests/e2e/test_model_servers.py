"""Real model servers, joined by YAML alone: what each answers to each fault, and drills with a right verdict."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.oip_v2 import OipV2
from tests.e2e.model_servers.servers import MLFLOW, MLSERVER, serving
from tests.e2e.model_servers.wines import statuses, write

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def mlserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(MLSERVER, tmp_path_factory.mktemp("mlserver")) as url:
        yield url


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(MLFLOW, tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@pytest.mark.timeout(1500)
def test_what_mlserver_answers(mlserver: str, tmp_path: Path) -> None:
    schema = write(tmp_path, OipV2(tensors="one", name="predict"), "/v2/models/wine/infer")
    print(statuses(mlserver, schema))
    schema = write(tmp_path, OipV2(parameters={"content_type": "pd"}), "/v2/models/wine/infer")
    print(statuses(mlserver, schema))
    schema = write(tmp_path, OipV2(parameters={"content_type": "pd"}), "/v2/models/tolerant/infer")
    print(statuses(mlserver, schema))
    assert 0


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("format", ["dataframe_split", "dataframe_records", "inputs", "instances", "csv"])
def test_what_mlflow_answers(mlflow: str, tmp_path: Path, format: str) -> None:
    schema = write(tmp_path, Mlflow(format=format), "/invocations")
    print(statuses(mlflow, schema))
    assert 0
