"""The options of the monitor that concern ground truth, from one model: how they are called, read and explained."""

import argparse
import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from alertdrill.monitor.truth.durations import seconds
from alertdrill.monitor.truth.feedback import MOST_KPIS
from alertdrill.monitor.truth.kpis import parse_kpi
from alertdrill.monitor.truth.mail import Post, Security
from alertdrill.monitor.truth.quality import Metric, Task
from alertdrill.monitor.truth.reading import Sources
from alertdrill.monitor.truth.sources import Place, Source, parse_source
from alertdrill.tls import said

MOST_WINDOWS = 4
STORE = "truth-store"


class BadOptions(Exception):
    """Options that cannot be used; the text says of each what was got, what was expected and how to mend it."""


def _window(text: str) -> tuple[str, float]:
    return text.strip(), seconds(text)


def _address(text: str) -> str:
    if not re.fullmatch(r"[!-~]+@[!-~]+", text) or any(sign in text for sign in '<>,;:"()[]'):
        raise ValueError(f"got {text!r}, expected an e-mail address; fix: write for example ml-team@example.com")
    return text


def _one_line(text: str) -> str:
    if not text.isprintable() or not text:
        raise ValueError(f"got {text!r}, expected one line of text")
    return text


Duration = Annotated[float, BeforeValidator(lambda text: seconds(text) if isinstance(text, str) else text)]
Where = Annotated[Source, BeforeValidator(lambda text: parse_source(text) if isinstance(text, str) else text)]
Windows = Annotated[tuple[tuple[str, float], ...], BeforeValidator(lambda texts: tuple(map(_window, texts)))]
Address = Annotated[str, BeforeValidator(_address)]
Addresses = Annotated[tuple[str, ...], BeforeValidator(lambda texts: tuple(map(_address, texts)))]
Line = Annotated[str, BeforeValidator(_one_line)]


