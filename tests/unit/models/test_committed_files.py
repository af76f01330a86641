"""What the repository holds is what its manifests say it is."""

import csv
import hashlib
import json
import re

import numpy as np
import pytest

from models.common import card, comparison
from models.common.manifest import clip_hash
from models.common.paths import MODELS, data_root
from models.tools import judging
from tests.unit.models.conftest import ROLES, folder_of, manifest_of

DTYPES = {"float32": "tensor(float)", "uint8": "tensor(uint8)"}
CONTRACT = {
    "violence": (
        {"frames": ("uint8", 5), "before": ("float32", 3)},
        {"probability": ("float32", 1), "tokens": ("float32", 3)},
    ),
    "face": (
        {"image": ("float32", 4)},
        dict.fromkeys(("heatmap", "scale", "offset", "landmarks"), ("float32", 4)),
    ),
    "emotion": ({"faces": ("float32", 4)}, {"probabilities": ("float32", 2)}),
    "person": (
        {"image": ("float32", 4)},
        {f"{kind}_{stride}": ("float32", 3) for stride in (8, 16, 32) for kind in ("scores", "distances")},
    ),
    "age": ({"faces": ("float32", 4)}, {"probabilities": ("float32", 2)}),
}
FROM_NPM = ("emotion", "person")


@pytest.mark.parametrize("role", ROLES)
def test_the_file_is_the_one_its_manifest_describes(role):
    manifest, content = manifest_of(role), (folder_of(role) / "model.onnx").read_bytes()
    assert manifest["role"] == role
    assert manifest["bytes"] == len(content)
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("role", ROLES)
def test_inputs_and_outputs_are_those_of_the_contract(role, sessions):
    inputs, outputs = CONTRACT[role]
    manifest, running = manifest_of(role), sessions[role]
    for said, real, promised in (
        (manifest["inputs"], running.get_inputs(), inputs),
        (manifest["outputs"], running.get_outputs(), outputs),
    ):
        assert {t["name"]: (t["dtype"], len(t["shape"])) for t in said} == promised
        assert [t["name"] for t in said] == [r.name for r in real]
        for described, actual in zip(said, real, strict=True):
            assert actual.type == DTYPES[described["dtype"]]
            for size, found in zip(described["shape"], actual.shape, strict=True):
                assert size == found if isinstance(size, int) else not isinstance(found, int)


@pytest.mark.parametrize("role", ROLES)
def test_the_card_is_what_the_manifest_fills_in(role):
    folder = folder_of(role)
    template = (folder / "card.in.md").read_text(encoding="utf-8")
    assert card.fill(template, manifest_of(role)) == (folder / "card.md").read_text(encoding="utf-8")


