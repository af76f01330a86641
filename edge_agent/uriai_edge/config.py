"""Configuration: one YAML file, one model per section; unknown keys and wrong units are refused with their line.

The models are the documentation: every field has a description and bounds, and the error messages come from them.
"""

from __future__ import annotations

import re
from typing import Literal, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from uriai_edge.config_base import SECONDS, Corner, FilePath, Section, check_host, mistake
from uriai_edge.evidence import GATEWAY
from uriai_edge.redact import register_secret

MAX_CLIP_S = 30.0
"""The evidence format's limit; the cloud's budget per clip is made for it."""


class Zone(Section):
    """A part of the picture. What it does not set holds as in the section motion."""

    name: str = Field(min_length=1, max_length=50, description="what people call this part of the picture")
    polygon: list[Corner] = Field(
        min_length=3,
        max_length=64,
        description="corners as [x, y], shares of width and height from the upper left corner, 0 to 1",
    )
    ignore: bool = Field(default=False, description="whether nothing counts here: a street, a screen, a curtain")
    contrast: float | None = Field(default=None, ge=0.01, le=0.5, description="as motion: contrast, in this zone")
    min_area: float | None = Field(default=None, ge=0.0001, le=0.5, description="as motion: min_area, in this zone")
    min_duration_s: float | None = Field(
        default=None,
        ge=0,
        le=10,
        description="as motion: min_duration_s, in this zone",
        json_schema_extra={"unit": SECONDS},
    )

    @field_validator("polygon")
    @classmethod
    def _inside(cls, polygon: list[Corner]) -> list[Corner]:
        if any(not (0 <= x <= 1 and 0 <= y <= 1) for x, y in polygon):
            raise ValueError("corners are shares of the picture between 0 and 1, such as [0.5, 0.25]; not pixels")
        return polygon


class Motion(Section):
    """When movement is movement. Areas are shares of the picture, times are seconds."""

    analysis_fps: float = Field(
        default=5.0,
        ge=1,
        le=15,
        description="pictures looked at per second while something may be moving",
        json_schema_extra={"unit": "per second"},
    )
    contrast: float = Field(
        default=0.06,
        ge=0.01,
        le=0.5,
        description="least relative change of brightness of a moving thing; lower is more sensitive",
    )
    min_area: float = Field(
        default=0.0015,
        ge=0.0001,
        le=0.5,
        description="least connected area that moves, as a share of the picture",
    )
    min_duration_s: float = Field(
        default=0.4, ge=0, le=10, description="how long a movement lasts at least", json_schema_extra={"unit": SECONDS}
    )
    light_switch_area: float = Field(
        default=0.45,
        ge=0.1,
        le=1,
        description="share of the picture that changes at once when a lamp is switched; that alone is no movement",
    )
    check_every_s: float = Field(
        default=10.0,
        ge=0,
        le=30,
        description="while nothing moves, one key frame is decoded about so often; 0: everything always",
        json_schema_extra={"unit": SECONDS},
    )
    zones: list[Zone] = Field(
        default_factory=list,
        max_length=16,
        description="parts of the picture with settings of their own, or ignored; later ones lie over earlier ones",
    )


class Clips(Section):
    """How clips are cut."""

    pre_roll_s: float = Field(
        default=5.0,
        ge=0,
        le=30,
        description="what is kept from before the movement",
        json_schema_extra={"unit": SECONDS},
    )
    post_roll_s: float = Field(
        default=5.0, ge=1, le=30, description="what is kept after the movement", json_schema_extra={"unit": SECONDS}
    )
    max_clip_s: float = Field(
        default=MAX_CLIP_S,
        ge=5,
        le=MAX_CLIP_S,
        description="a longer movement becomes several clips without a lost frame between them",
        json_schema_extra={"unit": SECONDS},
    )


