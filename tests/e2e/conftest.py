"""A local cloud of the tests' own: real `sam deploy`, real MariaDB, beside whatever the user has running."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.gateway import Gateway
from tests.missing import missing
from uriai_cloud.errors import ToolMissing
from uriai_cloud.state import CloudState
from uriai_cloud.up import down, up


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of this cloud; every command that a test starts finds it through the environment."""
    folder = tmp_path_factory.mktemp("cloud")
    before = os.environ.get("URIAI_HOME")
    os.environ["URIAI_HOME"] = str(folder)
    yield folder
    if before is None:
        del os.environ["URIAI_HOME"]
    else:
        os.environ["URIAI_HOME"] = before
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cloud(home: Path) -> Iterator[CloudState]:
    try:
        state = up(print)
    except ToolMissing as error:
        missing(error)
    yield state
    down(print)


@pytest.fixture(scope="session")
def gateway(cloud: CloudState, home: Path) -> Gateway:
    """A registered gateway of a centre of its own, with camera 1 entered."""
    return Gateway.enrolled(cloud, home / "test-gateway", "e2e-gateway")


def eventually(
    look: Callable[[], bool], what: str, within_s: float = 180.0, *, instead: Callable[[], object] | None = None
) -> None:
    """Return as soon as ``look`` does not say no; ``instead`` tells what is there when time is up."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if look():
            return
        time.sleep(0.5)
    there = f", but {instead()}" if instead else ""
    raise AssertionError(f"after {within_s:.0f} s still not: {what}{there}")
