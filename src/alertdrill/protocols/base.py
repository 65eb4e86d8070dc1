"""What a protocol is: options of an endpoint, how a row is written, and how requests and answers are read."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from alertdrill.protocols.bad_value import BadValue
from alertdrill.protocols.features import Feature
from alertdrill.protocols.forms import Form
from alertdrill.protocols.malformed import Malformed, NoRows, unreadable
from alertdrill.protocols.pointer import Nowhere, finder, parts_of

Row = Mapping[str, Any]
LONGEST_ERROR = 200


def _check_pointer(pointer: str) -> str:
    try:
        parts_of(pointer)
    except ValueError:
        raise BadValue("a JSON pointer", f"write /{pointer}") from None
    return pointer


Pointer = Annotated[str, AfterValidator(_check_pointer)]
"""A JSON pointer (RFC 6901): /a/b, or empty for the whole."""


class Protocol(BaseModel):
    """What every protocol has in a file.

    Whatever the protocol, a request is rows (objects of values by feature), and an answer holds one prediction a row:
    a value, a list (such as of probabilities) or an object. Pointers lead from a prediction to its class and score.
    """

    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="forbid", serialize_by_alias=True, json_schema_extra={"required": ["kind"]}
    )

    default_path: ClassVar[str | None] = None
    """Path of the endpoint where none is given; None: it depends on the model's name."""
    example_path: ClassVar[str]

    kind: str
    label: Pointer | None = Field(
        default="",
        description="JSON pointer from one prediction to its class, empty where the prediction is the class; null: it "
        "has none",
    )
    score: Pointer | None = Field(
        default=None,
        description="JSON pointer from one prediction to its score, or to the number that a regression predicts, such "
        "as /1 for the second of two probabilities; null: it has none",
    )

    @property
    def plain(self) -> bool:
        """Whether a body is one flat object and nothing else."""
        return False

    @property
    def watched(self) -> int:
        """How many outputs are looked for in a prediction: class and score."""
        return sum(pointer is not None for pointer in (self.label, self.score))

    def finding(self, **pointers: str | None) -> Self:
        """The same with other pointers for `label` and `score`."""
        return type(self).model_validate({**self.model_dump(), **pointers})

    @property
    def is_text(self) -> bool:
        """Whether requests are no JSON."""
        return False

    def unfit(self, features: Sequence[Feature]) -> Iterator[BadValue]:
        """What of the options does not fit the features; nothing by default."""
        yield from ()

    @abstractmethod
    def form(self, features: Sequence[Feature]) -> Form:
        """How rows are written."""

    @abstractmethod
    def rows_in(self, value: Any, features: Sequence[Feature]) -> Sequence[Row]:
        """The rows of a decoded request, at least one.

        Raises:
            NoRows: it holds none.
        """

    def read(self, body: bytes, features: Sequence[Feature]) -> Sequence[Row]:
        """The rows of a request, at least one.

        Raises:
            NoRows: it holds none.
        """
        try:
            value = orjson.loads(body)
        except ValueError:
            return self.read_other(body, features)
        return self.rows_in(value, features)

    def read_other(self, body: bytes, features: Sequence[Feature]) -> Sequence[Row]:
        """The rows of a request that is no JSON.

        Raises:
            NoRows: it holds none.
        """
        raise NoRows(unreadable(body))

    @abstractmethod
    def predictions(self, answer: Any) -> Sequence[Any]:
        """One prediction a row of a decoded answer.

        Raises:
            Nowhere: it holds none.
        """

    @abstractmethod
    def error_in(self, answer: Any) -> str | None:
        """What went wrong, where a decoded answer says so, whatever its status; None: it does not."""

    def error_of(self, body: bytes) -> str | None:
        """What the body of an answer that is no prediction says of itself, in one line; None if it says nothing."""
        try:
            answer = orjson.loads(body)
        except ValueError:
            return " ".join(body[:LONGEST_ERROR].decode("utf-8", "replace").split()) or None
        return self.error_in(answer) or (error_text(answer) if answer else None)

    def find_in_each(self, pointer: str, otherwise: object) -> Callable[[Sequence[Any]], list[Any]]:
        """What finds, in each of many decoded answers, what a pointer leads to from the predictions.

        It gives a list with one value for each prediction, and `otherwise` for an answer that holds no predictions or
        a prediction without it.
        """
        find = finder(pointer)

        def find_one(prediction: Any) -> Any:
            try:
                return find(prediction)
            except Nowhere:
                return otherwise

        def find_all(answer: Any) -> Any:
            try:
                return list(map(find_one, self.predictions(answer)))
            except Nowhere:
                return otherwise

        return lambda answers: list(map(find_all, answers))

    def why_none(self, body: bytes) -> str | None:
        """Why an answer predicts nothing, in at most 200 characters; None if it does."""
        try:
            answer = orjson.loads(body)
        except ValueError as error:
            return str(error)[:LONGEST_ERROR]
        said = self.error_in(answer)
        if said is not None:
            return f"an error: {said}"[:LONGEST_ERROR]
        try:
            predictions = self.predictions(answer)
        except Nowhere as nowhere:
            return str(nowhere)
        return self._why_nothing_found(predictions[0]) if predictions else "no predictions"

    def _why_nothing_found(self, prediction: Any) -> str | None:
        """What is wrong with a prediction that has neither class nor score where they should stand."""
        pointers = [pointer for pointer in (self.label, self.score) if pointer is not None]
        for pointer in pointers:
            try:
                finder(pointer)(prediction)
            except Nowhere:
                continue
            return None
        return f"nothing at {' or '.join(pointers)} of a prediction" if pointers else None


