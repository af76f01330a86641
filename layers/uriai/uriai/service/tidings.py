"""The words of what people are told, put together from the catalogue.

No picture, no link to one, nothing of a child: a messenger is no place for these. What is told is where to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from uriai.domain.centre import Centre
from uriai.domain.incident import Incident
from uriai.domain.person import Language
from uriai.domain.telling import Audience, Occasion
from uriai.domain.words import Kind
from uriai.service.ports.telling import Place, UntoldTrouble
from uriai.service.texts import kind_name, say, span_text

LONGEST_SUBJECT = 200
LONGEST_BODY = 790
"""Characters: with the subject before it, it fits the shortest limit of a messenger, Kakao's 1,000."""
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Tidings:
    """What there is to tell, and where it happened; instants aware.

    ``about`` is the key of the subject. Without an ``incident`` it is a hole in the coverage, and ``camera_number``
    None then means every camera, or ``trouble`` with a gateway's records; ``ended_at`` None: it goes on. ``station`` is
    the police station that is told.
    """

    about: str
    centre: Centre
    place: Place
    camera_number: int | None
    started_at: datetime
    ended_at: datetime | None
    incident: Incident | None = None
    station: str | None = None
    trouble: UntoldTrouble | None = None


def message(
    language: Language, tidings: Tidings, occasion: Occasion, audience: Audience, now: datetime
) -> tuple[str, str]:
    """Subject (at most `LONGEST_SUBJECT`, one line) and body (at most `LONGEST_BODY`) for one of the audience."""
    values = {
        "centre": _short(tidings.centre.name),
        "number": tidings.incident.number if tidings.incident else "",
        "what": _what(language, tidings),
        "station": _short(tidings.station or ""),
        "region": tidings.place.region,
    }
    matter = "tell_incident" if tidings.incident else "tell_records" if tidings.trouble else "tell_hole"
    values["matter"] = say(language, matter, **values)
    lines = [
        str(values["matter"]),
        say(language, "tell_what", what=values["what"], camera=_camera(language, tidings)),
        _span(language, tidings, now),
    ]
    if tidings.incident and tidings.incident.unverified:
        lines.append(say(language, "unverified_mark"))
    if audience is Audience.STATION:
        lines.append(
            say(
                language,
                "tell_place",
                region=tidings.place.region,
                address=_short(tidings.place.address),
                phone=tidings.place.phone or "-",
            )
        )
    lines += ["", say(language, _next_key(occasion, audience, tidings), **values)]
    subject = say(language, f"tell_subject_{occasion.value}", **values)
    return subject[:LONGEST_SUBJECT], "\n".join(lines)[:LONGEST_BODY]


def again(language: Language, subject: str, repetition: int) -> str:
    """The subject of a repetition (from 1): "[다시 알림 2] …"."""
    return say(language, "tell_again", repetition=repetition, subject=subject)[:LONGEST_SUBJECT]


def head(body: str) -> str:
    """What of a body says what it is about: all but what to do next."""
    return body.partition("\n\n")[0]


def digest(language: Language, occasion: Occasion, bodies: Sequence[str]) -> tuple[str, str]:
    """Subject and body of several in one message."""
    subject = say(language, f"tell_subject_digest_{occasion.value}", count=len(bodies))
    return subject, "\n\n".join([*map(head, bodies), say(language, f"tell_next_digest_{occasion.value}")])


def _next_key(occasion: Occasion, audience: Audience, tidings: Tidings) -> str:
    """The key of what to do next. Where no station is told, nobody is told that one was."""
    if occasion is Occasion.REPORTED and tidings.station is None:
        return "tell_next_reported_nowhere"
    return f"tell_next_{occasion.value}_{audience.value}"


def _what(language: Language, tidings: Tidings) -> str:
    """What it is: a suspicion, until somebody has judged; a fault is a fault."""
    if tidings.trouble is not None:
        return say(language, f"tell_trouble_{tidings.trouble.trouble.value}", count=tidings.trouble.count)
    if tidings.incident is None:
        return say(language, "tell_no_recording")
    kind = kind_name(language, tidings.incident.kind)
    return kind if tidings.incident.kind is Kind.TAMPER else say(language, "tell_suspicion", kind=kind)


def _camera(language: Language, tidings: Tidings) -> str:
    if tidings.trouble is not None:
        return say(language, "tell_gateway", gateway=tidings.trouble.gateway)
    if tidings.camera_number is None:
        return say(language, "tell_every_camera")
    return say(language, "camera_filter", cameras=tidings.camera_number)


def _span(language: Language, tidings: Tidings, now: datetime) -> str:
    zone = ZoneInfo(tidings.centre.time_zone)
    start = tidings.started_at.astimezone(zone)
    end = (tidings.ended_at or now).astimezone(zone)
    span = span_text(language, start, end, now)
    return say(language, "tell_span" if tidings.ended_at else "tell_span_open", span=span, zone=start.tzname() or "")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…"
