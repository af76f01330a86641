"""Files one record of a gateway that arrived: checks it, puts it into its place in the chain, counts its coverage.

Only what a key of the gateway signed counts; everything else is kept with the reason why it does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from uriai.domain.centre import Gateway
from uriai.domain.chain import RecordStatus
from uriai.domain.coverage import GRACE, Claim, read_claim
from uriai.domain.identity import record_id
from uriai.domain.manifest import LARGEST_MANIFEST, Manifest
from uriai.domain.record import CLOCK_WRONG_S, SEQUENCE_GRACE, RecordCheck, check_record, gateway_of, judged
from uriai.domain.tampering import sighting_of
from uriai.service.file_tamper_record import file_tamper_record
from uriai.service.locate_clip import Arrival
from uriai.service.ports.clips import ClipStore, SignatureChecker
from uriai.service.ports.clock import Clock
from uriai.service.ports.records import GatewayWatch, RecordRow, Records, SequenceGap
from uriai.service.ports.repositories import Repositories, Transactions
from uriai.service.settle_coverage import count_claim

NUMBERS_READ = 1000
"""Numbers looked at in one go where a chain is walked along."""
_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class RecordDesk:
    """Everything outside that filing a record needs."""

    objects: ClipStore
    signatures: SignatureChecker
    transactions: Transactions
    clock: Clock


@dataclass(frozen=True, slots=True)
class Filed:
    """What came of one record. ``refused``: why what it says counts for nothing all the same, else empty."""

    status: RecordStatus
    reason: str
    type: str | None
    seq: int | None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    """A record's objects as they were read."""

    key: str
    arrived_at: datetime
    manifest: bytes | None
    signature: bytes | None


def file_record(arrival: Arrival, desk: RecordDesk) -> Filed:
    """File the record whose ``.sig`` arrived, however often and in whatever order that is told.

    Raises
    ------
    Exception
        What may pass with time (database, store): call again with the same arrival.
    """
    signature = desk.objects.read_dated(arrival.key, limit=_SIGNATURE_BYTES)
    read = _Read(
        arrival.key,
        signature.arrived_at if signature else arrival.at,
        desk.objects.read_small(arrival.key.removesuffix(".sig") + ".json", limit=LARGEST_MANIFEST),
        signature.data if signature else None,
    )
    return desk.transactions.run(lambda rows: _file(rows, read, desk))


def _file(rows: Repositories, read: _Read, desk: RecordDesk) -> Filed:
    now = desk.clock.now()
    name = gateway_of(read.key)
    gateway = rows.gateways.find(name) if name else None
    check = check_record(
        read.key,
        manifest=read.manifest,
        signature=read.signature,
        public_keys=gateway.keys_good_at(read.arrived_at) if gateway else (),
        signed_by=desk.signatures.signed_by,
    )
    row = _row(read, name, check)
    rows.records.add(row, now)
    if gateway is None or check.manifest is None:
        return Filed(check.status, check.reason, row.type, row.seq)
    if not check.status.signed:
        refused = ""
        if check.manifest.type == "tamper":
            refused = _tamper(rows, gateway, check.manifest, read.arrived_at, None, now, verified=False)
        return Filed(check.status, check.reason, row.type, row.seq, refused)
    watch = rows.records.lock(gateway.id)
    status = _place(rows.records, watch, check.manifest.seq, row, now)
    watch = _walked(rows.records, replace(watch, last_seq=max(watch.last_seq, check.manifest.seq)), row, now)
    refused = ""
    if check.manifest.type == "coverage" and check.status is RecordStatus.PRESENT:
        claim = read_claim(check.manifest, read.arrived_at)
        watch, refused = _heard(watch, claim, read.arrived_at), claim.refused
        if not refused:
            _count(rows, gateway, claim, now)
    elif check.manifest.type == "tamper" and check.status is RecordStatus.PRESENT:
        offset_s = watch.clock_offset_s
        refused = _tamper(rows, gateway, check.manifest, read.arrived_at, offset_s, now, verified=True)
    rows.records.save(watch)
    return Filed(status, check.reason, row.type, row.seq, refused)


def _row(read: _Read, gateway_id: str | None, check: RecordCheck) -> RecordRow:
    sha256 = hashlib.sha256(read.manifest).digest() if read.manifest is not None else None
    row = RecordRow(
        id=record_id(read.key, sha256 or b""),
        gateway_id=gateway_id,
        object_key=read.key.removesuffix(".sig") + ".json",
        received_at=read.arrived_at,
        status=check.status,
        reason=check.reason,
        sha256=sha256,
    )
    said = check.manifest
    return row if said is None else _with_claims(row, said)


