"""The size check counts what Lambda counts, and says which function is over."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from uriai_cloud.up import FUNCTIONS

ROOT = Path(__file__).resolve().parents[3]
_spec = importlib.util.spec_from_file_location("check_sizes", ROOT / "tools" / "check_sizes.py")
assert _spec is not None
assert _spec.loader is not None
check_sizes = importlib.util.module_from_spec(_spec)
sys.modules["check_sizes"] = check_sizes
_spec.loader.exec_module(check_sizes)


def package(layer_bytes: int):
    return check_sizes.Package("AnalyzeFunction", "arm64", "3.13", 1_000, {"VisionLayer": layer_bytes})


def test_function_and_layers_count_together():
    assert package(261_000_000).total_bytes == 261_001_000


def test_one_byte_over_the_limit_does_not_fit():
    assert package(check_sizes.LIMIT_BYTES - 1_000).fits
    assert not package(check_sizes.LIMIT_BYTES - 999).fits


def test_the_table_names_what_is_over():
    assert "OVER THE LIMIT" in check_sizes.table([package(check_sizes.LIMIT_BYTES)])
    assert "OVER THE LIMIT" not in check_sizes.table([package(1)])


def test_the_template_is_read_as_it_is():
    found = check_sizes.functions((ROOT / "template.yaml").read_text(encoding="utf-8"))
    assert found["AnalyzeFunction"] == ("functions/analyze", ["UriaiLayer", "VisionLayer"])
    assert found["MigrateFunction"] == ("functions/migrate", ["UriaiLayer"])
    assert {name: folder for name, (folder, _) in found.items()} == {
        logical_id: f"functions/{name}" for name, logical_id in FUNCTIONS.items()
    }


def test_a_link_is_not_counted_twice(tmp_path):
    (tmp_path / "a.so").write_bytes(b"x" * 100)
    (tmp_path / "b.so").symlink_to("a.so")
    assert check_sizes.size_of(tmp_path) == 100
