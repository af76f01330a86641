"""POST /v1/gateways/enrol: a gateway enters its own key with a one-time token."""

from __future__ import annotations

import re
from dataclasses import dataclass

from uriai.adapters.chat.http import UNAUTHORIZED, BadRequestError, Reply, bad_request, json_object, text_field
from uriai.service.enrol_gateway import Enrolment, TooManyRefusalsError, enrol_gateway
from uriai.service.ports.clips import SignatureChecker
from uriai.service.ports.clock import Clock
from uriai.service.ports.invitations import Invitations, Outcome

_GATEWAY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_REVOKED = (
    "this key was revoked and is never good again: on the device name a new key_file, gateway and spool folder, and "
    "enroll with a new token"
)


@dataclass(frozen=True, slots=True)
class EnrolmentDesk:
    """What entering a key needs."""

    invitations: Invitations
    signatures: SignatureChecker
    clock: Clock


def enrol(desk: EnrolmentDesk, body: bytes, source: str) -> Reply:
    """Enter ``{"gateway", "token", "public_key", "signature"}``; 401 and nothing else for whatever is not good."""
    try:
        asked = _read(body)
    except BadRequestError as error:
        return bad_request(error)
    try:
        outcome = enrol_gateway(asked, source, desk.invitations, desk.signatures, desk.clock)
    except TooManyRefusalsError:
        return Reply(429, {"message": "Too Many Requests"}, {"Retry-After": "600"})
    if outcome is Outcome.REFUSED:
        return UNAUTHORIZED
    if outcome is Outcome.REVOKED_KEY:
        return Reply(409, {"message": _REVOKED})
    return Reply(200, {"gateway": asked.gateway_id}, {"Cache-Control": "no-store"}, {"gateway": asked.gateway_id})


def _read(body: bytes) -> Enrolment:
    sent = json_object(body)
    gateway = text_field(sent.get("gateway"), "gateway", longest=63)
    if not _GATEWAY.fullmatch(gateway):
        raise BadRequestError("gateway has to be 1 to 63 of a-z, 0-9 and -")
    token = text_field(sent.get("token"), "token", longest=200)
    return Enrolment(
        gateway, token, _hex(sent.get("public_key"), "public_key", 32), _hex(sent.get("signature"), "signature", 64)
    )


def _hex(value: object, name: str, length: int) -> bytes:
    text = text_field(value, name, longest=2 * length)
    if not re.fullmatch(rf"[0-9a-f]{{{2 * length}}}", text):
        raise BadRequestError(f"{name} has to be {2 * length} hex digits")
    return bytes.fromhex(text)
