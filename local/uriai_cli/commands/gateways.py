"""`uriai gateways`: the boxes that may send clips, and the keys that sign for them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import click

from uriai_cli.database import cloud_database
from uriai_cli.errors import CliError

if TYPE_CHECKING:
    from pymysql.cursors import DictCursor

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class _Name(click.ParamType[str]):
    name = "gateway"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not _NAME.fullmatch(str(value)):
            self.fail(f"{value!r} is not 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit", param, ctx)
        return str(value)


class _PublicKey(click.ParamType[bytes]):
    name = "hex"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        if not re.fullmatch(r"[0-9a-fA-F]{64}", str(value)):
            self.fail("the public key is 64 hex digits: `uriai-edge enroll` prints it", param, ctx)
        return bytes.fromhex(str(value))


GATEWAY = _Name()
PUBLIC_KEY = _PublicKey()


@click.group()
def command() -> None:
    """The gateways that may send clips, and the keys that sign for them."""


@command.command("add")
@click.argument("gateway", type=GATEWAY)
@click.option("--centre", required=True, help="The centre's name, or its number from `uriai centres list`.")
@click.option("--key", "public_key", type=PUBLIC_KEY, help="Public key that `uriai-edge enroll` printed.")
def add(gateway: str, centre: str, public_key: bytes | None) -> None:
    """Let GATEWAY send clips of a centre, signed with a key. Again with another key: both are good from then on.

    Without --key a token is printed with which the device enters its own key, once, within a day.
    """
    from uriai.adapters.database.centres import CentreNotFoundError, centre_of
    from uriai.adapters.database.gateways import GatewayExistsError, RevokedKeyError, add_gateway
    from uriai.adapters.database.invitations import invite_gateway
    from uriai.service.enrol_gateway import TOKEN_LASTS, new_invitation
    from uriai.service.ports.clock import SystemClock
    from uriai_cloud import state

    now = SystemClock().now()
    token, token_hash = new_invitation()

    def work(cursor: DictCursor) -> None:
        centre_id = centre_of(cursor, centre)
        if public_key is not None:
            add_gateway(cursor, gateway, centre_id, public_key, now)
        else:
            invite_gateway(cursor, gateway, centre_id, token_hash, now, now + TOKEN_LASTS)

    with cloud_database() as database:
        try:
            database.run(work)
        except (CentreNotFoundError, GatewayExistsError, RevokedKeyError) as error:
            raise CliError(str(error)) from error
    if public_key is not None:
        click.echo(f"{gateway}  {centre}  key {public_key.hex()}")
        return
    click.echo(f"On the gateway, once, within {TOKEN_LASTS.total_seconds() / 3600:.0f} hours:", err=True)
    click.echo(f"uriai-edge enroll --config FILE --api {state.load().api_url} --token {token}")


@command.command("revoke")
@click.argument("gateway", type=GATEWAY)
@click.option("--key", "public_key", type=PUBLIC_KEY, help="Only this key; without it the gateway and all its keys.")
def revoke(gateway: str, public_key: bytes | None) -> None:
    """Trust nothing that arrives from GATEWAY from now on: it is analysed, flagged and never reported automatically."""
    from uriai.adapters.database.gateways import UnknownGatewayError, revoke_gateway
    from uriai.service.ports.clock import SystemClock

    now = SystemClock().now()
    with cloud_database() as database:
        try:
            revoked = database.run(lambda cursor: revoke_gateway(cursor, gateway, public_key, now))
        except UnknownGatewayError as error:
            raise CliError(str(error)) from error
    click.echo(f"{gateway}  {revoked} key{'' if revoked == 1 else 's'} revoked")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_them(as_json: bool) -> None:
    """Print every gateway with its centre, cameras, clips and keys in force."""
    from uriai.adapters.database.gateways import list_gateways

    with cloud_database() as database, database.transaction() as cursor:
        found = list_gateways(cursor)
    for gateway in found:
        keys = [key.hex() for key in gateway.keys_in_force]
        if as_json:
            row = {
                "gateway": gateway.id,
                "centre": gateway.centre,
                "created_at": gateway.created_at.isoformat(),
                "revoked_at": gateway.revoked_at.isoformat() if gateway.revoked_at else None,
                "keys": keys,
                "cameras": gateway.cameras,
                "clips": gateway.clips,
                "last_clip_at": gateway.last_clip_at.isoformat() if gateway.last_clip_at else None,
            }
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            state = "revoked" if gateway.revoked_at else f"{len(keys)} key{'' if len(keys) == 1 else 's'}"
            last = gateway.last_clip_at.isoformat(timespec="seconds") if gateway.last_clip_at else "no clip yet"
            click.echo(
                f"{gateway.id:<24} {gateway.centre}  {state}  {gateway.cameras} cameras  {gateway.clips} clips  {last}"
            )
            for key in keys:
                click.echo(f"  {key}")
