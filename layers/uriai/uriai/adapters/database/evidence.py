"""SQL of evidence and of the audit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymysql.cursors import DictCursor

from uriai.domain.evidence_chain import NO_HASH, EvidenceLink, StoredLink
from uriai.domain.ulid import Ulid
from uriai.service.ports.repositories import Audit, Evidence, EvidenceRow

LINK_COLUMNS = """e.camera_id, e.chain_seq, e.prev_hash, e.row_hash, e.evidence_id, e.finding_id, e.clip_id, e.role,
    e.object_key, e.sha256, e.shown_at, e.created_at"""
"""What `stored_link` reads, of the evidence `e`."""


class SqlEvidence(Evidence):
    """Evidence in MariaDB or MySQL, inside one transaction."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def shows(self, finding_id: Ulid) -> bool:
        """Whether there is evidence of the finding."""
        self._cursor.execute("SELECT 1 FROM evidence WHERE finding_id = %s LIMIT 1", (finding_id.value,))
        return self._cursor.fetchone() is not None

    def add(self, row: EvidenceRow, now: datetime) -> None:
        """Append an evidence row to its camera's chain, once; the camera's lock orders who appends.

        Where its incident's evidence is held already, the hold is due again.
        """
        self._cursor.execute(
            """
            SELECT m.camera_id, m.evidence_seq, m.evidence_hash
            FROM camera m JOIN finding f ON f.camera_id = m.camera_id WHERE f.finding_id = %s FOR UPDATE
            """,
            (row.finding_id.value,),
        )
        camera = self._cursor.fetchone()
        if camera is None:
            raise LookupError(f"there is no finding {row.finding_id} that the evidence {row.id} could be of")
        link = EvidenceLink(
            camera_id=camera["camera_id"],
            seq=camera["evidence_seq"] + 1,
            prev=camera["evidence_hash"] or NO_HASH,
            evidence_id=row.id,
            finding_id=row.finding_id,
            clip_id=row.clip_id,
            role=row.role.value,
            object_key=row.object_key,
            sha256=row.sha256,
            shown_at=row.shown_at,
            created_at=now,
        )
        added = self._cursor.execute(
            """
            INSERT INTO evidence (evidence_id, finding_id, clip_id, role, object_key, sha256, shown_at, created_at,
                camera_id, chain_seq, prev_hash, row_hash)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
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
                link.camera_id,
                link.seq,
                link.prev,
                link.hash,
            ),
        )
        if not added:
            return
        self._cursor.execute(
            "UPDATE camera SET evidence_seq = %s, evidence_hash = %s WHERE camera_id = %s",
            (link.seq, link.hash, link.camera_id),
        )
        self._cursor.execute(
            """
            UPDATE incident i JOIN incident_finding x ON x.incident_id = i.incident_id
            SET i.held_at = NULL WHERE x.finding_id = %s AND i.held_at IS NOT NULL
            """,
            (row.finding_id.value,),
        )

    def of_incident(self, incident_id: Ulid) -> Sequence[StoredLink]:
        """Rows from before there was a chain have no place in it and are left out."""
        self._cursor.execute(
            f"""
            SELECT {LINK_COLUMNS} FROM incident_finding x JOIN evidence e ON e.finding_id = x.finding_id
            WHERE x.incident_id = %s AND e.deleted_at IS NULL AND e.chain_seq IS NOT NULL
            ORDER BY e.camera_id, e.chain_seq
            """,  # noqa: S608 - only our own column names
            (incident_id.value,),
        )
        return [stored_link(row) for row in self._cursor.fetchall()]


def stored_link(row: Mapping[str, Any]) -> StoredLink:
    """A row with `LINK_COLUMNS`, as the chain has it."""
    link = EvidenceLink(
        camera_id=row["camera_id"],
        seq=row["chain_seq"],
        prev=row["prev_hash"],
        evidence_id=Ulid(row["evidence_id"]),
        finding_id=Ulid(row["finding_id"]),
        clip_id=Ulid(row["clip_id"]),
        role=row["role"],
        object_key=row["object_key"],
        sha256=row["sha256"],
        shown_at=row["shown_at"],
        created_at=row["created_at"],
    )
    return StoredLink(link, row["row_hash"])


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