def _with_claims(row: RecordRow, said: Manifest) -> RecordRow:
    sighting = sighting_of(said) if said.type == "tamper" else None
    return replace(
        row,
        event=sighting.event if sighting else None,
        seq=said.seq,
        type=said.type,
        # a number that no camera can have is none; its record says so by its outcome or by counting for nothing
        camera=said.camera if said.camera is not None and said.camera <= 9999 else None,
        ulid=said.ulid,
        prev=bytes.fromhex(said.prev),
        started_at=_kept(said.started_at),
        ended_at=_kept(said.ended_at),
    )


def _kept(instant: datetime) -> datetime | None:
    """An instant of another millennium is no time that a column takes; the object still says it."""
    return instant if 1970 <= instant.year < 2900 else None


def _place(records: Records, watch: GatewayWatch, seq: int, row: RecordRow, now: datetime) -> RecordStatus:
    """Judge the records of this number and of the next anew, now that one more is known; what this one is."""
    links = records.links(watch.gateway_id, max(seq - 1, 0), seq + 1)
    status = row.status
    for link, found in (*judged(links, seq), *judged(links, seq + 1)):
        if found is not link.status:
            records.mark(link.record_id, found, now)
        if link.record_id == row.id:
            status = found
    return status


def _walked(records: Records, watch: GatewayWatch, row: RecordRow, now: datetime) -> GatewayWatch:
    """How far the chain goes without a number missing, now that this record is there."""
    seq = row.seq or 0
    if seq <= watch.chain_seq:
        records.fill_gap(watch.gateway_id, seq, now)
        return watch
    if seq == watch.chain_seq + 1:
        watch = replace(watch, chain_seq=_end(records, watch.gateway_id, seq))
    if watch.last_seq <= watch.chain_seq:
        return replace(watch, gap_since=None)
    return replace(watch, gap_since=watch.gap_since or now)


def _end(records: Records, gateway_id: str, seq: int) -> int:
    """The last number that follows ``seq`` without one missing."""
    while True:
        found = records.numbers_after(gateway_id, seq, NUMBERS_READ)
        before = seq
        for number, _ in found:
            if number != seq + 1:
                return seq
            seq = number
        if seq == before or len(found) < NUMBERS_READ:
            return seq


def put_gaps_on_file(
    records: Records, watch: GatewayWatch, now: datetime
) -> tuple[GatewayWatch, Sequence[SequenceGap]]:
    """Put numbers that have been missing for `SEQUENCE_GRACE` on file and go on behind them."""
    gaps: list[SequenceGap] = []
    while True:
        found = records.numbers_after(watch.gateway_id, watch.chain_seq, 1)
        if not found:
            return replace(watch, gap_since=None), gaps
        number, arrived_at = found[0]
        if number > watch.chain_seq + 1:
            if max(arrived_at, watch.gap_since or arrived_at) > now - SEQUENCE_GRACE:
                return replace(watch, gap_since=max(arrived_at, watch.gap_since or arrived_at)), gaps
            gap = SequenceGap(watch.gateway_id, watch.chain_seq + 1, number - 1)
            records.add_gap(gap, now)
            gaps.append(gap)
        watch = replace(watch, chain_seq=_end(records, watch.gateway_id, number))


def _heard(watch: GatewayWatch, claim: Claim, at: datetime) -> GatewayWatch:
    """What a coverage record tells of its gateway if none has told of a later time: that it lives, how its clock is."""
    if claim.refused or (watch.heard_until is not None and claim.span.end < watch.heard_until):
        return watch
    if claim.clock_offset_s is not None:
        since = (watch.clock_wrong_since or at) if abs(claim.clock_offset_s) > CLOCK_WRONG_S else None
        watch = replace(watch, clock_offset_s=claim.clock_offset_s, clock_wrong_since=since)
    # nobody is heard from the future: a record that says so would hide that nothing comes any more
    heard_until = min(claim.span.end, at)
    silent_since = watch.silent_since if heard_until <= at - GRACE else None
    return replace(watch, heard_until=heard_until, silent_since=silent_since)


def _count(rows: Repositories, gateway: Gateway, claim: Claim, now: datetime) -> None:
    known = rows.coverage.watches(gateway.id)
    for number in sorted(claim.cameras):
        watch = known.get(number)
        camera_id = watch.camera_id if watch else rows.gateways.camera(gateway, number, now).id
        if watch is None:
            # its row will be changed: first the lock that clips take as well, then rows that refer to it
            rows.gateways.lock_camera(camera_id)
        count_claim(rows.coverage, camera_id, watch, claim, number, now)


def _tamper(
    rows: Repositories,
    gateway: Gateway,
    manifest: Manifest,
    arrived_at: datetime,
    offset_s: float | None,
    now: datetime,
    *,
    verified: bool,
) -> str:
    return file_tamper_record(
        rows,
        gateway,
        manifest,
        verified=verified,
        arrived_at=arrived_at,
        clock_offset_s=offset_s,
        now=now,
    )
