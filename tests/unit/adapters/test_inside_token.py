from typing import Any

import pytest

from alertdrill.adapters.inside_token import inside_token
from alertdrill.core.errors import BadInput
from alertdrill.core.scenario import Scenario

BUNDLED = {"bundled": "fraud"}
URL = {"url": "http://127.0.0.1:1", "schema": "s.json", "sample": "s.csv"}
VARIABLE = "ALERTDRILL_INSIDE_TOKEN"


def scenario(target: dict[str, str], place: str = "inside", share: float = 0.2) -> Scenario:
    fault: dict[str, Any] = {"kind": "latency", "delay": "1s", "share": share, "place": place}
    return Scenario.model_validate(
        {
            "version": 1, "name": "s", "target": target, "load": {"rate": "1/s"},
            "phases": [{"name": "p", "duration": "5s", "faults": [fault]}],
        }
    )  # fmt: skip


def test_without_faults_inside_no_token_is_needed() -> None:
    assert inside_token(scenario(URL, "model"), {}) is None
    assert inside_token(scenario(BUNDLED, "model"), {VARIABLE: "a" * 16}) is None


def test_a_bundled_model_gets_a_new_token_each_time() -> None:
    tokens = [inside_token(scenario(BUNDLED), {VARIABLE: "a" * 16}) for _ in range(2)]
    assert len({*tokens, "a" * 16}) == 3
    assert all(token is not None and len(token) == 64 for token in tokens)


def test_a_control_needs_the_token_like_any_fault() -> None:
    assert inside_token(scenario(BUNDLED, share=0.0)) is not None


def test_a_running_target_shares_the_token_of_the_environment() -> None:
    assert inside_token(scenario(URL), {VARIABLE: "a" * 16}) == "a" * 16


@pytest.mark.parametrize(
    ("environ", "got"), [({}, "nothing"), ({VARIABLE: "a" * 15}, "15"), ({VARIABLE: "é" * 16}, "16")]
)
def test_a_token_that_cannot_be_used_is_bad_input_with_a_remedy(environ: dict[str, str], got: str) -> None:
    with pytest.raises(BadInput) as caught:
        inside_token(scenario(URL), environ)
    (mistake,) = caught.value.mistakes
    assert mistake.got.startswith(got)
    assert f"export {VARIABLE}=" in mistake.fix
