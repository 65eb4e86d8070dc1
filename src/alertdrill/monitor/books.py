"""The books of a monitor: the account of its model, and all that goes with it, as the settings say."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping

from alertdrill.drift.e_detector import EDetector, log_threshold
from alertdrill.drift.reference import watched_cells
from alertdrill.monitor.account import Account
from alertdrill.monitor.bad_settings import BadSettings, Mistake, mistake_of, named
from alertdrill.monitor.bodies import Bodies
from alertdrill.monitor.dependencies import Dependencies
from alertdrill.monitor.exposition import METRICS_PATH
from alertdrill.monitor.failures import Failures
from alertdrill.monitor.gpu import Gpus, NoGpu
from alertdrill.monitor.log_writer import LogWriter
from alertdrill.monitor.notes import Taker
from alertdrill.monitor.page.page import Page
from alertdrill.monitor.prediction_log import PredictionLog
from alertdrill.monitor.prediction_reference import prediction_references
from alertdrill.monitor.predictions import Outputs, PredictionCounters
from alertdrill.monitor.redaction import Redaction
from alertdrill.monitor.reference import BadFile, load_reference, load_schema, unwatched_names
from alertdrill.monitor.resources import Resources
from alertdrill.monitor.settings import Settings
from alertdrill.monitor.sources import Place, Source, lookup
from alertdrill.monitor.system import System
from alertdrill.monitor.tally import Output
from alertdrill.monitor.truth.ground_truth import GroundTruth
from alertdrill.monitor.truth.reading import Sources
from alertdrill.protocols.bad_value import BadValue
from alertdrill.protocols.base import Protocol
from alertdrill.protocols.figures import Task
from alertdrill.protocols.schema import Schema


class Books:
    """The account of a model and what goes with it.

    Attributes:
        account: where exchanges are noted.
        schema: of the model.
        system: what the machine's resources are sampled with; None if nothing is.
        truth: what takes feedback; None if nothing does.
        page: for browsers; None if there is none.
    """

    def __init__(self, settings: Settings, more: Iterable[Taker] = ()) -> None:
        """Read the files, and then, where nothing is wrong with them, open what is kept open.

        Args:
            settings: of the monitor.
            more: others who are given every exchange.

        Raises:
            BadFile: a file cannot be used.
            BadSettings: paths clash, GPUs are asked for where there are none, or ground truth cannot be kept as the
                settings say.
        """
        given = settings.schema_
        self.schema = _spoken(settings, given if isinstance(given, Schema) else load_schema(given))
        protocol = self.schema.protocol
        clashes = list(_clashes(settings, self.schema))
        if clashes:
            raise BadSettings(*clashes)
        rows = load_reference(settings.reference, self.schema)
        try:
            cells = watched_cells(self.schema, rows)
        except ValueError as error:
            fix = "give a sample with values of it, or set watched: false"
            raise BadFile(settings.reference, str(error), fix) from None
        looked_for = ((Output.SCORE, protocol.score), (Output.LABEL, protocol.label))
        pointers = {output: at for output, at in looked_for if at is not None}
        threshold = log_threshold(len(cells) + len(pointers), settings.false_alarms_per_week)
        labels = {"model": settings.model, "version": settings.model_version}
        failures = Failures()
        self.system = _system(settings, labels)
        outputs = Outputs(pointers, prediction_references(settings), settings.reference_answers, threshold, protocol)
        takers = [*_takers(settings, labels, outputs, failures), *([self.system] if self.system is not None else [])]
        self.truth = _truth(settings, protocol, labels, failures)
        if self.truth is not None:
            takers.append(self.truth)
        self.account = Account(
            labels,
            cells,
            unwatched_names(self.schema),
            EDetector(list(cells.values()), threshold, settings.exact_reference),
            time.time(),
            Bodies(protocol, self.schema.features),
            [*takers, *more],
            failures,
        )
        self.page = _page(settings, self.account)


def _spoken(settings: Settings, schema: Schema) -> Schema:
    """The schema with the protocol and the pointers of the settings, where they have some.

    Raises:
        BadSettings: the protocol does not fit the schema.
    """
    stated = {name: at or None for name in ("score", "label") if (at := getattr(settings, name)) is not None}
    protocol: Protocol = settings.protocol or schema.protocol
    try:
        return schema.speaking(protocol.finding(**stated) if stated else protocol)
    except BadValue as error:
        where = named("protocol" if error.at[0] == "protocol" else "schema")
        got = f"got {error.got or settings.protocol or schema.protocol}, expected {error.expected}"
        raise BadSettings(Mistake(where, f"{'.'.join(map(str, error.at))}: {got}", error.fix)) from None


def _clashes(settings: Settings, schema: Schema) -> Iterator[Mistake]:
    """Paths that have another meaning already."""
    if settings.page in (METRICS_PATH, schema.path):
        what = f"got {settings.page}, which has another meaning already, expected a path of its own"
        yield Mistake(named("page"), what, "write /monitor")
    if settings.truth is not None and settings.truth.feedback_path == schema.path:
        what = f"got {schema.path}, which is where the model predicts, expected a path of its own"
        yield Mistake(named("feedback_path"), what, "write /feedback")


def _system(settings: Settings, labels: Mapping[str, str]) -> System | None:
    try:
        gpus = [Gpus(labels)] if settings.gpu else []
    except NoGpu as error:
        raise BadSettings(mistake_of(named("gpu"), error)) from None
    processes = [Resources(labels, settings.model_pid)] if settings.model_pid is not None else []
    return System([*processes, *gpus]) if processes or gpus else None


def _page(settings: Settings, account: Account) -> Page | None:
    return Page(settings.page, settings.model, settings.model_version, account.scrape) if settings.page else None


def _takers(settings: Settings, labels: Mapping[str, str], outputs: Outputs, failures: Failures) -> list[Taker]:
    takers: list[Taker] = []
    if outputs.pointers:
        takers.append(PredictionCounters(labels, outputs))
    if settings.dependencies:
        takers.append(Dependencies(labels, settings.dependencies))
    if settings.log is not None:
        writer = LogWriter(settings.log, settings.log_max_bytes, settings.log_files)
        redaction = Redaction(settings.log_redact)
        headers = [name.lower() for name in settings.log_headers]
        find = lookup(settings.prediction_id)
        share, are_texts = settings.log_share, outputs.protocol.is_text
        takers.append(PredictionLog(labels, writer, share, redaction, headers, find, failures, are_texts))
    return takers


def _truth(settings: Settings, protocol: Protocol, labels: Mapping[str, str], failures: Failures) -> GroundTruth | None:
    truth = settings.truth
    if truth is None:
        return None
    label, score = (
        None if at is None else Source(Place.PREDICTION, at, protocol) for at in (protocol.label, protocol.score)
    )
    predicted = label if truth.task is Task.CLASSIFICATION else score
    sources = Sources(settings.prediction_id, predicted, score, truth.version)
    return GroundTruth(truth, sources, labels, os.environ, failures)
