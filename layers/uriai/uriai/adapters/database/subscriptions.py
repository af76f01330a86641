"""SQL of summaries that people have asked to be sent every day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from pymysql.cursors import DictCursor

from uriai.adapters.database.connection import Database
from uriai.domain.person import Language, Person, Platform
from uriai.service.ports.subscriptions import Subscription, Subscriptions


class SqlSubscriptions(Subscriptions):
    """Subscriptions in MariaDB or MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, person: Person, subscription: Subscription, now: datetime) -> None:
        """Send it from now on, in place of what was sent before."""
        one = subscription

        def work(cursor: DictCursor) -> None:
            cursor.execute(
                """
                INSERT INTO subscription (person_id, platform, platform_user, minute, time_zone, base_url, next_at,
                    updated_at)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
                ON DUPLICATE KEY UPDATE person_id = VALUES(person_id), minute = VALUES(minute),
                    time_zone = VALUES(time_zone), base_url = VALUES(base_url), next_at = VALUES(next_at),
                    updated_at = VALUES(updated_at)
                """,
                (person.id, one.platform.value, one.user, one.minute, one.time_zone, one.base_url, one.next_at, now),
            )
            _audit(cursor, "subscription.set", person, one.platform, {"minute": one.minute}, now)

        self._database.run(work)

    def stop(self, person: Person, platform: Platform, user: str, now: datetime) -> bool:
        """Send it no more; whether it was sent."""

        def work(cursor: DictCursor) -> bool:
            stopped = cursor.execute(
                "UPDATE subscription SET next_at = NULL, updated_at = %s "
                "WHERE platform = %s AND platform_user = %s AND person_id = %s AND next_at IS NOT NULL",
                (now, platform.value, user, person.id),
            )
            if stopped:
                _audit(cursor, "subscription.stopped", person, platform, {}, now)
            return bool(stopped)

        return self._database.run(work)

    def due(self, now: datetime, limit: int) -> Sequence[Subscription]:
        """Those whose time has come; a chat that was bound to somebody else since is not among them."""

        def work(cursor: DictCursor) -> list[Subscription]:
            cursor.execute(
                """
                SELECT s.platform, s.platform_user, s.minute, s.time_zone, s.base_url, s.next_at, p.language
                FROM subscription s
                JOIN person p ON p.person_id = s.person_id AND p.disabled_at IS NULL
                JOIN chat_identity i ON i.platform = s.platform AND i.platform_user = s.platform_user
                    AND i.person_id = s.person_id
                WHERE s.next_at <= %s ORDER BY s.next_at LIMIT %s
                """,
                (now, limit),
            )
            return [
                Subscription(
                    Platform(row["platform"]), row["platform_user"], row["minute"], row["time_zone"], row["base_url"],
                    row["next_at"], Language(row["language"]),
                )
                for row in cursor.fetchall()
            ]  # fmt: skip

        return self._database.run(work)

    def move(self, subscription: Subscription, next_at: datetime) -> None:
        """The next is due then, unless somebody changed it meanwhile."""
        self._database.run(
            lambda cursor: cursor.execute(
                "UPDATE subscription SET next_at = %s WHERE platform = %s AND platform_user = %s AND next_at = %s",
                (next_at, subscription.platform.value, subscription.user, subscription.next_at),
            )
        )


def _audit(
    cursor: DictCursor, action: str, person: Person, platform: Platform, detail: dict[str, object], now: datetime
) -> None:
    cursor.execute(
        "INSERT INTO audit (at, person_id, actor, action, subject, detail) VALUES (%s, %s, %s, %s, %s, %s)",
        (
            now,
            person.id,
            person.name,
            action,
            f"person {person.id}",
            json.dumps({"platform": platform.value, **detail}),
        ),
    )
