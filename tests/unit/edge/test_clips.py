"""Clips hold every packet once, begin before the movement, end after it, and play."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path

import av
import cv2
import pytest

from tests.unit.edge.scenes import FPS, encode, film, packets_of, pictures_in, walking
from uriai_edge.capture import Source
from uriai_edge.clips import ClipCutter, ClipSink, ClipStart, OpenClip
from uriai_edge.config import Camera, Clips, Motion
from uriai_edge.motion import Movement
from uriai_edge.mp4 import Mp4Error, Mp4Writer, mend, read_facts
from uriai_edge.packets import VideoPacket
from uriai_edge.replay import replay


def small(path: Path, seconds: float, **options) -> Path:
    return encode(path, film(round(seconds * FPS), walking([(0, seconds)], w=12, h=20), size=(160, 96)), **options)


class Folder(ClipSink):
    """Clips as files; keeps what was asked of it."""

    def __init__(self, folder: Path, template) -> None:
        self.folder, self.template, self.starts = folder, template, []

    def open_clip(self, start: ClipStart) -> OpenClip:
        self.starts.append(start)
        return FileClip(Mp4Writer(self.folder / f"{len(self.starts):03d}.mp4", self.template))

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.mp4"))


class FileClip(OpenClip):
    def __init__(self, writer: Mp4Writer) -> None:
        self.writer = writer

    def duration_with(self, packet) -> float:
        return self.writer.duration_with(packet)

    @property
    def can_cut(self) -> bool:
        return self.writer.can_cut

    def write(self, packet) -> None:
        self.writer.write(packet)

    def close(self, score: float, *, cut_before_last_key: bool = False) -> None:
        self.writer.cut_before_last_key() if cut_before_last_key else self.writer.finish()


def cut(video: Path, folder: Path, moving: list[tuple[float, float]], **settings) -> Folder:
    """Cut ``video`` with a movement known from outside: during ``moving`` seconds."""
    folder.mkdir()
    source = Source(Camera(number=1, source=str(video), pace="fast"), threading.Event())
    sink = Folder(folder, source.template)
    cutter = ClipCutter(Clips(**settings), sink, notice_s=2.0)
    for packet in source.packets():
        began = next((start for start, end in moving if start <= packet.time_s < end), None)
        cutter.feed(packet, None if began is None else Movement(began, packet.time_s, 0.5))
    cutter.end()
    source.close()
    return sink


@pytest.mark.parametrize("gop", [1, 15, 30, 77])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_long_movement_is_split_and_every_packet_is_in_exactly_one_part(tmp_path, gop, b_frames):
    video = small(tmp_path / "in.mp4", 32, gop=gop, b_frames=b_frames)
    sink = cut(video, tmp_path / "out", [(0, 32)], pre_roll_s=1, post_roll_s=1, max_clip_s=9)
    parts = [packets_of(file) for file in sink.files()]
    assert [packet for part in parts for packet in part] == packets_of(video)
    assert len(parts) >= 4
    for file in sink.files():
        facts = read_facts(file)
        assert facts.duration_s <= 9 + 1e-3
        assert pictures_in(file) == facts.pictures
    assert [start.part for start in sink.starts] == list(range(1, len(parts) + 1))
    assert len({start.event for start in sink.starts}) == 1


def test_a_group_longer_than_a_clip_loses_no_packet_and_each_part_plays(tmp_path):
    video = small(tmp_path / "in.mp4", 20, gop=1000)
    sink = cut(video, tmp_path / "out", [(0, 20)], pre_roll_s=1, post_roll_s=1, max_clip_s=6)
    first, *further = [packets_of(file) for file in sink.files()]
    key = first[0]
    assert further and all(part[0] == key for part in further)
    assert [packet for part in (first, *(part[1:] for part in further)) for packet in part] == packets_of(video)
    assert all(pictures_in(file) == len(packets_of(file)) for file in sink.files())


def test_pre_and_post_roll_are_at_least_as_long_as_set_and_at_most_a_group_longer(tmp_path):
    video = small(tmp_path / "in.mp4", 40, gop=30)
    sink = cut(video, tmp_path / "out", [(20.5, 23.0)], pre_roll_s=5, post_roll_s=4)
    (start,) = sink.starts
    assert 5 <= start.trigger_s < 5 + 2 + 1 / FPS
    (file,) = sink.files()
    end_s = start.first.time_s + read_facts(file).duration_s
    assert end_s == pytest.approx(23.0 + 4, abs=2 / FPS)


@pytest.mark.parametrize("moves_s", [20.5, 22.0, 24.5, 29.0])
def test_groups_that_grow_longer_keep_the_pre_roll(tmp_path, moves_s):
    """A camera whose key frames come 2 s apart, and 10 s apart from 20 s on: the ring must not go by groups before."""
    every_2_s, every_10_s = (small(tmp_path / f"{gop}.mkv", 36, gop=gop) for gop in (30, 150))
    packets = [one for one in whole(every_2_s) if one.time_s < 20] + [
        one for one in whole(every_10_s) if one.time_s >= 20
    ]
    source = Source(Camera(number=1, source=str(every_2_s), pace="fast"), threading.Event())
    (tmp_path / "out").mkdir()
    sink = Folder(tmp_path / "out", source.template)
    cutter = ClipCutter(Clips(pre_roll_s=5, post_roll_s=2), sink, notice_s=2.0)
    # what began within a group of pictures is found when the next one begins, at the latest
    noticed_s = max(moves_s + 2.0, next(one.time_s for one in packets if one.is_key and one.time_s > moves_s))
    for packet in packets:
        cutter.feed(
            packet, Movement(moves_s, packet.time_s, 0.5) if noticed_s <= packet.time_s < noticed_s + 1 else None
        )
    cutter.end()
    source.close()
    (start,) = sink.starts
    assert start.trigger_s >= 5
    (file,) = sink.files()
    assert pictures_in(file) == len(packets_of(file))


def whole(video: Path) -> list[VideoPacket]:
    source = Source(Camera(number=1, source=str(video), pace="fast"), threading.Event())
    packets = list(source.packets())
    source.close()
    return packets


def test_movement_again_during_the_post_roll_makes_one_clip(tmp_path):
    video = small(tmp_path / "in.mp4", 30, gop=15)
    sink = cut(video, tmp_path / "out", [(8, 9), (12, 13)], pre_roll_s=2, post_roll_s=4)
    assert len(sink.starts) == 1


def test_two_close_events_share_at_most_the_group_in_which_the_first_ended(tmp_path):
    video = small(tmp_path / "in.mp4", 30, gop=15)
    sink = cut(video, tmp_path / "out", [(8, 9), (14, 15)], pre_roll_s=5, post_roll_s=3)
    first, second = (packets_of(file) for file in sink.files())
    everything = packets_of(video)
    start = everything.index(first[0])
    overlap = start + len(first) - everything.index(second[0])
    assert 0 <= overlap < 15
    assert everything[start : start + len(first)] == first


def test_a_movement_right_at_the_start_has_what_pre_roll_there_is(tmp_path):
    video = small(tmp_path / "in.mp4", 6, gop=15)
    sink = cut(video, tmp_path / "out", [(0.2, 1)], pre_roll_s=5, post_roll_s=1)
    assert sink.starts[0].first.dts == 0


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx265"), ("a.ts", "libx264"), ("a.avi", "mjpeg")]
)
def test_clips_of_any_camera_codec_play_and_start_at_zero(tmp_path, name, codec):
    video = small(tmp_path / name, 6, codec=codec, gop=15)
    sink = cut(video, tmp_path / "out", [(2, 3)], pre_roll_s=1, post_roll_s=1)
    (file,) = sink.files()
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        stamps = [(packet.pts, packet.dts) for packet in container.demux(stream) if packet.size]
    assert stamps[0][1] == 0
    assert all(after[1] > before[1] for before, after in pairwise(stamps))
    assert all(pts >= dts for pts, dts in stamps)
    assert pictures_in(file) == len(stamps)


def test_other_readers_see_the_clips_length_and_pictures(tmp_path):
    video = small(tmp_path / "in.mp4", 10, gop=30)
    (file,) = cut(video, tmp_path / "out", [(4, 5)], pre_roll_s=2, post_roll_s=2).files()
    reader = cv2.VideoCapture(str(file))
    count = 0
    while reader.grab():
        count += 1
    assert count == read_facts(file).pictures == reader.get(cv2.CAP_PROP_FRAME_COUNT)
    assert reader.get(cv2.CAP_PROP_FPS) == pytest.approx(FPS)


def test_a_file_cut_short_anywhere_is_mended_to_its_whole_fragments(tmp_path):
    video = small(tmp_path / "in.mp4", 8, gop=15)
    (file,) = cut(video, tmp_path / "out", [(0, 8)], pre_roll_s=1, post_roll_s=1).files()
    whole, packets = file.read_bytes(), packets_of(file)
    kept = []
    for size in range(0, len(whole) + 1, max(1, len(whole) // 60)):
        broken = tmp_path / "broken.mp4"
        broken.write_bytes(whole[:size])
        try:
            facts = mend(broken)
        except Mp4Error:
            assert broken.read_bytes() == whole[:size]
            kept.append(0)
            continue
        assert packets_of(broken) == packets[: facts.pictures]
        assert pictures_in(broken) == facts.pictures
        kept.append(facts.pictures)
    assert kept[0] == 0 and kept == sorted(kept)
    # at most a second of pictures is lost at any place
    assert all(kept[n + 1] - kept[n] <= FPS + 1 for n in range(len(kept) - 1))


@pytest.mark.parametrize("options", [{"gop": 30}, {"gop": 30, "b_frames": 2}, {"gop": 600}])
def test_replay_finds_the_movement_and_tells_its_times(tmp_path, options):
    video = encode(tmp_path / "in.mp4", film(30 * FPS, walking([(14, 17)]), noise=1), **options)
    (clip,) = replay(str(video), tmp_path / "out", Motion(), Clips())
    assert clip.trigger_s == pytest.approx(14, abs=0.5)
    assert clip.start_s <= clip.trigger_s - 5
    assert clip.end_s == pytest.approx(17 + 5 + 0.5, abs=1)
    assert 0 < clip.score < 1
    assert read_facts(clip.file).duration_s == pytest.approx(clip.end_s - clip.start_s, abs=0.01)
