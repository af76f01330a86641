"""Makes the signed examples beside this file: what the agent writes, whole and broken, with a fixed key.

    python tests/vectors/make_vectors.py

The "clips" are a few synthetic bytes. Agent and cloud, which share no code, are both tested against these folders.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from uriai_edge import evidence
from uriai_edge.evidence import FIRST_PREV, Manifest, RecordType

HERE = Path(__file__).resolve().parent
KEY = SigningKey(hashlib.sha256(b"Uri-AI test vectors: device key").digest())
OTHER_KEY = SigningKey(hashlib.sha256(b"Uri-AI test vectors: somebody else's key").digest())
GATEWAY = "vector-gateway"
START = datetime(2026, 11, 2, 14, 59, 30, tzinfo=UTC)  # 23:59:30 in Seoul; the chain runs over the UTC day's end below
ULIDS = [f"01KB2WXYZ0000000000000000{digit}" for digit in "ABCDEFGHJK"]

Step = tuple[RecordType, int | None, int, bytes | None, dict[str, Any]]
STEPS: list[Step] = [  # type, camera, seconds after START, attached bytes, detail
    (RecordType.CLIP, 1, 0, b"synthetic clip one", {"event": ULIDS[0], "part": 1, "trigger_s": 5.0, "score": 0.031}),
    (RecordType.CLIP, 1, 30, b"synthetic clip two", {"event": ULIDS[0], "part": 2, "trigger_s": 0.0, "score": 0.027}),
    (
        RecordType.COVERAGE,
        None,
        30,
        None,
        {"cameras": [{"camera": 1, "spans": [[0.0, 60.0]]}, {"camera": 2, "spans": []}]},
    ),
    (RecordType.CLIP, 2, 32450, b"synthetic clip, on the next day in UTC", {}),
    (RecordType.DROP, 2, 32490, None, {"reason": "disk_full", "clips": 1, "seqs": []}),
]
COVERED = {"camera": 1, "spans": [[0.0, 12.5], [20.0, 60.0]], "cut": 2}
MORE: list[Step] = [  # what the newer cases add to STEPS
    (RecordType.TAMPER, 2, 32500, b"synthetic picture", {"what": "covered", "state": "begins"}),
    (RecordType.COVERAGE, None, 32520, None, {"cameras": [{"camera": 1, "spans": []}], "down": True}),
    (RecordType.COVERAGE, None, 32550, None, {"cameras": [COVERED], "clock_offset_s": -3600.0, "clock_step_s": 3.5}),
]


def build(
    folder: Path,
    *,
    change: Callable[[int, Manifest], Manifest] | None = None,
    key: SigningKey = KEY,
    more: bool = False,
) -> list[Path]:
    """Write the chain of STEPS (and MORE) into ``folder`` and give back each record's path without ending."""
    prev, stems = FIRST_PREV, []
    for number, (kind, camera, after_s, attached, detail) in enumerate(STEPS + MORE * more, start=1):
        started_at = START + timedelta(seconds=after_s)
        manifest = Manifest(
            gateway=GATEWAY,
            seq=number,
            type=kind,
            camera=camera,
            ulid=ULIDS[number - 1],
            sha256=None if attached is None else evidence.digest(attached),
            size=None if attached is None else len(attached),
            started_at=started_at,
            ended_at=started_at + timedelta(seconds=30),
            monotonic=1000.25 + after_s,
            agent="uriai-edge/0.1.0",
            prev=prev,
            detail=detail,
        )
        if change is not None:
            manifest = change(number, manifest)
        stems.append(write(folder, manifest, attached, key))
        prev = evidence.digest(manifest.to_bytes())
    return stems


def write(folder: Path, manifest: Manifest, attached: bytes | None, key: SigningKey = KEY) -> Path:
    """Write one record's objects; the answer is their path without ending."""
    stem = folder / manifest.stem
    stem.parent.mkdir(parents=True, exist_ok=True)
    data = manifest.to_bytes()
    ending(stem, ".json").write_bytes(data)
    ending(stem, ".sig").write_bytes(evidence.sign(key, data))
    if attached is not None:
        ending(stem, manifest.attachment_suffix or "").write_bytes(attached)
    return stem


