"""A spool under any sequence of clips, uploads, removals and deaths: Hypothesis looks for one that breaks it."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from nacl.signing import SigningKey

from tests.unit.edge.scenes import pictures_in
from uriai_edge.capture import Source
from uriai_edge.chain import NewRecord
from uriai_edge.config import Camera
from uriai_edge.evidence import RecordType
from uriai_edge.mp4 import Mp4Writer
from uriai_edge.register import Record, SpoolReader, State
from uriai_edge.spool import Spool
from uriai_edge.steps import Step
from uriai_edge.verify import Candidate, verify

KEY = SigningKey(b"machine-test-key-machine-test-ke")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CRASHES = st.sampled_from([None, None, None, None, *Step])


class DeathError(BaseException):
    """The process ends here, as far as the spool can tell."""


class SpoolMachine(RuleBasedStateMachine):
    """What the spool must keep is modelled by two sets of names: closed, and allowed to be gone."""

    clip: bytes = b""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="uriai-machine-"))
        self.crash_at: str | None = None
        self.closed: set[str] = set()
        self.uploaded: set[str] = set()
        self.spool = self._open()

    def teardown(self) -> None:
        self._die()
        shutil.rmtree(self.folder)

    def _checkpoint(self, step: str) -> None:
        if step == self.crash_at:
            self.crash_at = None
            raise DeathError

    def _open(self) -> Spool:
        return Spool(self.folder, "machine", KEY, self._checkpoint)

    def _die(self) -> None:
        """What the kernel does with a dead process: locks and transactions are gone, everything else stays."""
        for descriptor in self.spool._held.values():
            os.close(descriptor)
        self.spool._held.clear()
        self.spool._chain._database.close()

    def _try(self, crash_at: str | None, work) -> object | None:
        """Do something that may be the last thing this process does; then the next one recovers."""
        self.crash_at = crash_at
        try:
            return work()
        except DeathError:
            self._die()
            self.crash_at = None
            self.spool = self._open()
            self.spool.recover()
            return None
        finally:
            self.crash_at = None

    @rule(crash_at=CRASHES)
    def record_a_clip(self, crash_at) -> None:
        def work() -> Record:
            recording = self.spool.open_clip(1, NOW, 1.0, {})
            recording.path.write_bytes(self.clip)
            return self.spool.close_clip(recording, 2.0)

        record = self._try(crash_at, work)
        if isinstance(record, Record):
            self.closed.add(record.read().ulid)

    @rule(share=st.floats(0, 1), crash_at=CRASHES)
    def die_while_recording(self, share, crash_at) -> None:
        recording = self.spool.open_clip(1, NOW, 1.0, {})
        recording.path.write_bytes(self.clip[: int(share * len(self.clip))])
        self._die()
        self.spool = self._open()
        self._try(crash_at, self.spool.recover)
        self.spool.recover()

    @rule()
    def cover(self) -> None:
        self.spool.add_record(NewRecord(RecordType.COVERAGE, None, NOW, NOW, 1.0, {"cameras": []}))

    @rule(outcome=st.sampled_from([State.UPLOADED, State.UPLOADED, State.CLOSED, State.FAILED]), crash_at=CRASHES)
    def upload(self, outcome, crash_at) -> None:
        def work() -> None:
            record = self.spool.claim_next()
            if record is None:
                return
            if record.path is not None and not record.dropped:
                assert record.path.is_file(), "what is to be uploaded is there"
                if outcome is State.UPLOADED:
                    self.uploaded.add(record.read().ulid)  # S3 has it, whether or not we live to note it
            self.spool.mark(record.seq, outcome, None if outcome is State.UPLOADED else "why")

        self._try(crash_at, work)

    @rule(clips=st.integers(0, 4), drop=st.booleans(), crash_at=CRASHES)
    def make_room(self, clips, drop, crash_at) -> None:
        budget = clips * len(self.clip)
        fits = self._try(crash_at, lambda: self.spool.make_room(0, budget, 0, drop_waiting=drop))
        if fits:
            assert self.spool.used_bytes() <= budget

    @rule(keep=st.integers(1, 6), crash_at=CRASHES)
    def prune(self, keep, crash_at) -> None:
        self._try(crash_at, lambda: self.spool.prune(keep))

    @rule()
    def restart(self) -> None:
        self.spool.close()
        self.spool = self._open()
        self.spool.recover()

    @invariant()
    def nothing_closed_is_lost(self) -> None:
        records = {one.read().ulid: one for one in SpoolReader(self.folder).records()}
        dropped = {seq for one in records.values() for seq in one.read().detail.get("seqs", [])}
        for ulid in self.closed - self.uploaded:
            one = records[ulid]  # a record that is not uploaded is never pruned
            if one.dropped:
                assert one.seq in dropped or one.state is State.UPLOADED, "the drop record may be pruned, later"
            else:
                assert one.path is not None
                assert one.path.read_bytes() == self.clip

    @invariant()
    def the_chain_verifies(self) -> None:
        reader = SpoolReader(self.folder)
        candidates = [
            Candidate(
                one.read().stem + ".json",
                one.manifest,
                one.signature,
                one.path.with_suffix("") if one.path else None,
                one.removed,
            )
            for one in reader.records()
        ]
        for report in verify(candidates, KEY.verify_key, after=reader.anchor()):
            assert report.first_break is None, report.first_break

    @invariant()
    def the_register_knows_the_disk(self) -> None:
        here = {one.path for one in SpoolReader(self.folder).records() if one.path and not one.removed}
        files = set((self.folder / "clips").rglob("*.mp4"))
        assert here == files
        assert all(pictures_in(file) for file in files)
        aside = sum(file.stat().st_size for file in (self.folder / "aside").iterdir())
        assert self.spool.used_bytes() == sum(file.stat().st_size for file in files) + aside


def fragmented(video: Path, folder: Path) -> bytes:
    source = Source(Camera(number=1, source=str(video), pace="fast"), threading.Event())
    writer = Mp4Writer(folder / "clip.mp4", source.template)
    for packet in source.packets():
        writer.write(packet)
    writer.finish()
    source.close()
    data = (folder / "clip.mp4").read_bytes()
    with av.open(io.BytesIO(data)) as container:
        assert container.streams.video
    return data


@pytest.mark.parametrize(
    ("examples", "steps"),
    [pytest.param(12, 12, id="short"), pytest.param(300, 40, id="long", marks=pytest.mark.torture)],
)
def test_no_sequence_of_work_and_death_breaks_the_spool(short_video, tmp_path, examples, steps):
    SpoolMachine.clip = fragmented(short_video, tmp_path)
    run_state_machine_as_test(
        SpoolMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=steps < 20,
        ),
    )
