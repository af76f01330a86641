"""Real footage through the deployed stack, against the offline command."""

from __future__ import annotations

import pytest

from bench.replay_clips import chosen, footage, replay, table
from tests.e2e.gateway import Gateway

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
COUNT = 20


def test_twenty_real_clips_give_twenty_analyses_with_the_offline_verdicts(gateway: Gateway) -> None:
    if not footage().is_dir():
        pytest.skip(f"the footage is not at {footage()}: set URIAI_DATA to a copy of the data folder")
    rows = replay(gateway, chosen(COUNT))
    print(table(rows))
    assert len(rows) == COUNT
    assert [row.file for row in rows if not row.same] == []
