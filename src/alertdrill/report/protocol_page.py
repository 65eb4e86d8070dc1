"""docs/protocols.md: how each protocol writes a row, its options, and which faults it cannot carry."""

import inspect
from collections.abc import Mapping, Sequence

from pydantic.fields import FieldInfo

from alertdrill.core.faults.catalogue import KINDS
from alertdrill.protocols.base import Protocol
from alertdrill.protocols.catalogue import PROTOCOLS
from alertdrill.protocols.encoding import encode
from alertdrill.protocols.forms import Trait
from alertdrill.protocols.instances import Instances
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.oip_v2 import OipV2
from alertdrill.protocols.rows import parse_csv
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

FEATURES = (Feature(name="amount", kind=FeatureKind.NUMBER), Feature(name="country", kind=FeatureKind.CATEGORY))
NUMBERS = (FEATURES[0], Feature(name="hour", kind=FeatureKind.INTEGER))

WAYS: Mapping[str, tuple[Protocol, Sequence[Feature]]] = {
    "json": (Json(), FEATURES),
    "{kind: json, body: {row: $row}}": (Json(body={"row": "$row"}), FEATURES),
    "{kind: json, body: [$values]}": (Json(body=["$values"]), FEATURES),
    "oip_v2": (OipV2(), FEATURES),
    "{kind: oip_v2, tensors: one}": (OipV2(tensors="one"), NUMBERS),
    "instances": (Instances(), FEATURES),
    "{kind: instances, rows: values}": (Instances(rows="values"), FEATURES),
    "{kind: instances, rows: columns}": (Instances(rows="columns"), FEATURES),
    "mlflow": (Mlflow(), FEATURES),
    "{kind: mlflow, format: dataframe_records}": (Mlflow(format="dataframe_records"), FEATURES),
    "{kind: mlflow, format: inputs}": (Mlflow(format="inputs"), FEATURES),
    "{kind: mlflow, format: inputs, named: false}": (Mlflow(format="inputs", named=False), FEATURES),
    "{kind: mlflow, format: csv}": (Mlflow(format="csv"), FEATURES),
}
"""The ways to write a row, as a scenario names them, and features that they can write."""


def protocol_page() -> str:
    """The page, Markdown, without a note of where it comes from."""
    return "\n".join([_BEGIN, *map(_section, PROTOCOLS), _refused(), _END])


def _section(protocol: type[Protocol]) -> str:
    kind = protocol.model_fields["kind"].default
    ways = {way: of for way, of in WAYS.items() if of[0].kind == kind}
    bodies = [f"| `{way}` | `{_body(*of)}` |" for way, of in ways.items()]
    path = protocol.default_path or f"none, write one such as `{protocol.example_path}`"
    return "\n".join(
        [
            f"## {kind}\n",
            f"{inspect.getdoc(protocol)} Default path: {path}.\n",
            *["| protocol | a request |", "|---|---|", *bodies, ""],
            *["| option | default | meaning |", "|---|---|---|"],
            *[_option(name, field) for name, field in protocol.model_fields.items() if name != "kind"],
            "",
        ]
    )


def _body(protocol: Protocol, features: Sequence[Feature]) -> str:
    schema = Schema(protocol=protocol, path="/", features=tuple(features))
    (body,) = encode(parse_csv("amount,country,hour\n1.5,RS,3\n", schema), schema)
    return body.decode().replace("\r\n", "⏎")


def _option(name: str, field: FieldInfo) -> str:
    default = "null" if field.default is None else str(field.default)
    shown = f"`{default}`" if field.default not in ("", ()) else "(empty)"
    return f"| `{field.alias or name}` | {shown} | {field.description} |"


def _refused() -> str:
    """Which faults cannot be sent how, and why; ways that carry all of them are left out."""
    lines = ["## Faults that a protocol cannot carry\n", _WHY, "| protocol | not | because |", "|---|---|---|"]
    for way, (protocol, features) in WAYS.items():
        for trait, why in sorted(protocol.form(features).lacks.items()):
            named = ", ".join(f"[{kind}](faults/{kind}.md)" for kind in _needing(protocol, features, trait))
            lines += [f"| `{way}` | {named} | {why} |"] if named else []
    return "\n".join([*lines, ""])


def _needing(protocol: Protocol, features: Sequence[Feature], trait: Trait) -> list[str]:
    """The faults of which this is the first thing that is lacking, which is the reason that `plan` gives."""
    lacks = protocol.form(features).lacks
    first = {kind: next((one for one in sorted(fault.needs) if one in lacks), None) for kind, fault in KINDS.items()}
    return [kind for kind, one in first.items() if one is trait]


