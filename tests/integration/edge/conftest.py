"""What the agent's integration tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.edge.object_store import object_store
from tests.unit.edge.scenes import FPS, encode, film, walking


@pytest.fixture
def store(monkeypatch):
    """A real HTTP object store on loopback, and credentials for it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with object_store() as one:
        yield one


@pytest.fixture(scope="session")
def walk_video(tmp_path_factory) -> Path:
    """26 s with one movement from second 10 to 13."""
    path = tmp_path_factory.mktemp("video") / "walk.mp4"
    return encode(path, film(26 * FPS, walking([(10, 13)]), noise=1, size=(320, 180)))


@pytest.fixture(scope="session")
def short_video(tmp_path_factory) -> Path:
    """4 s of movement."""
    path = tmp_path_factory.mktemp("video") / "short.mp4"
    return encode(path, film(4 * FPS, walking([(0, 4)], w=12, h=20), size=(160, 96)), gop=15)
