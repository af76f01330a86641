"""Transfer, evaluate and what is written: on films whose answer is known, through the committed model."""

import csv
import dataclasses
import json
import shutil
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

from models.common import measure, runtime
from models.common.paths import MODELS
from models.tools import clips, film, head, judging, merge, ridge, stack, transfer, watching
from models.tools.__main__ import main
from models.tools.clips import Labelled
from models.tools.film import Shot
from models.tools.ridge import Linear
from models.tools.tally import Tally, ToolError
from models.tools.watching import Watched
from tests.unit.vision.tiny_yolo import write_yolo, yolo
from uriai.adapters.vision.registry import LocalModels, open_model


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def write_clip(path, seed, wild):
    """A second of a square that jumps about or creeps over noise of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed)
    ground = noise.integers(60, 120, (72, 96, 3)).astype(np.uint8)
    shots = []
    for k in range(8):
        image = ground.copy()
        x, y = (noise.integers(0, 60), noise.integers(0, 40)) if wild else (10 + k, 20)
        image[y : y + 28, x : x + 28] = noise.integers(150, 250)
        shots.append(Shot(k / 8, k, image))
    film.write(shots, path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("clips")
    for k in range(6):
        write_clip(found / "fight" / f"cam{k}__a.mp4", k, wild=True)
        write_clip(found / "no_fight" / f"cam{k}__b.mp4", 100 + k, wild=False)
    return found


@pytest.fixture(scope="module")
def mine(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("mine") / "model"
    done = run("transfer", folder, "--out", out, "--folds", 3, "--from-scratch")
    assert done.exit_code == 0, done.output
    return SimpleNamespace(folder=out, told=done.output, manifest=json.loads((out / "manifest.json").read_text()))


def test_what_is_learned_from_a_folder_holds_on_films_held_out(mine):
    found = mine.manifest["metrics"]["out_of_fold"]
    assert (found["clips"], found["fights"], found["source_films"]) == (12, 6, 6)
    assert found["auc"] == 1.0
    assert found["accuracy"] >= 10 / 12
    assert mine.manifest["metrics"]["largest_difference"] < 1e-4
    assert "6 source films are few" in mine.told
    # its own clips, and those that the model it starts from has learned from
    learned = judging.known_to(mine.manifest)
    before = judging.known_to(json.loads((MODELS / "violence" / "manifest.json").read_text(encoding="utf-8")))
    assert len(before) > 0
    assert before < learned
    assert len(learned - before) == 12


def test_the_new_model_is_registered_and_its_card_is_filled_from_the_manifest(mine, tmp_path):
    assert run("register", mine.folder, "--models", tmp_path / "set").exit_code == 0
    assert open_model(LocalModels(tmp_path / "set"), "violence").reference.name == "my-violence"
    card = (mine.folder / "card.md").read_text()
    assert "{{" not in card
    assert f"{mine.manifest['metrics']['out_of_fold']['brier']:.3f}" in card
    assert not (tmp_path / "set" / "my-violence" / "out_of_fold.csv").exists()  # names of films stay at home


def test_clips_that_a_model_learned_from_are_judged_out_of_fold_or_left_out(mine, folder, tmp_path):
    told = run("evaluate", folder, "--model", mine.folder, "--table", tmp_path / "t.csv")
    assert told.exit_code == 0, told.output
    assert "clips judged by the model of the other folds 12" in told.output
    rows = list(csv.DictReader((tmp_path / "t.csv").open()))
    with (mine.folder / "out_of_fold.csv").open() as file:
        best = {row["file"]: 1 / (1 + np.exp(-float(row["log_odds"]))) for row in csv.DictReader(file)}
    assert {row["file"]: float(row["probability"]) for row in rows} == pytest.approx(best, abs=1e-5)

    alone = tmp_path / "alone"
    shutil.copytree(mine.folder, alone)
    (alone / "out_of_fold.csv").unlink()
    refused = run("evaluate", folder, "--model", alone)
    assert refused.exit_code == 1
    assert refused.output.count("the model has learned from this clip") == 12
    (alone / "out_of_fold.csv").write_text("file\n")
    assert "is not of the model beside it" in run("evaluate", folder, "--model", alone).output


def test_a_new_clip_of_a_film_that_was_learned_from_is_left_out_and_of_another_film_is_not(mine):
    learned = mine.manifest["training_data"]["clips_sha256"][0]
    known = Labelled(mine.folder / "x.mp4", 1, "cam0", learned)
    same, other = (dataclasses.replace(known, group=g, sha256="0" * 64) for g in ("cam0", "cam77"))
    tally = Tally()
    assert judging.unseen([known, same, other], mine.manifest, tally) == [other]
    assert sum(tally.skipped.values()) == 2


def test_an_interrupted_run_takes_up_where_it_was_and_a_torn_file_is_made_again(folder, tmp_path):
    opened = watching.open_folder(MODELS / "violence")
    found = clips.read(folder, Tally())[:2]
    first = watching.watch(found, opened, tmp_path, Tally())
    kept = sorted(tmp_path.glob("*.npz"))
    torn = kept[0].read_bytes()[:100]
    kept[0].write_bytes(torn)
    before = kept[1].stat().st_mtime_ns
    again = watching.watch(found, opened, tmp_path, Tally())
    assert np.array_equal(first.summary, again.summary)
    assert kept[1].stat().st_mtime_ns == before
    assert kept[0].read_bytes() != torn


def test_a_clip_the_analyser_cannot_decode_is_named_and_counted(folder, tmp_path):
    broken = tmp_path / "cam9__x.mp4"
    broken.write_bytes(b"no film at all")
    tally = Tally()
    found = [*clips.read(folder, Tally())[:1], Labelled(broken, 1, "cam9", "f" * 64)]
    seen = watching.watch(found, watching.open_folder(MODELS / "violence"), folder / ".seen", tally)
    assert [clip.path.name for clip in seen.clips] == ["cam0__a.mp4"]
    assert tally.refused == {"clip the analyser cannot decode": 1}


def test_a_yolo_detector_is_evaluated_and_registered_but_teaches_nothing(folder, tmp_path):
    write_yolo(tmp_path / "yolo", yolo(size=(64, 64)))
    told = run("evaluate", folder, "--model", tmp_path / "yolo")
    assert told.exit_code == 0, told.output
    assert "confidences, not probabilities" in told.output
    assert "gives no tokens" in run("transfer", folder, "--model", tmp_path / "yolo", "--out", tmp_path / "x").output
    assert run("register", tmp_path / "yolo", "--models", tmp_path / "set").exit_code == 0
    assert open_model(LocalModels(tmp_path / "set"), "violence").manifest.detector is not None


def test_another_model_is_never_written_over(folder, tmp_path):
    shutil.copytree(MODELS / "emotion", tmp_path / "other", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    assert "holds another model" in run("transfer", folder, "--out", tmp_path / "other").output
    assert "holds the model to start from" in run("transfer", folder, "--out", MODELS / "violence").output


def pretend(films=12, signal=1.5, seed=0, values=40):
    """Windows, two a clip, whose summaries tell the label on top of a base that knows a little."""
    draw = np.random.default_rng(seed)
    found = [
        Labelled(MODELS / f"{g}-{y}.mp4", y, f"g{g}", f"{g:032d}{y:032d}", g % 4) for g in range(films) for y in (0, 1)
    ]
    of = np.repeat(np.arange(len(found)), 2)
    label = np.array([clip.fight for clip in found])[of]
    film_noise = draw.normal(size=(films, values))[of // 2]
    summary = draw.normal(size=(len(of), values)) + film_noise
    summary[:, 0] += signal * (2 * label - 1)
    base = measure.sigmoid(draw.normal(size=len(of)) + 0.5 * (2 * label - 1)).astype(np.float32)
    return Watched(tuple(found), of, np.tile([0.0, 1.0], len(found)), base, summary.astype(np.float32))


def test_transfer_adds_to_the_base_what_the_clips_teach():
    watched = pretend(films=40, signal=3.0)
    found = transfer.measured(watched, transfer.train(watched, scratch=False), {"report": 0.9, "review": 0.8})
    assert found["out_of_fold"]["auc"] > found["base_model"]["auc"] + 0.03
    assert found["out_of_fold"]["brier"] < found["base_model"]["brier"]
    assert judging.verdict(found["out_of_fold"], found["base_model"]) == []
    assert judging.verdict(found["base_model"], found["out_of_fold"])


def test_no_film_helps_to_judge_itself():
    watched = pretend(films=24, signal=3.0)
    learned = transfer.train(watched, scratch=False).out_of_fold
    # what a film of fold 0 is labelled changes the others' scores and the slope, never how fold 0 is ranked
    flipped = tuple(dataclasses.replace(c, fight=1 - c.fight) if c.group == "g0" else c for c in watched.clips)
    other = transfer.train(dataclasses.replace(watched, clips=flipped), scratch=False).out_of_fold
    held = watched.fold == 0
    order = np.argsort(learned[held], kind="stable")
    assert np.array_equal(order, np.argsort(other[held], kind="stable"))
    assert np.allclose(learned[held] / learned[held][0], other[held] / other[held][0])
    assert not np.allclose(learned[~held], other[~held])


def test_labels_without_meaning_make_no_model():
    watched = pretend(films=6)
    with pytest.raises(ToolError, match="tells nothing of films"):
        transfer.train(dataclasses.replace(watched, summary=watched.summary * 0), scratch=True)


def test_a_few_clips_told_apart_without_a_mistake_give_no_certainty():
    def highest(clips):
        label = np.arange(clips) % 2
        scores = np.where(label == 1, 1.0, -1.0)
        return measure.sigmoid(ridge.fit_slope(scores, label, ridge.weights_of(label, np.arange(clips))) * scores).max()

    assert highest(16) == pytest.approx(9 / 10, abs=0.005)
    assert highest(16) < highest(100) < 1


def test_newton_finds_where_the_loss_is_flat():
    draw = np.random.default_rng(1)
    columns = draw.normal(size=(60, 4))
    label = (draw.random(60) < measure.sigmoid(2 * columns[:, 0])).astype(np.int64)
    weight, penalty, start = draw.random(60), np.full(4, 0.3), np.array([1.0, 0, 0, 0])
    at = ridge.newton(columns, label, weight, penalty, start)
    slope = columns.T @ (weight * (measure.sigmoid(columns @ at) - label)) + penalty * (at - start)
    assert np.abs(slope).max() < 1e-4


def test_weights_make_clips_of_a_class_and_both_classes_alike():
    weight = ridge.weights_of(np.array([1, 1, 1, 1, 0, 0]), np.array([0, 0, 0, 1, 2, 3]))
    assert weight == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1, 1, 1])
    with pytest.raises(ToolError, match="one class only"):
        ridge.weights_of(np.array([1, 1]), np.array([0, 1]))


def test_a_probability_is_that_of_the_highest_window_and_intervals_are_over_films():
    said = judging.Said((), ({0.0: -1.0, 1.0: 2.0},))
    assert said.probability() == pytest.approx([1 / (1 + np.exp(-2))])
    found = [Labelled(MODELS / f"{k}.mp4", k % 2, f"g{k // 10}", str(k)) for k in range(40)]
    chance = np.array([0.9 if clip.fight == (k < 30) else 0.1 for k, clip in enumerate(found)])
    told = judging.figures(found, chance)
    assert told["accuracy"] == 0.75
    assert told["accuracy_95"] == "25.0 to 100.0 %"  # one film of four is wrong throughout


def test_many_windows_are_thinned_evenly_and_every_clip_keeps_some(monkeypatch):
    monkeypatch.setattr(transfer, "MOST_WINDOWS", 30)
    watched, tally = pretend(), Tally()
    thin = transfer.thinned(watched, tally)
    assert set(thin.of.tolist()) == set(watched.of.tolist())
    assert len(thin.of) == 24
    assert sum(tally.skipped.values()) == 1


def tiny(opset, t=4, k=3, side=8):
    """A graph of the contract whose tokens are the frames' means of their first ``k`` colours."""
    nodes = head.Nodes(opset, "")
    tokens = nodes.reduce("ReduceMean", nodes("Cast", "frames", to=onnx.TensorProto.FLOAT), 2)
    tokens = nodes.part(nodes.reduce("ReduceMean", tokens, 2), 1, t + 1, 1)
    nodes("Identity", nodes.part(tokens, 0, k, 2), out="tokens")
    nodes("Sigmoid", nodes.reduce("ReduceMean", nodes.reduce("ReduceMean", "before", 2), 1), out="probability")
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes.nodes,
        "g",
        [value("frames", 2, ["n", t + 1, side, side, 3]), value("before", 1, ["n", t, k])],
        [value("probability", 1, ["n"]), value("tokens", 1, ["n", t, k])],
        nodes.constants,
    )
    imports = [onnx.helper.make_opsetid("", opset)]
    return onnx.helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()


