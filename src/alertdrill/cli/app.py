"""Commands and the options that are theirs alone; each imports what it needs itself."""

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alertdrill import __version__
from alertdrill.cli.guarded import guarded
from alertdrill.cli.monitor import monitor
from alertdrill.cli.options import (
    AllowCommands,
    AllowLocustfile,
    Distributed,
    FailFast,
    Folder,
    Jobs,
    Json,
    Junit,
    Markdown,
    NoColor,
    Only,
    PlanJson,
    Prometheus,
    Quiet,
    Record,
    Repeat,
    Results,
    Rules,
    ScenarioName,
    Scenarios,
    ShardOption,
    Workers,
)
from alertdrill.core.kept import Kept

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Fire drills for the alerts that watch machine-learning models.",
)

app.add_typer(monitor, name="monitor")


def _console(no_color: bool, stderr: bool = False) -> "Console":
    from alertdrill.cli.console import Printer

    return Printer(no_color=no_color or None, highlight=False, stderr=stderr, emoji=False, markup=False)


@app.command()
def run(
    scenarios: Scenarios,
    rules: Rules = None,
    prometheus: Prometheus = None,
    only: Only = None,
    repeat: Repeat = 1,
    jobs: Jobs = "1",
    shard: ShardOption = None,
    fail_fast: FailFast = False,
    record: Record = Kept.SCOPE,
    workers: Workers = 1,
    distributed: Distributed = None,
    allow_locustfile: AllowLocustfile = False,
    allow_commands: AllowCommands = False,
    results: Results = Path("results"),
    json: Json = None,
    junit: Junit = None,
    markdown: Markdown = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Run drills: real load, real faults, real Prometheus; say which alerts fired, when, and why.

    Of a folder, every *.yaml and *.yml below it that is a scenario is run, by path. All scenarios are read before the
    first drill starts. --json writes the result of a single scenario; of several, or of a folder, schema
    alertdrill/run/v1. Exit codes: 0 passed, 1 failed, 2 bad input, 3 inconclusive, 4 aborted, 130 interrupted; of
    several drills the first that occurs of 130, 4, 2, 1, 3, 0.
    """
    from alertdrill.cli.ci_files import CiFiles
    from alertdrill.cli.run import run_scenarios
    from alertdrill.cli.several import Several
    from alertdrill.compose import Options

    options = Options(
        results,
        tuple(rules or ()),
        prometheus,
        tuple(only or ()),
        workers,
        distributed,
        allow_locustfile,
        allow_commands,
        record=record,
    )
    ci, several = CiFiles(junit, markdown), Several(jobs, shard, fail_fast)
    raise typer.Exit(run_scenarios(_console(no_color), scenarios, options, json, quiet, repeat, ci, several))


@app.command()
def proxy(
    upstream: Annotated[str, typer.Option("--upstream", metavar="URL", help="http(s)://host:port of the model")],
    journal: Annotated[
        Path, typer.Option("--journal", metavar="FILE", help="append to FILE what it does; faults end if it is full")
    ],
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="where traffic comes in; port 0: any free one")
    ] = "127.0.0.1:0",
    control: Annotated[
        str, typer.Option("--control", metavar="HOST:PORT", help="where a drill tells it what to do")
    ] = "127.0.0.1:0",
    token_env: Annotated[
        str, typer.Option("--token-env", metavar="NAME", help="variable that holds the secret of the control interface")
    ] = "ALERTDRILL_PROXY_TOKEN",
    lease: Annotated[
        str, typer.Option("--lease", metavar="DURATION", help="faults end this long after a drill falls silent")
    ] = "5s",
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="HOST", help="a host other than this machine that may be disturbed"),
    ] = None,
    ca: Annotated[
        Path | None, typer.Option("--ca", metavar="FILE", help="PEM: what an https upstream is trusted by")
    ] = None,
    no_color: NoColor = False,
) -> None:
    """Stand as a fault proxy before a model: all passes, until a drill that knows the token says otherwise."""
    from alertdrill.cli.proxy import stand

    hosts = list(allow_host or ())
    raise typer.Exit(stand(_console(no_color), listen, upstream, control, token_env, lease, journal, hosts, ca))


@app.command()
def plan(
    scenario: ScenarioName,
    rules: Rules = None,
    prometheus: Prometheus = None,
    only: Only = None,
    workers: Workers = 1,
    distributed: Distributed = None,
    json: PlanJson = None,
    no_color: NoColor = False,
) -> None:
    """Show what a drill would do and the soonest that each alert can fire; exit 2 if it cannot succeed.

    --json writes schema alertdrill/outlook/v1: stretches (begins_s, least_s, longest_s, rate_per_s), injections
    (requests, touched, share_seen, first_s, last_s), expectations (floor_s, expected_s, worst_s, within_s, odds_within,
    point_95_s), blast_radius, tail_s, background_per_s, notes and mistakes. What nobody can tell is null.
    """
    from alertdrill.adapters.bundled import find_scenario
    from alertdrill.adapters.yaml_file import load_scenario

    load_scenario(find_scenario(scenario))  # mistakes are said before the imports of a whole drill, which take longer
    from alertdrill.cli.plan import show_plan
    from alertdrill.compose import Options

    options = Options(Path("results"), tuple(rules or ()), prometheus, tuple(only or ()), workers, distributed)
    raise typer.Exit(show_plan(_console(no_color), scenario, options, json))


@app.command()
def init(
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="address of the endpoint that predicts, or of its server"),
    ],
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            metavar="FILE",
            help="rows of normal traffic, such as of the training data: .csv, .jsonl (each also .gz) or .parquet",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="folder to write to")] = Path(),
    label: Annotated[
        str | None, typer.Option("--label", metavar="COLUMN", help="of the reference: the true label, never sent")
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop", metavar="COLUMN", help="of the reference: no feature (repeatable)"),
    ] = None,
    ask: Annotated[
        bool, typer.Option("--try", help="ask for a prediction of one row, to see that what documents say is so")
    ] = False,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", metavar="NAME=VALUE", help="sent with each request; a secret as env:VAR"),
    ] = None,
    tls: Annotated[
        list[str] | None,
        typer.Option(
            "--tls", metavar="KEY=VALUE", help="of an https server: ca, cert, key, server_name, verify (repeatable)"
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option("--protocol", metavar="NAME", help="json, oip_v2, instances, mlflow, or a mapping with options"),
    ] = None,
    mlmodel: Annotated[
        Path | None, typer.Option("--mlmodel", metavar="FILE", help="the MLmodel file of a model that MLflow saved")
    ] = None,
    prometheus: Annotated[
        str | None,
        typer.Option("--prometheus", metavar="URL", help="propose a drill for the rules that this one has loaded"),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="HOST", help="a host beside this machine that may be loaded and broken"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "--yes", help="replace files that are there")] = False,
    no_color: NoColor = False,
) -> None:
    """Join a model that runs: find out how it takes rows, and write a target, rules and a first drill.

    It reads OpenAPI (FastAPI, BentoML), an MLmodel file, or metadata of the Open Inference Protocol. Only
    documents are read; with --try the endpoint is also asked to predict one row. Written are target.yaml, schema.yaml,
    sample.csv, rules.yml and drill.yaml; with --prometheus also own-rules.yaml. Exit codes: 2, something is missing or
    wrong, and what to write is said; 3, nobody answers.
    """
    from alertdrill.cli.init import init as join
    from alertdrill.compose.wish import Wish

    several = {"headers": header, "tls": tls, "drop": drop, "allow_hosts": allow_host}
    wish = Wish(
        url, out, reference, protocol=protocol, mlmodel=mlmodel, prometheus=prometheus, label=label, confirm=ask,
        overwrite=force,
        **{name: tuple(given or ()) for name, given in several.items()},
    )  # fmt: skip
    raise typer.Exit(join(_console(no_color), wish))


@app.command()
def lint(
    scenarios: Scenarios,
    rules: Rules = None,
    no_color: NoColor = False,
) -> None:
    """Say everything that is wrong with scenarios and with the files that they name; exit 2 if anything is.

    Nothing is started, trained or connected to: rules are read, and checked by promtool where there is one; what
    `plan` refuses is refused here too, as far as files alone can tell. What was not looked at is said.
    """
    from alertdrill.cli.lint import lint as look
    from alertdrill.compose.options import Options

    raise typer.Exit(look(_console(no_color), scenarios, Options(rules=tuple(rules or ()))))


@app.command()
def worker(
    master: Annotated[str, typer.Argument(metavar="HOST:PORT", help="what the drill was given as --distributed")],
    wait: Annotated[
        int, typer.Option("--wait", metavar="SECONDS", help="how long to wait for the drill to listen there")
    ] = 60,
) -> None:
    """Send a share of the load of a drill that runs on another machine, then end with it.

    On the machine of the drill: alertdrill run SCENARIO --workers N --distributed HOST:PORT. Versions must be the same.
    A worker stops by itself when it has not heard the drill for 2.5 seconds. Exit codes: 0, the drill is over; 2, not
    HOST:PORT; 3, nobody listens there, the drill refused the worker, or it went silent; 130, interrupted.
    """
    from alertdrill.cli.worker import join

    raise typer.Exit(join(master, wait))


@app.command()
def check(
    folder: Folder,
    json: Json = None,
    junit: Junit = None,
    markdown: Markdown = None,
    no_color: NoColor = False,
) -> None:
    """Judge a drill again from its plan, journal and recording alone, without Prometheus.

    result.json is written where there is none. One that this version judges otherwise is kept, and what differs is
    shown and written to result.diff.json. Of several together (run --repeat), every drill is judged again, and
    repeat.json written anew.
    """
    from alertdrill.cli.check import check_again
    from alertdrill.cli.ci_files import CiFiles

    raise typer.Exit(check_again(_console(no_color), folder, json, CiFiles(junit, markdown)))


@app.command()
def coverage(
    results: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RESULTS…]",
            help="folders of drills, or folders in which the newest drill of each scenario counts; default: results",
        ),
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--rules",
            metavar="FILE",
            help="the rules to cover: a rule file, PrometheusRule, List or ConfigMap, a folder of them, or - for "
            "standard input (repeatable); default: what was loaded in the drills",
        ),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="MATCHER",
            help="only rules that give their alerts such labels, as in 'team=\"fraud\"' or 'alertname=~\"Model.*\"' "
            "(repeatable: all must match)",
        ),
    ] = None,
    ignore: Annotated[
        Path | None,
        typer.Option(
            "--ignore",
            metavar="FILE",
            help="YAML: `ignore: [{alert: Watchdog, reason: always fires, until: 2027-03-31}]`",
        ),
    ] = None,
    fail_under: Annotated[
        str | None, typer.Option("--fail-under", metavar="SHARE", help="exit 1 below this share, as in 80%")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FILE",
            help="what --json wrote on the base branch: exit 1 if a rule that it covers is covered no more, or a new "
            "rule is not covered",
        ),
    ] = None,
    json: Json = None,
    junit: Junit = None,
    markdown: Markdown = None,
    no_color: NoColor = False,
) -> None:
    """Say which alert rules drills have seen to detect a fault, which not and why, and which faults no alert saw.

    Read from what drills left behind; nothing is run. A rule counts as covered when an expectation on it was `detected`
    with the very text that is to be covered, what records its metrics included. --json writes schema
    alertdrill/coverage/v1. Exit codes: 0; 1, a gate failed; 2, bad input.
    """
    from alertdrill.cli.ci_files import CiFiles
    from alertdrill.cli.coverage import show_coverage

    asked = (results or [Path("results")], rules or (), scope or (), ignore, fail_under, against)
    raise typer.Exit(show_coverage(_console(no_color), *asked, json, CiFiles(junit, markdown)))


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="results/<scenario>/<run id> of a drill")],
    promtool: Annotated[
        Path,
        typer.Option(
            "--promtool", metavar="FILE", help="the test file to write; its rules go to FILE's name.rules.yml"
        ),
    ],
    no_color: NoColor = False,
) -> None:
    """Write a drill as a unit test for promtool: what was scraped, and which alerts fired for it.

    Each alert that was detected must fire again amid its firing, and must not before the fault. promtool runs the test
    before it is written: exit 3 if it does not pass. promtool knows one interval for all series and one for all rules;
    a drill that needs several is refused.
    """
    from alertdrill.cli.export import export_promtool

    raise typer.Exit(export_promtool(_console(no_color), folder, promtool))


@app.command()
def explain(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="results/<scenario>/<run id> of a drill")],
    expectation: Annotated[
        str | None, typer.Argument(metavar="EXPECTATION", help="its id, such as nulls/FeatureNullRateHigh; none: all")
    ] = None,
    no_color: NoColor = False,
) -> None:
    """Say in words why a verdict is what it is, with its evidence, and what would change it.

    The drill is judged from its plan, journal and recording; nothing is written.
    """
    from alertdrill.cli.explain import explain_folder

    raise typer.Exit(explain_folder(_console(no_color), folder, expectation))


@app.command()
def replay(
    rules: Annotated[
        list[Path] | None,
        typer.Option(
            "--rules",
            help="a rule file, or a folder of them (repeatable): all that is loaded; with --set it can be left out",
        ),
    ] = None,
    recordings: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RECORDING…]", help="results/<scenario>/<run id> of recorded drills"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="[ALERT.]NAME=VALUES",
            help="what if a setting were another (repeatable): for, keep_firing_for, threshold, window, "
            "scrape_interval or evaluation_interval; several values (1s,2s,5s or 0.01..0.2/8) make a table",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="also draw the table of several values to FILE, .html or .svg"),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option("--against", help="rule files to compare with (repeatable); none: the rules of the live drills"),
    ] = None,
    fail_on: Annotated[
        str,
        typer.Option("--fail-on", metavar="WHAT", help="lost, slower, false-alarm, with commas between; or nothing"),
    ] = "lost,false-alarm",
    prometheus: Annotated[
        str | None,
        typer.Option("--prometheus", metavar="URL", help="in place of recordings, the past of this Prometheus"),
    ] = None,
    range_: Annotated[
        str | None, typer.Option("--range", metavar="A..B", help="of its past, as in 03:00..05:30: times as of --onset")
    ] = None,
    onset: Annotated[
        str | None,
        typer.Option(
            "--onset", metavar="T", help="when the fault began: HH:MM (the latest), YYYY-MM-DDTHH:MM, or RFC 3339"
        ),
    ] = None,
    history: Annotated[
        str | None,
        typer.Option(
            "--history", metavar="LENGTH", help="how long before the onset false alarms count; default: 30d; 0: not"
        ),
    ] = None,
    tz: Annotated[
        str | None,
        typer.Option("--tz", metavar="ZONE", help="of times without one, as in Europe/Berlin; default: here"),
    ] = None,
    json: Json = None,
    junit: Junit = None,
    markdown: Markdown = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Say what a change of rules would have cost: recorded drills, judged again under other rules.

    A throw-away Prometheus of the recording's own major version evaluates the rules over what was scraped, and sees at
    every evaluation what a live one saw. Exit codes: 1 if something happened that --fail-on names, 3 if a recording
    cannot tell, 2 if a recording or a rule file cannot be used.

    With --prometheus: when each rule would have fired after the stated onset, and how often it had before. What that
    Prometheus asks for stands in ALERTDRILL_PROM_TOKEN, or ALERTDRILL_PROM_USERNAME and ALERTDRILL_PROM_PASSWORD, and
    ALERTDRILL_PROM_TENANT. What was read is kept in our cache.
    """
    from alertdrill.cli.ci_files import CiFiles
    from alertdrill.cli.replay import check_source
    from alertdrill.cli.replay import replay as replay_them

    ci, console = CiFiles(junit, markdown), _console(no_color)
    of_a_past = {"--range": range_, "--onset": onset, "--history": history, "--tz": tz}
    check_source(recordings, prometheus, of_a_past, {"--set": settings, "--plot": plot})
    if prometheus is not None:
        from alertdrill.cli.history import history as replay_past
        from alertdrill.compose.history import HistoryOptions

        when = HistoryOptions(prometheus, range_, onset, history or "30d", tz)
        raise typer.Exit(replay_past(console, when, rules or [], against or None, fail_on, json, quiet, ci))
    asked = (recordings or [], rules or [], against or None, fail_on, json, quiet, ci, settings or (), plot)
    raise typer.Exit(replay_them(console, *asked))


@app.command()
def faults(
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help="kind of a fault; none: list them all")] = None,
    no_color: NoColor = False,
) -> None:
    """List the faults, or print the documentation of one."""
    from alertdrill.cli.faults import show_fault, show_faults

    console = _console(no_color)
    raise typer.Exit(show_faults(console) if kind is None else show_fault(console, kind))


