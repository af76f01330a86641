"""What stands below an annotated key frame, in Korean and English."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from uriai.domain.centre import Camera, Centre
from uriai.domain.finding import Finding
from uriai.domain.person import Language
from uriai.service.phrases import percent
from uriai.service.ports.vision import Caption
from uriai.service.texts import kind_name, say, verdict_name


def caption_of(finding: Finding, centre: Centre, camera: Camera, started_at: datetime, *, verified: bool) -> Caption:
    """Suspicion, kind, confidence, verdict, camera and instant in the centre's zone; one line for each language.

    ``started_at`` is the instant (aware) at which the clip begins. What nobody vouches for says so.
    """
    zone = ZoneInfo(centre.time_zone)

    def caption(t_s: float) -> list[str]:
        at = (started_at + timedelta(seconds=t_s)).astimezone(zone)
        lines = []
        for language in (Language.KOREAN, Language.ENGLISH):
            line = say(
                language,
                "caption",
                kind=kind_name(language, finding.kind),
                percent=percent(finding.confidence),
                verdict=verdict_name(language, finding.verdict),
                camera=camera.number,
                at=f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 100_000} {at.tzname()}",
            )
            lines.append(line if verified else f"{line} · {say(language, 'caption_unverified')}")
        return lines

    return caption
