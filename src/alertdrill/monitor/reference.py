"""The schema and the reference sample from their files."""

from pathlib import Path

import pydantic

from alertdrill.protocols.rows import Rows, parse_csv
from alertdrill.protocols.schema import Schema


class BadFile(Exception):
    """A file that the monitor was given cannot be used; the text says where, what and how to fix it."""

    def __init__(self, path: Path, got: str, fix: str) -> None:
        super().__init__(f"{path}\n  {got}\n  fix: {fix}")


def load_schema(path: Path) -> Schema:
    """The schema of a JSON file.

    Raises:
        BadFile: it cannot be read or is no schema.
    """
    try:
        return Schema.model_validate_json(read_text(path))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BadFile(path, f"{where}: {first['msg']}", "give the schema of the target as JSON") from None


def load_reference(path: Path, schema: Schema) -> Rows:
    """The rows of a CSV file with a header of feature names.

    Raises:
        BadFile: it cannot be read, lacks a feature, holds no rows, or text where a number belongs.
    """
    text = read_text(path)
    try:
        return parse_csv(text, schema)
    except KeyError as error:
        got = f"got no column {error}, expected one for each of {', '.join(schema.names())}"
        raise BadFile(path, got, "give a sample with a header line that names every feature") from None
    except (ValueError, IndexError) as error:
        got = f"got {error}, expected rows of values"
        raise BadFile(path, got, "give one line a row, a number in every numeric column, nothing for a null") from None


def unwatched_names(schema: Schema) -> tuple[str, ...]:
    """The features that no statistics are kept of."""
    return tuple(feature.name for feature in schema.features if not feature.watched)


def read_text(path: Path) -> str:
    """The text of a UTF-8 file.

    Raises:
        BadFile: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadFile(path, error.strerror or str(error), "name a file that can be read") from None
    except UnicodeDecodeError:
        raise BadFile(path, "got bytes that are not UTF-8", "save the file as UTF-8") from None
