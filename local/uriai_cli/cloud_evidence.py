"""The cloud's side of `uriai verify`: rows of evidence against each other, objects against rows, tombstones against the
audit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uriai.adapters.database.evidence import LINK_COLUMNS, stored_link
from uriai.domain.evidence_chain import verify_links
from uriai.domain.record import record_subject
from uriai.domain.ulid import Ulid
from uriai_cli.evidence import TOMBSTONE

if TYPE_CHECKING:
    from pymysql.cursors import DictCursor

    from uriai_cli.evidence import BucketEvidence

PRESENT, DELETED = "present", "deleted"
MISSING, ALTERED, UNAUDITED = "missing", "altered", "unaudited"


@dataclass(frozen=True, slots=True)
class CloudVerdict:
    """What became of a row (``seq`` is its place in its camera's chain), an object or a tombstone."""

    what: str
    camera: int | None
    seq: int | None
    status: str
    key: str | None
    message: str

    @property
    def holds(self) -> bool:
        """Whether it stands, or is gone lawfully."""
        return self.status in (PRESENT, DELETED)


def verify_rows(cursor: DictCursor, source: BucketEvidence, gateway: str) -> Iterator[CloudVerdict]:
    """Verify the rows of a gateway's cameras, and the object of each."""
    cursor.execute(
        "SELECT camera_id, number, evidence_seq, evidence_hash FROM camera WHERE gateway_id = %s ORDER BY number",
        (gateway,),
    )
    for camera in list(cursor.fetchall()):
        cursor.execute(
            f"SELECT {LINK_COLUMNS}, e.deleted_at FROM evidence e "  # noqa: S608 - only our own column names
            "WHERE e.camera_id = %s ORDER BY e.chain_seq",
            (camera["camera_id"],),
        )
        rows = list(cursor.fetchall())
        end = (camera["evidence_seq"], camera["evidence_hash"] or b"")
        for verdict in verify_links([stored_link(row) for row in rows], end):
            number = camera["number"]
            yield CloudVerdict("row", number, verdict.seq, verdict.status.value, None, verdict.message)
        for row in rows:
            yield _of_object(cursor, source, camera["number"], row)


def verify_tombstones(cursor: DictCursor, source: BucketEvidence, gateway: str) -> Iterator[CloudVerdict]:
    """Whether the audit confirms every tombstone: whoever may write to the bucket can lay one."""
    for key in (*source.keys_below(f"clips/{gateway}/"), *source.keys_below(f"records/{gateway}/")):
        if not key.endswith(TOMBSTONE):
            continue
        stem = key.removesuffix(TOMBSTONE)
        if key.startswith("clips/"):
            confirmed = _audited(cursor, f"clip:{stem.rpartition('/')[2]}", "clip.deletion_decided")
        else:
            confirmed = _audited(cursor, record_subject(stem), "picture.deletion_decided")
        status, message = (DELETED, "the audit says so too") if confirmed else (UNAUDITED, "the audit knows of none")
        yield CloudVerdict("tombstone", None, None, status, key, message)


def _of_object(cursor: DictCursor, source: BucketEvidence, camera: int, row: dict[str, Any]) -> CloudVerdict:
    key = row["object_key"]
    found = source.attachment(key)
    if found is not None:
        same = found.sha256 == row["sha256"].hex()
        status, message = (PRESENT, "unaltered") if same else (ALTERED, "is not the object that the row was made for")
    elif row["deleted_at"] is not None and _audited(cursor, f"clip:{Ulid(row['clip_id'])}", "clip.deletion_decided"):
        status, message = DELETED, f"deleted on {row['deleted_at'].date().isoformat()}, and the audit says so too"
    else:
        status, message = MISSING, "is not there, and the audit does not say why"
    return CloudVerdict("object", camera, row["chain_seq"], status, key, message)


def _audited(cursor: DictCursor, subject: str, action: str) -> bool:
    cursor.execute("SELECT 1 FROM audit WHERE subject = %s AND action = %s LIMIT 1", (subject, action))
    return cursor.fetchone() is not None
