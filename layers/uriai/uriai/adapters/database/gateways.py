"""SQL of gateways, their keys and their cameras."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pymysql
from pymysql.constants import ER
from pymysql.cursors import DictCursor

from uriai.domain.centre import Camera, Centre, Gateway, GatewayKey
from uriai.service.ports.repositories import Gateways


class GatewayExistsError(Exception):
    """A gateway of that name is there already and belongs to another centre."""


class RevokedKeyError(Exception):
    """The key was revoked and stays so."""


class UnknownGatewayError(Exception):
    """There is no gateway of that name."""


@dataclass(frozen=True, slots=True)
class GatewayListing:
    """One line of `uriai gateways list`; ``keys_in_force`` are public keys, 32 bytes each."""

    id: str
    centre: str
    created_at: datetime
    revoked_at: datetime | None
    keys_in_force: tuple[bytes, ...]
    cameras: int
    clips: int
    last_clip_at: datetime | None


class SqlGateways(Gateways):
    """Gateways in MariaDB or MySQL, inside one transaction."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def find(self, gateway_id: str) -> Gateway | None:
        """The gateway with its centre and keys, None if nobody added it."""
        self._cursor.execute(
            """
            SELECT g.gateway_id, g.revoked_at, c.centre_id, c.name, c.time_zone, c.auto_report
            FROM gateway g JOIN centre c ON c.centre_id = g.centre_id
            WHERE g.gateway_id = %s
            """,
            (gateway_id,),
        )
        row = self._cursor.fetchone()
        if row is None:
            return None
        self._cursor.execute(
            "SELECT public_key, valid_from, revoked_at FROM gateway_key WHERE gateway_id = %s ORDER BY valid_from",
            (gateway_id,),
        )
        keys = tuple(
            GatewayKey(bytes(key["public_key"]), key["valid_from"], key["revoked_at"])
            for key in self._cursor.fetchall()
        )
        centre = Centre(row["centre_id"], row["name"], row["time_zone"], row["auto_report"] == "on")
        return Gateway(row["gateway_id"], centre, row["revoked_at"], keys)

    def camera(self, gateway: Gateway, number: int, now: datetime) -> Camera:
        """The gateway's camera of that number, made with ``registered`` 0 if there is none."""
        camera = self._camera(gateway.id, number)
        if camera is None:
            # two first clips of one camera may come here together: the second finds the first one's row
            self._cursor.execute(
                """
                INSERT INTO camera (centre_id, gateway_id, number, registered, created_at)
                VALUES (%s, %s, %s, FALSE, %s)
                ON DUPLICATE KEY UPDATE number = VALUES(number)
                """,
                (gateway.centre.id, gateway.id, number, now),
            )
            camera = self._camera(gateway.id, number)
        if camera is None:
            raise LookupError(f"camera {number} of gateway {gateway.id} vanished between writing and reading it")
        return camera

    def lock_camera(self, camera_id: int) -> None:
        """Lock the camera's row to the end of the transaction."""
        self._cursor.execute("SELECT camera_id FROM camera WHERE camera_id = %s FOR UPDATE", (camera_id,))

    def _camera(self, gateway_id: str, number: int) -> Camera | None:
        self._cursor.execute(
            "SELECT camera_id, centre_id, registered FROM camera WHERE gateway_id = %s AND number = %s",
            (gateway_id, number),
        )
        row = self._cursor.fetchone()
        if row is None:
            return None
        return Camera(row["camera_id"], row["centre_id"], gateway_id, number, bool(row["registered"]))


def add_gateway(cursor: DictCursor, gateway_id: str, centre_id: int, public_key: bytes, now: datetime) -> None:
    """Add a gateway with its first key, or a further key to one of the same centre; twice the same changes nothing.

    Adding it again after it was revoked makes it good again from now on, with this new key only. A revoked key is never
    good again: what was sent while it was revoked would verify when its event is sent again.

    Raises
    ------
    GatewayExistsError
        If the name belongs to another centre.
    RevokedKeyError
        If this key of the gateway was revoked.
    """
    cursor.execute(
        "SELECT 1 FROM gateway_key WHERE gateway_id = %s AND public_key = %s AND revoked_at IS NOT NULL FOR UPDATE",
        (gateway_id, public_key),
    )
    if cursor.fetchone() is not None:
        raise RevokedKeyError(
            f"this key of gateway {gateway_id} was revoked and is never good again: on the device name a new key_file, "
            "gateway and spool folder, make a new key with `uriai-edge enroll --config FILE` and add that one"
        )
    claim_name(cursor, gateway_id, centre_id, now)
    cursor.execute("UPDATE gateway SET revoked_at = NULL WHERE gateway_id = %s", (gateway_id,))
    cursor.execute(
        """
        INSERT INTO gateway_key (gateway_id, public_key, valid_from) VALUES (%s, %s, %s)
        ON DUPLICATE KEY UPDATE gateway_id = gateway_id
        """,
        (gateway_id, public_key, now),
    )


