"""SQL of analyses and findings. What models saw is kept as JSON in the form that `uriai analyze --json` prints."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymysql.cursors import DictCursor

from uriai.adapters.database.observed import read, written
from uriai.domain.analysis import Observations
from uriai.domain.clip import ManifestStatus
from uriai.domain.identity import AnalysisKey
from uriai.domain.ulid import Ulid
from uriai.domain.words import Kind, Verdict
from uriai.service.ports.repositories import (
    AnalysedClip,
    Analyses,
    AnalysisState,
    ClipRow,
    Failure,
    FindingRow,
    StoredAnalysis,
)

LONGEST_REASON = 500

_AROUND = """
    FROM clip k JOIN analysis a ON a.current_of = k.clip_id AND a.state = 'done' AND a.observations IS NOT NULL
    WHERE k.camera_id = %s AND k.started_at >= %s AND k.started_at < %s AND NOT (k.clip_id <=> %s)
        AND k.deletion_at IS NULL
    ORDER BY k.started_at, k.clip_id
"""


class SqlAnalyses(Analyses):
    """Analyses in MariaDB or MySQL, inside one transaction that holds the clip's lock when it writes."""

    def __init__(self, cursor: DictCursor) -> None:
        self._cursor = cursor

    def find(self, key: AnalysisKey) -> StoredAnalysis | None:
        """This model set's analysis of the clip."""
        self._cursor.execute(
            "SELECT state, reason_code, reason FROM analysis WHERE clip_id = %s AND model_set = %s",
            (key.clip_id.value, key.model_set),
        )
        row = self._cursor.fetchone()
        if row is None:
            return None
        failure = Failure(row["reason_code"], row["reason"] or "") if row["reason_code"] else None
        return StoredAnalysis(AnalysisState(row["state"]), failure)

    def save_done(self, key: AnalysisKey, observations: Observations, verdict: Verdict, now: datetime) -> None:
        """Keep a finished analysis and make it current, in one go with taking that from the one before."""
        self._cursor.execute("UPDATE analysis SET current_of = NULL WHERE current_of = %s", (key.clip_id.value,))
        self._note_on_clip(key, AnalysisState.DONE)
        self._cursor.execute(
            """
            INSERT INTO analysis (analysis_id, clip_id, model_set, current_of, state, verdict, duration_s,
                violence_probability, models, observations, timing_ms, analysed_at)
            VALUES (%s, %s, %s, %s, 'done', %s, %s, %s, %s, %s, %s, %s)
            ON DUPLICATE KEY UPDATE current_of = VALUES(current_of), state = VALUES(state), reason_code = NULL,
                reason = NULL, verdict = VALUES(verdict), duration_s = VALUES(duration_s),
                violence_probability = VALUES(violence_probability), models = VALUES(models),
                observations = VALUES(observations), timing_ms = VALUES(timing_ms), analysed_at = VALUES(analysed_at)
            """,
            (
                key.id.value,
                key.clip_id.value,
                key.model_set,
                key.clip_id.value,
                verdict.value,
                observations.duration_s,
                observations.violence_probability,
                _json(dict(observations.models)),
                _json(written(observations)),
                _json({stage: round(ms, 1) for stage, ms in observations.timing_ms.items()}),
                now,
            ),
        )

    def save_failed(self, key: AnalysisKey, models: Mapping[str, str], failure: Failure, now: datetime) -> None:
        """Keep why there is no analysis, unless these models' analysis is done; current only if nothing better is."""
        stored = self.find(key)
        if stored is not None and stored.state is AnalysisState.DONE:
            return
        self._cursor.execute(
            "UPDATE analysis SET current_of = NULL WHERE current_of = %s AND state = 'failed'", (key.clip_id.value,)
        )
        self._cursor.execute("SELECT 1 FROM analysis WHERE current_of = %s", (key.clip_id.value,))
        current = key.clip_id.value if self._cursor.fetchone() is None else None
        if current is not None:
            self._note_on_clip(key, AnalysisState.FAILED)
        self._cursor.execute(
            """
            INSERT INTO analysis (analysis_id, clip_id, model_set, current_of, state, reason_code, reason, models,
                analysed_at)
            VALUES (%s, %s, %s, %s, 'failed', %s, %s, %s, %s)
            ON DUPLICATE KEY UPDATE current_of = VALUES(current_of), reason_code = VALUES(reason_code),
                reason = VALUES(reason), models = VALUES(models), analysed_at = VALUES(analysed_at)
            """,
            (
                key.id.value,
                key.clip_id.value,
                key.model_set,
                current,
                failure.code,
                failure.reason[:LONGEST_REASON],
                _json(dict(models)),
                now,
            ),
        )

    def _note_on_clip(self, key: AnalysisKey, state: AnalysisState) -> None:
        """Say on the clip's row, too, how its current analysis ended: clips are counted by it."""
        self._cursor.execute("UPDATE clip SET current_state = %s WHERE clip_id = %s", (state.value, key.clip_id.value))

    def add_finding(self, row: FindingRow) -> None:
        """Keep a finding, once; what is there grows with what is learned later: of a neighbour, of an event's end."""
        self._cursor.execute(
            # the basis comes first: assignments see the values of those before them
            """
            INSERT INTO finding (finding_id, analysis_id, event_id, camera_id, kind, start_ms, end_ms, started_at,
                ended_at, confidence, verdict, thresholds, basis)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON DUPLICATE KEY UPDATE
                basis = IF(VALUES(confidence) >= confidence AND VALUES(ended_at) >= ended_at, VALUES(basis), basis),
                end_ms = GREATEST(end_ms, VALUES(end_ms)), ended_at = GREATEST(ended_at, VALUES(ended_at)),
                confidence = GREATEST(confidence, VALUES(confidence))
            """,
            (
                row.id.value,
                row.analysis_id.value if row.analysis_id else None,
                row.event_id.value if row.event_id else None,
                row.camera_id,
                row.kind.value,
                row.start_ms,
                row.end_ms,
                row.started_at,
                row.ended_at,
                row.confidence,
                row.verdict.value,
                _json(dict(row.thresholds)),
                _json(dict(row.basis)),
            ),
        )

    def around(
        self, camera_id: int, start: datetime, end: datetime, *, besides: Ulid | None = None
    ) -> Sequence[AnalysedClip]:
        """The camera's analysed clips that start in the span."""
        self._cursor.execute(
            f"""
            SELECT k.clip_id, k.object_key, k.gateway_id, k.camera_id, k.started_at, k.sha256, k.manifest_status,
                a.analysis_id, a.duration_s, a.observations
            {_AROUND}
            """,
            (camera_id, start, end, besides.value if besides else None),
        )
        return [_analysed(row) for row in self._cursor.fetchall()]

    def ids_around(
        self, camera_id: int, start: datetime, end: datetime, *, besides: Ulid | None = None
    ) -> Sequence[Ulid]:
        """The analyses of those clips."""
        self._cursor.execute(
            f"SELECT a.analysis_id {_AROUND}",
            (camera_id, start, end, besides.value if besides else None),
        )
        return [Ulid(bytes(row["analysis_id"])) for row in self._cursor.fetchall()]

    def findings(self, analyses: Sequence[Ulid]) -> Mapping[Ulid, Sequence[FindingRow]]:
        """The rules' findings by analysis; ``tamper`` is about a clip's manifest and no rule's about its pictures."""
        if not analyses:
            return {}
        self._cursor.execute(
            """
            SELECT finding_id, analysis_id, camera_id, kind, start_ms, end_ms, started_at, ended_at, confidence,
                verdict, thresholds, basis
            FROM finding WHERE analysis_id IN %s AND kind <> 'tamper' ORDER BY start_ms, kind
            """,
            ([analysis.value for analysis in analyses],),
        )
        found: dict[Ulid, list[FindingRow]] = {}
        for row in self._cursor.fetchall():
            found.setdefault(Ulid(bytes(row["analysis_id"])), []).append(_finding(row))
        return found

    def raise_verdict(self, analysis_id: Ulid, verdict: Verdict) -> None:
        """Raise the verdict, never lower it."""
        milder = [other.value for other in Verdict if other.severity < verdict.severity]
        if milder:
            self._cursor.execute(
                "UPDATE analysis SET verdict = %s WHERE analysis_id = %s AND verdict IN %s",
                (verdict.value, analysis_id.value, milder),
            )

    def has_finding(self, clip_id: Ulid, kind: Kind) -> bool:
        """Whether any analysis of the clip has a finding of the kind."""
        self._cursor.execute(
            """
            SELECT 1 FROM analysis a JOIN finding f ON f.analysis_id = a.analysis_id
            WHERE a.clip_id = %s AND f.kind = %s LIMIT 1
            """,
            (clip_id.value, kind.value),
        )
        return self._cursor.fetchone() is not None


def _finding(row: dict[str, Any]) -> FindingRow:
    return FindingRow(
        id=Ulid(bytes(row["finding_id"])),
        analysis_id=Ulid(bytes(row["analysis_id"])),
        camera_id=row["camera_id"],
        kind=Kind(row["kind"]),
        start_ms=row["start_ms"],
        end_ms=row["end_ms"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        confidence=row["confidence"],
        verdict=Verdict(row["verdict"]),
        thresholds=json.loads(row["thresholds"]),
        basis=json.loads(row["basis"]),
    )


def _analysed(row: dict[str, Any]) -> AnalysedClip:
    clip_id = Ulid(bytes(row["clip_id"]))
    return AnalysedClip(
        row=ClipRow(clip_id, row["object_key"], row["gateway_id"], row["camera_id"]),
        analysis_id=Ulid(bytes(row["analysis_id"])),
        started_at=row["started_at"],
        verified=row["manifest_status"] == ManifestStatus.VERIFIED,
        sha256=bytes(row["sha256"]),
        observations=read(row["observations"], row["duration_s"]),
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
