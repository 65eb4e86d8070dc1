"""The settings of ground truth, and how its e-mails are sent."""

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from alertdrill.monitor.bad_settings import BadSettings, Mistake, mistake_of, named
from alertdrill.monitor.setting_types import Address, Addresses, Duration, Line, Texts, Where, Windows, written
from alertdrill.monitor.truth.feedback import MOST_KPIS
from alertdrill.monitor.truth.kpis import parse_kpi
from alertdrill.monitor.truth.mail import Post, Security
from alertdrill.protocols.figures import Metric, Task
from alertdrill.tls import said

MOST_WINDOWS = 4


class TruthSettings(BaseModel):
    """Everything about ground truth; the aliases are the names of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    store: Path = Field(
        alias="truth_store", description="file in which predictions wait for their labels; turns all this on"
    )
    task: Task = Field(Task.CLASSIFICATION, alias="truth_task", description="classification or regression")
    version: Where | None = Field(
        None, alias="truth_version", description="where the model's version stands, where model_version does not tell"
    )
    positive: Line = Field("1", alias="truth_positive", description="the positive class")
    share: float = Field(1.0, gt=0, le=1, alias="truth_share", description="share of predictions that is kept, by id")
    windows: Windows = Field(written(("1d",)), alias="truth_window", description="windows of the quality, at most 4")
    every_s: Duration = Field(written("10s"), alias="truth_every", description="how often the quality is worked out")
    least: int = Field(30, ge=1, alias="truth_min_labels", description="labels below which no quality is given")
    keep_s: Duration = Field(written("35d"), alias="truth_keep", description="how long predictions and labels are kept")
    rows: int = Field(1_000_000, ge=1_000, alias="truth_rows", description="predictions that are kept, at most")
    early_s: Duration = Field(
        written("1h"), alias="truth_early", description="how long feedback that came first waits for its prediction"
    )
    patience_s: Duration = Field(
        written("10s"),
        alias="truth_patience",
        description="how long a locked store is waited for before it is set aside",
    )
    feedback_path: Line = Field(
        "/feedback", pattern="^/", alias="feedback_path", description="path at which feedback is posted"
    )
    feedback_log: Path | None = Field(
        None, alias="feedback_log", description="file of JSON lines with feedback, read on"
    )
    kpis: Texts = Field((), alias="kpi", description="NAME=FORMULA over labelled predictions; repeat it for several")
    check_every_s: Duration | None = Field(
        None, alias="accuracy_check_every", description="period of the accuracy check, such as 7d; none: no check"
    )
    check_metric: Metric = Field(Metric.ACCURACY, alias="accuracy_check_metric", description="the figure it judges")
    check_threshold: float | None = Field(
        None, allow_inf_nan=False, alias="accuracy_check_threshold", description="e-mail below it (rmse, mae: above it)"
    )
    check_least: int = Field(
        100, ge=2, alias="accuracy_check_min_labels", description="labels below which the check cannot tell"
    )
    smtp_host: Line | None = Field(None, alias="smtp_host", description="SMTP server for the e-mails of the check")
    smtp_port: int = Field(587, ge=1, le=65_535, alias="smtp_port", description="its port")
    smtp_security: Security = Field(Security.STARTTLS, alias="smtp_security", description="starttls, tls or none")
    smtp_ca: Path | None = Field(None, alias="smtp_ca", description="PEM file: trusted instead of the system's roots")
    smtp_from: Address | None = Field(None, alias="smtp_from", description="address that the e-mails come from")
    smtp_to: Addresses = Field((), alias="smtp_to", description="addresses that they go to")
    smtp_user: Line | None = Field(None, alias="smtp_user", description="user to log in as")
    smtp_password_env: str | None = Field(
        None, alias="smtp_password_env", description="environment variable that holds the password"
    )
    smtp_password_file: Path | None = Field(
        None, alias="smtp_password_file", description="file whose first line is the password"
    )
    runbook_url: Line = Field(
        "docs/monitor/ground-truth.md#when-an-e-mail-comes",
        alias="runbook_url",
        description="what the e-mails tell their readers to open",
    )

    @property
    def called(self) -> str | None:
        """The positive class; None in regression."""
        return self.positive if self.task is Task.CLASSIFICATION else None


OF_TRUTH: Mapping[str, FieldInfo] = {str(field.alias): field for field in TruthSettings.model_fields.values()}
"""Every setting by its name."""


def contradictions(of: TruthSettings) -> Iterator[Mistake]:
    """What is wrong with settings that are right one by one."""
    names = [name for name, _ in of.windows]
    if len(names) > MOST_WINDOWS or len(set(names)) < len(names):
        what = f"got {', '.join(names)}, expected at most {MOST_WINDOWS} different ones"
        yield Mistake(named("truth_window"), what, "leave some out")
    longest = max([length for _, length in of.windows] + [of.check_every_s or 0.0])
    if longest > of.keep_s:
        what = f"got {of.keep_s:g} s, expected at least the longest window, {longest:g} s"
        yield Mistake(named("truth_keep"), what, "keep for longer")
    yield from _of_kpis(of)
    yield from _of_check(of)


def _of_kpis(of: TruthSettings) -> Iterator[Mistake]:
    for text in of.kpis:
        try:
            parse_kpi(text, of.task)
        except ValueError as error:
            yield mistake_of(named("kpi"), error)
    names = [text.partition("=")[0].strip() for text in of.kpis]
    if len(names) > MOST_KPIS or len(set(names)) < len(names):
        what = f"got {len(names)} of {len(set(names))} names, expected at most {MOST_KPIS}, all different"
        yield Mistake(named("kpi"), what, "rename them, or leave some out")


def _of_check(of: TruthSettings) -> Iterator[Mistake]:
    given = {"accuracy_check_threshold": of.check_threshold, "smtp_host": of.smtp_host, "smtp_from": of.smtp_from,
            "smtp_to": of.smtp_to or None}  # fmt: skip
    every = named("accuracy_check_every")
    if of.check_every_s is None:
        needless = [named(name) for name, value in given.items() if value is not None]
        if needless:
            yield Mistake(every, f"got none beside {', '.join(needless)}", "write 7d, or leave those out")
        return
    for name, value in given.items():
        if value is None:
            yield Mistake(named(name), "got none, expected one for the accuracy check", f"add it, or leave {every} out")
    if of.check_metric.task is not of.task:
        among = ", ".join(metric for metric in Metric if metric.task is of.task)
        what = f"got {of.check_metric}, expected one of {among}"
        yield Mistake(named("accuracy_check_metric"), what, "name one of the task")
    yield from _of_login(of)


def _of_login(of: TruthSettings) -> Iterator[Mistake]:
    passwords = (of.smtp_password_env is not None) + (of.smtp_password_file is not None)
    user = named("smtp_user")
    if passwords != (of.smtp_user is not None):
        one = f"one of {named('smtp_password_env')} and {named('smtp_password_file')}"
        what = f"got {of.smtp_user!r} and {passwords} passwords, expected {one} with {user}, and neither without"
        yield Mistake(user, what, "add what is missing")
    if of.smtp_user is not None and of.smtp_security is Security.NONE:
        what = f"got none with {user}, expected starttls or tls"
        yield Mistake(named("smtp_security"), what, "choose one: a password must not go in the clear")


def open_post(of: TruthSettings, environment: Mapping[str, str]) -> Post | None:
    """How the e-mails of the check are sent; None without a check.

    Raises:
        BadSettings: the password or the certificates cannot be read.
    """
    if of.check_every_s is None or of.smtp_host is None or of.smtp_from is None:
        return None
    try:
        context = ssl.create_default_context(cafile=of.smtp_ca)
    except OSError as error:  # ssl.SSLError is one
        what = f"got {of.smtp_ca}: {said(error)}, expected certificates in PEM form"
        raise BadSettings(Mistake(named("smtp_ca"), what, "check the path")) from None
    password = _password(of, environment)
    return Post(of.smtp_host, of.smtp_port, of.smtp_security, context, of.smtp_from, of.smtp_to, of.smtp_user, password)


def _password(of: TruthSettings, environment: Mapping[str, str]) -> str:
    if of.smtp_password_env is not None:
        if not environment.get(of.smtp_password_env):
            what = f"got no {of.smtp_password_env}, expected a variable that is set"
            raise BadSettings(Mistake(named("smtp_password_env"), what, "export it before the monitor starts"))
        return environment[of.smtp_password_env]
    if of.smtp_password_file is None:
        return ""
    where = named("smtp_password_file")
    try:
        lines = of.smtp_password_file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        what = f"got {of.smtp_password_file}: {type(error).__name__}, expected a text file"
        raise BadSettings(Mistake(where, what, "name one that can be read")) from None
    if not lines or not lines[0]:
        raise BadSettings(Mistake(where, "got an empty file, expected a password", "write it on the first line"))
    return lines[0]