@app.command()
def schema(
    file: Annotated[
        str, typer.Argument(metavar="scenario|result|repeat|run|coverage|replay|history", help="which file")
    ] = "scenario",
) -> None:
    """Print the JSON Schema of scenario files, result.json, repeat.json, or of what run, coverage or replay writes.

    Editors with a YAML language server then complete and check a scenario as you write it. Save the schema beside it:

        alertdrill schema > scenario.v1.json

    and make this the first line of the scenario:

        # yaml-language-server: $schema=scenario.v1.json
    """
    from alertdrill.cli.schema import show_schema

    raise typer.Exit(show_schema(file))


@app.command()
def doctor(
    install: Annotated[
        bool, typer.Option("--install", help="get a Prometheus and an Alertmanager into our cache if there are none")
    ] = False,
    no_color: NoColor = False,
) -> None:
    """Show what this machine has for a drill, and the command that mends what is missing."""
    from alertdrill.cli.doctor import doctor as examine

    raise typer.Exit(examine(_console(no_color), install))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"alertdrill {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="show the version")
    ] = False,
) -> None:
    """Fire drills for the alerts that watch machine-learning models."""


def main() -> None:
    """Run the command line; the process exits with the code of DESIGN's table."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without the characters of a drawing gets question marks
    sys.exit(guarded(app))