class Camera(Section):
    """One camera: the number people call it by (CCTV 3호기 is 3) and where its pictures come from."""

    number: int = Field(ge=1, le=9999, description="the camera's number in the centre")
    name: str | None = Field(
        default=None, max_length=100, description="what people call it; free text, used in logs only"
    )
    source: str = Field(
        min_length=1,
        max_length=2000,
        description="rtsp://…, rtsps://…, http://…, https://…, webcam:N, or the path of a video file",
    )
    motion_source: str | None = Field(
        default=None,
        min_length=1,
        max_length=2000,
        description="the camera's small second stream of the same view: movement is looked for in it",
    )
    transport: Literal["tcp", "udp"] = Field(
        default="tcp", description="how RTSP carries the video; udp loses packets on a busy network"
    )
    username: str | None = Field(default=None, max_length=200, description="user name at the camera")
    password: SecretStr | None = Field(
        default=None, description="password at the camera; better ${NAME} from the environment, or password_file"
    )
    password_file: FilePath | None = Field(default=None, description="file that holds the password at the camera")
    timeout_s: float = Field(
        default=10.0,
        ge=1,
        le=120,
        description="without a packet for so long, the camera is opened anew",
        json_schema_extra={"unit": SECONDS},
    )
    pace: Literal["real", "fast"] = Field(
        default="real", description="a file is replayed at its own speed (real) or as fast as possible (fast)"
    )
    motion: Motion | None = Field(
        default=None, description="what differs from the general section motion at this camera"
    )
    clips: Clips | None = Field(default=None, description="what differs from the general section clips at this camera")

    @field_validator("source", "motion_source")
    @classmethod
    def _known_source(cls, source: str | None) -> str | None:
        if source is None:
            return None
        scheme = source.split("://", 1)[0].lower() if "://" in source else None
        if scheme is not None and scheme not in ("rtsp", "rtsps", "http", "https", "file"):
            raise ValueError(
                f"{scheme}:// is not supported; use rtsp://, rtsps://, http://, https://, webcam:N or a file's path"
            )
        if scheme in ("rtsp", "rtsps", "http", "https"):
            check_host(source)
        if source.startswith("webcam:") and not re.fullmatch(r"webcam:\d{1,2}", source):
            raise ValueError("a webcam is written webcam:0, webcam:1, … as in /dev/video0, /dev/video1")
        return source

    @model_validator(mode="after")
    def _one_password(self) -> Camera:
        if self.password is not None and self.password_file is not None:
            raise ValueError("password and password_file: give one of them")
        if (self.password is not None or self.password_file is not None) and self.username is None:
            raise ValueError("a password needs a username")
        if self.username is not None and "://" in self.source and urlsplit(self.source).username is not None:
            raise ValueError("source and username: give the user name and the password in one of them")
        return self

    @property
    def is_live(self) -> bool:
        """Whether the source goes on for ever and is opened anew when it breaks, other than a file."""
        return self.source.startswith("webcam:") or ("://" in self.source and not self.source.startswith("file://"))

    def address(self) -> str:
        """The source with user name and password put in, for opening only: never log it.

        Raises
        ------
        ConfigError
            If ``password_file`` cannot be read.
        """
        parts = urlsplit(self.source) if "://" in self.source else None
        if parts is not None and parts.password:
            register_secret(parts.password)
        password = self.password.get_secret_value() if self.password is not None else None
        if self.password_file is not None:
            try:
                password = self.password_file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "is not text"
                raise ConfigError(
                    f"camera {self.number}: password_file: {self.password_file}: {why}; "
                    "put the password in it, for the agent's user to read"
                ) from error
        if parts is None or self.username is None:
            return self.source
        login = quote(self.username, safe="")
        if password is not None:
            register_secret(password)
            register_secret(quote(password, safe=""))
            login += ":" + quote(password, safe="")
        host = parts.netloc.rsplit("@", 1)[-1]
        return urlunsplit(parts._replace(netloc=f"{login}@{host}"))


class Spool(Section):
    """Where clips wait for their upload, and for the disk to be needed."""

    dir: FilePath = Field(description="folder of clips and their register; on a disk of its own if possible")
    max_bytes: int = Field(
        default=20_000_000_000,
        ge=50_000_000,
        description="most that clips may take here; uploaded ones are removed first, others as when_full says",
        json_schema_extra={"unit": "bytes"},
    )
    min_free_bytes: int = Field(
        default=500_000_000,
        ge=0,
        description="what is always left free on the disk",
        json_schema_extra={"unit": "bytes"},
    )
    when_full: Literal["refuse", "drop_oldest"] = Field(
        default="refuse",
        description="when only clips that are not uploaded are left: refuse new ones, or give up the oldest; "
        "each one lost either way is reported by a signed record",
    )
    keep_records: int = Field(
        default=100_000,
        ge=1_000,
        description="so many records are remembered here after their upload; one comes a minute, and one a clip",
    )


