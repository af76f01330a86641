"""Builds template.yaml and deploys it onto the local cloud, with the real sam, when something has changed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uriai_cloud import ministack, sam, stack
from uriai_cloud.errors import BuildFailed, DeployFailed
from uriai_cloud.home import REPOSITORY, Home, machine_architecture, python_version, read_json, write_json
from uriai_cloud.stack import Stack

ARTIFACTS_BUCKET = "uriai-deployments"
TEMPLATE = REPOSITORY / "template.yaml"
_SKIPPED = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Target:
    """What is deployed onto: one local cloud, its CloudFormation and S3 (boto3 clients)."""

    home: Home
    cloudformation: Any
    s3: Any


def build_folder() -> Path:
    """Return where `sam build` leaves the functions and layers for this machine's Python and architecture."""
    return REPOSITORY / ".aws-sam" / "local" / f"python{python_version()}-{machine_architecture()}"


@contextmanager
def built(progress: Progress) -> Iterator[str]:
    """Run `sam build` unless its sources are the same as last time; give the sources' fingerprint.

    Until the end of the `with` block nobody else builds: two clouds of one working tree share the built files.

    Raises
    ------
    BuildFailed, ToolMissing
        The first names the end of SAM's output.
    """
    folder = build_folder()
    with _lock(folder.with_name(f"{folder.name}.lock")):
        now = sources_fingerprint()
        noted, built = folder / "fingerprint.json", folder / "build"
        if read_json(noted).get("sources") == now and (built / "template.yaml").exists():
            yield now
            return
        progress(f"sam build for python{python_version()} on {machine_architecture()}")
        noted.unlink(missing_ok=True)
        command: list[str | Path] = [
            "build",
            "--template-file",
            TEMPLATE,
            "--build-dir",
            built,
            "--cached",
            "--cache-dir",
            folder / "cache",
        ]
        chosen = {"Runtime": f"python{python_version()}", "Architecture": machine_architecture()}
        try:
            sam.run([*command, "--parameter-overrides", *sam.parameters(chosen)], progress)
        except sam.SamFailed as error:
            raise BuildFailed(str(error)) from error
        write_json(noted, {"sources": now}, mode=0o644)
        yield now


def deploy(target: Target, sources: str, parameters: Mapping[str, str], progress: Progress) -> tuple[Stack, bool]:
    """Run `sam deploy` unless the same was deployed with the same parameters; return the stack and whether it ran.

    Raises
    ------
    DeployFailed, ToolMissing
        The first names what failed and why.
    """
    noted = target.home.deployed_file
    wanted = _digest([sources, json.dumps(parameters, sort_keys=True)])
    found = stack.find(target.cloudformation)
    if found and read_json(noted).get("fingerprint") == wanted:
        return found, False
    noted.unlink(missing_ok=True)
    ensure_artifacts_bucket(target.s3)
    stack.make_way(target.cloudformation, target.s3, progress)
    template = _package(target, sources, progress)
    progress(f"sam deploy of stack {stack.NAME}")
    command: list[str | Path] = ["deploy", "--template-file", template, "--stack-name", stack.NAME, *_artifacts()]
    command += ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--on-failure", "ROLLBACK"]
    command += ["--no-confirm-changeset", "--no-fail-on-empty-changeset"]
    try:
        endpoint = ministack.endpoint(target.home)
        sam.run([*command, "--parameter-overrides", *sam.parameters(parameters)], progress, endpoint)
    except sam.SamFailed as error:
        reason = stack.first_failure(target.cloudformation)
        raise DeployFailed(f"the deployment was rolled back: {reason}" if reason else str(error)) from error
    found = stack.find(target.cloudformation)
    if found is None:
        raise DeployFailed("the stack is not whole after its deployment: see `uriai logs migrate`, then `uriai up`")
    write_json(noted, {"fingerprint": wanted, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
    return found, True


def ensure_artifacts_bucket(s3: Any) -> None:
    """Make the bucket for what deployments consist of, unless it is there."""
    if ARTIFACTS_BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=ARTIFACTS_BUCKET, CreateBucketConfiguration={"LocationConstraint": ministack.REGION})


def sources_fingerprint(root: Path = REPOSITORY) -> str:
    """Return a digest of everything that the build reads: template, functions, layers, and the Python it is for."""
    files = [root / "template.yaml"]
    for folder in ("functions", "layers"):
        files += sorted(path for path in (root / folder).rglob("*") if path.is_file() and _is_source(path))
    parts = [python_version(), machine_architecture()]
    for path in files:
        parts += [str(path.relative_to(root)), hashlib.sha256(path.read_bytes()).hexdigest()]
    return _digest(parts)


def _is_source(path: Path) -> bool:
    return not _SKIPPED & set(path.parts) and not any(part.endswith(".egg-info") for part in path.parts)


def _package(target: Target, sources: str, progress: Progress) -> Path:
    """Zip and upload functions and layers, unless done for these sources; return the template with the uploads."""
    packaged = target.home.path / "packaged.yaml"
    first_line = f"# sources {sources}\n"
    uploads = target.s3.list_objects_v2(Bucket=ARTIFACTS_BUCKET, Prefix=f"{stack.NAME}/", MaxKeys=1)
    if uploads.get("KeyCount") and packaged.exists() and packaged.read_text(encoding="utf-8").startswith(first_line):
        return packaged
    progress("sam package")
    command: list[str | Path] = [
        "package",
        "--template-file",
        build_folder() / "build" / "template.yaml",
        *_artifacts(),
    ]
    try:
        sam.run([*command, "--output-template-file", packaged], progress, ministack.endpoint(target.home))
    except sam.SamFailed as error:
        raise DeployFailed(str(error)) from error
    packaged.write_text(first_line + packaged.read_text(encoding="utf-8"), encoding="utf-8")
    return packaged


def _artifacts() -> list[str]:
    where = ["--s3-bucket", ARTIFACTS_BUCKET, "--s3-prefix", stack.NAME, "--region", ministack.REGION]
    return [*where, "--no-progressbar"]


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a file lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
