"""Enters the device's key in the cloud with a one-time token, proving that the private half is here."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from ipaddress import ip_address
from urllib.parse import urlsplit

from nacl.signing import SigningKey

from uriai_edge.redact import redact, register_secret

_TIMEOUT_S = 30.0
_REFUSED = (
    "the cloud refuses the token: it is good once, for the gateway it was made for, and for a day; "
    "have another one made with `uriai gateways add {gateway} --centre CENTRE`"
)


class EnrolError(Exception):
    """A key that could not be entered; the message says why and what to do."""


def enrol(api: str, gateway: str, token: str, key: SigningKey) -> None:
    """Enter ``key``'s public half for ``gateway`` at ``api`` (the URL that `uriai gateways add` prints).

    The same call may be repeated: with the same key a used token is accepted again while it lasts.

    Raises
    ------
    EnrolError
        If the cloud does not answer or refuses.
    """
    register_secret(token)
    _check_address(api)
    message = b"uriai-enrol-v1\n" + gateway.encode() + b"\n" + token.encode()
    asked = {
        "gateway": gateway,
        "token": token,
        "public_key": key.verify_key.encode().hex(),
        "signature": key.sign(message).signature.hex(),
    }
    request = urllib.request.Request(  # noqa: S310 - https, or loopback
        api.rstrip("/") + "/v1/gateways/enrol",
        data=json.dumps(asked).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            entered = json.load(answer)
    except urllib.error.HTTPError as error:
        raise EnrolError(_why(error, gateway)) from error
    except (OSError, ValueError) as error:
        raise EnrolError(
            redact(f"{api}: does not answer as the cloud does: {error}; check --api and try again")
        ) from error
    if not isinstance(entered, dict) or entered.get("gateway") != gateway:
        raise EnrolError(f"{api}: does not answer as the cloud does; check --api")


def _why(error: urllib.error.HTTPError, gateway: str) -> str:
    if error.code == 401:
        return _REFUSED.format(gateway=gateway)
    if error.code == 429:
        return "too many tokens were refused lately; try again in ten minutes"
    try:
        told = json.load(error)["message"]
    except (ValueError, KeyError, TypeError):
        told = error.reason
    return redact(f"the cloud answers {error.code}: {told}")


def _check_address(api: str) -> None:
    parts = urlsplit(api)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname):
        return
    raise EnrolError("--api: must be https://…, as `uriai gateways add` prints it; http:// on this machine only")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