def claim_name(cursor: DictCursor, gateway_id: str, centre_id: int, now: datetime) -> None:
    """Enter the gateway's name for a centre, without a key; twice the same changes nothing.

    Raises
    ------
    GatewayExistsError
        If the name belongs to another centre.
    """
    try:
        cursor.execute(
            "INSERT INTO gateway (gateway_id, centre_id, created_at) VALUES (%s, %s, %s)", (gateway_id, centre_id, now)
        )
    except pymysql.IntegrityError as error:
        if error.args[0] != ER.DUP_ENTRY:
            raise
        cursor.execute("SELECT centre_id FROM gateway WHERE gateway_id = %s FOR UPDATE", (gateway_id,))
        row = cursor.fetchone()
        if row is None or row["centre_id"] != centre_id:
            raise GatewayExistsError(
                f"gateway {gateway_id} belongs to another centre: choose another name for this one"
            ) from error


def revoke_gateway(cursor: DictCursor, gateway_id: str, public_key: bytes | None, now: datetime) -> int:
    """Revoke one key of a gateway, or the gateway with all its keys; how many keys were in force until now.

    Clips that arrive from now on are analysed and flagged; those that arrived before stay verified.

    Raises
    ------
    UnknownGatewayError
        If there is no such gateway.
    """
    cursor.execute("SELECT gateway_id FROM gateway WHERE gateway_id = %s FOR UPDATE", (gateway_id,))
    if cursor.fetchone() is None:
        raise UnknownGatewayError(f"there is no gateway {gateway_id}: see `uriai gateways list`")
    # an invitation that nobody has used yet would undo it
    cursor.execute(
        "UPDATE gateway_invitation SET expires_at = %s WHERE gateway_id = %s AND expires_at > %s",
        (now, gateway_id, now),
    )
    if public_key is None:
        cursor.execute(
            "UPDATE gateway SET revoked_at = %s WHERE gateway_id = %s AND revoked_at IS NULL", (now, gateway_id)
        )
        return cursor.execute(
            "UPDATE gateway_key SET revoked_at = %s WHERE gateway_id = %s AND revoked_at IS NULL", (now, gateway_id)
        )
    return cursor.execute(
        "UPDATE gateway_key SET revoked_at = %s WHERE gateway_id = %s AND public_key = %s AND revoked_at IS NULL",
        (now, gateway_id, public_key),
    )


def list_gateways(cursor: DictCursor) -> tuple[GatewayListing, ...]:
    """Every gateway, by name."""
    cursor.execute("SELECT gateway_id, public_key FROM gateway_key WHERE revoked_at IS NULL ORDER BY valid_from")
    keys: dict[str, list[bytes]] = {}
    for row in cursor.fetchall():
        keys.setdefault(row["gateway_id"], []).append(bytes(row["public_key"]))
    cursor.execute(
        """
        SELECT g.gateway_id, c.name AS centre, g.created_at, g.revoked_at,
               (SELECT COUNT(*) FROM camera m WHERE m.gateway_id = g.gateway_id) AS cameras,
               (SELECT COUNT(*) FROM clip k WHERE k.gateway_id = g.gateway_id) AS clips,
               (SELECT MAX(k.received_at) FROM clip k WHERE k.gateway_id = g.gateway_id) AS last_clip_at
        FROM gateway g JOIN centre c ON c.centre_id = g.centre_id
        ORDER BY g.gateway_id
        """
    )
    return tuple(
        GatewayListing(
            row["gateway_id"],
            row["centre"],
            row["created_at"],
            row["revoked_at"],
            tuple(keys.get(row["gateway_id"], ())),
            row["cameras"],
            row["clips"],
            row["last_clip_at"],
        )
        for row in cursor.fetchall()
    )