@pytest.mark.parametrize("opset", [17, 18, 21])
def test_the_reader_in_the_graph_computes_what_numpy_does_in_every_opset(opset):
    draw = np.random.default_rng(opset)
    reader = Linear(0.7, draw.normal(size=12) * 0.01, -0.2)
    running = runtime.session(head.with_reader(tiny(opset), reader))
    frames = draw.integers(0, 256, (2, 5, 8, 8, 3), dtype=np.uint8)
    before = draw.normal(size=(2, 4, 3)).astype(np.float32)
    probability, after = running.run(["probability", "tokens"], {"frames": frames, "before": before})
    assert after == pytest.approx(frames[:, 1:].mean((2, 3)), rel=1e-4)
    summary = np.stack([watching.summarise(np.concatenate([b, a])) for b, a in zip(before, after, strict=True)])
    odds = reader(before.mean((1, 2)).astype(np.float64), summary)
    assert probability == pytest.approx(measure.sigmoid(odds), abs=1e-5)


def test_models_with_other_tokens_are_stacked_with_a_half_window_each():
    merged = merge.stacked(tiny(17, k=3), tiny(18, k=2), (0.6, -0.3), 0.1)
    assert 0 < merged.shared < 1
    draw = np.random.default_rng(0)
    frames = draw.integers(0, 256, (2, 5, 8, 8, 3), dtype=np.uint8)
    before = draw.normal(size=(2, 4, 5)).astype(np.float32)
    running = runtime.session(merged.content)
    probability, tokens = running.run(["probability", "tokens"], {"frames": frames, "before": before})
    odds = 0.6 * before[:, :, :3].mean((1, 2)) - 0.3 * before[:, :, 3:].mean((1, 2)) + 0.1
    assert probability == pytest.approx(measure.sigmoid(odds), abs=1e-5)
    means = frames[:, 1:].mean((2, 3))
    assert tokens == pytest.approx(np.concatenate([means, means[:, :, :2]], 2), rel=1e-4)


