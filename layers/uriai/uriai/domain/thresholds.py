"""The limits the rules compare with: bounded, with defaults from the source documents, stored with every finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

LOWEST = 0.05
"""No limit may be so low that everything is a finding."""
HIGHEST = 0.99
"""No limit may be so high that nothing can ever be a finding."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits on the calibrated probability (0..1) of violence in a window; a limit is passed by what is greater, never
    by what is equal.

    A physical finding begins with a window above ``physical_review``, reaches as far as windows stay above
    ``physical_exit``, and is a ``report`` when one of them is above ``physical_report``. The two upper values are those
    of the source documents; the lower one keeps one assault from falling apart into several findings when its
    probability dips.
    """

    physical_report: float = 0.90
    physical_review: float = 0.80
    physical_exit: float = 0.60

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not LOWEST <= value <= HIGHEST:
                raise ValueError(
                    f"threshold {entry.name} is {value!r}: it has to be a number from {LOWEST} to {HIGHEST}"
                )
        if not self.physical_exit <= self.physical_review <= self.physical_report:
            raise ValueError(
                f"thresholds have to rise: physical_exit {self.physical_exit}, physical_review {self.physical_review}, "
                f"physical_report {self.physical_report}"
            )

    @classmethod
    def from_mapping(cls, values: Mapping[str, float]) -> Thresholds:
        """The defaults with ``values`` in place of some.

        Raises
        ------
        ValueError
            If a name is unknown, a value lies outside its bounds, or the three do not rise.
        """
        known = {entry.name for entry in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"unknown threshold {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        return cls(**values)

    def as_mapping(self) -> dict[str, float]:
        """Name -> limit, as a finding stores them."""
        return asdict(self)
