"""`alertdrill monitor …`: the rules and dashboards of a model that the reference monitor watches."""

from pathlib import Path
from typing import Annotated

import typer

monitor = typer.Typer(
    no_args_is_help=True,
    help="What a model behind the reference monitor needs: alert rules, dashboards.",
)

Described = Annotated[
    str,
    typer.Argument(
        metavar="SCHEMA_OR_TARGET", help="a schema (YAML or JSON), the name of a bundled target, or a target's folder"
    ),
]
With = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="CHOICE",
        help="what there is besides requests (repeatable, or with commas): labels, predictions, accuracy_check, "
        "quality:NAME>=X, proxy:NAME>=X, business:NAME>=X (or <=)",
    ),
]


@monitor.command()
def rules(
    described: Described,
    profile: Annotated[
        str, typer.Option("--profile", metavar="drill|production", help="windows of seconds, or of minutes to days")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="write there; without: to standard output")
    ] = None,
    choices: With = None,
    nulls: Annotated[str, typer.Option(metavar="SHARE", help="of a feature's values that may be null")] = "5%",
    malformed: Annotated[str, typer.Option(metavar="SHARE", help="of requests that may hold no row")] = "2%",
    latency: Annotated[str, typer.Option(metavar="DURATION", help="what one answer in twenty may exceed")] = "250ms",
    errors: Annotated[str, typer.Option(metavar="SHARE", help="of 5xx that may be answered (drill)")] = "5%",
    objective: Annotated[
        str, typer.Option(metavar="SHARE", help="of requests in 30 days that must not fail (production)")
    ] = "99.9%",
    runbooks: Annotated[str, typer.Option(metavar="URL", help="where the runbooks are: URL/NAME.md")] = "docs/runbooks",
) -> None:
    """Write Prometheus alert and recording rules for a model.

    --with adds rules on what a monitor exports only where feedback reaches it. docs/monitor/rules.md explains them.
    """
    from alertdrill.cli.monitor_rules import write_rules

    limits = {"nulls": nulls, "malformed": malformed, "latency": latency, "errors": errors, "objective": objective}
    raise typer.Exit(write_rules(described, profile, limits, choices or (), runbooks, out))


@monitor.command()
def dashboards(
    described: Described,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="folder to write to")] = Path("dashboards"),
    choices: With = None,
) -> None:
    """Write two Grafana dashboards for a model, engineers.json and product.json, to import into Grafana.

    --with adds panels on what a monitor exports only where feedback reaches it.
    """
    from alertdrill.cli.monitor_dashboards import write_dashboards

    raise typer.Exit(write_dashboards(described, choices or (), out))
