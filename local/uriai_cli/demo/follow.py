"""Watches what becomes of the agent's clips in the deployed pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from uriai.adapters.database.connection import Database
from uriai.adapters.database.outcomes import ClipOutcome, IncidentOutcome, clip_outcomes, incident_outcomes
from uriai_cli.demo.agent import LogLine


@dataclass(slots=True)
class Follower:
    """Tells each step once, through ``tell``: the agent's, then the pipeline's."""

    database: Database
    gateway: str
    since: datetime
    tell: Callable[[str], None]
    closed_at: dict[str, datetime] = field(default_factory=dict)
    uploaded_at: dict[str, datetime] = field(default_factory=dict)
    outcomes: dict[str, ClipOutcome] = field(default_factory=dict)
    incidents: dict[int, IncidentOutcome] = field(default_factory=dict)

    def agent_says(self, line: LogLine) -> None:
        """Take one line of the agent's log."""
        fields = line.fields
        match line.event:
            case "source_opened":
                self.tell(f"agent      camera {fields['camera']} opened")
            case "motion_started":
                self.tell("agent      movement begins")
            case "motion_ended":
                self.tell("agent      movement is over")
            case "clip_closed":
                ulid = str(fields["ulid"])
                self.closed_at[ulid] = line.at
                length_s = (_instant(fields["ended_at"]) - _instant(fields["started_at"])).total_seconds()
                size = f"{length_s:.1f} s, {int(fields['bytes']) / 1e6:.1f} MB"
                self.tell(f"agent      clip {_short(ulid)} closed, {size}, record {fields['seq']} signed")
            case "clip_uploaded":
                ulid = str(fields["ulid"])
                self.uploaded_at[ulid] = line.at
                self.tell(f"S3         clip {_short(ulid)} uploaded after its manifest and signature")
            case "error":
                self.tell(f"agent      {line.message}: {fields.get('why', '')}")

    def look(self) -> None:
        """Read the database, and tell what is new in it."""
        with self.database.transaction() as cursor:
            clips = clip_outcomes(cursor, self.gateway, self.since)
            incidents = incident_outcomes(cursor, self.gateway, self.since)
        for clip in clips:
            ulid = str(clip.clip_id)
            if clip.state is not None and clip.reason_code != "retrying" and ulid not in self.outcomes:
                self.outcomes[ulid] = clip
                self.tell(f"Lambda     analyze {_short(ulid)}: {_conclusion(clip)}")
        for incident in incidents:
            before = self.incidents.get(incident.number)
            if before != incident:
                self.incidents[incident.number] = incident
                news = "opened" if before is None else "extended"
                numbers = f"{incident.kind} {incident.confidence:.2f} -> {incident.verdict}, {incident.status}"
                self.tell(f"MariaDB    incident {incident.number} {news}: {numbers}")

    @property
    def unanswered(self) -> list[str]:
        """Clips that the agent has closed and whose analysis is not there yet."""
        return [ulid for ulid in self.closed_at if ulid not in self.outcomes]

    def seconds(self, incident: IncidentOutcome, told_at: datetime) -> dict[str, float]:
        """Where the time went, from the end of the violent movement to the chatbot knowing it; seconds.

        The movement ends where the incident ended when the chatbot first named it: later clips may extend it.
        """
        spans = {"movement_end_to_chatbot": (told_at - incident.ended_at).total_seconds()}
        filed = (
            ulid
            for ulid, clip in sorted(self.outcomes.items())
            if clip.verdict is not None and clip.verdict.severity > 0 and ulid in self.uploaded_at
        )
        first = next(filed, None)
        if first is not None and (analysed_at := self.outcomes[first].analysed_at) is not None:
            spans["clip_closed_to_uploaded"] = (self.uploaded_at[first] - self.closed_at[first]).total_seconds()
            spans["uploaded_to_analysed"] = (analysed_at - self.uploaded_at[first]).total_seconds()
        return {name: round(value, 2) for name, value in spans.items()}


def _instant(value: object) -> datetime:
    return datetime.fromisoformat(str(value))


def _conclusion(clip: ClipOutcome) -> str:
    if clip.state == "failed":
        return f"failed, {clip.reason_code}: {clip.reason}"
    probability = f"{clip.violence_probability:.2f}" if clip.violence_probability is not None else "?"
    return f"violence {probability} -> {clip.verdict}; manifest {clip.manifest_status}"


def _short(ulid: str) -> str:
    """The end of a ULID tells clips apart; its beginning is the time."""
    return f"…{ulid[-6:]}"
