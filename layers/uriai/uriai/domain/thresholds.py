"""The limits the rules compare with: bounded, with defaults from the source documents, stored with every finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from uriai.domain.words import Kind

LOWEST = 0.05
"""No probability may be a limit that is so low that everything is a finding."""
HIGHEST = 0.99
"""No probability may be a limit that is so high that nothing can ever be a finding."""
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "physical_least_s": (0.5, 10.0),
    "emotional_within_s": (0.5, 10.0),
    "neglect_distance": (1.0, 10.0),
    "neglect_least_s": (10.0, 60.0),
    "tamper_least_s": (10.0, 600.0),
}
"""Lowest and highest value of what is no probability."""


def bounds(name: str) -> tuple[float, float]:
    """The lowest and the highest value that the threshold of that name may have."""
    return _BOUNDS.get(name, (LOWEST, HIGHEST))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What each rule compares with. Probabilities are 0..1; names that end in ``_s`` are seconds.

    ``physical``: a finding begins with a window whose calibrated probability of violence is above ``physical_review``,
    reaches as far as windows stay above ``physical_exit``, lasts at least ``physical_least_s``, and is a ``report``
    when one of them is above ``physical_report``; what is equal passes none of these three. The two upper values are
    those of the source documents; the lower one keeps one assault from falling apart into several findings when its
    probability dips.

    ``emotional``: an adult's angry or disgusted face of at least ``emotional_adult`` and a child's fearful, sad or
    surprised one of at least ``emotional_child``, at most ``emotional_within_s`` apart.

    ``neglect``: one person more than ``neglect_distance`` person-heights from everybody else for ``neglect_least_s``,
    whose face is distressed with at least ``neglect_distress``.

    ``tamper``: what a gateway says has begun, or what had lasted for ``tamper_least_s`` when it ended.
    """

    physical_report: float = 0.90
    physical_review: float = 0.80
    physical_exit: float = 0.60
    physical_least_s: float = 1.0
    emotional_adult: float = 0.60
    emotional_child: float = 0.60
    emotional_within_s: float = 3.0
    neglect_distance: float = 2.5
    neglect_least_s: float = 20.0
    neglect_distress: float = 0.60
    tamper_least_s: float = 30.0

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            lowest, highest = bounds(entry.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
                raise ValueError(
                    f"threshold {entry.name} is {value!r}: it has to be a number from {lowest} to {highest}"
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
            If a name is unknown, a value lies outside its bounds, or the three of ``physical`` do not rise.
        """
        known = {entry.name for entry in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"unknown threshold {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        return cls(**values)

    def as_mapping(self) -> dict[str, float]:
        """Name -> limit, of all kinds."""
        return asdict(self)

    def of(self, kind: Kind) -> dict[str, float]:
        """Name -> limit of one kind, as its findings store them."""
        return {name: value for name, value in self.as_mapping().items() if name.startswith(f"{kind.value}_")}
