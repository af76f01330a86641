"""SQL of gateways' invitations."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from pymysql.cursors import DictCursor

from uriai.adapters.database.connection import Database
from uriai.adapters.database.gateways import RevokedKeyError, add_gateway, claim_name
from uriai.service.ports.invitations import Invitations, Outcome

_KEPT = timedelta(hours=1)


def invite_gateway(
    cursor: DictCursor, gateway_id: str, centre_id: int, token_hash: bytes, now: datetime, expires_at: datetime
) -> None:
    """Let the gateway enter a key once until ``expires_at``; its older invitations end.

    Raises
    ------
    GatewayExistsError
        If the name belongs to another centre.
    """
    claim_name(cursor, gateway_id, centre_id, now)
    cursor.execute(
        "UPDATE gateway_invitation SET expires_at = %s WHERE gateway_id = %s AND used_at IS NULL AND expires_at > %s",
        (now, gateway_id, now),
    )
    cursor.execute(
        "INSERT INTO gateway_invitation (token_hash, gateway_id, created_at, expires_at) VALUES (%s, %s, %s, %s)",
        (token_hash, gateway_id, now, expires_at),
    )
    _audit(cursor, now, "operator", "gateway.invited", gateway_id, {"expires_at": expires_at.isoformat()})


class SqlInvitations(Invitations):
    """Invitations in MariaDB or MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def use(self, token_hash: bytes, gateway_id: str, public_key: bytes, now: datetime) -> Outcome:
        """Enter the key, once: the row of the invitation is locked while that is done."""

        def work(cursor: DictCursor) -> Outcome:
            cursor.execute(
                """
                SELECT i.gateway_id, i.used_at, i.public_key, g.centre_id
                FROM gateway_invitation i JOIN gateway g ON g.gateway_id = i.gateway_id
                WHERE i.token_hash = %s AND i.expires_at > %s FOR UPDATE
                """,
                (token_hash, now),
            )
            row = cursor.fetchone()
            if row is None or row["gateway_id"] != gateway_id:
                return Outcome.REFUSED
            if row["used_at"] is not None:
                return Outcome.ENTERED if bytes(row["public_key"]) == public_key else Outcome.REFUSED
            try:
                add_gateway(cursor, gateway_id, row["centre_id"], public_key, now)
            except RevokedKeyError:
                return Outcome.REVOKED_KEY
            cursor.execute(
                "UPDATE gateway_invitation SET used_at = %s, public_key = %s WHERE token_hash = %s",
                (now, public_key, token_hash),
            )
            _audit(cursor, now, f"gateway {gateway_id}", "gateway.enrolled", gateway_id, {"key": public_key.hex()})
            return Outcome.ENTERED

        return self._database.run(work)

    def failures_since(self, source: bytes, since: datetime) -> tuple[int, int]:
        """Sums over the minutes that began since then."""

        def work(cursor: DictCursor) -> tuple[int, int]:
            cursor.execute(
                "SELECT COALESCE(SUM(CASE WHEN source = %s THEN failures ELSE 0 END), 0) AS of_one, "
                "COALESCE(SUM(failures), 0) AS of_all FROM enrolment_failure WHERE minute >= %s",
                (source, since),
            )
            row = cursor.fetchone() or {"of_one": 0, "of_all": 0}
            return int(row["of_one"]), int(row["of_all"])

        return self._database.run(work)

    def note_failure(self, source: bytes, now: datetime) -> None:
        """One row a minute and address; what is older than an hour goes."""

        def work(cursor: DictCursor) -> None:
            cursor.execute("DELETE FROM enrolment_failure WHERE minute < %s", (now - _KEPT,))
            cursor.execute(
                "INSERT INTO enrolment_failure (minute, source, failures) VALUES (%s, %s, 1) "
                "ON DUPLICATE KEY UPDATE failures = failures + 1",
                (now.replace(second=0, microsecond=0), source),
            )

        self._database.run(work)


def _audit(
    cursor: DictCursor, now: datetime, actor: str, action: str, gateway_id: str, detail: dict[str, object]
) -> None:
    cursor.execute(
        "INSERT INTO audit (at, person_id, actor, action, subject, detail) VALUES (%s, NULL, %s, %s, %s, %s)",
        (now, actor[:80], action, f"gateway {gateway_id}", json.dumps(detail)),
    )
