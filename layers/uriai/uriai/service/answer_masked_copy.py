"""Answers who asks for the masked copies of an incident."""

from __future__ import annotations

from collections.abc import Sequence

from uriai.service import phrases
from uriai.service.asked import LISTED, Asked
from uriai.service.open_evidence import make_link
from uriai.service.ports.chat import IncidentView
from uriai.service.ports.masked_copies import ALTERED, CLIP_DELETED, OBJECT_MISSING, CopyState
from uriai.service.request_masked_copy import CopyDesk, RequestedCopy, request_masked_copies

_WHY = {CLIP_DELETED: "copy_deleted", OBJECT_MISSING: "copy_missing", ALTERED: "copy_altered"}
"""Reason codes that are no fault of the video itself."""


def copies_of(asked: Asked, incident: IncidentView, desk: CopyDesk) -> Sequence[str]:
    """The lines that say of each clip where its masked copy is: in the making, behind a link, nowhere."""
    requested = request_masked_copies(asked.person, incident.id, asked.base_url, desk, asked.chat.clock)
    if not requested.copies:
        return [asked.say("copy_no_clip", number=incident.number)]
    shown = requested.copies[:LISTED]
    lines = [asked.say("copy_heading", centre=incident.centre.name, number=incident.number)]
    lines += [_line(asked, incident, copy) for copy in shown]
    if len(requested.copies) > LISTED:
        lines.append(asked.say("copy_more", count=len(requested.copies) - LISTED))
    if any(copy.state is CopyState.READY for copy in shown):
        lines.append(asked.say("copy_link_once"))
    if any(copy.state is CopyState.WAITING for copy in requested.copies):
        lines.append(asked.say("copy_told_later" if requested.reachable else "copy_ask_again"))
    return lines


def _line(asked: Asked, incident: IncidentView, copy: RequestedCopy) -> str:
    at = phrases.moment(asked.language, incident, copy.shown_at, asked.now)
    if copy.state is None:
        return asked.say("copy_deleted", at=at)
    if copy.state is CopyState.READY and copy.evidence_id is not None:
        chat = asked.chat
        link = make_link(copy.evidence_id, asked.person, chat.links, chat.clock, asked.base_url, by_hand=True)
        return asked.say("copy_ready", at=at, link=link)
    if copy.state is CopyState.FAILED:
        return asked.say(_WHY.get(copy.reason_code or "", "copy_unplayable"), at=at)
    return asked.say("copy_waiting", at=at)
