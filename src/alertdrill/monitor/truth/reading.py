"""What exchanges say of their predictions: id, class or number, score and version."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from alertdrill.drift.cells import Absent
from alertdrill.monitor.answers import BadAnswer
from alertdrill.monitor.notes import Batch, Note
from alertdrill.monitor.predictions import one_a_row
from alertdrill.monitor.sources import Place, Source, decoded_request, lookup
from alertdrill.monitor.truth.joining import Prediction
from alertdrill.monitor.truth.values import label_of, number_of, text_of
from alertdrill.protocols.figures import Task


class Unread(StrEnum):
    """Why no label can ever be joined to an answer. Values of the label `reason`."""

    BAD_BODY = "bad_body"  # the body that holds the id cannot be read
    NO_ID = "no_id"
    WRONG_BATCH = "wrong_batch"  # not as many classes or scores as ids
    QUEUE_FULL = "queue_full"
    STORE_FAILED = "store_failed"


class Sources(NamedTuple):
    """Where things stand in an exchange; None for what it does not have.

    Attributes:
        id: under which feedback comes; where nothing stands there, the id that events or a log give an exchange.
        predicted: the class or number.
        score: of the positive class.
        version: of the model.
    """

    id: Source
    predicted: Source | None
    score: Source | None
    version: Source | None


class Reader:
    """Reads predictions.

    Args:
        sources: where things stand. Where lists stand, an answer has several predictions: as many of each as ids.
        task: says whether a prediction is a class or a number.
        version: of the model, where an exchange does not tell.
    """

    def __init__(self, sources: Sources, task: Task, version: str) -> None:
        self._id_in = sources.id.place
        self._lookups = [_nothing if source is None else lookup(source) for source in sources]
        self._task, self._version = task, version

    def read(self, batch: Batch, wall: float, steady: float) -> Iterator[Prediction | Unread]:
        """The predictions of some exchanges, or why there is none to join.

        Args:
            batch: the exchanges; those in which nothing was predicted are left out.
            wall: now, in seconds since 1970.
            steady: now, in seconds of a clock that is never set; predictions are timed by it.
        """
        given = [at for at, answer in enumerate(batch.answers) if answer is not None]
        if not given:
            return
        notes, answers = [batch.notes[at] for at in given], [batch.answers[at] for at in given]
        columns = [look(notes, answers) for look in self._lookups]
        for note, answer, *found in zip(notes, answers, *columns, strict=True):
            at = steady - max(0.0, wall - note.at) if note.at else steady
            yield from self._of(note, answer, at, *found)

    def _of(
        self, note: Note, answer: object, at: float, identity: object, label: object, score: object, version: object
    ) -> Iterator[Prediction | Unread]:
        ids = identity if type(identity) is list else [identity]
        labels, scores = one_a_row(label, len(ids)), one_a_row(score, len(ids))
        if labels is None or scores is None:
            yield Unread.WRONG_BATCH
            return
        task, of = self._task, text_of(version) or self._version
        for one, named, number in zip(ids, labels, scores, strict=True):
            name = text_of(one) or (text_of(note.request_id) if len(ids) == 1 else None)
            if name is None:
                yield self._why(note, answer)
            else:
                yield Prediction(name, at, of, label_of(task, named), number_of(number))

    def _why(self, note: Note, answer: object) -> Unread:
        if self._id_in is Place.ANSWER:
            return Unread.BAD_BODY if isinstance(answer, BadAnswer) else Unread.NO_ID
        unread = self._id_in is Place.REQUEST and decoded_request(note) is None
        return Unread.BAD_BODY if unread else Unread.NO_ID


def _nothing(notes: Sequence[Note], answers: Sequence[object]) -> list[object]:
    return [Absent.KEY] * len(notes)
