"""A model behind tensors, and the monitor in front of it: what the load writes, model and monitor read alike."""

from pathlib import Path

import numpy as np
from tests.integration.monitor_process import monitor, of_kind, running

from alertdrill.protocols.encoding import encode
from alertdrill.protocols.oip_v2 import OipV2
from alertdrill.protocols.rows import Cell, Column, Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

PROTOCOL = OipV2(outputs=("predict", "predict_proba"), label="/predict", score="/predict_proba/1")
NAMES = {"id": FeatureKind.CATEGORY, "amount": FeatureKind.NUMBER, "country": FeatureKind.CATEGORY}
FEATURES = tuple(Feature(name=name, kind=kind) for name, kind in NAMES.items())
SCHEMA = Schema(protocol=PROTOCOL, path="/v2/models/m/infer", features=FEATURES)


def bodies() -> list[bytes]:
    """Requests as the load writes them: one as it should be, a null, a missing key, a NaN, a text, another country."""
    none, marks = np.zeros(6, dtype=np.uint8), np.eye(6, dtype=bool)
    countries = Column(np.array([*["DE"] * 5, "XX"], dtype=object), none)
    amount = Column(np.full(6, 50.2), none).with_cells(marks[1], Cell.NULL).with_cells(marks[2], Cell.MISSING)
    amount = amount.with_raw(marks[3], b"NaN").with_raw(marks[4], b'"abc"')
    return encode(Rows({"id": countries, "amount": amount, "country": countries}), SCHEMA)


def test_each_fault_reaches_a_model_behind_tensors_and_the_monitor_sees_it(tmp_path: Path) -> None:
    with running(["-m", "tests.integration.tensor_server"]) as model:
        file = tmp_path / "tensors.json"
        file.write_text(SCHEMA.model_dump_json())
        with monitor(tmp_path, "--schema", str(file), "--upstream", f"http://127.0.0.1:{model.port}") as sidecar:
            codes = [sidecar.ask(body, SCHEMA.path)[0] for body in bodies()]
            seen = sidecar.metrics()
    assert codes == [200, 400, 400, 400, 400, 200]
    amounts = {name[2]: n for name, n in seen.items() if name[:2] == ("model_feature_values_total", "amount") and n}
    assert [amounts[cell] for cell in ("null", "missing", "type_error")] == [1, 1, 1]
    assert sum(amounts.values()) == 5
    assert of_kind(seen, "model_malformed_requests_total") == {"bad_json": 1}
    assert of_kind(seen, "model_malformed_answers_total") == {"error": 1}
    assert of_kind(seen, "model_prediction_classes_total") == {"1": 1}
    assert 0.5 < seen["model_prediction_sum", "score"] < 0.99
    assert seen["model_predictions_total",] == 1
