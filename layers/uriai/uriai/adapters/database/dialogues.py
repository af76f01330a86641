"""SQL of dialogues and deliveries: what a conversation remembers for a while."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from pymysql.cursors import DictCursor

from uriai.adapters.database.connection import Database
from uriai.domain.person import Person
from uriai.service.ports.dialogues import Deliveries, Dialogues, State

LEASE = timedelta(minutes=1)
"""A claim that is older and not settled is somebody's who has died: longer than any function of the chat may run."""
KEPT = timedelta(days=1)
"""How long a delivery is remembered: no platform delivers again after that."""
_SWEPT = 20
"""Old rows deleted with each new one: more than come, so that none stay."""


class SqlDialogues(Dialogues):
    """Dialogues in MariaDB or MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recall(self, person: Person, conversation: str, since: datetime) -> State | None:
        """Where the dialogue stands; None if nothing was kept since then."""

        def work(cursor: DictCursor) -> State | None:
            cursor.execute(
                "SELECT state FROM dialogue WHERE person_id = %s AND conversation = %s AND updated_at >= %s",
                (person.id, conversation, since),
            )
            row = cursor.fetchone()
            return None if row is None else _state(row["state"])

        return self._database.run(work)

    def keep(self, person: Person, conversation: str, state: State, now: datetime, old: datetime) -> None:
        """Keep where it stands now, and forget some of what was kept before ``old``."""
        fields = {
            "asks": state.asks,
            "text": state.text,
            "place": state.place,
            "offers": list(state.offers),
            "numbers": list(state.numbers),
        }

        def work(cursor: DictCursor) -> None:
            cursor.execute(
                """
                INSERT INTO dialogue (person_id, conversation, state, updated_at) VALUES (%s, %s, %s, %s)
                ON DUPLICATE KEY UPDATE state = VALUES(state), updated_at = VALUES(updated_at)
                """,
                (person.id, conversation, json.dumps(fields, ensure_ascii=False), now),
            )
            cursor.execute("DELETE FROM dialogue WHERE updated_at < %s ORDER BY updated_at LIMIT %s", (old, _SWEPT))

        self._database.run(work)


class SqlDeliveries(Deliveries):
    """Deliveries in MariaDB or MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, key: bytes, now: datetime) -> bool:
        """Begin with a delivery: the insert that makes the row wins, or the update that takes over a dead one's."""
        begun = False

        def work(cursor: DictCursor) -> bool:
            nonlocal begun
            again, begun = begun, True
            made = cursor.execute(
                "INSERT INTO delivery (delivery_key, received_at) VALUES (%s, %s) "
                "ON DUPLICATE KEY UPDATE delivery_key = delivery_key",
                (key, now),
            )
            if made:
                old = now - KEPT
                cursor.execute(
                    "DELETE FROM delivery WHERE received_at < %s ORDER BY received_at LIMIT %s", (old, _SWEPT)
                )
                return True
            if again:
                # this caller tried before and may have committed without hearing of it: the instant tells
                cursor.execute("SELECT received_at FROM delivery WHERE delivery_key = %s", (key,))
                row = cursor.fetchone()
                return row is not None and row["received_at"] == now
            return bool(
                cursor.execute(
                    "UPDATE delivery SET received_at = %s "
                    "WHERE delivery_key = %s AND settled = FALSE AND received_at < %s",
                    (now, key, now - LEASE),
                )
            )

        return self._database.run(work)

    def settle(self, key: bytes) -> None:
        """It was answered."""
        self._run("UPDATE delivery SET settled = TRUE WHERE delivery_key = %s", key)

    def release(self, key: bytes) -> None:
        """It could not be answered."""
        self._run("DELETE FROM delivery WHERE delivery_key = %s AND settled = FALSE", key)

    def _run(self, statement: str, key: bytes) -> None:
        self._database.run(lambda cursor: cursor.execute(statement, (key,)))


def _state(text: str) -> State:
    """What `keep` wrote."""
    fields = json.loads(text)
    return State(
        fields["asks"], fields["text"], fields["place"], tuple(fields["offers"]), tuple(map(int, fields["numbers"]))
    )
