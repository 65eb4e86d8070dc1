"""Which packages of our extras, such as `alertdrill[targets]`, this Python has not."""

import importlib.metadata
import re

_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)([^;]*)(?:;.*)?$")


def lacking(extra: str) -> tuple[str, ...]:
    """The requirements of an extra whose packages are not installed, such as `faker>=37`.

    Of a checkout that is not installed itself nobody knows them: none.
    """
    try:
        requirements = importlib.metadata.requires("alertdrill") or []
    except importlib.metadata.PackageNotFoundError:
        return ()
    of_extra = (one for one in requirements if re.search(rf"extra == ['\"]{extra}['\"]", one))
    parts = (found for one in of_extra if (found := _REQUIREMENT.match(one)))
    return tuple((one[1] + one[2]).strip() for one in parts if not _installed(one[1]))


def _installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
