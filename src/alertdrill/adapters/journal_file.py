"""journal.jsonl: appended to as things happen, so that a killed drill leaves what it knew."""

from pathlib import Path

from alertdrill.core import journal as records
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.observations import AlertPost


class JournalFile:
    """The journal of a running drill."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)
        self._notices: list[records.Notice] = []
        self.records: list[records.Record] = []

    def write(self, record: records.Record) -> None:
        """Append a record; nothing is held back.

        Raises:
            OSError: the disk is full.
        """
        self.records.append(record)
        if isinstance(record, records.Notice):
            self._notices.append(record)
        try:
            self._file.write(records.to_line(record))
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error

    def write_post(self, post: AlertPost) -> None:
        """Append every alert of a post of the engine's."""
        for alert in post.alerts:
            self.write(
                records.Post(
                    at=post.received_at,
                    labels=dict(alert.labels),
                    status=alert.status,
                    starts_at_ms=alert.starts_at_ms,
                    ends_at_ms=alert.ends_at_ms,
                )
            )

    @property
    def notices(self) -> list[records.Notice]:
        """What has shown so far how far notifications have come."""
        return self._notices

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_journal(path: Path) -> tuple[records.Record, ...]:
    """The records of a journal file.

    Raises:
        BadInput: the file cannot be read, or a line is no record.
    """
    try:
        return records.from_lines(path.read_bytes().splitlines())
    except (OSError, ValueError) as error:
        got = str(error).splitlines()[0]
        mistake = Mistake(
            "journal", got, "the journal of a drill", "give a results folder as the drill left it", file=str(path)
        )
        raise BadInput([mistake]) from error
