"""Runs AWS SAM's own command, with an environment in which nothing can reach a real AWS account."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from uriai_cloud import ministack
from uriai_cloud.errors import CloudError
from uriai_cloud.home import REPOSITORY, machine_architecture, python_version, tool

Progress = Callable[[str], None]
_TOLD = ("Building ", "CREATE_FAILED", "UPDATE_FAILED")


class SamFailed(CloudError):  # noqa: N818 - the name says it better than SamFailedError
    """`sam` ended with an error; the message holds the end of what it printed."""


def run(arguments: Sequence[str | Path], progress: Progress, endpoint_url: str = "") -> None:
    """Run `sam` in the repository and pass on the lines that tell of progress.

    Raises
    ------
    SamFailed, ToolMissing
        The first if it ends with another exit code than 0.
    """
    process = subprocess.Popen(
        [str(tool(".venv-sam", "sam")), *(str(argument) for argument in arguments)],
        cwd=REPOSITORY,
        env=_environment(endpoint_url),
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    lines: list[str] = []
    for line in process.stdout or ():
        lines.append(" ".join(line.split()))
        if line.startswith(_TOLD):
            progress(f"  {lines[-1]}")
    if process.wait():
        told = [line for line in lines if line and not line.startswith(("-", "SAM CLI update"))]
        raise SamFailed(f"sam {arguments[0]} failed with exit code {process.returncode}: {' | '.join(told[-6:])}")


def parameters(values: Mapping[str, str]) -> list[str]:
    """Return template parameters as `sam --parameter-overrides` takes them: escaped, and in quotes."""
    return [
        '{}="{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"'))
        for name, value in sorted(values.items())
    ]


def _environment(endpoint_url: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "SAM_")) and name != "PYTHONPATH"
    }
    return kept | {
        # SAM takes the first `python` on PATH for the functions' runtime, the layers' Makefiles take $PYTHON
        "PATH": f"{tool('.venv', 'python').parent}:{os.environ.get('PATH', '')}",
        "PYTHON": str(tool(".venv", "python")),
        "LAYER_PYTHON": python_version(),
        "LAYER_ARCH": machine_architecture(),
        "SAM_CLI_TELEMETRY": "0",
        "AWS_ACCESS_KEY_ID": ministack.ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ministack.SECRET_KEY,
        "AWS_DEFAULT_REGION": ministack.REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        # never unset: without it sam would talk to the real AWS
        "AWS_ENDPOINT_URL": endpoint_url or "http://127.0.0.1:9",
    }
