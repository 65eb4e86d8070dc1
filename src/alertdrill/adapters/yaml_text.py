"""Documents as YAML text for people and other tools to read."""

from collections.abc import Mapping
from typing import Any

import yaml


def yaml_text(document: Mapping[str, Any]) -> str:
    """YAML, keys in the order of the document, a line a value."""
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=1_000_000)
