"""Time zones: one by its name, or that of this machine."""

import zoneinfo
from datetime import datetime

from alertdrill.core.errors import BadInput, Mistake, nearest
from alertdrill.core.history.times import Zone


class NamedZone:
    """A zone of the time zone database."""

    def __init__(self, name: str) -> None:
        self.name, self._zone = name, zoneinfo.ZoneInfo(name)

    def unix(self, local: datetime) -> float:
        """Unix seconds of a time of its clocks."""
        return local.replace(tzinfo=self._zone).timestamp()

    def local(self, unix_s: float) -> datetime:
        """What its clocks show."""
        return datetime.fromtimestamp(unix_s, self._zone)


class LocalZone:
    """The zone of this machine (TZ, else /etc/localtime)."""

    def __init__(self) -> None:
        self.name = datetime.now().astimezone().tzname() or "local time"

    def unix(self, local: datetime) -> float:
        """Unix seconds of a time of its clocks."""
        return local.timestamp()

    def local(self, unix_s: float) -> datetime:
        """What its clocks show."""
        return datetime.fromtimestamp(unix_s).astimezone()


def zone_named(name: str | None) -> Zone:
    """A zone; None: that of this machine.

    Raises:
        BadInput: there is no such zone.
    """
    if name is None:
        return LocalZone()
    try:
        return NamedZone(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(name, zoneinfo.available_timezones())
        fix = f"write {near or 'UTC'}"
        raise BadInput([Mistake("--tz", name[:100], "a time zone such as Europe/Berlin or UTC", fix)]) from None