def ending(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)


def remove(stem: Path) -> None:
    for suffix in (".json", ".sig", ".mp4"):
        ending(stem, suffix).unlink(missing_ok=True)


def valid(folder: Path) -> None:
    build(folder)


def clip_altered(folder: Path) -> None:
    """Same size, other bytes."""
    stem = build(folder)[1]
    ending(stem, ".mp4").write_bytes(b"SYNTHETIC clip two")


def clip_truncated(folder: Path) -> None:
    stem = build(folder)[1]
    ending(stem, ".mp4").write_bytes(b"synthetic")


def clip_missing(folder: Path) -> None:
    stem = build(folder)[1]
    ending(stem, ".mp4").unlink()


def record_missing(folder: Path) -> None:
    remove(build(folder)[1])


def first_record_missing(folder: Path) -> None:
    remove(build(folder)[0])


def manifest_altered(folder: Path) -> None:
    """The time span was moved by an hour; the signature is the old one."""
    path = ending(build(folder)[1], ".json")
    path.write_bytes(path.read_bytes().replace(b"T15:00:", b"T16:00:"))


def signature_altered(folder: Path) -> None:
    path = ending(build(folder)[3], ".sig")
    signature = bytearray(path.read_bytes())
    signature[10] ^= 1
    path.write_bytes(bytes(signature))


def signature_missing(folder: Path) -> None:
    ending(build(folder)[3], ".sig").unlink()


def signature_short(folder: Path) -> None:
    path = ending(build(folder)[3], ".sig")
    path.write_bytes(path.read_bytes()[:63])


def other_key(folder: Path) -> None:
    build(folder, key=OTHER_KEY)


def reordered(folder: Path) -> None:
    """Two whole records stand in each other's place: every signature and hash is right, the keys are not."""
    first, second = build(folder)[:2]
    for suffix in (".json", ".sig", ".mp4"):
        one, two = ending(first, suffix), ending(second, suffix)
        kept = one.read_bytes()
        one.write_bytes(two.read_bytes())
        two.write_bytes(kept)


def clips_exchanged(folder: Path) -> None:
    """Only the two clips were exchanged."""
    first, second = build(folder)[:2]
    one, two = ending(first, ".mp4"), ending(second, ".mp4")
    kept = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(kept)


def broken_link(folder: Path) -> None:
    """Signed by the device, but its ``prev`` is not the record before it."""
    build(folder, change=lambda number, manifest: replace(manifest, prev="ab" * 32) if number == 4 else manifest)


def forked(folder: Path) -> None:
    """The device signed two records under one number, as after an old copy of its disk was put back."""
    stem = build(folder)[3]
    manifest = Manifest.from_bytes(ending(stem, ".json").read_bytes())
    attached = b"another synthetic clip"
    fork = replace(manifest, ulid=ULIDS[8], sha256=evidence.digest(attached), size=len(attached))
    write(folder, fork, attached)


def dropped(folder: Path) -> None:
    """A clip is gone, and a later signed record says that it was dropped."""
    stems = build(
        folder,
        change=lambda number, manifest: (
            replace(manifest, detail={"reason": "disk_full", "clips": 1, "seqs": [4]}) if number == 5 else manifest
        ),
    )
    ending(stems[3], ".mp4").unlink()


def malformed(folder: Path) -> None:
    """Not JSON at all; the number it had is missing then."""
    path = ending(build(folder)[1], ".json")
    path.write_bytes(b'{"v":1,"gateway":')


def key_twice(folder: Path) -> None:
    """Signed, but one key stands twice: readers could differ about what was signed."""
    stem = build(folder)[4]
    path = ending(stem, ".json")
    data = path.read_bytes().replace(b'"camera":2', b'"camera":2,"camera":1')
    path.write_bytes(data)
    ending(stem, ".sig").write_bytes(evidence.sign(KEY, data))


