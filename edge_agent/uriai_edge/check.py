"""`uriai-edge check`: does everything work that the agent needs, and what to do about it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from uriai_edge.capture import Source, SourceError
from uriai_edge.config import Camera, Config, ConfigError
from uriai_edge.config_file import load_config
from uriai_edge.keys import KeyFileError, load_key
from uriai_edge.redact import redact
from uriai_edge.s3 import CredentialsExpiredError, S3Store

_CLOCK_WARN_S = 5.0
_CLOCK_FAIL_S = 300.0
_PICTURES = 5


class Outcome(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table; ``remedy`` is empty where nothing is to be done."""

    what: str
    outcome: Outcome
    found: str
    remedy: str = ""


def check_all(path: Path) -> Iterator[Check]:
    """Check configuration, key, disk, bucket, clock and every camera, yielding each as it is done."""
    try:
        config = load_config(path)
    except ConfigError as error:
        yield Check("config", Outcome.FAIL, str(error), "mend the file as it says")
        return
    yield Check("config", Outcome.OK, f"{path}: gateway {config.gateway}, {len(config.cameras)} camera(s)")
    yield _check_key(config)
    yield _check_disk(config)
    yield from _check_s3(config)
    for camera in config.cameras:
        yield _check_camera(camera)


def _check_key(config: Config) -> Check:
    try:
        key = load_key(config.key_file)
    except KeyFileError as error:
        found, _, remedy = str(error).partition("; ")
        return Check("key", Outcome.FAIL, found, remedy)
    return Check("key", Outcome.OK, f"public key {key.verify_key.encode().hex()}")


def _check_disk(config: Config) -> Check:
    folder = config.spool.dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_bytes(b"probe")
        probe.unlink()
    except OSError as error:
        return Check(
            "disk", Outcome.FAIL, f"{folder}: {error.strerror}", "give the agent's user a folder it may write to"
        )
    free = shutil.disk_usage(folder).free
    wanted = config.spool.max_bytes + config.spool.min_free_bytes
    used = sum(file.stat().st_size for file in folder.rglob("*.mp4"))
    found = f"{folder}: {free / 1e9:.1f} GB free, up to {config.spool.max_bytes / 1e9:.1f} GB for clips"
    if free + used < wanted:
        return Check("disk", Outcome.WARN, found, "lower spool: max_bytes, or give the spool a larger disk")
    return Check("disk", Outcome.OK, found)


def _check_s3(config: Config) -> Iterator[Check]:
    """Clock, for which no credentials are needed, credentials, judged by S3's clock as uploads do, and bucket."""
    store = S3Store(config.upload)
    store.ask_time()
    yield _check_clock(store.clock.offset_s)
    remedy = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, upload: profile with credential_process, or a role"
    try:
        method = store.find_credentials()
    except (BotoCoreError, CredentialsExpiredError, OSError) as error:
        yield Check("credentials", Outcome.FAIL, redact(str(error)), remedy)
        method = None
    else:
        found = "no AWS credentials found" if method is None else f"found ({method})"
        yield Check("credentials", Outcome.OK if method else Outcome.FAIL, found, "" if method else remedy)
    if method is None:
        yield Check("bucket", Outcome.WARN, "not asked without credentials", "mend the credentials first")
    else:
        yield _check_bucket(store, config.upload.bucket)


def _check_bucket(store: S3Store, bucket: str) -> Check:
    try:
        store.ask_bucket()
    except ClientError as error:
        status = error.response["ResponseMetadata"].get("HTTPStatusCode")
        remedy = {
            404: "check upload: bucket and region",
            403: "let these credentials write to clips/ and records/ of this bucket",
            301: "the bucket is in another region: check upload: region",
        }.get(int(status or 0), "try again later")
        return Check("bucket", Outcome.FAIL, f"s3://{bucket}: S3 answers {status}", remedy)
    except (BotoCoreError, CredentialsExpiredError, OSError) as error:
        return Check("bucket", Outcome.FAIL, redact(str(error)), "check network, upload: endpoint_url and region")
    return Check("bucket", Outcome.OK, f"s3://{bucket} answers")


def _check_clock(offset_s: float | None) -> Check:
    remedy = "switch on time synchronisation: timedatectl set-ntp true"
    if offset_s is None:
        return Check("clock", Outcome.WARN, "S3 did not tell its time, so nothing to compare with", remedy)
    found = f"{abs(offset_s):.0f} s {'behind' if offset_s > 0 else 'ahead of'} S3's"
    if abs(offset_s) > _CLOCK_WARN_S:
        outcome = Outcome.FAIL if abs(offset_s) > _CLOCK_FAIL_S else Outcome.WARN
        return Check("clock", outcome, found, remedy)
    return Check("clock", Outcome.OK, "agrees with S3's")


def _check_camera(camera: Camera) -> Check:
    what = f"camera {camera.number}"
    stop = threading.Event()
    count = keys = 0
    try:
        source = Source(camera.model_copy(update={"pace": "fast"}), stop)
        try:
            for packet in source.packets():
                count += 1
                keys += packet.is_key
                if count >= _PICTURES and keys:
                    break
        finally:
            source.close()
    except (SourceError, ConfigError) as error:
        found, _, remedy = str(error).partition("; ")
        return Check(what, Outcome.FAIL, found, remedy or "check source and the network")
    return Check(what, Outcome.OK, f"{source.name}: {source.codec} {source.width}x{source.height}")