class TruthSettings(BaseModel):
    """Everything about ground truth; the aliases are the options."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    store: Path = Field(alias=STORE, description="file in which predictions wait for their labels; turns all this on")
    task: Task = Field(Task.CLASSIFICATION, alias="truth-task", description="classification or regression")
    id: Where = Field(
        Source(Place.ANSWER, ("prediction_id",)),
        alias="truth-id",
        description="where the id of a prediction stands: answer:/prediction_id, request:/id, answer-header:NAME",
    )
    predicted: Where = Field(
        Source(Place.ANSWER, ("label",)),
        alias="truth-predicted",
        description="where the predicted class or number stands",
    )
    score: Where = Field(
        Source(Place.ANSWER, ("score",)),
        alias="truth-score",
        description="where the score of the positive class stands, if anywhere",
    )
    version: Where | None = Field(
        None, alias="truth-version", description="where the model's version stands, where --model-version does not tell"
    )
    positive: Line = Field("1", alias="truth-positive", description="the positive class")
    share: float = Field(1.0, gt=0, le=1, alias="truth-share", description="share of predictions that is kept, by id")
    windows: Windows = Field(
        (("1d", 86_400.0),), alias="truth-window", description="window of the quality; can be repeated"
    )
    every_s: Duration = Field(10.0, alias="truth-every", description="how often the quality is worked out")
    least: int = Field(30, ge=1, alias="truth-min-labels", description="labels below which no quality is given")
    keep_s: Duration = Field(35 * 86_400.0, alias="truth-keep", description="how long predictions and labels are kept")
    rows: int = Field(1_000_000, ge=1_000, alias="truth-rows", description="predictions that are kept, at most")
    early_s: Duration = Field(
        3_600.0, alias="truth-early", description="how long feedback that came first waits for its prediction"
    )
    patience_s: Duration = Field(
        10.0, alias="truth-patience", description="how long a locked store is waited for before it is set aside"
    )
    feedback_path: Line = Field(
        "/feedback", pattern="^/", alias="feedback-path", description="path at which feedback is posted"
    )
    feedback_log: Path | None = Field(
        None, alias="feedback-log", description="file of JSON lines with feedback, read on"
    )
    kpis: tuple[str, ...] = Field(
        (), alias="kpi", description="NAME=FORMULA over labelled predictions; can be repeated"
    )
    check_every_s: Duration | None = Field(
        None, alias="accuracy-check-every", description="period of the accuracy check, such as 7d; none: no check"
    )
    check_metric: Metric = Field(Metric.ACCURACY, alias="accuracy-check-metric", description="the figure it judges")
    check_threshold: float | None = Field(
        None, allow_inf_nan=False, alias="accuracy-check-threshold", description="e-mail below it (rmse, mae: above it)"
    )
    check_least: int = Field(
        100, ge=2, alias="accuracy-check-min-labels", description="labels below which the check cannot tell"
    )
    smtp_host: Line | None = Field(None, alias="smtp-host", description="SMTP server for the e-mails of the check")
    smtp_port: int = Field(587, ge=1, le=65_535, alias="smtp-port", description="its port")
    smtp_security: Security = Field(Security.STARTTLS, alias="smtp-security", description="starttls, tls or none")
    smtp_ca: Path | None = Field(None, alias="smtp-ca", description="PEM file: trusted instead of the system's roots")
    smtp_from: Address | None = Field(None, alias="smtp-from", description="address that the e-mails come from")
    smtp_to: Addresses = Field((), alias="smtp-to", description="address that they go to; can be repeated")
    smtp_user: Line | None = Field(None, alias="smtp-user", description="user to log in as")
    smtp_password_env: str | None = Field(
        None, alias="smtp-password-env", description="environment variable that holds the password"
    )
    smtp_password_file: Path | None = Field(
        None, alias="smtp-password-file", description="file whose first line is the password"
    )
    runbook_url: Line = Field(
        "docs/monitor/ground-truth.md#when-an-e-mail-comes",
        alias="runbook-url",
        description="what the e-mails tell their readers to open",
    )

    @property
    def called(self) -> str | None:
        """The positive class; None in regression."""
        return self.positive if self.task is Task.CLASSIFICATION else None

    @property
    def sources(self) -> Sources:
        """Where an exchange holds what is joined."""
        return Sources(self.id, self.predicted, self.score, self.version)


REPEATED = ("truth-window", "kpi", "smtp-to")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for ground truth."""
    group = parser.add_argument_group("ground truth", "feedback, quality, accuracy check, KPIs")
    for field in TruthSettings.model_fields.values():
        repeated = {"action": "append"} if field.alias in REPEATED else {}
        group.add_argument(f"--{field.alias}", help=field.description, **repeated)  # type: ignore[arg-type]


def read_options(options: argparse.Namespace) -> TruthSettings | None:
    """What the options say; None where no store is named.

    Raises:
        BadOptions: with every mistake.
    """
    aliases = [str(field.alias) for field in TruthSettings.model_fields.values()]
    given = {alias: value for alias in aliases if (value := getattr(options, alias.replace("-", "_"))) is not None}
    if not given:
        return None
    if STORE not in given:
        names = ", ".join(f"--{alias}" for alias in given)
        raise BadOptions(f"--{STORE}\n  got none beside {names}, expected a file\n  fix: name one, or leave those out")
    try:
        settings = TruthSettings.model_validate(given)
    except ValidationError as error:
        raise BadOptions("\n".join(_said(one) for one in error.errors())) from None
    mistakes = list(_senseless(settings))
    if mistakes:
        raise BadOptions("\n".join(mistakes))
    return settings


def _said(error: Mapping[str, Any]) -> str:
    where = f"--{error['loc'][0]}"
    text = str(error["msg"]).removeprefix("Value error, ")
    got = "" if text.startswith("got ") else f"got {error['input']!r}: "
    return f"{where}\n  {got}{text}".replace("; fix: ", "\n  fix: ")


def _mistake(option: str, got: str, expected: str, fix: str) -> str:
    return f"--{option}\n  got {got}, expected {expected}\n  fix: {fix}"