def unknown_version(folder: Path) -> None:
    stem = build(folder)[4]
    path = ending(stem, ".json")
    data = path.read_bytes().replace(b'"v":1', b'"v":2')
    path.write_bytes(data)
    ending(stem, ".sig").write_bytes(evidence.sign(KEY, data))


def instant_out_of_range(folder: Path) -> None:
    """Signed, and a valid ISO 8601 instant, but in UTC it lies before the year 1, where no calendar here reaches."""
    stem = build(folder)[4]
    path = ending(stem, ".json")
    fields = json.loads(path.read_bytes()) | {"started_at": "0001-01-01T00:00:00+09:00"}
    data = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    path.write_bytes(data)
    ending(stem, ".sig").write_bytes(evidence.sign(KEY, data))


def all_types(folder: Path) -> None:
    build(folder, more=True)


def tamper_picture_altered(folder: Path) -> None:
    ending(build(folder, more=True)[5], ".jpg").write_bytes(b"SYNTHETIC picture")


def tamper_picture_missing(folder: Path) -> None:
    ending(build(folder, more=True)[5], ".jpg").unlink()


def coverage_altered(folder: Path) -> None:
    """Somebody closes the hole in which camera 1 recorded nothing."""
    path = ending(build(folder, more=True)[7], ".json")
    path.write_bytes(path.read_bytes().replace(b"[[0.0,12.5],[20.0,60.0]]", b"[[0.0,12.5],[12.5,60.0]]"))


def coverage_missing(folder: Path) -> None:
    """The record of the downtime is gone."""
    remove(build(folder, more=True)[6])


def drop_forged(folder: Path) -> None:
    """A clip is gone, and the record that drops it was signed by somebody else."""
    stems = build(folder)
    ending(stems[3], ".mp4").unlink()
    manifest = Manifest.from_bytes(ending(stems[4], ".json").read_bytes())
    write(folder, replace(manifest, detail={"reason": "disk_full", "clips": 1, "seqs": [4]}), None, OTHER_KEY)


def drop_of_another(folder: Path) -> None:
    """A clip is gone; the drop record, whole and signed, names another number."""
    stems = build(
        folder,
        change=lambda number, manifest: (
            replace(manifest, detail={"reason": "disk_full", "clips": 1, "seqs": [1]}) if number == 5 else manifest
        ),
    )
    ending(stems[3], ".mp4").unlink()


def bury(stem: Path, of: Path) -> None:
    """Replace a clip by the tombstone of ``of``'s manifest."""
    told = {
        "v": 1,
        "manifest": evidence.digest(ending(of, ".json").read_bytes()),
        "deleted_at": "2027-01-02T03:04:05.000000+00:00",
        "reason": "retention",
    }
    ending(stem, ".tombstone").write_text(json.dumps(told), encoding="utf-8")
    ending(stem, ".mp4").unlink()


def deleted(folder: Path) -> None:
    stems = build(folder)
    bury(stems[1], of=stems[1])


def deleted_altered(folder: Path) -> None:
    """A tombstone does not excuse a clip that is there and altered."""
    stems = build(folder)
    bury(stems[1], of=stems[1])
    ending(stems[1], ".mp4").write_bytes(b"SYNTHETIC clip two")


def tombstone_of_another(folder: Path) -> None:
    stems = build(folder)
    bury(stems[1], of=stems[0])


def tombstone_malformed(folder: Path) -> None:
    stems = build(folder)
    bury(stems[1], of=stems[1])
    ending(stems[1], ".tombstone").write_bytes(b'{"v":1}')


