"""The room's lamp and how the camera answers to it: exposure, and infrared in the dark."""

import math
from random import Random

from playroom.actor import STEP_S


class Light:
    """Lamp, exposure and infrared over time. ``exposure`` is 1 for a well-lit picture."""

    def __init__(self, seed: int) -> None:
        rng = Random(seed * 7919 + 21)
        self.rng = rng
        self.night = rng.random() < 0.15
        self.base = rng.uniform(0.62, 1.08)
        self.clouds = rng.uniform(0.0, 0.05)
        self.flicker = rng.uniform(0.0, 0.012) if rng.random() < 0.5 else 0.0
        self.lamp = not self.night
        self.lamp_level = 1.0 if self.lamp else 0.05
        self.gain = 1.0
        self.infrared = self.night
        self.dark_s = 1.0 if self.night else 0.0
        self.switch_s = 0.0
        self.time_s = 0.0
        self.switching = False

    def act(self, switching: bool) -> None:
        """A new act begins; in one that is ``switching`` the lamp goes off and on."""
        self.switching = switching
        self.switch_s = self.rng.uniform(0.4, 1.4)
        if not switching:
            self.lamp = not self.night

    def advance(self) -> None:
        """One simulation step."""
        self.time_s += STEP_S
        if self.switching:
            self.switch_s -= STEP_S
            if self.switch_s < 0:
                self.lamp = not self.lamp
                self.switch_s = self.rng.uniform(1.3, 3.2)
        self.lamp_level += ((1.0 if self.lamp else 0.05) - self.lamp_level) * (1 - math.exp(-STEP_S / 0.05))
        self.dark_s = self.dark_s + STEP_S if self.lamp_level < 0.3 else 0.0
        if self.dark_s > 0.7:
            self.infrared = True
        elif self.lamp_level > 0.6 and self.infrared and self.gain < 0.75:
            self.infrared = False
        light = self.lamp_level + (0.85 if self.infrared else 0.0)
        wanted = min(1.6, max(0.45, 0.95 / light))
        self.gain += (wanted - self.gain) * (1 - math.exp(-STEP_S / 0.35))

    @property
    def exposure(self) -> float:
        """Brightness of the picture just now, about 0.1 to 1.8."""
        light = self.lamp_level + (0.85 if self.infrared else 0.0)
        drift = 1 + self.clouds * math.sin(self.time_s * 0.7) + self.flicker * math.sin(self.time_s * 83.0)
        return self.base * light * self.gain * drift
