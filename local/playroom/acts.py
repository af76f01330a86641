"""What can be played: scene names, acts, the demonstration programme and the rule about seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

SCENES: tuple[str, ...] = (
    "empty",
    "sit",
    "walk",
    "run",
    "play",
    "playfight",
    "hug",
    "dance",
    "lights",
    "assault",
)
"""Every scene that can be rendered. Only ``assault`` shows violence."""

FIRST_DEMO_SEED = 1_000_000
"""Seeds below this number are for training models. This seed and all above belong to the demonstration and the tests:
training code refuses them, so that nothing shown to a user was ever learned by heart."""


class UnknownSceneError(ValueError):
    """The scene's name is not one of ``SCENES``."""

    def __init__(self, scene: str) -> None:
        super().__init__(f"unknown scene {scene!r}: choose one of {', '.join(SCENES)}")


class SeedReservedError(ValueError):
    """A seed of the demonstration and the tests was about to be used for training."""

    def __init__(self, seed: int) -> None:
        super().__init__(f"seed {seed} is reserved for the demonstration: train with seeds 0 to {FIRST_DEMO_SEED - 1}")


@dataclass(frozen=True, slots=True)
class Act:
    """One scene for ``duration_s`` seconds (> 0). Raises UnknownSceneError or ValueError."""

    scene: str
    duration_s: float

    def __post_init__(self) -> None:
        if self.scene not in SCENES:
            raise UnknownSceneError(self.scene)
        if not 0 < self.duration_s < float("inf"):
            raise ValueError(f"an act needs a duration above 0 s, not {self.duration_s!r}")


@dataclass(frozen=True, slots=True)
class Span:
    """What really happens from ``start_s`` to ``end_s``, in seconds from the first frame; kind as in the findings."""

    start_s: float
    end_s: float
    kind: str


DEMO_SEED = 1_000_010
DEMO_PROGRAMME: tuple[Act, ...] = (
    Act("sit", 8.0),
    Act("walk", 6.0),
    Act("play", 10.0),
    Act("lights", 7.0),
    Act("playfight", 9.0),
    Act("dance", 6.0),
    Act("assault", 9.0),
    Act("walk", 5.0),
    Act("sit", 6.0),
)
"""A little more than a minute of an afternoon: calm, play, a change of light, a play-fight, an assault, calm."""


def require_training_seed(seed: int) -> int:
    """Return ``seed`` when it may be trained on; raise SeedReservedError otherwise."""
    if not 0 <= seed < FIRST_DEMO_SEED:
        raise SeedReservedError(seed)
    return seed


def total_s(acts: Sequence[Act]) -> float:
    """Length of a programme in seconds."""
    return sum(act.duration_s for act in acts)
