"""The bundle for the police: a reported incident's originals with everything that it takes to check them offline."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from uriai.domain.authority import Act
from uriai.domain.clip import ClipKey
from uriai.domain.evidence_chain import StoredLink
from uriai.domain.manifest import LARGEST_MANIFEST
from uriai.domain.person import Language
from uriai.domain.words import EvidenceRole, Status
from uriai.service.decide_review import Named, found
from uriai.service.ports.clips import ClipMissingError, ClipStore
from uriai.service.ports.clock import Clock
from uriai.service.ports.repositories import Repositories, ReviewItem, Transactions
from uriai.service.texts import kind_name, say

INDEX = "bundle.json"
"""The file that lists all others, with their hashes, the rows and the public keys."""
_TO_THE_POLICE = (Status.REPORTED, Status.DISPATCHED, Status.CLOSED)
_SHOWN = (EvidenceRole.ORIGINAL, EvidenceRole.KEY_FRAME, EvidenceRole.KEY_FRAME_ANNOTATED)


class BundleError(Exception):
    """There can be no bundle of the incident; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was made: SHA-256 of the file in hex, and the names in it."""

    sha256: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BundleDesk:
    """What making a bundle needs of the outside."""

    transactions: Transactions
    clips: ClipStore
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Contents:
    item: ReviewItem
    rows: tuple[StoredLink, ...]
    keys: Mapping[str, tuple[str, ...]]


def make_bundle(named: Named, target: Path, desk: BundleDesk) -> Bundle:
    """Write the bundle to ``target``, then its hash and contents into the audit; it may be handed out only after that.

    Raises
    ------
    BundleError
        If the incident was not reported, has no evidence, or an object is gone or is not what its row was made for.
    ReviewError
        If there is no such incident or it is not clear which is meant.
    NotAllowedError
        If the person may not have it.
    """
    contents = desk.transactions.run(lambda rows: _contents(rows, named))
    made_at = desk.clock.now()
    with target.open("wb") as file:
        names = _write(file, contents, made_at, desk.clips)
    bundle = Bundle(_sha256(target), names)
    desk.transactions.run(lambda rows: _audit(rows, named, contents.item, bundle, made_at))
    return bundle


def _contents(rows: Repositories, named: Named) -> _Contents:
    item = found(rows, named, Act.BUNDLE)
    if item.incident.status not in _TO_THE_POLICE:
        raise BundleError(
            f"incident {item.incident.number} of {item.centre.name} is {item.incident.status.value}: only what was "
            "reported goes to the police, see `uriai review decide`"
        )
    shown = tuple(row for row in rows.evidence.of_incident(item.incident.id) if EvidenceRole(row.link.role) in _SHOWN)
    if not shown:
        raise BundleError(f"incident {item.incident.number} of {item.centre.name} has no evidence")
    names = sorted({ClipKey.parse(row.link.object_key).gateway for row in shown if row.link.role == "original"})
    gateways = [gateway for gateway in map(rows.gateways.find, names) if gateway is not None]
    keys = {gateway.id: tuple(key.public_key.hex() for key in gateway.keys) for gateway in gateways}
    return _Contents(item, shown, keys)


def _write(file: BinaryIO, contents: _Contents, made_at: datetime, clips: ClipStore) -> tuple[str, ...]:
    """Objects as they lie in the bucket, then what explains them, at last the list of all with their hashes."""
    hashes: dict[str, str] = {}
    with zipfile.ZipFile(file, "w") as archive:
        for row in contents.rows:
            _add_object(archive, row, clips, hashes)
            if row.link.role == EvidenceRole.ORIGINAL:
                key = ClipKey.parse(row.link.object_key)
                for name, limit in ((key.manifest, LARGEST_MANIFEST), (key.signature, 64)):
                    data = clips.read_small(name, limit=limit)
                    if data is not None:
                        _add(archive, name, data, hashes)
        for language, name in ((Language.KOREAN, "README-ko.txt"), (Language.ENGLISH, "README-en.txt")):
            _add(archive, name, _explanation(language, contents, made_at).encode(), hashes)
        index = _index(contents, made_at, hashes)
        archive.writestr(INDEX, json.dumps(index, ensure_ascii=False, indent=1))
    return (*hashes, INDEX)


def _add_object(archive: zipfile.ZipFile, row: StoredLink, clips: ClipStore, hashes: dict[str, str]) -> None:
    """A clip of several findings stands in several rows and once in the bundle."""
    name = row.link.object_key
    if name not in hashes:
        try:
            with clips.fetch(name) as fetched:
                archive.write(fetched.path, name)
                hashes[name] = fetched.sha256.hex()
        except ClipMissingError as error:
            raise BundleError(f"{error}: see `uriai verify --cloud`") from error
    if hashes[name] != row.link.sha256.hex():
        raise BundleError(f"{name} is not the object that its row was made for: see `uriai verify --cloud`")


def _add(archive: zipfile.ZipFile, name: str, data: bytes, hashes: dict[str, str]) -> None:
    if name not in hashes:
        archive.writestr(name, data)
        hashes[name] = hashlib.sha256(data).hexdigest()


def _index(contents: _Contents, made_at: datetime, hashes: Mapping[str, str]) -> dict[str, object]:
    incident, centre = contents.item.incident, contents.item.centre
    return {
        "v": 1,
        "made_at": _instant(made_at),
        "incident": {
            "id": str(incident.id),
            "number": incident.number,
            "centre": centre.name,
            "camera": contents.item.camera_number,
            "kind": incident.kind.value,
            "verdict": incident.verdict.value,
            "status": incident.status.value,
            "started_at": _instant(incident.started_at),
            "ended_at": _instant(incident.ended_at),
            "confidence": incident.confidence,
            "unverified": incident.unverified,
        },
        "public_keys": {name: list(keys) for name, keys in contents.keys.items()},
        "evidence": [row_object(row) for row in contents.rows],
        "files": dict(hashes),
    }


def row_object(row: StoredLink) -> dict[str, object]:
    """A row as JSON, for `uriai verify` to read."""
    link = row.link
    return {
        "camera_id": link.camera_id,
        "chain_seq": link.seq,
        "prev_hash": link.prev.hex(),
        "row_hash": row.hash.hex(),
        "evidence_id": str(link.evidence_id),
        "finding_id": str(link.finding_id),
        "clip_id": str(link.clip_id),
        "role": link.role,
        "object_key": link.object_key,
        "sha256": link.sha256.hex(),
        "shown_at": _instant(link.shown_at),
        "created_at": _instant(link.created_at),
    }


def _explanation(language: Language, contents: _Contents, made_at: datetime) -> str:
    incident, zone = contents.item.incident, ZoneInfo(contents.item.centre.time_zone)
    start, end, made = (at.astimezone(zone) for at in (incident.started_at, incident.ended_at, made_at))
    return (
        say(
            language,
            "bundle_explanation",
            centre=contents.item.centre.name,
            number=incident.number,
            camera=contents.item.camera_number,
            kind=kind_name(language, incident.kind),
            start=f"{start:%Y-%m-%d %H:%M:%S %Z}",
            end=f"{end:%Y-%m-%d %H:%M:%S %Z}",
            made=f"{made:%Y-%m-%d %H:%M:%S %Z}",
            unverified=f"\n{say(language, 'bundle_unverified')}\n" if incident.unverified else "",
        )
        + "\n"
    )


def _audit(rows: Repositories, named: Named, item: ReviewItem, bundle: Bundle, now: datetime) -> None:
    rows.audit.add(
        now, named.actor, "bundle.made", f"incident:{item.incident.id}",
        {"number": item.incident.number, "sha256": bundle.sha256, "reason": named.reason, "files": list(bundle.names)},
        named.person.id if named.person else None,
    )  # fmt: skip


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
