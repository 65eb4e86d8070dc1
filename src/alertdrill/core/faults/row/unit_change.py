"""Send numeric features in another unit than the model expects."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from alertdrill.core.faults.base import NUMBERS, CellContext, CellFault, Floats
from alertdrill.core.faults.shared.integers import fitted
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind

Conversion = Literal[
    "km_to_miles",
    "miles_to_km",
    "units_to_cents",
    "cents_to_units",
    "celsius_to_fahrenheit",
    "fahrenheit_to_celsius",
    "ms_to_s",
    "s_to_ms",
    "kg_to_lb",
    "lb_to_kg",
]

_KM_A_MILE = 1.609344
_KG_A_POUND = 0.45359237

_CONVERT: Mapping[Conversion, Callable[[Floats], Floats]] = {
    "km_to_miles": lambda x: x / _KM_A_MILE,
    "miles_to_km": lambda x: x * _KM_A_MILE,
    "units_to_cents": lambda x: x * 100.0,
    "cents_to_units": lambda x: x / 100.0,
    "celsius_to_fahrenheit": lambda x: x * 1.8 + 32.0,
    "fahrenheit_to_celsius": lambda x: (x - 32.0) / 1.8,
    "ms_to_s": lambda x: x / 1000.0,
    "s_to_ms": lambda x: x * 1000.0,
    "kg_to_lb": lambda x: x / _KG_A_POUND,
    "lb_to_kg": lambda x: x * _KG_A_POUND,
}


class UnitChange(CellFault):
    """Send numeric features in another unit than the model expects.

    What it does:
        Converts every value of `features` in the touched requests, by exact factors: 1 mile is 1.609344 km, 1 lb is
        0.45359237 kg, F is 1.8 C + 32, 1 unit (a euro, say) is 100 cents, 1 s is 1000 ms. Integers are rounded, halves
        away from zero, and move by at least 1. A value that is the same in both units cannot change: 0, and -40 for
        temperatures. Nulls stay null.
    Why it matters:
        A supplier, a library or another team changes the unit, and the number that arrives is of the right type. Mars
        Climate Orbiter was lost to pound-force seconds read as newton seconds.
    Should trigger:
        A drift alert on the feature (bundled: FeatureDrift). No alert on errors or latency sees it.
    Example:
        - {kind: unit_change, features: [distance_km], conversion: km_to_miles, share: 100%}
    References:
        Thompson, Taylor 2008, Guide for the Use of the International System of Units (NIST SP 811), appendix B.
        NASA 1999, Mars Climate Orbiter Mishap Investigation Board, Phase I Report.
    """

    edits: ClassVar[frozenset[FeatureKind]] = NUMBERS

    kind: Literal["unit_change"]
    conversion: Conversion = Field(
        description="from the unit that the model expects to the one that it gets, such as km_to_miles"
    )

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """Convert the touched values."""
        values = fitted(column.values, _CONVERT[self.conversion](column.values), context.feature.kind)
        return column.with_values(context.touched, values)
