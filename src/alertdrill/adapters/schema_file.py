"""The schema that a command's argument means: of a bundled target, of a target's folder, or a file of its own."""

from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.bundled import TARGET_FILE, bundled_targets, targets_dir
from alertdrill.adapters.target import TargetSpec
from alertdrill.adapters.yaml_file import load_model
from alertdrill.core.errors import BadInput, Mistake, nearest
from alertdrill.protocols.schema import Schema

SCHEMA_FILE = "schema.yaml"
"""What `alertdrill init` writes beside the target.yaml of a model that runs."""


@dataclass(frozen=True)
class Described:
    """A model as its schema describes it.

    Attributes:
        name: of the target, or of the schema's file without its suffix; of a folder's own schema that of the folder.
        schema: at least one of its features is watched.
    """

    name: str
    schema: Schema


def read_described(name_or_path: str) -> Described:
    """The model that an argument means.

    Args:
        name_or_path: the name of a bundled target, a folder with a schema.yaml or a bundled target's target.yaml, that
            file, or a schema (YAML or JSON).

    Raises:
        BadInput: there is no such thing, it has mistakes, or the monitor would watch none of its features.
    """
    path = _file(name_or_path)
    if path.name == TARGET_FILE:
        spec = load_model(path, TargetSpec, "target")
        described = Described(spec.name, spec.schema_)
    else:
        name = path.absolute().parent.name if path.name == SCHEMA_FILE else path.stem
        described = Described(name, load_model(path, Schema, "schema"))
    if not any(feature.watched for feature in described.schema.features):
        fix = "leave out watched: false of a feature that is no identifier (timestamps never count)"
        raise BadInput([Mistake("features", "none that is watched", "at least one", fix, file=str(path))])
    return described


def _file(name_or_path: str) -> Path:
    path, known = Path(name_or_path), bundled_targets()
    try:
        if path.is_file():
            return path
        for name in (SCHEMA_FILE, TARGET_FILE):
            if (path / name).is_file():
                return path / name
        if name_or_path in known:
            return targets_dir() / name_or_path / TARGET_FILE
        got = f"a folder without a {SCHEMA_FILE}" if path.is_dir() else "no such file or target"
    except (OSError, ValueError):  # a name too long, or with a zero byte in it
        got = "no name of a file"
    near = nearest(name_or_path, known)
    fix = f"write {near}" if near else f"check the path (bundled targets: {', '.join(known)})"
    raise BadInput([Mistake(name_or_path[:100], got, "a schema file or a target", fix)])