def test_what_two_models_share_is_there_once():
    alone = onnx.load_from_string(tiny(17))
    merged = merge.stacked(tiny(17), tiny(17), (1.0, 1.0), 0.0)
    ops = [node.op_type for node in onnx.load_from_string(merged.content).graph.node]
    assert ops.count("Cast") == [node.op_type for node in alone.graph.node].count("Cast") == 1
    assert merged.shared == 1


def test_models_that_want_other_pictures_are_not_stacked(tmp_path):
    for other in (tiny(17, side=16), tiny(17, t=6), yolo(size=(64, 64))):
        with pytest.raises(ToolError, match=r"other pictures|no box detectors"):
            merge.stacked(tiny(17), other, (0.5, 0.5), 0.0)


def test_a_stack_weighs_both_models_in_one_file_and_is_judged_out_of_fold(mine, folder, tmp_path):
    ours = MODELS / "violence"
    done = run("stack", folder, "--model", ours, "--model", mine.folder, "--out", tmp_path / "stack", "--folds", 3)
    assert done.exit_code == 0, done.output
    manifest = json.loads((tmp_path / "stack" / "manifest.json").read_text())
    assert manifest["metrics"]["out_of_fold"]["clips"] == 12
    assert manifest["metrics"]["largest_difference"] < 1e-4
    assert {row["of"] for row in manifest["metrics"]["weights"]} == {"motion-bilstm", "my-violence"}
    assert manifest["bytes"] < 1.05 * (ours / "model.onnx").stat().st_size
    assert "{{" not in (tmp_path / "stack" / "card.md").read_text()
    assert run("register", tmp_path / "stack", "--models", tmp_path / "set").exit_code == 0
    told = run("evaluate", folder, "--model", tmp_path / "stack")
    assert f"AUC      {manifest['metrics']['out_of_fold']['auc']:.3f}" in told.output
    assert "give --model twice" in run("stack", folder, "--model", ours, "--out", tmp_path / "x").output
    assert "nothing to stack" in run("stack", folder, "--model", ours, "--model", ours, "--out", tmp_path / "x").output


def test_a_stack_finds_which_of_two_models_knows():
    draw = np.random.default_rng(4)
    watched = pretend(films=20)
    sign = 2.0 * watched.label - 1
    odds = np.column_stack([draw.normal(size=len(sign)), 2 * sign + draw.normal(size=len(sign))])
    found = stack.train(stack.Pair(watched, odds))
    assert found.numbers[1] > 3 * abs(found.numbers[0])
    best = judging.by_clip(found.out_of_fold, watched.of, len(watched.clips))
    assert measure.auc(best, np.array([clip.fight for clip in watched.clips])) > 0.95