def test_the_comparison_page_is_what_the_manifests_fill_in():
    assert comparison.page(MODELS) == (MODELS / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("role", ROLES)
def test_third_party_weights_come_with_their_notice_and_pinned_origin(role):
    manifest = manifest_of(role)
    notice = (folder_of(role) / manifest["licence"]["notice"]).read_text(encoding="utf-8")
    if manifest["licence"]["spdx"] == "CC0-1.0":
        assert role == "age" and "public\ndomain" in notice
    else:
        assert "Copyright" in notice
    package = "package_tarball_sha256" if role in FROM_NPM else "package_wheel_sha256"
    pinned = {name: value for name, value in manifest["tools"].items() if name.startswith("package_")}
    assert package in pinned and all(re.fullmatch("[0-9a-f]{64}", value) for value in pinned.values())


def test_the_violence_model_names_the_clips_it_has_learned_from():
    learned = manifest_of("violence")["training_data"]
    assert len(set(learned["clips_sha256"])) == learned["clips"] > 0
    table = data_root() / "violence" / "labels.csv"
    if table.is_file():
        with table.open(encoding="utf-8-sig") as file:
            clips = [table.parent / "clips" / row["file"] for row in csv.DictReader(file)]
        found = {clip_hash(hashlib.sha256(clip.read_bytes()).hexdigest()) for clip in clips}
        assert found == judging.known_to(manifest_of("violence"))


def test_the_models_fit_their_size_limits():
    sizes = {role: manifest_of(role)["bytes"] for role in ROLES}
    assert sizes["violence"] <= 12e6
    assert sizes["emotion"] <= 6e6


def test_emotion_classes_are_in_fer2013_order():
    assert manifest_of("emotion")["classes"] == ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


def test_an_emotion_answer_is_a_distribution_for_each_face_and_does_not_depend_on_its_neighbours(sessions):
    faces = np.random.default_rng(0).integers(0, 256, (5, 1, 48, 48)).astype(np.float32)
    together = sessions["emotion"].run(None, {"faces": faces})[0]
    alone = np.concatenate([sessions["emotion"].run(None, {"faces": f[None]})[0] for f in faces])
    assert together.shape == (5, 7)
    np.testing.assert_allclose(together.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_an_emotion_does_not_change_when_the_face_is_mirrored_or_the_light_shifts(sessions):
    faces = np.random.default_rng(1).integers(40, 200, (3, 1, 48, 48)).astype(np.float32)
    run = sessions["emotion"]
    plain = run.run(None, {"faces": faces})[0]
    np.testing.assert_allclose(run.run(None, {"faces": faces[..., ::-1].copy()})[0], plain, atol=1e-4)
    np.testing.assert_allclose(run.run(None, {"faces": faces + 30})[0], plain, atol=1e-3)


def judged(session, windows):
    """Probabilities [n] of windows uint8 [n, 17, 224, 224, 3], by their halves."""
    nothing = np.zeros((len(windows), *session.get_inputs()[1].shape[1:]), np.float32)
    _, tokens = session.run(None, {"frames": windows[:, :9], "before": nothing})
    return session.run(None, {"frames": windows[:, 8:], "before": tokens})[0]


def test_violence_looks_only_at_what_moves(sessions):
    generator = np.random.default_rng(2)
    rooms = generator.integers(0, 256, (2, 1, 224, 224, 3), dtype=np.uint8)
    found = judged(sessions["violence"], np.repeat(rooms, 17, 1))
    assert found.shape == (2,)
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    assert found[0] < 0.5


def test_violence_sees_in_the_dark_what_it_sees_in_daylight(sessions):
    generator = np.random.default_rng(5)
    lit = np.repeat(np.repeat(generator.integers(0, 200, (17, 56, 56, 3)), 4, 1), 4, 2).astype(np.uint8)
    lit[:, :8, :8] = 200
    # a fifth of the light; a step of it is five grey levels of the lit picture, so the two are not quite the same
    pair = np.stack([lit, np.round(lit * 0.2).astype(np.uint8)])
    nothing = np.zeros((2, *sessions["violence"].get_inputs()[1].shape[1:]), np.float32)
    tokens = sessions["violence"].run(None, {"frames": pair[:, :9], "before": nothing})[1]
    assert np.corrcoef(tokens[0].ravel(), tokens[1].ravel())[0, 1] > 0.99
    found = judged(sessions["violence"], pair)
    assert np.abs(np.diff(np.log(found / (1 - found)))) < 0.5


def test_a_violence_window_does_not_depend_on_its_neighbours_in_the_batch(sessions):
    windows = np.random.default_rng(3).integers(0, 256, (2, 17, 224, 224, 3), dtype=np.uint8)
    together = judged(sessions["violence"], windows)
    alone = [float(judged(sessions["violence"], w[None])[0]) for w in windows]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_thresholds_leave_room_for_the_expert():
    thresholds = manifest_of("violence")["thresholds"]
    assert 0.5 < thresholds["review"] < thresholds["report"] < 1
    assert thresholds["prior"] == 0.5


def test_the_set_names_one_folder_for_each_role():
    named = json.loads((MODELS / "set.json").read_text(encoding="utf-8"))
    assert set(named) == set(ROLES)
    for folder in named.values():
        assert (MODELS / folder / "manifest.json").is_file()
