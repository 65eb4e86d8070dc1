"""`alertdrill monitor dashboards`."""

import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from alertdrill.adapters.schema_file import read_described
from alertdrill.alerting.choices import read_choices
from alertdrill.cli.json_file import writing
from alertdrill.core.collected import collected
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.dashboards.boards import boards

SDK = "grafana_foundation_sdk"


def write_dashboards(described: str, choices: Sequence[str], out: Path) -> int:
    """Write the dashboards into a folder, which is made if need be, and print their paths.

    Raises:
        BadInput: with every mistake of the arguments; or the SDK is not installed.
    """
    mistakes = [*_without_sdk(), *_unusable(out)]
    chosen = collected(mistakes, lambda: read_choices(choices))
    model = collected(mistakes, lambda: read_described(described))
    if mistakes or model is None or chosen is None:
        raise BadInput(mistakes)
    from alertdrill.dashboards.grafana import grafana_json

    texts = {name: grafana_json(board, model.name) for name, board in boards(model.name, model.schema, chosen).items()}
    with writing(out, "--out DIR"):
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (out / name).write_text(text, encoding="utf-8")
    for name in texts:
        print(out / name)
    return 0


def _without_sdk() -> Iterator[Mistake]:
    if find_spec(SDK) is None:
        fix = "pip install 'alertdrill[dashboards]'"
        yield Mistake("monitor dashboards", "no Grafana Foundation SDK", "it to be installed", fix)


def _unusable(out: Path) -> Iterator[Mistake]:
    if os.path.exists(out) and not os.path.isdir(out):
        yield Mistake("--out", str(out), "a folder", "name one; it is made if it is not there")
