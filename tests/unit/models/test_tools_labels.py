"""labelImg's files: read, checked, converted, turned; what is wrong is named and never used."""

import contextlib

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from models.tools import labels, voc
from models.tools.__main__ import main
from models.tools.geometry import Box
from models.tools.labels import LabelFileError, Picture, Rules
from models.tools.tally import Tally, ToolError

CLASSES = ["person", "assault"]
RULES = Rules()


def folder_of(tmp_path, **files):
    """A picture of 100 x 80 px for each name (none where it ends in _), and its label file with that content."""
    for name, content in files.items():
        if not name.endswith("_"):
            shades = np.tile(np.arange(100, dtype=np.uint8), (80, 1))
            cv2.imwrite(str(tmp_path / f"{name}.png"), cv2.merge([shades, shades, shades]))
        if content is not None:
            (tmp_path / f"{name}.txt").write_text(content, encoding="utf-8")
    labels.write_classes(tmp_path, CLASSES)
    return tmp_path


def read(folder, kind="yolo", classes=CLASSES, rules=RULES):
    tally = Tally()
    return list(labels.pictures(folder, folder, kind, classes, rules, tally)), tally


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_labels_are_read_as_labelimg_wrote_them(tmp_path):
    ((picture,), tally) = read(folder_of(tmp_path, one="1 0.5 0.5 0.2 0.25\n0 0.1 0.1 0.2 0.2\n"))
    assert picture.size == (100, 80)
    assert [box.name for box in picture.boxes] == ["assault", "person"]
    found = [(b.left, b.top, b.right, b.bottom) for b in picture.boxes]
    np.testing.assert_allclose(found, [(40, 30, 60, 50), (0, 0, 20, 16)], atol=1e-9)
    assert tally.exit_code == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("0 0.5 0.5 0.2\n", "corrupt label file"),
        ("0 0.5 0.5 0.2 0.2 0.9\n", "corrupt label file"),
        ("0 0.5 half 0.2 0.2\n", "corrupt label file"),
        ("0 nan 0.5 0.2 0.2\n", "corrupt label file"),
        ("0 inf 0.5 0.2 0.2\n", "corrupt label file"),
        ("person 0.5 0.5 0.2 0.2\n", "corrupt label file"),
        ("2 0.5 0.5 0.2 0.2\n", "unknown class"),
        ("-1 0.5 0.5 0.2 0.2\n", "unknown class"),
        ("0 0.5 0.5 0.2 0.2\n0 1.5 0.5 0.2 0.2\n", "box outside the picture"),
    ],
)
def test_a_file_with_one_wrong_line_is_refused_whole_and_named(tmp_path, capsys, content, reason):
    found, tally = read(folder_of(tmp_path, bad=content, good="0 0.5 0.5 0.2 0.2\n"))
    assert [picture.path.stem for picture in found] == ["good"]
    assert tally.refused == {reason: 1}
    assert tally.exit_code == 1
    assert "bad.txt" in capsys.readouterr().err


def test_an_empty_file_is_skipped_unless_it_is_said_to_mean_background(tmp_path):
    folder = folder_of(tmp_path, empty="", blank="\n \n", good="0 0.5 0.5 0.2 0.2\n")
    found, tally = read(folder)
    assert [picture.path.stem for picture in found] == ["good"]
    assert tally.skipped == {"empty label file": 2}
    found, _ = read(folder, rules=Rules(empty="background"))
    assert {picture.path.stem: len(picture.boxes) for picture in found} == {"empty": 0, "blank": 0, "good": 1}


def test_a_file_whose_boxes_were_all_left_out_is_no_background(tmp_path):
    found, tally = read(folder_of(tmp_path, tiny="0 0.5 0.5 0.001 0.2\n"), rules=Rules(empty="background"))
    assert found == []
    assert tally.skipped == {"box under one pixel": 1, "no box left": 1}


def test_a_box_over_the_edge_is_clipped_or_refused_as_told(tmp_path):
    folder = folder_of(tmp_path, over="0 0.95 0.5 0.2 0.5\n")
    ((picture,), tally) = read(folder)
    assert picture.boxes[0].right == 100
    assert picture.boxes[0].left == pytest.approx(85)
    assert tally.changed == {"box clipped at the edge": 1}
    found, tally = read(folder, rules=Rules(outside="refuse"))
    assert found == []
    assert tally.refused == {"box reaches out of the picture": 1}