def row_of(value: Any, features: Sequence[Feature]) -> Row:
    """A row written as an object, as a list of values in the order of the schema, or as the value of its only feature.

    Raises:
        NoRows: it is neither, or a list of another length.
    """
    if type(value) is dict:
        return value
    if type(value) is list and len(value) == len(features):
        return {feature.name: one for feature, one in zip(features, value, strict=True)}
    if len(features) == 1 and type(value) is not list:
        return {features[0].name: value}
    raise NoRows(Malformed.WRONG_BATCH)


def rows_of(values: Any, features: Sequence[Feature]) -> Sequence[Row]:
    """Rows written as a list of such.

    Raises:
        NoRows: it is none, or empty.
    """
    if type(values) is not list or not values:
        raise NoRows(Malformed.WRONG_BATCH)
    return [row_of(value, features) for value in values]


def rows_of_columns(columns: Mapping[str, Any]) -> Sequence[Row]:
    """Rows written as an object of columns, all of one length.

    Raises:
        NoRows: they are not.
    """
    if not columns or not all(type(column) is list for column in columns.values()):
        raise NoRows(Malformed.WRONG_BATCH)
    if len({len(column) for column in columns.values()}) != 1 or not next(iter(columns.values())):
        raise NoRows(Malformed.WRONG_BATCH)
    return [dict(zip(columns, map(_scalar, values), strict=True)) for values in zip(*columns.values(), strict=True)]


def _scalar(value: Any) -> Any:
    """A value out of a row of one: columns come as [1.5] and as [[1.5]]."""
    return value[0] if type(value) is list and len(value) == 1 else value


def error_text(value: Any) -> str:
    """An error as a text of one line: a message, or the message of an object."""
    if isinstance(value, dict):
        value = next((value[key] for key in ("message", "detail", "error") if isinstance(value.get(key), str)), value)
    text = value if isinstance(value, str) else as_json(value)
    return " ".join(text.split())[:LONGEST_ERROR]


def as_json(value: Any) -> str:
    """Decoded JSON for people: what is nested deeper than can be written again is said to be."""
    try:
        return orjson.dumps(value).decode("utf-8", "replace")
    except orjson.JSONEncodeError:  # it reads 1,024 levels, and writes 254
        return "JSON that is nested deeply"


def is_error(value: Any) -> bool:
    """Whether this says that something went wrong, where an answer has its error; null, false and numbers do not."""
    return value is True or (isinstance(value, str | dict | list) and bool(value))


def predictions_in(found: Any, under: str, columns_under: str) -> Sequence[Any]:
    """A list of predictions, or the rows of columns.

    Args:
        found: what an answer has in their place.
        under: where that is, in words.
        columns_under: where columns are.

    Raises:
        Nowhere: it is neither.
    """
    if type(found) is dict:
        try:
            return rows_of_columns(found)
        except NoRows:
            raise Nowhere(f"got columns of different lengths under {columns_under}") from None
    if type(found) is not list:
        raise Nowhere(f"got no list under {under}")
    return found


def error_under(answer: Any, key: str) -> str | None:
    """The error under a key of an answer."""
    found = answer.get(key) if type(answer) is dict else None
    return error_text(found) if is_error(found) else None
