"""Reads the configuration file and says what is wrong with it: file, line, field, and what is allowed."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from uriai_edge.config import Camera, Config, ConfigError
from uriai_edge.redact import redact, register_secret

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET_KEYS = frozenset({"password"})
Location = tuple[int | str, ...]


def load_config(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read and check the configuration at ``path``.

    Parameters
    ----------
    path
        The YAML file.
    environment
        Where ``${NAME}`` in a text is looked up; default: the process's environment.

    Raises
    ------
    ConfigError
        If the file cannot be read or anything in it is wrong; one line per mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not a UTF-8 text file") from error
    return parse_config(text, str(path), os.environ if environment is None else environment)


def parse_config(text: str, name: str, environment: Mapping[str, str]) -> Config:
    """Like `load_config`, from the file's ``text``; ``name`` stands in the messages."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise ConfigError(f"{name}:{line}: not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: not YAML: {error}") from error
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{name}:1: the file must hold sections such as gateway, cameras, spool and upload")
    reader = _Reader(name, environment)
    data = reader.read(node, ())
    if reader.mistakes:
        raise ConfigError("\n".join(reader.mistakes))
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        lines = [
            _explain(one, data, name, reader.lines) for one in error.errors(include_url=False, include_context=True)
        ]
        raise ConfigError(redact("\n".join(dict.fromkeys(lines)))) from None


class _Reader:
    """Turns YAML nodes into plain values and remembers the line of each."""

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        self.name = name
        self.environment = environment
        self.lines: dict[Location, int] = {(): 1}
        self.mistakes: list[str] = []
        self._loader = yaml.SafeLoader("")

    def read(self, node: yaml.Node, location: Location) -> Any:
        self.lines.setdefault(location, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(child, (*location, index)) for index, child in enumerate(node.value)]
        value = self._loader.construct_object(node)
        return self._expand(value, location) if isinstance(value, str) else value

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = str(key_node.value)
            if not isinstance(key_node, yaml.ScalarNode) or key == "<<":
                self.mistakes.append(f"{self.name}:{line}: a key must be a plain word")
                continue
            if key in values:
                first = self.lines[(*location, key)]
                self.mistakes.append(f"{self.name}:{line}: {key}: stands twice, first on line {first}")
                continue
            self.lines[(*location, key)] = line
            values[key] = self.read(value_node, (*location, key))
        return values

    def _expand(self, text: str, location: Location) -> str:
        def look_up(match: re.Match[str]) -> str:
            value = self.environment.get(match[1])
            if value is None:
                self.mistakes.append(
                    f"{self.name}:{self.lines[location]}: {_path(location, {})}: "
                    f"the environment has no variable {match[1]}; set it before the agent starts"
                )
                return ""
            if location and location[-1] in _SECRET_KEYS:
                register_secret(value)
            return value

        return _VARIABLE.sub(look_up, text)


def _explain(error: ErrorDetails, data: Any, name: str, lines: Mapping[Location, int]) -> str:
    at = error.get("ctx", {}).get("at", ())
    location: Location = tuple(part for part in (*error["loc"], *at) if not _is_union_tag(part))
    known = location
    while known not in lines:  # a missing key has the line of its section
        known = known[:-1]
    path = _path(location, data)
    return f"{name}:{lines[known]}: {path + ': ' if path else ''}{_what(error, location)}"


def _is_union_tag(part: int | str) -> bool:
    # pydantic names the branch of a union in the location ("function-after[...]"); no key of ours looks like that
    return isinstance(part, str) and ("[" in part or "-" in part)


def _path(location: Location, data: Any) -> str:
    """``camera 1: clips: pre_roll_s`` for ("cameras", 0, "clips", "pre_roll_s")."""
    words = [str(part) for part in location]
    if len(location) > 1 and location[0] == "cameras" and isinstance(location[1], int):
        words[:2] = [_camera_title(location[1], data)]
    return ": ".join(words)


def _camera_title(index: int, data: Any) -> str:
    cameras = data.get("cameras") if isinstance(data, dict) else None
    if isinstance(cameras, list) and index < len(cameras) and isinstance(cameras[index], dict):
        number = cameras[index].get("number")
        if isinstance(number, int):
            return f"camera {number}"
    return f"camera no. {index + 1} of the list"


