"""What `uriai demo --source` accepts, before anything is started."""

import pytest
from click.testing import CliRunner

from uriai_cli.commands.demo import command
from uriai_cli.demo.scene import named_scene
from uriai_cli.errors import CliError


def test_a_file_that_does_not_exist_is_refused_before_the_cloud_is_started(tmp_path, monkeypatch):
    monkeypatch.setenv("URIAI_HOME", str(tmp_path / "home"))
    missing = tmp_path / "missing.mp4"
    done = CliRunner().invoke(command, ["--source", str(missing)], standalone_mode=False)
    assert isinstance(done.exception, CliError)
    assert str(missing) in str(done.exception)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("source", ["rtsp://127.0.0.1:8554/a", "http://127.0.0.1/a", "webcam:0"])
def test_a_live_source_has_no_end(source):
    assert named_scene(source).endless


def test_a_file_ends_by_itself_and_is_named_by_its_whole_path(tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    scene = named_scene(str(film))
    assert (scene.source, scene.endless, scene.length_s) == (str(film.resolve()), False, None)


def test_a_file_that_does_not_exist_names_what_is_accepted(tmp_path):
    with pytest.raises(CliError, match=r"rtsp://.*webcam:0") as refused:
        named_scene(str(tmp_path / "nothing.mp4"))
    assert refused.value.exit_code == 2