_BEGIN = """\
# Protocols

How a model's endpoint takes requests and gives answers. The schema of a target names its protocol and path; a scenario
can name another, and so can the monitor. A name alone means the default options:

```yaml
target:
  url: http://127.0.0.1:8080
  schema: schema.json                    # features; path: /v2/models/wine/infer
  sample: sample.csv
  protocol: {kind: oip_v2, tensors: one} # or: protocol: oip_v2
```

```sh
python -m alertdrill.lifeline -m alertdrill.monitor --protocol oip_v2 …
python -m alertdrill.lifeline -m alertdrill.monitor --protocol '{"kind": "oip_v2", "tensors": "one"}' …
```

The load writes one row a request, in the way that the options say. The monitor reads requests of one row or of many,
in every way of the protocol: what is `{instances: …}` may come as objects or lists, tensors may be nested or flat. CSV
is read where `format: csv` is set.

**Answers** are read to one form whatever the protocol: a prediction for each row, in the order of the rows. `label` and
`score` point from a prediction to class and score. An answer of status 200 that says what went wrong (under `error`, or
for MLflow beside `error_code`) is no prediction: the monitor counts it in `model_malformed_answers_total` with reason
`error`, and not in `model_predictions_total`; the load reads every fiftieth answer and says at the end of a drill what
came instead of a prediction. The bodies of other statuses, JSON or text, are one line in what warming up says.

Neither gRPC nor binary tensors are spoken.
"""

_WHY = """\
A null, a missing key, a NaN literal, an empty text and a wrong type are written as a broken client would write them:
into the tensor, the column, the list or the line, which stays what it is otherwise. A missing key takes its tensor, its
column or its name along. In CSV a null is an empty field, and a NaN literal the text `NaN`, which readers take for a
null too. Where a protocol cannot carry a fault, `plan` and `run` refuse the scenario (exit code 2) with the reason:
"""

_END = """\
## What real servers answer

A request of one row with one thing wrong, sent as these protocols write it to FastAPI 0.163.2, BentoML 1.4.39, MLflow
3.17.0 (every format), MLServer 1.7.1 (both ways of tensors) and the server of KServe's SDK 0.21.0. The model is a
logistic regression, which takes no NaN; the last column has one that does. `make test` asks the first, `make gauntlet`
all (tests/e2e/test_own_metrics.py, test_model_servers.py).

| request | FastAPI | BentoML | MLflow | MLServer | KServe V1 | MLServer, tolerant model |
|---|---|---|---|---|---|---|
| as it should be | 200 | 200 | 200 | 200 | 200 | 200 |
| null | 422 | 400 | 400 | **500** | **500** | **200** |
| NaN literal | **500** | **500** | 400 | 422 | 400 | 422 |
| "abc" for a number | 422 | 400 | 400 | **500** | **500** | **500** |
| number as a string | 200 | 200 | 200 | 200 | 200 | 200 |
| missing key | 422 | 400 | 400 | **500** | **500** | **500** |
| extra field | 200 | 200 | 200 | **500** | **500** | **500** |
| cut short | 422 | 400 | 400 | 422 | 400 | 422 |
| empty body | 422 | 400 | 400 | 422 | 400 | 422 |
| text/plain | 422 | 200 | 415 | 422 | **500** | 422 |
| ten times as much | 200 | 200 | 200 | 200 | 200 | 200 |

So an alert on 5xx notices nulls at one server, one on 4xx at another, and none at a third: say in a scenario what yours
should do. MLServer wants `parameters: {content_type: pd}` for a tensor each, so that it makes a data frame of them.

## What real servers count

Scraped as the job `model` (`monitoring: {monitor: none, rules: […], scrape: [{job: model, url: …/metrics}]}`), a server
is drilled by rules on its own metrics. MLflow exports none; the others have:

| | answers | latency |
|---|---|---|
| FastAPI, instrumentator 8.1.0 | `http_requests_total{status="4xx"}` | `http_request_duration_highr_seconds` |
| BentoML | `bentoml_service_request_total{http_response_code="400"}` | `bentoml_service_request_duration_seconds` |
| MLServer, two ports on | `rest_server_requests_total{status_code="500"}` | `rest_server_request_duration_seconds` |
| KServe's SDK | none | `request_predict_seconds` |

KServe's SDK counts no errors: `request_predict_seconds_count` less `request_postprocess_seconds_count` are those of the
model, and malformed JSON is in neither. A delay in front of a server moves no latency of its own: alerts on these are
`out_of_view`. A slow upload does at all but KServe's, whose alert is `missed`: it begins to count when it has the body.
With the monitor in front, a slow upload is out of everybody's view: it passes whole requests on.
"""
