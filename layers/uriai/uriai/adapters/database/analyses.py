"""SQL of analyses and findings. What models saw is kept as JSON in the form that `uriai analyze --json` prints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from pymysql.cursors import DictCursor

from uriai.domain.analysis import Box, Observations
from uriai.domain.identity import AnalysisKey
from uriai.domain.ulid import Ulid
from uriai.domain.words import Kind, Verdict
from uriai.service.ports.repositories import (
    Analyses,
    AnalysisState,
    Failure,
    FindingRow,
    StoredAnalysis,
)

LONGEST_REASON = 500


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
                _json(_observed(observations)),
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


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _observed(observations: Observations) -> dict[str, object]:
    """Windows, faces and people; probabilities to four places, boxes to a tenth of a pixel."""
    return {
        "windows": [
            {"start_s": window.start_s, "end_s": window.end_s, "probability": round(window.probability, 4)}
            for window in observations.windows
        ],
        "faces": [
            {
                "t_s": face.t_s,
                "track": face.track,
                "box": _box(face.box),
                "emotions": {name: round(p, 4) for name, p in face.emotions.items()},
                "adult": None if face.adult is None else round(face.adult, 4),
            }
            for face in observations.faces
        ],
        "people": [
            {"t_s": person.t_s, "track": person.track, "box": _box(person.box)} for person in observations.people
        ],
        **_detected(observations),
    }


def _detected(observations: Observations) -> dict[str, object]:
    """What there is only where the windows come from a box detector."""
    boxes = [
        {"t_s": seen.t_s, "label": seen.label, "confidence": round(seen.confidence, 4), "box": _box(seen.box)}
        for seen in observations.boxes
    ]
    return {**({} if observations.calibrated else {"calibrated": False}), **({"boxes": boxes} if boxes else {})}


def _box(box: Box) -> list[float]:
    return [round(value, 1) for value in (box.x, box.y, box.w, box.h)]
