"""Folders of labelled clips, and registering: what is unsound or unmeasurable is refused by name."""

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from models.common.paths import MODELS
from models.tools import clips, film
from models.tools.__main__ import main
from models.tools.film import Shot
from models.tools.register import register
from models.tools.tally import Tally, ToolError
from uriai.adapters.vision.registry import LocalModels, ModelRefused, open_model


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def clip(path, fps=10.0, gray=0, seconds=1.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.full((48, 64, 3), gray, np.uint8)
    film.write([Shot(k / fps, k, picture) for k in range(round(seconds * fps))], path)
    return path


def folder_of(tmp_path, sources=4):
    for k in range(sources):
        clip(tmp_path / "fight" / f"cam{k}__a.mp4", gray=40 + k)
        clip(tmp_path / "no_fight" / f"cam{k}__b.mp4", gray=140 + k, fps=25)
    return tmp_path


def test_clips_of_a_source_lie_in_one_fold_and_every_fold_holds_both_classes(tmp_path):
    folder = folder_of(tmp_path, 6)
    clip(folder / "fight" / "cam0__c.mp4", gray=90)
    tally = Tally()
    found = clips.folded(clips.read(folder, tally), 3)
    assert len({(c.group, c.fold) for c in found}) == len({c.group for c in found}) == 6
    for fold in range(3):
        assert {c.fight for c in found if c.fold == fold} == {0, 1}
    assert tally.used["clips at 10 fps"] == 7
    assert tally.used["clips at 25 fps"] == 6


def test_a_missing_class_is_refused_by_name(tmp_path):
    clip(tmp_path / "fight" / "cam0__a.mp4")
    with pytest.raises(ToolError, match="class no_fight is missing"):
        clips.read(tmp_path, Tally())
    (tmp_path / "no_fight").mkdir()
    (tmp_path / "no_fight" / "cam0__b.mp4").write_bytes(b"no film")
    tally = Tally()
    with pytest.raises(ToolError, match="class no_fight is missing"):
        clips.read(tmp_path, tally)
    assert tally.refused == {"film cannot be decoded": 1}


def test_a_clip_whose_source_nobody_knows_is_refused_unless_groups_csv_says_it(tmp_path):
    folder = folder_of(tmp_path)
    clip(folder / "fight" / "loose.mp4", gray=99)
    with pytest.raises(ToolError, match=r"fight/loose\.mp4"):
        clips.read(folder, Tally())
    (folder / "groups.csv").write_text("file,group\nfight/loose.mp4,cam0\n")
    assert {c.group for c in clips.read(folder, Tally()) if c.path.name == "loose.mp4"} == {"cam0"}
    (folder / "groups.csv").write_text("file,group\nloose.mp4,cam0\nloose.mp4,cam1\n")
    with pytest.raises(ToolError, match="in two groups"):
        clips.read(folder, Tally())


def test_the_same_film_in_both_classes_is_refused_and_twice_in_one_is_skipped(tmp_path, capsys):
    folder = folder_of(tmp_path)
    shutil.copyfile(folder / "fight" / "cam0__a.mp4", folder / "no_fight" / "cam0__x.mp4")
    shutil.copyfile(folder / "fight" / "cam1__a.mp4", folder / "fight" / "cam9__a.mp4")
    tally = Tally()
    found = clips.read(folder, tally)
    assert tally.refused == {"the same film in both classes": 2}
    assert tally.skipped == {"the same film twice": 1}
    assert "cam0__x.mp4" in capsys.readouterr().err
    assert len(found) == 7


def test_a_clip_that_stops_mid_way_or_has_hardly_a_frame_is_refused(tmp_path):
    folder = folder_of(tmp_path)
    noise = np.random.default_rng(0)
    shots = [Shot(k / 10, k, noise.integers(0, 256, (48, 64, 3), dtype=np.uint8)) for k in range(40)]
    film.write(shots, folder / "fight" / "cam7__t.mp4", crf=1)
    content = (folder / "fight" / "cam7__t.mp4").read_bytes()
    (folder / "fight" / "cam7__t.mp4").write_bytes(content[: len(content) // 2])
    clip(folder / "fight" / "cam8__s.mp4", seconds=0.3, gray=33)
    tally = Tally()
    clips.read(folder, tally)
    assert tally.refused == {"film stops mid-way": 1, "too few frames": 1}


def test_too_few_source_films_are_said_to_prove_nothing(tmp_path):
    done = run("clips", folder_of(tmp_path, 2))
    assert done.exit_code == 1
    assert "at least 3 are needed" in done.stderr


def test_a_split_that_shares_a_group_is_refused(tmp_path):
    rows = ["file,label,fold,group,fps,other_dataset", "a.mp4,fight,0,g,25,0", "b.mp4,no_fight,1,g,25,0"]
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    with pytest.raises(ToolError, match="several folds"):
        clips.read(tmp_path, Tally())


@pytest.fixture
def mine(tmp_path):
    """The repository's emotion model under another name."""
    folder = tmp_path / "mine"
    shutil.copytree(MODELS / "emotion", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"name": "my-emotions"}))
    return folder


def test_a_registered_model_is_the_one_its_set_opens_and_the_others_come_along(tmp_path, mine):
    done = run("register", mine, "--models", tmp_path / "set")
    assert done.exit_code == 0, done.output
    source = LocalModels(tmp_path / "set")
    assert open_model(source, "emotion").reference.name == "my-emotions"
    assert open_model(source, "violence").reference == open_model(LocalModels(MODELS), "violence").reference
    assert run("register", mine, "--models", tmp_path / "set").exit_code == 0


def test_a_model_that_breaks_its_contract_is_refused_and_nothing_is_written(tmp_path, mine):
    manifest = json.loads((mine / "manifest.json").read_text())
    for change in ({"role": "violence"}, {"sha256": "0" * 64}, {"name": "../x"}, {"name": ""}, {"role": "nose"}):
        (mine / "manifest.json").write_text(json.dumps(manifest | change))
        with pytest.raises((ToolError, ModelRefused)):
            register(mine, tmp_path / "set", MODELS, Tally())
        assert not (tmp_path / "set").exists()
