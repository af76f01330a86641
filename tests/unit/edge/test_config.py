"""The configuration says what is wrong with it: file, line, field, and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from uriai_edge.config import (
    Camera,
    Clips,
    Config,
    ConfigError,
    Coverage,
    Health,
    Motion,
    Spool,
    Tamper,
    Upload,
    Zone,
)
from uriai_edge.config_base import Section
from uriai_edge.config_file import load_config, parse_config
from uriai_edge.redact import redact

GOOD = """\
gateway: demo-1
key_file: /var/lib/uriai-edge/device.key
cameras:
  - number: 1
    source: rtsp://10.0.0.2/stream
    username: admin
    password: "${CAMERA_PASSWORD}"
    clips:
      pre_roll_s: 3
  - number: 2
    source: webcam:0
spool:
  dir: /var/lib/uriai-edge/spool
upload:
  bucket: clips-bucket
"""
ENVIRONMENT = {"CAMERA_PASSWORD": "s3cret/pa:ss@word"}
EXAMPLE = Path(__file__).resolve().parents[3] / "edge_agent" / "config.example.yaml"


def refused(old: str, new: str) -> str:
    assert old in GOOD
    with pytest.raises(ConfigError) as error:
        parse_config(GOOD.replace(old, new), "gateway.yaml", ENVIRONMENT)
    return str(error.value)


def test_a_good_file_is_read_and_a_camera_may_differ():
    config = parse_config(GOOD, "gateway.yaml", ENVIRONMENT)
    first, second = config.cameras
    assert config.clips_of(first) == Clips(pre_roll_s=3)
    assert config.clips_of(second) == Clips()
    assert first.is_live and second.is_live


@pytest.mark.parametrize(
    ("old", "new", "start", "parts"),
    [
        (
            "pre_roll_s: 3",
            "pre_roll_s: 5 minutes",
            "gateway.yaml:9: camera 1: clips: pre_roll_s: ",
            ["number of seconds between 0 and 30", "'5 minutes'"],
        ),
        (
            "pre_roll_s: 3",
            "pre_roll: 5 minutes",
            "gateway.yaml:9: camera 1: clips: pre_roll: ",
            ["unknown key", "did you mean pre_roll_s", "between 0 and 30"],
        ),
        (
            "    clips:\n      pre_roll_s: 3",
            "    pre_roll_s: 3",
            "gateway.yaml:8: camera 1: pre_roll_s: ",
            ["did you mean clips: pre_roll_s"],
        ),
        (
            "pre_roll_s: 3",
            "pre_roll_s: 31",
            "gateway.yaml:9: camera 1: clips: pre_roll_s: ",
            ["between 0 and 30", "31"],
        ),
        ("pre_roll_s: 3", "pre_roll_s: '3'", "gateway.yaml:9: camera 1: clips: pre_roll_s: ", ["number of seconds"]),
        ("pre_roll_s: 3", "pre_roll_s: yes", "gateway.yaml:9: camera 1: clips: pre_roll_s: ", ["number of seconds"]),
        ("number: 2", "number: 1", "gateway.yaml:10: camera 1: number: stands twice; each camera has", []),
        (
            "pre_roll_s: 3",
            "{pre_roll_s: 20, max_clip_s: 10}",
            "gateway.yaml:9: camera 1: clips: pre_roll_s: ",
            ["20 s are longer than max_clip_s, 10 s"],
        ),
        ("upload:", "clips: {pre_roll_s: 20, max_clip_s: 10}\nupload:", "gateway.yaml:14: clips: pre_roll_s: ", []),
        (
            "upload:",
            "motion: {zones: [{name: a, polygon: [[0, 0], [1, 1]]}]}\nupload:",
            "gateway.yaml:14: motion: zones: 0: polygon: must be a list of 3 to 64",
            ["corners as [x, y]"],
        ),
        (
            "source: webcam:0",
            "source: rtsp://u:secret@h/x\n    username: u",
            "gateway.yaml:10: camera 2: source and username: ",
            ["in one of them"],
        ),
        (
            "number: 2",
            "number: two",
            "gateway.yaml:10: camera no. 2 of the list: number: ",
            ["whole number between 1 and 9999"],
        ),
        ("source: webcam:0", "source: webcam:front", "gateway.yaml:11: camera 2: source: ", ["webcam:0"]),
        ("source: webcam:0", "source: rtmp://host/x", "gateway.yaml:11: camera 2: source: ", ["rtsp://"]),
        ("source: webcam:0", "source: rtsp:///x", "gateway.yaml:11: camera 2: source: ", ["no host"]),
        (
            "source: webcam:0",
            "source: webcam:0\n    transport: quic",
            "gateway.yaml:12: camera 2: transport: ",
            ["one of tcp, udp", "'quic'"],
        ),
        ("gateway: demo-1", "gateway: 우리 집", "gateway.yaml:1: gateway: ", ["[a-z0-9]"]),
        ("gateway: demo-1\n", "", "gateway.yaml:1: gateway: ", ["is missing", "uriai gateways add"]),
        (
            "  dir: /var/lib/uriai-edge/spool",
            "  dir: /x\n  max_bytes: 20 GB",
            "gateway.yaml:14: spool: max_bytes: ",
            ["whole number (bytes) from 50 000 000", "'20 GB'"],
        ),
        (
            "upload:",
            "uplaod:",
            "gateway.yaml:1: upload: is missing",
            ["gateway.yaml:14: uplaod: unknown key; did you mean upload"],
        ),
        ("  bucket: clips-bucket", "  bucket: s3://clips", "gateway.yaml:15: upload: bucket: ", ["text of the form"]),
        ("upload:\n  bucket: clips-bucket", "upload: clips-bucket", "gateway.yaml:14: upload: ", ["section"]),
        ("    username: admin\n", "", "gateway.yaml:4: camera 1: ", ["password needs a username"]),
        ("number: 2", "number: 2\n    number: 3", "gateway.yaml:11: number: stands twice, first on line 10", []),
        ("demo-1", "'demo-1", "gateway.yaml:", ["not YAML"]),
        ("${CAMERA_PASSWORD}", "${CAMERA_PASWORD}", "gateway.yaml:7: ", ["no variable CAMERA_PASWORD"]),
    ],
)
def test_a_mistake_is_named_with_its_line_its_field_and_what_is_allowed(old, new, start, parts):
    message = refused(old, new)
    assert message.startswith(start)
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    "address", ["rtsp://h:99999/x", "rtsp://h:0/x", "rtsp://[::1/x", "rtsp://u:se/cret@h/x", "rtsp://:554/x"]
)
def test_an_impossible_address_is_refused_without_what_may_be_a_password(address):
    message = refused("source: webcam:0", f"source: '{address}'")
    assert message.startswith("gateway.yaml:11: camera 2: source: the address has no host, or no port from 1 to 65535")
    assert "%2F" in message and "se/" not in message and "'se'" not in message
    endpoint = refused(
        "  bucket: clips-bucket", f"  bucket: clips-bucket\n  endpoint_url: '{address.replace('rtsp', 'http')}'"
    )
    assert endpoint.startswith("gateway.yaml:16: upload: endpoint_url: the address has no host, or no port")


def test_every_mistake_is_named_at_once():
    text = GOOD.replace("pre_roll_s: 3", "pre_roll_s: 99").replace("webcam:0", "webcam:x")
    with pytest.raises(ConfigError) as error:
        parse_config(text, "gateway.yaml", ENVIRONMENT)
    assert len(str(error.value).splitlines()) == 2


def test_a_password_is_never_shown():
    config = parse_config(GOOD, "gateway.yaml", ENVIRONMENT)
    camera = config.cameras[0]
    assert camera.address() == "rtsp://admin:s3cret%2Fpa%3Ass%40word@10.0.0.2/stream"
    assert "s3cret" not in repr(config) + redact(camera.address()) + redact(f"failed: {ENVIRONMENT['CAMERA_PASSWORD']}")
    assert redact("rtsp://10.0.0.9/a?user=x&password=abc") == "rtsp://10.0.0.9/a?user=x&password=***"
    assert redact("tried rtsp://admin:p@ss@10.0.0.9:554/a") == "tried rtsp://admin:***@10.0.0.9:554/a"


def test_a_wrong_password_value_is_not_repeated_in_the_message():
    message = refused('"${CAMERA_PASSWORD}"', "8675309")
    assert "camera 1: password: must be text" in message
    assert "8675309" not in message


def test_a_password_may_come_from_a_file(tmp_path):
    (tmp_path / "secret").write_text("fr0mfile\n")
    camera = Camera(number=1, source="rtsp://h/s", username="u", password_file=tmp_path / "secret")
    assert camera.address() == "rtsp://u:fr0mfile@h/s"
    missing = Camera(number=3, source="rtsp://h/s", username="u", password_file=tmp_path / "none")
    with pytest.raises(
        ConfigError, match=r"camera 3: password_file: .*none: No such file or directory; put the password in it"
    ):
        missing.address()


def test_a_file_that_is_absent_or_no_text_gives_one_sentence(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(tmp_path / "binary.yaml")
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(ConfigError, match="must hold sections"):
        load_config(tmp_path / "empty.yaml")


@pytest.mark.parametrize("section", [Config, Camera, Motion, Clips, Spool, Upload, Coverage, Health, Tamper, Zone])
def test_every_field_is_described_and_every_number_is_bounded(section: type[Section]):
    for name, field in section.model_fields.items():
        assert field.description, f"{section.__name__}.{name} has no description"
        if field.annotation in (int, float):
            assert any(hasattr(rule, "ge") for rule in field.metadata), f"{section.__name__}.{name} has no bound"


def test_the_example_is_accepted_and_shows_every_field():
    text = EXAMPLE.read_text()
    parse_config(text, "config.example.yaml", {})
    for section in (Config, Camera, Motion, Clips, Spool, Upload, Coverage, Health, Tamper, Zone):
        for name in section.model_fields:
            assert f"{name}:" in text, f"config.example.yaml does not show {name}"


def test_the_examples_commented_values_are_the_defaults():
    lines = [line.lstrip("# ").rstrip() for line in EXAMPLE.read_text().splitlines() if line.startswith("#   ")]
    shown = yaml.safe_load("\n".join(line for line in lines if line and not line.startswith(("- ", "source", "pace"))))
    defaults = {**Motion().model_dump(), **Clips().model_dump(), **Tamper().model_dump(), **Coverage().model_dump()}
    assert shown == defaults
