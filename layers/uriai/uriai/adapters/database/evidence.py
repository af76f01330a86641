"""SQL of evidence and of the audit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from pymysql.cursors import DictCursor

from uriai.domain.ulid import Ulid
from uriai.service.ports.repositories import Audit, Evidence, EvidenceRow


class SqlEvidence(Evidence):
    """Evidence in MariaDB or MySQL, inside one transaction."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def shows(self, finding_id: Ulid) -> bool:
        """Whether there is evidence of the finding."""
        self._cursor.execute("SELECT 1 FROM evidence WHERE finding_id = %s LIMIT 1", (finding_id.value,))
        return self._cursor.fetchone() is not None

    def add(self, row: EvidenceRow, now: datetime) -> None:
        """Keep an evidence row, once."""
        self._cursor.execute(
            """
            INSERT INTO evidence (evidence_id, finding_id, clip_id, role, object_key, sha256, shown_at, created_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            ON DUPLICATE KEY UPDATE evidence_id = evidence_id
            """,
            (
                row.id.value,
                row.finding_id.value,
                row.clip_id.value,
                row.role.value,
                row.object_key,
                row.sha256,
                row.shown_at,
                now,
            ),
        )


class SqlAudit(Audit):
    """The audit in MariaDB or MySQL, inside one transaction: what is not committed was not done and is not told."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def add(
        self,
        now: datetime,
        actor: str,
        action: str,
        subject: str,
        detail: Mapping[str, object],
        person_id: int | None = None,
    ) -> None:
        """Keep one line."""
        self._cursor.execute(
            "INSERT INTO audit (at, person_id, actor, action, subject, detail) VALUES (%s, %s, %s, %s, %s, %s)",
            (now, person_id, actor[:80], action, subject[:120], json.dumps(dict(detail), ensure_ascii=False)),
        )
