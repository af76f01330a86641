"""A daycare playroom that does not exist, seen by a ceiling camera: deterministic film for the demonstration.

Nobody in it is real, and every frame says so. Seeds below ``FIRST_DEMO_SEED`` may be trained on as a domain of their
own; seeds from there on belong to the demonstration and the tests, and training code must refuse them
(``require_training_seed``).
"""

from playroom.acts import (
    DEMO_PROGRAMME,
    DEMO_SEED,
    FIRST_DEMO_SEED,
    SCENES,
    Act,
    SeedReservedError,
    Span,
    UnknownSceneError,
    require_training_seed,
    total_s,
)
from playroom.render import DEFAULT_START, frame_count, render_clip, render_programme, truth
from playroom.stamp import LABEL

__all__ = [
    "DEFAULT_START",
    "DEMO_PROGRAMME",
    "DEMO_SEED",
    "FIRST_DEMO_SEED",
    "LABEL",
    "SCENES",
    "Act",
    "SeedReservedError",
    "Span",
    "UnknownSceneError",
    "frame_count",
    "render_clip",
    "render_programme",
    "require_training_seed",
    "total_s",
    "truth",
]
