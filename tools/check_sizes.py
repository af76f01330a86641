"""Builds all layers for both architectures and checks every function with its layers against Lambda's limit.

Byte code is part of a layer, but only the Python that a layer is for can make it. Where that is not the running one,
the byte code of the running one, which is as large, is counted in its place.
"""

from __future__ import annotations

import argparse
import compileall
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LIMIT_BYTES = 262_144_000
"""Unzipped size of a function with all its layers: 250 MiB (Lambda quotas)."""
ARCHITECTURES = ("x86_64", "arm64")
LAYERS = {"UriaiLayer": "uriai", "VisionLayer": "vision", "MediaLayer": "media"}
"""Logical id in template.yaml -> folder under layers/."""


@dataclass(frozen=True, slots=True)
class Package:
    """One function with its layers, unzipped, in bytes."""

    function: str
    architecture: str
    python: str
    code_bytes: int
    layer_bytes: dict[str, int]

    @property
    def total_bytes(self) -> int:
        """Return what Lambda counts."""
        return self.code_bytes + sum(self.layer_bytes.values())

    @property
    def fits(self) -> bool:
        """Tell whether Lambda would take it."""
        return self.total_bytes <= LIMIT_BYTES


def functions(template: str) -> dict[str, tuple[str, list[str]]]:
    """Return each function of a SAM template (YAML text): logical id -> (code's folder, logical ids of its layers)."""
    found: dict[str, tuple[str, list[str]]] = {}
    for block in re.split(r"\n(?=  \w+:\n)", template):
        name = re.match(r"\s*(\w+):\n", block)
        code = re.search(r"^\s+CodeUri: (\S+)$", block, re.MULTILINE)
        layers = re.search(r"^\s+Layers: \[(.*)\]$", block, re.MULTILINE)
        if name and code:
            found[name[1]] = (code[1], re.findall(r"!Ref (\w+)", layers[1]) if layers else [])
    return found


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def build_layer(logical_id: str, architecture: str, python: str, into: Path) -> int:
    """Build one layer with its own Makefile and return its size in bytes, byte code included."""
    into.mkdir(parents=True)
    subprocess.run(
        ["make", "--silent", "-C", str(REPOSITORY / "layers" / LAYERS[logical_id]), f"build-{logical_id}"],
        env=os.environ
        | {"ARTIFACTS_DIR": str(into), "LAYER_ARCH": architecture, "LAYER_PYTHON": python, "PYTHON": sys.executable},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    if python != f"{sys.version_info.major}.{sys.version_info.minor}":
        compileall.compile_dir(into, quiet=2, force=True)
    return size_of(into)


def measure(architectures: Iterable[str], pythons: Iterable[str]) -> list[Package]:
    """Build every layer and return the size of every function with its layers."""
    deployed = functions((REPOSITORY / "template.yaml").read_text(encoding="utf-8"))
    packages = []
    for python in pythons:
        for architecture in architectures:
            with tempfile.TemporaryDirectory(prefix="uriai-sizes-") as scratch:
                sizes = {}
                for layer in LAYERS:
                    print(f"building {layer} for python{python} on {architecture}", file=sys.stderr, flush=True)
                    sizes[layer] = build_layer(layer, architecture, python, Path(scratch) / layer)
            packages += [
                Package(
                    function,
                    architecture,
                    python,
                    size_of(REPOSITORY / folder),
                    {layer: sizes[layer] for layer in used},
                )
                for function, (folder, used) in deployed.items()
            ]
    return packages


def table(packages: list[Package]) -> str:
    """Return the packages as lines of text, one each, with what is left below the limit."""
    lines = [f"{'function':<22}{'architecture':<14}{'python':<8}{'code':>10}{'layers':>14}{'total':>14}{'left':>14}"]
    for package in packages:
        layers = sum(package.layer_bytes.values())
        left = LIMIT_BYTES - package.total_bytes
        lines.append(
            f"{package.function:<22}{package.architecture:<14}{package.python:<8}{package.code_bytes:>10,}{layers:>14,}"
            f"{package.total_bytes:>14,}{left:>14,}" + ("" if package.fits else "  OVER THE LIMIT")
        )
    return "\n".join([*lines, f"limit {LIMIT_BYTES:,} bytes unzipped, function and layers together"])


def main() -> int:
    """Print the table; 1 if anything is over the limit."""
    parser = argparse.ArgumentParser(description="Sizes of the functions with their layers against Lambda's limit.")
    parser.add_argument("--python", action="append", choices=["3.12", "3.13"], help="may be repeated; default 3.13")
    parser.add_argument("--architecture", action="append", choices=ARCHITECTURES, help="may be repeated; default both")
    arguments = parser.parse_args()
    packages = measure(arguments.architecture or ARCHITECTURES, arguments.python or ["3.13"])
    print(table(packages))
    return 0 if all(package.fits for package in packages) else 1


if __name__ == "__main__":
    sys.exit(main())
