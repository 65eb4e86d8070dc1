"""Write N/A, or another text for no value, where a value belongs."""

from typing import Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import CellContext, CellFault
from alertdrill.protocols.rows import Cell, Column

NoValue = Literal["N/A", "n/a", "NA", "#N/A", "#NA", "<NA>", "NaN", "nan", "NaT", "None", "NULL", "null"]


class NotAvailable(CellFault):
    """Write N/A, or another text for no value, where a value belongs.

    What it does:
        Writes `text` as a JSON string for every one of `features` in the touched requests, whatever their kind, values
        and nulls alike. A missing key stays missing. A JSON null and a NaN literal are faults of their own.
    Why it matters:
        A table that went through a spreadsheet or a data frame on its way: no value has become text. A number's parser
        refuses it; a category encoder takes it for one more category and answers 200.
    Should trigger:
        A drift alert with a cell for it (bundled: FeatureDrift, by its cells type_error for numbers and unseen for
        categories). The bundled FeatureNullRateHigh stays quiet: a text is no null, which is a blind spot of most
        null-rate alerts.
    Example:
        - {kind: not_available, features: [amount], share: 20%}
    References:
        pandas documentation, read_csv, na_values: the texts that are read as no value; ISO/IEC 29500-1, Office Open
        XML, error values of cells.
    """

    kind: Literal["not_available"]
    text: NoValue = Field(default="N/A", description='what stands for no value, such as N/A, NaN or "#N/A"')

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Write the text over the touched values and nulls."""
        there = np.isin(column.cells, (Cell.VALUE, Cell.NULL))
        return column.with_raw(context.touched & there, b'"%b"' % self.text.encode())
