"""Why a time is not understood: each asks the person something else."""

from __future__ import annotations

from enum import StrEnum


class Problem(StrEnum):
    """What stands between a text and a range."""

    NO_SUCH_DATE = "no_such_date"
    """30 February, 25 o'clock with a date, a date whose weekday is another."""
    NO_SUCH_TIME = "no_such_time"
    """25시, 14:75, 13 a.m."""
    WHICH_HALF = "which_half"
    """"3시": morning or afternoon."""
    WHICH_DAY = "which_day"
    """A time of day that has not come yet, without a day; a week's weekday that may be this or last."""
    UNCLEAR_DATE = "unclear_date"
    """It speaks of time in a way that is not read: "early July", "around Chuseok"."""
    SEVERAL_RANGES = "several_ranges"
    """Days that do not follow one another, or a part of the day on several days."""
    NO_START = "no_start"
    """"until Friday" says no start, "before yesterday" neither."""
    BACKWARDS = "backwards"
    """The end is not after the start."""
    TOO_LONG = "too_long"
    """The text is longer than is read at all."""


class NotUnderstoodError(ValueError):
    """A time that is not understood; ``problem`` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.value)
        self.problem = problem
