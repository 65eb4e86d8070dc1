"""Write timestamps in another format."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import TIMES, CellContext, CellFault
from alertdrill.core.faults.shared.rewriting import with_json
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind


class WrongDateFormat(CellFault):
    """Write timestamps in another format.

    What it does:
        Writes the touched timestamps as `format` says instead of 2026-11-22T20:46:15.250Z. As JSON strings: `us`
        "11/22/2026" and `european` "22.11.2026", without the time of day, and `no_zone` "2026-11-22T20:46:15.250". As
        JSON numbers since 1970: `epoch_s` 1795380375, the second cut off, and `epoch_ms` 1795380375250. Nulls stay
        null.
    Why it matters:
        A client with another locale or another library. Up to the 12th of a month day and month trade places without
        an error; a time without its zone is off by whole hours; milliseconds taken for seconds lie 50,000 years ahead.
    Should trigger:
        An alert on 4xx, or on 5xx (bundled: ErrorRateHigh), where the service parses the time. Nothing bundled where
        it does not: the monitor keeps no statistics of timestamps.
    Example:
        - {kind: wrong_date_format, features: [sent_at], format: us, share: 20%}
    References:
        RFC 3339, Date and Time on the Internet: Timestamps (Klyne, Newman 2002); IEEE Std 1003.1-2017 (POSIX), Seconds
        Since the Epoch.
    """

    edits: ClassVar[frozenset[FeatureKind]] = TIMES

    kind: Literal["wrong_date_format"]
    format: Literal["us", "european", "epoch_s", "epoch_ms", "no_zone"] = Field(
        description="us (11/22/2026), european (22.11.2026), epoch_s, epoch_ms (numbers) or no_zone (ISO without its Z)"
    )

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Write the touched times in the other format."""
        return with_json(column, context.touched, context.feature.kind, self._rewritten)

    def _rewritten(self, text: bytes) -> bytes:
        """The other format of a JSON string in ISO 8601, UTC, with milliseconds."""
        moment = text[1:-2]
        if self.format == "no_zone":
            return b'"%b"' % moment
        if self.format in ("epoch_s", "epoch_ms"):
            milliseconds = int(np.datetime64(moment.decode(), "ms").astype(np.int64))
            return b"%d" % (milliseconds if self.format == "epoch_ms" else milliseconds // 1000)
        year, month, day = moment.partition(b"T")[0].rsplit(b"-", 2)
        return b'"%b"' % (b"/".join((month, day, year)) if self.format == "us" else b".".join((day, month, year)))