def test_degenerate_and_repeated_boxes_are_skipped_and_counted(tmp_path):
    folder = folder_of(tmp_path, one="0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.0 0.2\n0 0.5 0.5 -0.2 0.2\n")
    ((picture,), tally) = read(folder)
    assert len(picture.boxes) == 1
    assert tally.skipped == {"the same box twice": 1, "box under one pixel": 2}


def test_labels_without_picture_pictures_without_label_and_broken_pictures_are_named(tmp_path, capsys):
    folder = folder_of(tmp_path, gone_="0 0.5 0.5 0.2 0.2\n", bare=None, twice="0 0.5 0.5 0.2 0.2\n")
    cv2.imwrite(str(folder / "twice.jpg"), np.zeros((80, 100, 3), np.uint8))
    (folder / "torn.jpg").write_bytes(b"\xff\xd8\xff half a picture")
    (folder / "torn.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    found, tally = read(folder)
    assert found == []
    assert tally.refused == {"label without picture": 1, "two pictures of one name": 1, "picture cannot be read": 1}
    assert tally.skipped == {"picture without label": 1}
    told = capsys.readouterr().err
    assert all(name in told for name in ("gone_.txt", "bare.png", "twice", "torn.jpg"))


@pytest.mark.parametrize("content", ["", "\n\n", "person\n\nassault\n", "person\nperson\n"])
def test_a_meaningless_class_list_is_refused_by_name(tmp_path, content):
    path = tmp_path / "classes.txt"
    path.write_text(content)
    with pytest.raises(ToolError, match=r"classes\.txt"):
        labels.read_classes(path)


XML = """<annotation><size><width>100</width><height>80</height><depth>3</depth></size>
<object><name>person</name><bndbox><xmin>10</xmin><ymin>20</ymin><xmax>{xmax}</xmax><ymax>60</ymax></bndbox></object>
</annotation>"""
NAMED = "<annotation><object><name>&y;</name></object></annotation>"
BOMB = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;">]>' + NAMED
OUTSIDE = '<!DOCTYPE a [<!ENTITY y SYSTEM "file:///etc/hostname">]>' + NAMED


@pytest.mark.parametrize(
    "content",
    [
        BOMB.encode(),
        BOMB.encode("utf-16"),
        OUTSIDE.encode(),
        b"<annotation><object>",
        b"no xml",
        b"\x00\xff\xfe",
        b"<labels/>",
        b"<annotation>" + b"<a>" * 2000,
        XML.format(xmax="wide").encode(),
        XML.format(xmax="nan").encode(),
        b"<annotation><object><name>person</name></object></annotation>",
        b"<annotation>" + b" " * (voc.LARGEST_BYTES + 1) + b"</annotation>",
    ],
)
def test_xml_that_is_no_annotation_or_carries_entities_is_refused(tmp_path, content):
    folder = folder_of(tmp_path, one=None)
    (folder / "one.xml").write_bytes(content)
    found, tally = read(folder, "voc")
    assert found == []
    assert tally.refused == {"corrupt label file": 1}


def test_xml_of_a_picture_of_another_size_or_an_unknown_class_is_refused(tmp_path):
    folder = folder_of(tmp_path, size=None, name=None, good=None)
    (folder / "size.xml").write_text(XML.format(xmax=40).replace("<width>100", "<width>640"))
    (folder / "name.xml").write_text(XML.format(xmax=40).replace("person", "dog"))
    (folder / "good.xml").write_text(XML.format(xmax=40))
    found, tally = read(folder, "voc")
    assert [p.path.stem for p in found] == ["good"]
    assert found[0].boxes == (Box("person", 10, 20, 40, 60),)
    assert tally.refused == {"label of a picture of another size": 1, "unknown class": 1}


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_boxes_or_a_refusal(content):
    for parse in (voc.parse, lambda raw: labels._yolo(raw, (100, 80), CLASSES)):
        with contextlib.suppress(voc.VocError, LabelFileError):
            parse(content)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 90), st.floats(0, 70), st.floats(1, 100), st.floats(1, 80), st.sampled_from(CLASSES)),
        max_size=5,
    )
)
def test_boxes_survive_both_formats_within_half_a_pixel(tmp_path_factory, given_boxes):
    boxes = [Box(n, x, y, min(x + w, 100), min(y + h, 80)) for x, y, w, h, n in given_boxes]
    picture = Picture(tmp_path_factory.getbasetemp() / "one.png", np.zeros((80, 100, 3), np.uint8), tuple(boxes))
    folder = tmp_path_factory.getbasetemp()
    for kind, tolerance in (("yolo", 1e-3), ("voc", 0.5 + 1e-9)):
        found = labels.read_boxes(labels.write(folder, "one", kind, picture, CLASSES), (100, 80), CLASSES)
        assert [box.name for box in found] == [box.name for box in boxes]
        for one, other in zip(found, boxes, strict=True):
            for edge in ("left", "top", "right", "bottom"):
                assert getattr(one, edge) == pytest.approx(getattr(other, edge), abs=tolerance)
            assert one.width >= 1 - 1e-3
            assert one.height >= 1 - 1e-3


