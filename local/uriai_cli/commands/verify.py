"""`uriai verify`: is the evidence whole, unaltered, in order and signed by its gateway?"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from uriai_cli.commands.gateways import GATEWAY, PUBLIC_KEY
from uriai_cli.errors import CliError

if TYPE_CHECKING:
    from uriai.domain.chain import Record, RecordVerdict
    from uriai_cli.bundles import UnpackedBundle
    from uriai_cli.evidence import EvidenceSource


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--gateway", type=GATEWAY, help="Only this gateway's records.")
@click.option(
    "--key",
    "public_keys",
    type=PUBLIC_KEY,
    multiple=True,
    help="A gateway's public key, to verify copies without the cloud; as often as it has keys.",
)
@click.option("--all", "everything", is_flag=True, help="Print what holds too, not only what does not.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a record.")
@click.option("--cloud", is_flag=True, help="The running cloud, rows and audit too; what happens without PATHS.")
def command(
    *,
    paths: tuple[Path, ...],
    gateway: str | None,
    public_keys: tuple[bytes, ...],
    everything: bool,
    as_json: bool,
    cloud: bool,
) -> None:
    """Verify the evidence in the running cloud (--cloud, the default), or in folders copied from its bucket.

    An unpacked police bundle is such a folder, with its own list of files, rows and keys; no cloud is needed for it.

    Every record is checked for its signature, its place in the gateway's chain, and the bytes of the object beside it.
    In the cloud the rows of evidence are too: against each other, against their objects, and tombstones against the
    audit. Keys come from the cloud's register unless --key gives them. What is missing after a gateway's last record
    cannot be told from the records. Exit code 1 if anything does not hold.
    """
    if cloud and paths:
        raise click.UsageError("--cloud verifies the running cloud: leave out the folders, or leave out --cloud")
    bundles = _bundles(paths)
    source = _source(paths, gateway)
    chains: dict[str, list[Record]] = {}
    for name, record in source.records():
        chains.setdefault(name, []).append(record)
    if gateway and gateway not in chains:
        raise CliError(f"there is no record of gateway {gateway}")
    broken = not _show_bundles(bundles, everything=everything, as_json=as_json)
    for name in sorted(chains):
        keys = public_keys or _keys_of(bundles, name) or _registered_keys(name)
        verdicts = _verify(source, chains[name], keys, excerpt=bool(bundles))
        broken |= any(not verdict.status.holds for verdict in verdicts)
        _show(name, verdicts, everything=everything, as_json=as_json)
        if not paths:
            broken |= not _cloud_side(name, source, everything=everything, as_json=as_json)
    if not chains:
        click.echo("There is no evidence here.", err=True)
    if broken:
        raise SystemExit(1)


def _source(paths: tuple[Path, ...], gateway: str | None) -> EvidenceSource:
    from uriai_cli.evidence import BucketEvidence, FolderEvidence

    if paths:
        return FolderEvidence(paths, gateway)
    from uriai_cloud import state

    cloud = state.load()
    return BucketEvidence(cloud.client("s3"), cloud.clips_bucket, gateway)


def _bundles(paths: tuple[Path, ...]) -> list[UnpackedBundle]:
    from uriai_cli.bundles import INDEX, UnpackedBundle

    return [UnpackedBundle(path) for path in paths if (path / INDEX).is_file()]


def _show_bundles(bundles: list[UnpackedBundle], *, everything: bool, as_json: bool) -> bool:
    """Verify what a bundle's list says of its files and rows, print it, and say whether all of it holds."""
    holds = True
    for bundle in bundles:
        for verdict in bundle.verify():
            holds &= verdict.holds
            if verdict.holds and not everything:
                continue
            if as_json:
                click.echo(json.dumps(asdict(verdict), ensure_ascii=False))
            else:
                click.echo(f"  {verdict.what:<4} {verdict.status:<9} {verdict.name}  {verdict.message}")
    return holds


def _keys_of(bundles: list[UnpackedBundle], gateway: str) -> tuple[bytes, ...]:
    """The keys that a bundle brings along are worth what the bundle is worth: that is said."""
    keys = tuple(key for bundle in bundles for key in bundle.keys.get(gateway, ()))
    if keys:
        told = ", ".join(key.hex() for key in keys)
        click.echo(
            f"{gateway}: verified with the public key in the bundle, {told}. Compare it, or the SHA-256 of the bundle, "
            "with what you were told by another way.",
            err=True,
        )
    return keys


def _registered_keys(gateway: str) -> tuple[bytes, ...]:
    """Every key the gateway ever had, revoked ones too: what was signed before still stands."""
    from uriai.adapters.database.gateways import SqlGateways
    from uriai_cli.database import cloud_database

    with cloud_database() as database, database.transaction() as cursor:
        found = SqlGateways(cursor).find(gateway)
    return tuple(key.public_key for key in found.keys) if found else ()


def _verify(
    source: EvidenceSource, records: list[Record], keys: tuple[bytes, ...], *, excerpt: bool
) -> tuple[RecordVerdict, ...]:
    from uriai.adapters.manifest import Ed25519SignatureChecker
    from uriai.domain.chain import verify_chain

    checker = Ed25519SignatureChecker()
    return verify_chain(
        records,
        signed=lambda signature, data: any(checker.signed_by(key, signature, data) for key in keys),
        attachment=source.attachment,
        excerpt=excerpt,
    )


def _cloud_side(gateway: str, source: EvidenceSource, *, everything: bool, as_json: bool) -> bool:
    """Verify what only the cloud has of a gateway, print it, and say whether all of it holds."""
    from uriai_cli.cloud_evidence import verify_rows, verify_tombstones
    from uriai_cli.database import cloud_database
    from uriai_cli.evidence import BucketEvidence

    if not isinstance(source, BucketEvidence):
        raise TypeError("rows belong to the bucket and to no copy of it")
    with cloud_database() as database, database.transaction() as cursor:
        verdicts = [*verify_rows(cursor, source, gateway), *verify_tombstones(cursor, source, gateway)]
    shown = [verdict for verdict in verdicts if everything or not verdict.holds]
    if as_json:
        for verdict in shown:
            click.echo(json.dumps({"gateway": gateway} | asdict(verdict), ensure_ascii=False))
    else:
        counts = Counter(f"{verdict.what} {verdict.status}" for verdict in verdicts)
        click.echo(f"{gateway}, evidence: " + ("   ".join(f"{name} {n}" for name, n in counts.items()) or "none"))
        for verdict in shown:
            place = f"camera {verdict.camera} row {verdict.seq}" if verdict.seq is not None else ""
            click.echo(f"  {place:<20} {verdict.status:<13} {verdict.key or ''}  {verdict.message}")
    return all(verdict.holds for verdict in verdicts)


def _show(gateway: str, verdicts: tuple[RecordVerdict, ...], *, everything: bool, as_json: bool) -> None:
    shown = [verdict for verdict in verdicts if everything or not verdict.status.holds]
    if as_json:
        for verdict in shown:
            click.echo(json.dumps({"gateway": gateway} | asdict(verdict), ensure_ascii=False))
        return
    counts = Counter(verdict.status.value for verdict in verdicts)
    click.echo(f"{gateway}: " + "   ".join(f"{status} {number}" for status, number in counts.items()))
    for verdict in shown:
        number = "-" if verdict.seq is None else verdict.seq
        click.echo(f"  {number:>8}  {verdict.status.value:<13} {verdict.key or ''}  {verdict.message}")
