"""The demo's course: start everything, follow the clips, ask until the chatbot knows, tell what it said."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from uriai.adapters.database.outcomes import IncidentOutcome
from uriai_cli.database import cloud_database
from uriai_cli.demo.agent import LogLine, RunningAgent, running_agent
from uriai_cli.demo.follow import Follower
from uriai_cli.demo.people import Asker, Reply, ensure_askers
from uriai_cli.demo.scene import Scene, named_scene, open_scene
from uriai_cli.demo.site import CENTRE, CLIPS, GATEWAY, prepare
from uriai_cloud.home import Home
from uriai_cloud.up import up

_LOOK_EVERY_S = 0.5
_PATIENCE_S = 240.0
"""How long the last clips may take after the camera has ended: on a small machine a cold start takes its time."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What came of it: the incident (None if no clip became one), the answers by language, where the time went."""

    incident: IncidentOutcome | None
    told: bool
    answers: dict[str, Reply]
    questions: dict[str, str]
    seconds: dict[str, float]
    clips: int


def run_demo(source: str | None, tell: Callable[[str], None]) -> DemoResult:
    """Run the main job on ``source`` (None: the rendered playroom), telling each step."""
    if source is not None:
        named_scene(source)  # a mistyped name is refused before a minute of starting up
    began = time.monotonic()
    home = Home.from_environment()
    cloud = up(tell)
    up_s = time.monotonic() - began
    with open_scene(source, home, tell) as scene:
        site = prepare(cloud, home, scene.source)
        director, officer = ensure_askers(cloud)
        tell(f"camera     {scene.about}")
        since = datetime.now(UTC)
        with cloud_database() as database, running_agent(site.config) as agent:
            course = _Course(scene, agent, Follower(database, GATEWAY, since, tell), director)
            course.follow()
    first, told_at = course.incident, course.told_at
    zone = ZoneInfo(first.time_zone if first else CENTRE.time_zone)
    today = first is None or first.started_at.astimezone(zone).date() == datetime.now(zone).date()
    questions = {
        "ko": f"{'오늘' if today else '어제'} 우리 어린이집 무슨 일 있었어?",
        "en": f"What happened {'today' if today else 'yesterday'}?",
    }
    answers = {"ko": director.ask(questions["ko"], "ko"), "en": officer.ask(questions["en"], "en")}
    seconds = {"cloud_up": round(up_s, 2), "total": round(time.monotonic() - began, 2)}
    if first is not None and told_at is not None:
        seconds |= course.follower.seconds(first, told_at)
    # later clips may have extended the incident since the chatbot first named it
    incident = course.follower.incidents[first.number] if first is not None else None
    told = incident is not None and all(incident.number in reply.numbers for reply in answers.values())
    return DemoResult(incident, told, answers, questions, seconds, len(course.follower.outcomes))


class _Course:
    """One run of the agent, from its start until everything it closed has been analysed and told."""

    def __init__(self, scene: Scene, agent: RunningAgent, follower: Follower, asker: Asker) -> None:
        self._scene = scene
        self._agent = agent
        self._asker = asker
        self._opened_s: float | None = None
        self._ended_s: float | None = None
        self.follower = follower
        self.incident: IncidentOutcome | None = None
        self.told_at: datetime | None = None

    def follow(self) -> None:
        """Look around until the demo is over; Ctrl-C ends a live camera's."""
        try:
            while not self._over():
                time.sleep(_LOOK_EVERY_S)
                self._step()
        except KeyboardInterrupt:
            self.follower.tell("stopped by Ctrl-C")

    def _step(self) -> None:
        for line in self._agent.news():
            self.follower.agent_says(line)
            if line.event == "source_opened" and self._opened_s is None:
                self._opened_s = time.monotonic()
            elif self._film_is_over(line):
                self._end_camera()  # a viewer that comes again would see it from the beginning
        self.follower.look()
        self._ask()
        if self._camera_ended():
            self._end_camera()

    def _film_is_over(self, line: LogLine) -> bool:
        """Whether the camera that had been open has gone. Trouble elsewhere, as with an upload, does not end it."""
        gone = line.event == "source_ended" or (line.event == "error" and "camera" in line.fields)
        return gone and self._opened_s is not None and self._scene.length_s is not None

    def _end_camera(self) -> None:
        if self._ended_s is None:
            self._scene.end()
            self._ended_s = time.monotonic()

    def _ask(self) -> None:
        """Ask the chatbot about the first incident until it names it."""
        if self.incident is None and self.follower.incidents:
            self.incident = min(self.follower.incidents.values(), key=lambda incident: incident.number)
        if self.incident is None or self.told_at is not None:
            return
        if self.incident.number in self._asker.ask(f"{self.incident.number}번 사건 상태", "ko").numbers:
            self.told_at = datetime.now(UTC)
            self.follower.tell(f"chatbot    knows incident {self.incident.number}")

    def _camera_ended(self) -> bool:
        if self._agent.ended:
            return True
        if self._scene.length_s is None or self._opened_s is None:
            return False
        return time.monotonic() - self._opened_s > self._scene.length_s + CLIPS["post_roll_s"]

    def _over(self) -> bool:
        if self._ended_s is None:
            # a live camera never ends: one incident told is what there is to show
            return self._scene.endless and self.told_at is not None
        if time.monotonic() - self._ended_s > _PATIENCE_S:
            return True
        return not self.follower.unanswered and (self.incident is None or self.told_at is not None)
