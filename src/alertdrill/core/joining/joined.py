"""An endpoint and rows of it, put together: the schema and the sample of a target."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alertdrill.core.errors import BadInput, BadValue, Mistake, nearest
from alertdrill.core.joining.endpoint import Endpoint, Field
from alertdrill.core.joining.reference_table import FEW_ROWS, FEWEST_ROWS, Column, Unfit, as_field, column_of, text_of
from alertdrill.protocols.features import Feature, FeatureKind
from alertdrill.protocols.schema import Schema

SHOWN = 10


@dataclass(frozen=True)
class Reference:
    """Rows of the model that a user has.

    Attributes:
        file: what mistakes call their file.
        names: of its columns, in order.
        rows: each by name; the values of CSV are texts.
        label: column with the true label; None: there is none.
        dropped: columns that are no features.
    """

    file: str
    names: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]
    label: str | None = None
    dropped: tuple[str, ...] = ()

    def values(self, name: str) -> list[Any]:
        """One column, a value a row."""
        return [row.get(name) for row in self.rows]


@dataclass(frozen=True)
class Joined:
    """A model that can be drilled.

    Attributes:
        schema: features and endpoint.
        columns: of the sample, in the order of the features.
        labels: true labels, one a row; None: there are none.
        notes: what was left out or taken for granted.
    """

    schema: Schema
    columns: tuple[Column, ...]
    labels: tuple[str, ...] | None
    notes: tuple[str, ...]

    def sample_csv(self) -> str:
        """The sample: a header of feature names, nothing between commas for a null."""
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        label = [] if self.labels is None else [self.schema.label]
        writer.writerow([*(one.name for one in self.columns), *label])
        truth = [] if self.labels is None else [self.labels]
        writer.writerows(zip(*(one.texts for one in self.columns), *truth, strict=True))
        return out.getvalue()


def joined(endpoint: Endpoint, reference: Reference) -> Joined:
    """Schema and sample of a target.

    Raises:
        BadInput: the rows lack what the endpoint needs, or contradict it; with every mistake of theirs.
    """
    mistakes = [*_of_size(reference), *_of_names(reference), *_not_carried(endpoint), *_repeated(endpoint)]
    fields, notes = _fields(endpoint, reference, mistakes)
    columns = [column for one in fields if (column := _column(one, reference, mistakes)) is not None]
    if mistakes:
        raise BadInput(mistakes)
    notes += [f"{one.name}: not watched for drift, {one.why_unwatched}" for one in columns if one.why_unwatched]
    booleans = [one.name for one in columns if one.boolean]
    notes += [f"{_some(booleans)}: true and false are written as 1 and 0"] if booleans else []
    if len(reference.rows) < FEW_ROWS:
        few = f"{len(reference.rows)} rows are few for a reference: drift is found later than with {FEW_ROWS} or more"
        notes.append(few)
    labels = tuple(map(text_of, reference.values(reference.label))) if reference.label is not None else None
    return Joined(_schema(endpoint, columns, reference), tuple(columns), labels, (*endpoint.notes, *notes))


def _of_size(reference: Reference) -> Iterator[Mistake]:
    if len(reference.rows) < FEWEST_ROWS:
        fix = "give a few hundred rows of normal traffic, such as of the training data"
        got = f"{len(reference.rows)} rows"
        yield Mistake("--reference", got, f"at least {FEWEST_ROWS}", fix, file=reference.file)


def _of_names(reference: Reference) -> Iterator[Mistake]:
    """Columns that options name and the file does not have."""
    label = [("--label", reference.label)] if reference.label is not None else []
    for option, name in [*label, *(("--drop", one) for one in reference.dropped)]:
        if name not in reference.names:
            near = nearest(name, reference.names)
            fix = f"did you mean {near}?" if near else f"write one of: {_some(reference.names)}"
            yield Mistake(option, name, "a column of the reference", fix, file=reference.file)


def _not_carried(endpoint: Endpoint) -> Iterator[Mistake]:
    """Inputs that requests must have and a row cannot carry."""
    for one in endpoint.skipped:
        if one.required:
            fix = "have users of your own send it (load.locustfile, docs/load.md), or make it optional"
            expected = "numbers, texts and times, as rows hold nothing else"
            yield Mistake(one.name, f"{one.what}, in {endpoint.source}", expected, fix)


def _repeated(endpoint: Endpoint) -> Iterator[Mistake]:
    """Names that several inputs have, as those of tensors without one."""
    for name, count in Counter(field.name for field in endpoint.fields or ()).items():
        if count > 1:
            fix = "correct it there, or write schema.yaml by hand (docs/protocols.md)"
            yield Mistake(name, f"{count} inputs of that name in {endpoint.source}", "each name once", fix)


def _fields(endpoint: Endpoint, reference: Reference, mistakes: list[Mistake]) -> tuple[list[Field | str], list[str]]:
    """The inputs that requests will hold: fields of the document, or names of columns where it does not name them."""
    taken = {reference.label, *reference.dropped}
    own = [name for name in reference.names if name not in taken]
    if endpoint.fields is None:
        if endpoint.width is not None and endpoint.width != len(own):
            got = f"{len(own)} columns ({_some(own)})"
            fix = "name the others: --label COLUMN for the true label, --drop COLUMN for what is no feature"
            expected = f"{endpoint.width}, as {endpoint.source} has it"
            mistakes.append(Mistake("--reference", got, expected, fix, file=reference.file))
        return list(own), _skipped(endpoint)
    found: list[Field | str] = []
    absent: list[str] = []
    for field in endpoint.fields:
        if field.name in own:
            found.append(field)
        elif field.required:
            mistakes.append(_lacking(field, own, endpoint, reference))
        else:
            absent.append(field.name)
    if len(absent) == len(endpoint.fields):
        fix = "name the columns as the endpoint names its inputs"
        got = f"no column that is an input (it has {_some(own)})"
        mistakes.append(Mistake("--reference", got, f"one of {_some(absent)}", fix, file=reference.file))
    names = {field.name for field in endpoint.fields}
    more = [name for name in own if name not in names]
    notes = [f"{_some(absent)}: optional, not in the reference, not sent"] if absent else []
    notes += [f"{_some(more)}: in the reference, no input of the endpoint, left out"] if more else []
    return found, [*notes, *_skipped(endpoint)]


def _skipped(endpoint: Endpoint) -> list[str]:
    by_hand = "rows hold none; a constant can stand in protocol.body beside $row (docs/protocols.md)"
    left = [f"{one.name} ({one.what})" for one in endpoint.skipped]
    return [f"{_some(left)}: left out, as {by_hand}"] if left else []


def _lacking(field: Field, own: Sequence[str], endpoint: Endpoint, reference: Reference) -> Mistake:
    near = nearest(field.name, own)
    fix = f"rename {near}?" if near else f"add it to the reference, which has {_some(own)}"
    expected = f"one, as {endpoint.source} requires it"
    return Mistake(field.name, "no such column", expected, fix, file=reference.file)


def _column(field: Field | str, reference: Reference, mistakes: list[Mistake]) -> Column | None:
    name = field if isinstance(field, str) else field.name
    values = reference.values(name)
    column = column_of(name, values)
    if isinstance(field, Field):
        found = as_field(column, field, values)
        if isinstance(found, Column):
            return found
        mistakes.append(_contradiction(name, found, reference))
        return None
    if column.kind is None:
        fix = f"leave it out with --drop {name}, or write the body by hand (docs/protocols.md)"
        mistakes.append(Mistake(name, "lists or objects", "numbers, texts and times", fix, file=reference.file))
        return None
    return column


def _contradiction(name: str, unfit: Unfit, reference: Reference) -> Mistake:
    fix = "correct the reference, or write the schema by hand if the document is wrong"
    return Mistake(name, f"{unfit.got} in row {unfit.row}", unfit.expected, fix, file=reference.file)


def _schema(endpoint: Endpoint, columns: Sequence[Column], reference: Reference) -> Schema:
    features = tuple(
        Feature(
            name=one.name,
            kind=one.kind or FeatureKind.CATEGORY,
            watched=one.why_unwatched is None and one.kind is not FeatureKind.TIMESTAMP,
        )
        for one in columns
    )
    if not any(feature.watched for feature in features):
        fix = "give a reference with at least one feature whose values come again"
        raise BadInput([Mistake("--reference", "no feature whose drift means anything", "one or more", fix)])
    try:
        return Schema(features=features, label=reference.label).speaking(endpoint.protocol, endpoint.path)
    except BadValue as error:
        where = ".".join(map(str, error.at))
        by = f", by --protocol '{{kind: {endpoint.protocol.kind}, …}}'" if error.at[0] == "protocol" else ""
        raise BadInput([Mistake(where, error.got or "that", error.expected, error.fix + by)]) from None


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
