"""`alertdrill init` against real HTTP servers that answer as model servers do, and as they should not."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from certificates import Authority
from joined_server import Answering, Asked, JoinedServer, answering

from alertdrill.adapters import model_server
from alertdrill.adapters.model_server import Unreachable
from alertdrill.compose.init import Written, join_model
from alertdrill.compose.linting import lint_drill
from alertdrill.compose.options import Options
from alertdrill.compose.wish import Wish
from alertdrill.core.errors import BadInput

FILES = {"target.yaml", "schema.yaml", "sample.csv", "rules.yml", "drill.yaml"}


def openapi(path: str = "/predict", body: Any = None, **top: Any) -> Any:
    row = {
        "type": "object",
        "required": ["alcohol", "colour"],
        "properties": {"alcohol": {"type": "number"}, "colour": {"type": "string"}},
    }
    content = {"application/json": {"schema": body or row}}
    post = {"requestBody": {"content": content}, "responses": {"200": {"content": {"application/json": {}}}}}
    return {"openapi": "3.1.0", "paths": {path: {"post": post}}, **top}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = "".join(f"{10 + n % 7}.5,{('red', 'white')[n % 2]}\n" for n in range(100))
    (tmp_path / "day.csv").write_text("alcohol,colour\n" + rows)
    return tmp_path


def joining(folder: Path, url: str, **wish: Any) -> Written:
    return join_model(Wish(url, folder / "out", **{"reference": folder / "day.csv", **wish}))


def told(folder: Path, answers: Mapping[str, Answering], at: str = "", **wish: Any) -> tuple[str, JoinedServer]:
    """What is said of a server that cannot be joined; nothing is written."""
    with answering(answers) as server, pytest.raises(BadInput) as error:
        joining(folder, server.url + at, **wish)
    assert not (folder / "out").exists()
    return str(error.value), server


def schema(folder: Path) -> str:
    return (folder / "out" / "schema.yaml").read_text()


def test_what_openapi_says_is_written_and_lint_passes_without_a_prediction_asked_for(folder: Path) -> None:
    with answering({"GET /openapi.json": (200, openapi())}) as server:
        written = joining(folder, server.url)
    assert {asked.method for asked in server.asked} == {"GET"}
    assert {file.name for file in written.files} == FILES == {file.name for file in (folder / "out").iterdir()}
    assert written.mistakes == lint_drill(str(folder / "out" / "drill.yaml"), Options()).mistakes == ()
    assert "--try asks for one prediction" in written.notes[-1]
    assert "{name: alcohol, kind: number}  # 10.5 to 16.5" in schema(folder)


def predicting(asked: Asked) -> tuple[int, Any]:
    ok = set(asked.json) == {"alcohol", "colour"}
    return (200, {"prediction": 1, "proba": 0.7}) if ok else (422, {"detail": "wrong"})


def test_one_prediction_shows_where_class_and_score_stand(folder: Path) -> None:
    answers: dict[str, Answering] = {"GET /openapi.json": (200, openapi()), "POST /predict": predicting}
    with answering(answers) as server:
        joining(folder, server.url, confirm=True)
    assert [asked.json for asked in server.asked if asked.method == "POST"] == [{"alcohol": 10.5, "colour": "red"}]
    assert 'label: "/prediction", score: "/proba"' in schema(folder)


def test_a_prefix_and_a_servers_entry_lead_to_the_endpoint(folder: Path) -> None:
    answers = {"GET /api/v3/openapi.json": (200, openapi(servers=[{"url": "/api/v3"}]))}
    for at in ("/api/v3/predict", "/api/v3"):
        with answering(answers) as server:
            joining(folder, server.url + at, overwrite=True)
        assert 'path: "/api/v3/predict"' in schema(folder), at


def test_bentoml_documents_itself_at_docs_json(folder: Path) -> None:
    with answering({"GET /docs.json": (200, openapi("/classify", servers=[{"url": "."}]))}) as server:
        joining(folder, server.url)
    assert 'path: "/classify"' in schema(folder)


def test_metadata_lack_names_which_the_reference_has(folder: Path) -> None:
    metadata = {"name": "wine", "inputs": [{"name": "x", "shape": [-1, 1], "datatype": "FP64"}], "outputs": []}
    wide = {**metadata, "inputs": [{"name": "x", "shape": [-1, 2], "datatype": "FP64"}]}
    said, _ = told(folder, {"GET /v2/models/wine": (200, wide)}, "/v2/models/wine", drop=("colour",))
    assert "1 columns (alcohol), expected 2" in said
    none: dict[str, Answering] = {"GET /v2/models/wine": (200, {**metadata, "inputs": []})}

    def tensors(asked: Asked) -> tuple[int, Any]:
        ok = asked.json.get("parameters") == {"content_type": "pd"}
        outputs = [{"name": "predict", "shape": [1, 1], "datatype": "INT64", "data": [2]}]
        return (200, {"outputs": outputs}) if ok else (500, {"error": "Expected 2D array"})

    with answering({**none, "POST /v2/models/wine/infer": tensors}) as server:
        written = joining(folder, server.url + "/v2/models/wine/infer", drop=("colour",), confirm=True)
    assert any("documents contradict it" in note for note in written.notes)
    assert "protocol: {kind: oip_v2, parameters: {content_type: pd}}" in schema(folder)


def test_an_mlmodel_file_names_the_columns(folder: Path) -> None:
    signature = '[{"type": "double", "name": "alcohol"}, {"type": "string", "name": "colour"}]'
    (folder / "MLmodel").write_text(f"flavors: {{}}\nsignature:\n  inputs: '{signature}'\n")
    with answering({}) as server:
        joining(folder, server.url, mlmodel=folder)
        assert "kind: mlflow" in schema(folder)
        (folder / "MLmodel").write_text("flavors: {}\n")
        with pytest.raises(BadInput, match="no signature"):
            joining(folder, server.url, mlmodel=folder, overwrite=True)


def test_a_server_without_documents_is_told_what_to_write_by_hand(folder: Path) -> None:
    said, _ = told(folder, {}, "/score")
    assert "/score/openapi.json (404)" in said
    assert "give --protocol json" in said
    assert "/v2/models/NAME/infer" in told(folder, {"GET /v2": (200, {"name": "mlserver"})})[0]
    assert "give --mlmodel FILE" in told(folder, {"GET /ping": (200, {})})[0]
    with answering({}) as server:
        joining(folder, server.url + "/score", protocol="{kind: json, body: {row: $row}}")
    assert 'body: {row: "$row"}' in schema(folder)


def test_a_server_that_wants_a_header_is_told_by_which_option(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def guarded(asked: Asked) -> tuple[int, Any]:
        return (200, openapi()) if asked.headers.get("authorization") == "Bearer s3cret" else (401, {})

    answers: dict[str, Answering] = {"GET /openapi.json": guarded}
    assert "--header Authorization=env:TOKEN" in told(folder, answers)[0]
    assert "TOKEN, which is not set" in told(folder, answers, headers=("Authorization=env:TOKEN",))[0]
    monkeypatch.setenv("TOKEN", "Bearer s3cret")
    with answering(answers) as server:
        written = joining(folder, server.url, headers=("Authorization=env:TOKEN", "X-Team=fraud"))
    assert written.notes[-1] == "Authorization: target.yaml names the variable TOKEN, which must be set for a drill"
    texts = "".join((folder / "out" / name).read_text() for name in FILES)
    assert "s3cret" not in texts
    headers = yaml.safe_load((folder / "out" / "target.yaml").read_text())["headers"]
    assert headers == {"X-Team": "fraud", "Authorization": {"env": "TOKEN"}}


def test_headers_that_a_document_requires_are_asked_for(folder: Path) -> None:
    document = openapi()
    document["paths"]["/predict"]["post"]["parameters"] = [{"name": "x-key", "in": "header", "required": True}]
    assert "give --header x-key=VALUE" in told(folder, {"GET /openapi.json": (200, document)})[0]


def test_redirects_are_followed_on_the_server_and_never_to_another(folder: Path) -> None:
    moved = (307, {}, {"Location": "/docs/openapi.json"})
    there: dict[str, Answering] = {"GET /openapi.json": moved, "GET /docs/openapi.json": (200, openapi())}
    slash = (307, {}, {"Location": "/predict/"})
    with answering({**there, "POST /predict": slash, "POST /predict/": predicting}) as server:
        written = joining(folder, server.url, confirm=True)
    assert 'path: "/predict/"' in schema(folder)
    assert any("leads from /predict to /predict/" in note for note in written.notes)
    (folder / "out").rename(folder / "before")
    away = (302, {}, {"Location": "http://127.0.0.2:1/openapi.json"})
    assert "a redirect to http://127.0.0.2:1/openapi.json" in told(folder, {"GET /openapi.json": away})[0]
    loop = (302, {}, {"Location": "/openapi.json"})
    assert "redirects without end" in told(folder, {"GET /openapi.json": loop})[0]


def test_a_rate_limit_is_honoured_and_counted(folder: Path) -> None:
    left = iter([(429, {}, {"Retry-After": "0"}), (429, {}, {"Retry-After": "0"}), (200, openapi())])
    with answering({"GET /openapi.json": lambda _: next(left)}) as server:
        written = joining(folder, server.url)
    assert any("asked to wait 2 times (429)" in note for note in written.notes)
    hour = (429, {}, {"Retry-After": "3600"})
    with answering({"GET /openapi.json": hour}) as server, pytest.raises(Unreachable, match="wait 3600 s"):
        joining(folder, server.url, overwrite=True)


def test_a_refused_row_is_told_with_what_the_server_says(folder: Path) -> None:
    documents: dict[str, Answering] = {"GET /openapi.json": (200, openapi())}
    for answer, expected in [
        ((422, {"detail": "colour is unknown"}), "422: colour is unknown"),
        ((200, {"error": "no model is loaded"}), "200 with an error inside: no model is loaded"),
        ((200, b"<html>"), "200 and no JSON"),
        ((200, b'{"error": ' + b"[" * 900 + b"]" * 900 + b"}"), "an error inside: JSON that is nested deeply"),
        ((403, {}), "--header Authorization"),
        ((404, {}), "name the address of the endpoint"),
    ]:
        assert expected in told(folder, {**documents, "POST /predict": answer}, confirm=True)[0]


def test_an_endpoint_that_takes_batches_only_is_found_to(folder: Path) -> None:
    anything = {"type": "object", "additionalProperties": True}

    def batches(asked: Asked) -> tuple[int, Any]:
        return (200, [{"label": 1}]) if isinstance(asked.json, list) else (400, {"error": "expected a list"})

    answers: dict[str, Answering] = {"GET /openapi.json": (200, openapi(body=anything)), "POST /predict": batches}
    with answering(answers) as server:
        written = joining(folder, server.url, confirm=True)
    assert 'body: ["$row"]' in schema(folder)
    assert any("documents contradict it" in note for note in written.notes)


@pytest.mark.parametrize(
    "body", [b"{", b'{"openapi": "3.1.0", "paths": {"/predict": {"post": []}}}', b"\xff\xfe", b"[]"]
)
def test_documents_that_are_none_end_in_a_message(folder: Path, body: bytes) -> None:
    assert "fix: " in told(folder, {"GET /openapi.json": (200, body)})[0]


def test_files_that_are_there_stay_unless_it_is_said(folder: Path) -> None:
    with answering({"GET /openapi.json": (200, openapi())}) as server:
        joining(folder, server.url)
        (folder / "out" / "drill.yaml").write_text("mine")
        with pytest.raises(BadInput, match="drill") as error:
            joining(folder, server.url)
        assert "--force" in str(error.value)
        assert (folder / "out" / "drill.yaml").read_text() == "mine"
        joining(folder, server.url, overwrite=True)
    assert (folder / "out" / "drill.yaml").read_text() != "mine"


def test_every_mistake_of_the_command_line_is_said_before_anybody_is_asked(folder: Path) -> None:
    wish = Wish(
        "http://model.example:1",
        folder / "day.csv",
        headers=("no value",),
        protocol="jason",
        tls=("ca=none.pem",),
    )
    with pytest.raises(BadInput) as error:
        join_model(wish)
    assert [one.where for one in error.value.mistakes] == [
        "--out", "URL", "--protocol", "--header", "--tls ca", "--reference",
    ]  # fmt: skip


def test_nobody_who_answers_is_no_mistake_of_files(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match="start the model server") as error:
        joining(folder, f"http://127.0.0.1:{port}")
    assert error.value.exit_code == 3


def test_tls_is_mended_by_options_and_written(folder: Path) -> None:
    authority = Authority(folder)
    cert, key = authority.client()
    answers: dict[str, Answering] = {"GET /openapi.json": (200, openapi())}
    with answering(answers, authority.server(asks_for_ours=True)) as server:
        with pytest.raises(BadInput, match="--tls ca=FILE"):
            joining(folder, server.url)
        with pytest.raises((BadInput, Unreachable)) as error:
            joining(folder, server.url, tls=(f"ca={authority.ca}",))
        assert "--tls cert=FILE" in str(error.value)
        joining(folder, server.url, tls=(f"ca={authority.ca}", f"cert={cert}", f"key={key}"))
    assert 'tls: {ca: "../ca.pem"' in (folder / "out" / "target.yaml").read_text()


def test_a_thousand_features_are_joined(folder: Path) -> None:
    names = [f"f{n}" for n in range(1000)]
    row = {"type": "object", "required": names, "properties": {name: {"type": "number"} for name in names}}
    lines = [",".join(names), *(",".join(str((n * k) % 13) for k in range(1000)) for n in range(1, 31))]
    (folder / "day.csv").write_text("\n".join(lines))
    with answering({"GET /openapi.json": (200, openapi(body=row))}) as server:
        written = joining(folder, server.url)
    assert written.mistakes == ()
    assert "1000 features" in written.found


def test_a_document_leads_to_no_other_host(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "Bearer s3cret")
    with answering({}) as other:
        path = "@" + other.url.removeprefix("http://") + "/predict"
        answers: dict[str, Answering] = {"GET /openapi.json": (200, openapi(path))}
        said, _ = told(folder, answers, confirm=True, headers=("Authorization=env:TOKEN",))
    assert other.asked == []
    assert "nothing of use from" in said


@pytest.mark.parametrize(
    "answers",
    [
        {"GET /openapi.json": (302, {}, {"Location": "http://[/"})},
        {"GET /openapi.json": (200, openapi(path="/pre dict"))},
    ],
)
def test_addresses_that_are_none_end_in_a_message(folder: Path, answers: dict[str, Answering]) -> None:
    assert "fix: " in told(folder, answers)[0]


def test_a_servers_entry_that_is_no_address_is_passed_by(folder: Path) -> None:
    with answering({"GET /openapi.json": (200, openapi(servers=[{"url": "http://["}]))}) as server:
        joining(folder, server.url)
    assert 'path: "/predict"' in schema(folder)


def test_an_address_that_no_request_can_be_sent_to_is_a_mistake(folder: Path) -> None:
    assert "fix: " in told(folder, {}, "/\x7f")[0]


def test_a_secret_that_a_server_repeats_is_not_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "Bearer s3cret")

    def repeating(asked: Asked) -> tuple[int, Any]:
        return 400, {"error": f"no such key: {asked.headers['authorization']}"}

    answers: dict[str, Answering] = {"GET /openapi.json": (200, openapi()), "POST /predict": repeating}
    said, _ = told(folder, answers, confirm=True, headers=("Authorization=env:TOKEN",))
    assert "no such key: ***" in said


@pytest.mark.parametrize("header", ["Authorization: Bearer s3cret", "Authorization: Bearer s3cret=="])
def test_a_header_that_is_written_as_for_curl_is_not_repeated(folder: Path, header: str) -> None:
    said, _ = told(folder, {}, headers=(header,))
    assert "got Authorization, expected" in said
    assert "s3cret" not in said


def test_a_wait_that_is_no_number_is_a_second() -> None:
    assert model_server._wait_s("nan") == 1.0
    assert model_server._wait_s("inf") > model_server.LONGEST_WAIT_S


def test_a_reference_whose_header_is_no_text_is_a_mistake_of_its_first_line(folder: Path) -> None:
    (folder / "day.csv").write_bytes("alcohol,größe\n".encode("latin-1") + b"1,2\n" * 30)
    said, _ = told(folder, {})
    assert "day.csv:1" in said
    assert "UTF-8" in said


def test_a_secret_that_is_written_out_is_told_of(folder: Path) -> None:
    with answering({"GET /openapi.json": (200, openapi())}) as server:
        written = joining(folder, server.url, headers=("X-Api-Key=abc", "X-Team=fraud"))
    assert written.notes[-1].startswith("X-Api-Key: its value stands in target.yaml")
    assert not any("X-Team" in note for note in written.notes)
