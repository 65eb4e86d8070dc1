"""The `json` protocol: a body of one's own around one row (FastAPI, BentoML, Ray Serve, LitServe, TorchServe)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import AfterValidator, Field, JsonValue

from alertdrill.protocols.bad_value import BadValue
from alertdrill.protocols.base import Pointer, Protocol, Row, error_text, is_error, row_of
from alertdrill.protocols.features import Feature
from alertdrill.protocols.forms import PLAIN, Form, Objects, Values, Within
from alertdrill.protocols.malformed import Malformed, NoRows
from alertdrill.protocols.pointer import EVERY, Nowhere, finder, finder_in_each, parts_of

ROW, VALUES = "$row", "$values"
_ROWS: Mapping[str, Form] = {ROW: Objects(), VALUES: Values()}


def _places(template: JsonValue, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths to the places for a row, `*` for a list around it."""
    if isinstance(template, dict):
        for key, value in template.items():
            yield from _places(value, (*path, key))
    elif isinstance(template, list):
        for value in template:
            yield from _places(value, (*path, EVERY))
    elif template in _ROWS:
        yield path


def _alone(template: JsonValue) -> bool:
    """Whether each list that holds a row holds nothing else."""
    if isinstance(template, dict):
        return all(map(_alone, template.values()))
    return not isinstance(template, list) or not list(_places(template)) or (len(template) == 1 and _alone(template[0]))


def _check_body(body: JsonValue) -> JsonValue:
    places = list(_places(body))
    if len(places) != 1 or not _alone(body) or places[0].count(EVERY) > 1:
        expected = f"a body that holds {ROW} (an object) or {VALUES} (a list) once, alone in a list or in none"
        raise BadValue(expected, f"write {ROW}, {{row: {ROW}}}, [{ROW}] or {{instances: [{VALUES}]}}")
    return body


class Json(Protocol):
    """JSON of one's own: a flat object, one that is wrapped, or a list."""

    default_path: ClassVar[str | None] = "/predict"
    example_path: ClassVar[str] = "/predict"

    kind: Literal["json"] = "json"
    body: Annotated[JsonValue, AfterValidator(_check_body)] = Field(
        default=ROW,
        description="the body, with $row where the row stands as an object of values by feature, or $values where it "
        "stands as a list of values in the order of the schema; in a list, one row is one element. Default: $row, "
        "one flat object",
        examples=["$row", {"row": "$row"}, ["$row"], {"input_data": ["$values"]}],
    )
    predictions_at: Pointer = Field(
        default="",
        alias="predictions",
        description="JSON pointer to the predictions in an answer: to a list with one a row where the body has a list "
        "of rows, else to the one; empty: the whole answer",
        examples=["/predictions"],
    )
    label: Pointer | None = Field(
        default="/label",
        description="JSON pointer from a prediction to its class, empty where the prediction is the class; null: it "
        "has none",
    )
    score: Pointer | None = Field(
        default="/score",
        description="JSON pointer from a prediction to its score, or to the number that a regression predicts; null: "
        "it has none",
    )
    error: Pointer | None = Field(
        default="/error",
        description="JSON pointer to what is wrong in an answer that predicts nothing, whatever its status; nothing, "
        "null, false, a number and an empty text there are no error; null: answers never say so",
    )

    @cached_property
    def _path(self) -> tuple[str, ...]:
        return next(_places(self.body))

    @property
    def plain(self) -> bool:
        """Whether a body is one flat object and nothing else."""
        return bool(self.body == ROW)

    @property
    def batches(self) -> bool:
        """Whether rows stand in a list."""
        return EVERY in self._path

    @cached_property
    def _find_error(self) -> Callable[[Any], Any]:
        """What finds an error in a decoded answer, None where there is none; it is asked of every answer."""
        if self.error is None:
            return lambda answer: None
        parts = parts_of(self.error)
        if len(parts) == 1:
            return lambda answer: answer.get(parts[0]) if type(answer) is dict else None
        find = finder_in_each(self.error, None)
        return lambda answer: find([answer])[0]

    @cached_property
    def _find_predictions(self) -> Callable[[Any], Any]:
        return finder(self.predictions_at)

    def form(self, features: Sequence[Feature]) -> Form:
        """The row in its template."""
        if self.plain:
            return PLAIN
        place = ROW if b'"$row"' in orjson.dumps(self.body) else VALUES
        opening, _, closing = orjson.dumps(self.body).partition(orjson.dumps(place))
        return Within(_ROWS[place], opening, closing)

    def rows_in(self, value: Any, features: Sequence[Feature]) -> Sequence[Row]:
        """What stands at the template's place."""
        if not self._path:
            return self._plain_row(value, features)
        before, _, behind = _cut(self._path)
        found = _at(value, before)
        if not self.batches:
            return (row_of(found, features),)
        if type(found) is not list or not found:
            raise NoRows(Malformed.WRONG_BATCH)
        return [row_of(_at(one, behind), features) for one in found]

    def _plain_row(self, value: Any, features: Sequence[Feature]) -> Sequence[Row]:
        if self.plain and type(value) is not dict:
            raise NoRows(Malformed.NOT_AN_OBJECT)
        return (row_of(value, features),)

    def predictions(self, answer: Any) -> Sequence[Any]:
        """The one, or those of a list."""
        try:
            found = self._find_predictions(answer)
        except Nowhere:
            raise Nowhere(f"got nothing at {self.predictions_at}") from None
        if self.batches and type(found) is not list:
            raise Nowhere(f"got {type(found).__name__}, expected a list of predictions")
        if not self.batches and self._named and type(found) is not dict:
            raise Nowhere(f"got {type(found).__name__}, expected an object")
        return found if self.batches else [found]

    @cached_property
    def _named(self) -> bool:
        """Whether all that is looked for in a prediction stands under a name."""
        pointers = [pointer for pointer in (self.label, self.score) if pointer is not None]
        return bool(pointers) and all(pointer and not pointer[1:].isdecimal() for pointer in pointers)

    def find_in_each(self, pointer: str, otherwise: object) -> Callable[[Sequence[Any]], list[Any]]:
        """One value an answer where an answer holds one prediction."""
        if self.batches:
            return super().find_in_each(pointer, otherwise)
        return finder_in_each(self.predictions_at + pointer, otherwise)

    def error_in(self, answer: Any) -> str | None:
        """What stands at `error`."""
        found = self._find_error(answer)
        return error_text(found) if is_error(found) else None


def _cut(path: tuple[str, ...]) -> tuple[tuple[str, ...], bool, tuple[str, ...]]:
    """What stands before and behind the `*` of a path, and whether it has one."""
    if EVERY not in path:
        return path, False, ()
    at = path.index(EVERY)
    return path[:at], True, path[at + 1 :]


def _at(value: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        if type(value) is not dict or key not in value:
            raise NoRows(Malformed.NO_ROWS)
        value = value[key]
    return value