class Upload(Section):
    """Where clips go. Credentials come from AWS's standard chain (environment, profile, credential_process, role)."""

    bucket: str = Field(
        min_length=3,
        max_length=63,
        pattern=r"^[a-z0-9][a-z0-9.-]*[a-z0-9]$",
        description="the bucket of clips (output ClipsBucket of the stack)",
    )
    region: str = Field(default="ap-northeast-2", pattern=r"^[a-z0-9-]{2,30}$", description="the bucket's AWS region")
    endpoint_url: str | None = Field(
        default=None,
        pattern=r"^https?://.+",
        description="another S3 than AWS's, as the local cloud's http://127.0.0.1:PORT",
    )
    profile: str | None = Field(default=None, description="profile of the AWS configuration files")
    connect_timeout_s: float = Field(
        default=10.0, ge=1, le=120, description="longest wait for a connection", json_schema_extra={"unit": SECONDS}
    )
    read_timeout_s: float = Field(
        default=60.0, ge=1, le=600, description="longest wait for an answer", json_schema_extra={"unit": SECONDS}
    )
    backoff_max_s: float = Field(
        default=120.0,
        ge=0.1,
        le=3600,
        description="longest pause between attempts; pauses grow from 1 s and are random below their limit",
        json_schema_extra={"unit": SECONDS},
    )

    max_bytes_per_s: int | None = Field(
        default=None, ge=10_000, description="most of the uplink that clips may use; none: all of it"
    )

    @field_validator("endpoint_url")
    @classmethod
    def _has_host(cls, url: str | None) -> str | None:
        if url is not None:
            check_host(url)
        return url


class Health(Section):
    """Who asks on this machine whether all is well."""

    port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="port of 127.0.0.1 with /healthz and /metrics (Prometheus); 0: none",
    )


class Coverage(Section):
    """The signed record per minute of what each camera demonstrably delivered."""

    enabled: bool = Field(
        default=True, description="whether coverage is recorded; without it nobody notices a dead camera"
    )
    every_s: float = Field(
        default=60.0, ge=5, le=600, description="length of one record", json_schema_extra={"unit": SECONDS}
    )


class Tamper(Section):
    """Telling that a camera was covered, defocused, turned away, shows a frozen picture, or is silent."""

    enabled: bool = Field(default=True, description="whether this is watched")
    after_s: float = Field(
        default=30.0,
        ge=5,
        le=600,
        description="how long it must last to be recorded",
        json_schema_extra={"unit": SECONDS},
    )


class Config(Section):
    """The whole file."""

    gateway: str = Field(
        pattern=f"^{GATEWAY.pattern}$",
        description="this gateway's name, as registered with `uriai gateways add`: a-z, 0-9, hyphen",
    )
    key_file: FilePath = Field(
        description="the device's private key, made by `uriai-edge enroll`; readable by the agent only"
    )
    cameras: list[Camera] = Field(min_length=1, max_length=64, description="the cameras of this gateway")
    spool: Spool = Field(description="where clips wait")
    upload: Upload = Field(description="where clips go")
    motion: Motion = Field(default_factory=Motion, description="when movement is movement")
    clips: Clips = Field(default_factory=Clips, description="how clips are cut")
    tamper: Tamper = Field(default_factory=Tamper, description="what is wrong with a camera")
    coverage: Coverage = Field(default_factory=Coverage, description="proof of recording")
    health: Health = Field(default_factory=Health, description="who asks whether all is well")

    @model_validator(mode="after")
    def _numbers_differ(self) -> Config:
        seen: set[int] = set()
        for index, camera in enumerate(self.cameras):
            if camera.number in seen:
                raise mistake("stands twice; each camera has a number of its own", "cameras", index, "number")
            seen.add(camera.number)
        return self

    @model_validator(mode="after")
    def _rolls_fit(self) -> Config:
        for index, camera in enumerate(self.cameras):
            clips = self.clips_of(camera)
            if clips.pre_roll_s > clips.max_clip_s:
                message = f"{clips.pre_roll_s:g} s are longer than max_clip_s, {clips.max_clip_s:g} s"
                place = () if camera.clips is None else ("cameras", index)
                raise mistake(message, *place, "clips", "pre_roll_s")
        return self

    def motion_of(self, camera: Camera) -> Motion:
        """The general motion settings with what ``camera`` changes."""
        return _merged(self.motion, camera.motion)

    def clips_of(self, camera: Camera) -> Clips:
        """The general clip settings with what ``camera`` changes."""
        return _merged(self.clips, camera.clips)


_SectionT = TypeVar("_SectionT", bound=Section)


def _merged(general: _SectionT, own: _SectionT | None) -> _SectionT:
    if own is None:
        return general
    return general.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


class ConfigError(Exception):
    """A configuration that cannot be used; the message names file, line, field, what was wrong and what is allowed."""