CASES: dict[Callable[[Path], None], tuple[str, dict[str, str], tuple[int | None, str] | None]] = {
    # case: what it is, statuses that are not "present" by seq ("none": no number can be read), the first break
    valid: ("whole: clips, coverage, a drop", {}, None),
    dropped: ("a clip that a signed record drops", {"4": "dropped"}, None),
    clip_altered: ("a clip's bytes changed", {"2": "altered"}, (2, "altered")),
    clip_truncated: ("a clip was cut short", {"2": "altered"}, (2, "altered")),
    clip_missing: ("a clip is gone, its manifest is there", {"2": "missing"}, (2, "missing")),
    record_missing: ("a whole record is gone", {"2": "missing"}, (2, "missing")),
    first_record_missing: ("the chain does not begin at 1", {"1": "missing"}, (1, "missing")),
    manifest_altered: ("a manifest's bytes changed", {"2": "bad_signature"}, (2, "bad_signature")),
    signature_altered: ("a signature's bytes changed", {"4": "bad_signature"}, (4, "bad_signature")),
    signature_missing: ("a signature is gone", {"4": "bad_signature"}, (4, "bad_signature")),
    signature_short: ("a signature of 63 bytes", {"4": "bad_signature"}, (4, "bad_signature")),
    other_key: ("signed by somebody else", {str(n): "bad_signature" for n in range(1, 6)}, (1, "bad_signature")),
    reordered: ("two records in each other's place", {"1": "reordered", "2": "reordered"}, (1, "reordered")),
    clips_exchanged: ("two clips exchanged", {"1": "altered", "2": "altered"}, (1, "altered")),
    broken_link: ("does not continue the record before it", {"4": "broken_link"}, (4, "broken_link")),
    forked: ("two signed records of one number", {"4": "forked"}, (4, "forked")),
    malformed: ("a manifest that is not JSON", {"2": "missing", "none": "malformed"}, (2, "missing")),
    key_twice: ("a key stands twice in a signed manifest", {"none": "malformed"}, (None, "malformed")),
    unknown_version: ("a signed manifest of a version nobody knows yet", {"none": "malformed"}, (None, "malformed")),
    all_types: ("a tampering with its picture, a downtime, a coverage with all it can tell", {}, None),
    tamper_picture_altered: ("a tampering's picture changed", {"6": "altered"}, (6, "altered")),
    tamper_picture_missing: ("a tampering's picture is gone", {"6": "missing"}, (6, "missing")),
    coverage_altered: ("a hole in the coverage was closed", {"8": "bad_signature"}, (8, "bad_signature")),
    coverage_missing: ("the record of a downtime is gone", {"7": "missing"}, (7, "missing")),
    drop_forged: ("dropped by somebody else's record", {"4": "missing", "5": "bad_signature"}, (4, "missing")),
    drop_of_another: ("a clip is gone, another one was dropped", {"4": "missing"}, (4, "missing")),
    deleted: ("a clip that the cloud deleted, with its tombstone", {"2": "deleted"}, None),
    deleted_altered: ("an altered clip beside a tombstone", {"2": "altered"}, (2, "altered")),
    tombstone_of_another: ("a clip is gone, the tombstone is another's", {"2": "missing"}, (2, "missing")),
    tombstone_malformed: ("a clip is gone, the tombstone says nothing", {"2": "missing"}, (2, "missing")),
    instant_out_of_range: ("a signed instant that UTC has no date for", {"none": "malformed"}, (None, "malformed")),
}


WITH_MORE = ("all_types", "tamper_picture_altered", "tamper_picture_missing", "coverage_altered", "coverage_missing")


def main() -> None:
    """Write every case's folder and ``expected.json``."""
    cases = {}
    for make, (about, others, first_break) in CASES.items():
        name = make.__name__
        shutil.rmtree(HERE / name, ignore_errors=True)
        make(HERE / name)
        statuses = {str(number): "present" for number in range(1, len(STEPS) + 1)}
        if name in WITH_MORE:
            statuses |= {str(len(STEPS) + number): "present" for number in range(1, len(MORE) + 1)}
        if name in ("key_twice", "unknown_version", "instant_out_of_range"):
            del statuses["5"]  # the last number: nothing tells that it existed
        cases[name] = {
            "about": about,
            "statuses": statuses | others,
            "first_break": None if first_break is None else {"seq": first_break[0], "status": first_break[1]},
        }
    expected = {
        "gateway": GATEWAY,
        "public_key": KEY.verify_key.encode().hex(),
        "other_public_key": OTHER_KEY.verify_key.encode().hex(),
        "cases": cases,
    }
    (HERE / "expected.json").write_text(json.dumps(expected, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
