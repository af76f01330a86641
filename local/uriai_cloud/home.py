"""Where things lie: the repository, the state of the local cloud, the tools' virtual environments."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uriai_cloud.errors import CloudError, ToolMissing

REPOSITORY = Path(__file__).resolve().parents[2]
"""Root of the working tree: the command is installed in editable form, so the code's own place tells."""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds everything one local cloud knows: `.uriai/`, or what URIAI_HOME says."""

    path: Path

    @classmethod
    def from_environment(cls) -> Home:
        """Return the folder of this user's cloud, made if need be with mode 700."""
        path = Path(os.environ.get("URIAI_HOME") or REPOSITORY / ".uriai").expanduser().absolute()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(path)

    @property
    def cloud_file(self) -> Path:
        """What others read to find the cloud."""
        return self.path / "cloud.json"

    @property
    def secrets_file(self) -> Path:
        """Passwords and keys that survive `down`."""
        return self.path / "secrets.json"

    @property
    def ports_file(self) -> Path:
        """The ports that were used last time, so that addresses stay the same."""
        return self.path / "ports.json"

    @property
    def deployed_file(self) -> Path:
        """What was deployed last: a fingerprint of the inputs."""
        return self.path / "deployed.json"

    @property
    def logs(self) -> Path:
        """Folder of the services' own logs."""
        return self.path / "log"


def tool(venv: str, name: str) -> Path:
    """Return the program `name` of one of the repository's virtual environments.

    Raises
    ------
    ToolMissing
        If it is not there.
    """
    path = REPOSITORY / venv / "bin" / name
    if not path.exists():
        raise ToolMissing(f"{venv}/bin/{name} is not there: run `make setup` in {REPOSITORY}")
    return path


def system_tool(name: str, package: str) -> Path:
    """Return a program of the operating system, also from the folders that only root has on its PATH.

    Raises
    ------
    ToolMissing
        If it is not there; names the Debian package to install.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")
    if found is None:
        raise ToolMissing(f"{name} is not installed: run `make setup`, or `apt-get install {package}`")
    return Path(found)


def python_version() -> str:
    """Return the running Python as Lambda writes it without the word python, for example "3.12"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def machine_architecture() -> str:
    """Return this machine's architecture as Lambda writes it: "arm64" or "x86_64"."""
    return "arm64" if os.uname().machine in {"aarch64", "arm64"} else "x86_64"


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file, empty if there is no such file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    if not isinstance(value, dict):
        raise CloudError(f"{path} does not hold a JSON object: remove it and run `uriai up`")
    return value


def write_json(path: Path, value: dict[str, Any], mode: int = 0o600) -> None:
    """Write a JSON file in one step: a reader, or a kill, never meets half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