def _what(error: ErrorDetails, location: Location) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown_key(location)
    found = _field(location)
    if kind == "missing":
        return f"is missing: {found[1].description if found else 'required'}"
    if kind == "value_error":
        return str(error["msg"]).removeprefix("Value error, ")
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return "must be a section with keys of its own, not a single value"
    if found is None:
        return str(error["msg"])
    given = "" if location and location[-1] in (*_SECRET_KEYS, "source") else f", not {error.get('input')!r}"
    return f"must be {requirement(found[1])}{given} ({found[1].description})"


def _unknown_key(location: Location) -> str:
    key = str(location[-1])
    section = _section(location[:-1])
    if section is None:
        return "unknown key"
    own = difflib.get_close_matches(key, section.model_fields, n=1, cutoff=0.6)
    if own:
        return f"unknown key; did you mean {own[0]} ({requirement(section.model_fields[own[0]])})?"
    elsewhere = {f"{path}{name}": field for path, name, field in _all_fields(Config, "")}
    ends = {full.rsplit(" ", 1)[-1]: full for full in elsewhere}
    near = difflib.get_close_matches(key, ends, n=1, cutoff=0.7)
    if near:
        full = ends[near[0]]
        return f"unknown key here; did you mean {full} ({requirement(elsewhere[full])})?"
    return f"unknown key; allowed are {', '.join(section.model_fields)}"


def _all_fields(model: type[BaseModel], path: str) -> Iterator[tuple[str, str, FieldInfo]]:
    for name, field in model.model_fields.items():
        inner = _model_of(field.annotation)
        if inner is None:
            yield path, name, field
        elif inner is not Camera:
            yield from _all_fields(inner, f"{path}{name}: ")


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """The section inside ``Section``, ``Section | None`` or ``list[Section]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (list, Union, UnionType):
        return next((inner for inner in map(_model_of, get_args(annotation)) if inner is not None), None)
    return None


def _section(location: Location) -> type[BaseModel] | None:
    model: type[BaseModel] = Config
    for part in location:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        inner = _model_of(field.annotation) if field is not None else None
        if inner is None:
            return None
        model = inner
    return model


def _field(location: Location) -> tuple[type[BaseModel], FieldInfo] | None:
    if not location or isinstance(location[-1], int):
        return None
    section = _section(location[:-1])
    field = section.model_fields.get(str(location[-1])) if section is not None else None
    return (section, field) if section is not None and field is not None else None


def requirement(field: FieldInfo) -> str:
    """What a field takes, in words: "a number of seconds between 0 and 30", "one of tcp, udp"."""
    annotation = field.annotation
    arguments = [one for one in get_args(annotation) if one is not type(None)]
    if get_origin(annotation) in (Union, UnionType) and len(arguments) == 1:
        annotation = arguments[0]
        arguments = list(get_args(annotation))
    if arguments and all(isinstance(one, str) for one in arguments):
        return "one of " + ", ".join(arguments)
    if annotation is bool:
        return "true or false"
    if annotation in (int, float):
        return _number(field, whole=annotation is int)
    if _model_of(annotation) is not None:
        return "a list of sections" if get_origin(annotation) is list else "a section"
    if get_origin(annotation) is list:
        return f"a list of {_bound(field, 'min_length')} to {_bound(field, 'max_length')}"
    pattern = _bound(field, "pattern")
    return "text" + (f" of the form {pattern}" if pattern else "") + ", in quotes if it looks like a number"


def _number(field: FieldInfo, *, whole: bool) -> str:
    extra = field.json_schema_extra
    unit = extra.get("unit") if isinstance(extra, dict) else None
    low, high = _bound(field, "ge"), _bound(field, "le")
    words = "a whole number" if whole else "a number"
    if unit == "number of seconds":
        words = "a number of seconds"
    elif unit is not None:
        words += f" ({unit})"
    if low is not None and high is not None:
        return f"{words} between {_plain(low)} and {_plain(high)}"
    return f"{words} from {_plain(low)}" if low is not None else words


def _plain(number: float) -> str:
    if isinstance(number, int) and number >= 100_000:
        return f"{number:,d}".replace(",", " ")
    return f"{number:g}"


def _bound(field: FieldInfo, name: str) -> Any:
    for rule in field.metadata:
        value = getattr(rule, name, None)
        if value is not None:
            return value
    return None