def _senseless(of: TruthSettings) -> Iterator[str]:
    names = [name for name, _ in of.windows]
    if len(names) > MOST_WINDOWS or len(set(names)) < len(names):
        yield _mistake("truth-window", ", ".join(names), f"at most {MOST_WINDOWS} different ones", "leave some out")
    longest = max([length for _, length in of.windows] + [of.check_every_s or 0.0])
    if longest > of.keep_s:
        yield _mistake(
            "truth-keep", f"{of.keep_s:g} s", f"at least the longest window, {longest:g} s", "keep for longer"
        )
    yield from _senseless_kpis(of)
    yield from _senseless_check(of)


def _senseless_kpis(of: TruthSettings) -> Iterator[str]:
    for text in of.kpis:
        try:
            parse_kpi(text, of.task)
        except ValueError as error:
            yield f"--kpi\n  {error}".replace("; fix: ", "\n  fix: ")
    names = [text.partition("=")[0].strip() for text in of.kpis]
    if len(names) > MOST_KPIS or len(set(names)) < len(names):
        yield _mistake(
            "kpi", f"{len(names)} of {len(set(names))} names", f"at most {MOST_KPIS}, all different", "rename"
        )


def _senseless_check(of: TruthSettings) -> Iterator[str]:
    given = {"accuracy-check-threshold": of.check_threshold, "smtp-host": of.smtp_host, "smtp-from": of.smtp_from,
            "smtp-to": of.smtp_to or None}  # fmt: skip
    if of.check_every_s is None:
        needless = [name for name, value in given.items() if value is not None]
        if needless:
            beside = ", ".join(f"--{name}" for name in needless)
            yield _mistake("accuracy-check-every", f"none beside {beside}", "a period", "write 7d, or leave those out")
        return
    for name, value in given.items():
        if value is None:
            yield _mistake(name, "none", "one, for the accuracy check", "add it, or leave --accuracy-check-every out")
    if of.check_metric.task is not of.task:
        among = ", ".join(metric for metric in Metric if metric.task is of.task)
        yield _mistake("accuracy-check-metric", of.check_metric, f"one of {among}", "name one of the task")
    passwords = (of.smtp_password_env is not None) + (of.smtp_password_file is not None)
    if passwords != (of.smtp_user is not None):
        expected = "one of --smtp-password-env and --smtp-password-file with --smtp-user, and neither without"
        yield _mistake("smtp-user", f"{of.smtp_user!r} and {passwords} passwords", expected, "add what is missing")
    if of.smtp_user is not None and of.smtp_security is Security.NONE:
        yield _mistake(
            "smtp-security", "none with --smtp-user", "starttls or tls", "a password must not go in the clear"
        )


def open_post(of: TruthSettings, environment: Mapping[str, str]) -> Post | None:
    """How the e-mails of the check are sent; None without a check.

    Raises:
        BadOptions: the password or the certificates cannot be read.
    """
    if of.check_every_s is None or of.smtp_host is None or of.smtp_from is None:
        return None
    try:
        context = ssl.create_default_context(cafile=of.smtp_ca)
    except OSError as error:  # ssl.SSLError is one
        got = f"{of.smtp_ca}: {said(error)}"
        raise BadOptions(_mistake("smtp-ca", got, "certificates in PEM form", "check the path")) from None
    password = _password(of, environment)
    return Post(of.smtp_host, of.smtp_port, of.smtp_security, context, of.smtp_from, of.smtp_to, of.smtp_user, password)


def _password(of: TruthSettings, environment: Mapping[str, str]) -> str:
    if of.smtp_password_env is not None:
        if not environment.get(of.smtp_password_env):
            fix = "export it before the monitor starts"
            raise BadOptions(_mistake("smtp-password-env", f"no {of.smtp_password_env}", "a variable that is set", fix))
        return environment[of.smtp_password_env]
    if of.smtp_password_file is None:
        return ""
    try:
        lines = of.smtp_password_file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        got = f"{of.smtp_password_file}: {type(error).__name__}"
        raise BadOptions(_mistake("smtp-password-file", got, "a text file", "name one that can be read")) from None
    if not lines or not lines[0]:
        raise BadOptions(_mistake("smtp-password-file", "an empty file", "a password", "write it on the first line"))
    return lines[0]