def test_converting_there_and_back_by_command_keeps_every_sound_box(tmp_path):
    (tmp_path / "a").mkdir()
    folder = folder_of(
        tmp_path / "a", one="1 0.5 0.5 0.2 0.25\n0 0.1 0.1 0.2 0.2\n", two="0 0.3 0.3 0.1 0.1\n", bad="x"
    )
    there = run("convert-labels", folder, "--to", "voc", "--out", tmp_path / "b", "--with-pictures")
    assert there.exit_code == 1  # one file was refused
    assert "label files written 2" in there.stdout
    assert "corrupt label file 1" in there.stdout
    back = run("convert-labels", tmp_path / "b", "--format", "voc", "--to", "yolo", "--out", tmp_path / "c")
    assert back.exit_code == 0
    assert (
        tmp_path / "c" / "one.txt"
    ).read_text() == "1 0.500000 0.500000 0.200000 0.250000\n0 0.100000 0.100000 0.200000 0.200000\n"
    assert (tmp_path / "c" / "classes.txt").read_text() == "person\nassault\n"
    assert not (tmp_path / "b" / "bad.xml").exists()


def test_turned_pictures_come_with_boxes_of_what_is_drawn_in_them(tmp_path):
    (tmp_path / "in").mkdir()
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[40:80, 60:120] = 255
    cv2.imwrite(str(tmp_path / "in" / "one.png"), picture)
    (tmp_path / "in" / "one.txt").write_text("0 0.5625 0.5 0.375 0.333333\n")
    labels.write_classes(tmp_path / "in", CLASSES)
    done = run("rotate", tmp_path / "in", "--out", tmp_path / "out", "--angles", "10:350:10", "--fill", "black")
    assert done.exit_code == 0
    found, _ = read(tmp_path / "out")
    assert len(found) == 35
    for turned in found:
        rows, columns = np.nonzero(turned.image[:, :, 0] > 128)
        (box,) = turned.boxes
        seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        np.testing.assert_allclose((box.left, box.top, box.right, box.bottom), seen, atol=2.5)


def test_boxes_turned_out_of_the_picture_are_dropped_below_the_stated_share(tmp_path):
    (tmp_path / "in").mkdir()
    folder = folder_of(tmp_path / "in", one="0 0.05 0.5 0.1 0.5\n1 0.5 0.5 0.2 0.2\n", two="0 0.05 0.05 0.1 0.1\n")
    done = run("rotate", folder, "--out", tmp_path / "out", "--angles", "90", "--least-visible", "0.5")
    assert done.exit_code == 0
    assert "box turned out of the picture 2" in done.stdout
    assert "no box left after turning 1" in done.stdout
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["classes.txt", "one__a090.png", "one__a090.txt"]
    assert (tmp_path / "out" / "one__a090.txt").read_text().count("\n") == 1
    wide = run("rotate", folder, "--out", tmp_path / "wide", "--angles", "90", "--canvas", "expanded")
    assert "boxes 3" in wide.stdout
    assert "skipped" not in wide.stdout


def test_turning_into_the_folder_of_the_originals_is_refused(tmp_path):
    folder = folder_of(tmp_path, one="0 0.5 0.5 0.2 0.2\n")
    done = run("rotate", folder, "--out", folder)
    assert done.exit_code == 1
    assert "choose another folder" in done.stderr
