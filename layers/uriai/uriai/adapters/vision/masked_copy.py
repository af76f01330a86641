"""`ClipMasker` with onnxruntime and PyAV: the clip is decoded twice, once to look and once to write.

Five times a second people are looked for, faces in the frame at reduced size, in the heads of people and where faces
were before; once a second the whole frame is searched at full size too.
"""

from __future__ import annotations

from pathlib import Path
from time import process_time

from uriai.adapters.vision.covers import Covers, Looked
from uriai.adapters.vision.faces import DetectedFace, FaceDetector, merged
from uriai.adapters.vision.film import Film, FilmWriter, Picture
from uriai.adapters.vision.heads import find_in_parts, head_of
from uriai.adapters.vision.limits import Limits
from uriai.adapters.vision.masking import LOW_SCORE, Mosaics
from uriai.adapters.vision.people import DetectedPerson, PersonDetector
from uriai.adapters.vision.registry import LocalModels, ModelSource, open_model
from uriai.adapters.vision.sampling import Every
from uriai.adapters.vision.scaling import Image
from uriai.domain.analysis import Box
from uriai.service.ports.masking import ClipMasker, MaskReport, NoSuchTrack

_LOOK_EVERY_S = 0.2
_FULL_EVERY = 5
_REDUCED_PX, _FULL_PX, _PEOPLE_PX = 640, 1280, 512
_LEAST_PERSON = 0.3
_AROUND = 3.0
"""A face is looked for again in a square of so many times its longer side, around where it was."""


class OnnxClipMasker(ClipMasker):
    """Opens its models, of roles ``face`` and ``person``, when it is made.

    Raises
    ------
    ModelRefused
        If a model is missing or does not match its hash or contract.
    """

    def __init__(self, source: ModelSource, threads: int = 1, limits: Limits | None = None) -> None:
        face, person = open_model(source, "face", threads), open_model(source, "person", threads)
        self._faces, self._people = FaceDetector(face), PersonDetector(person)
        self._models = {"face": str(face.reference), "person": str(person.reference)}
        self._limits = limits or Limits()

    @classmethod
    def from_folder(cls, folder: Path, threads: int = 1) -> OnnxClipMasker:
        """With the models of a folder like ``models/`` of the repository."""
        return cls(LocalModels(folder), threads)

    def mask(self, source: Path, target: Path, except_track: int | None = None) -> MaskReport:
        """See `ClipMasker.mask`. Boxes are in pixels of the upright picture, which is what the copy holds."""
        if target.exists():
            raise FileExistsError(f"{target} exists already")
        begun_s = process_time()
        with Film(source, self._limits) as film:
            looked, last = self._look(film)
            coding, sound, duration_s = film.coding, film.has_sound, film.duration_s
        covers = Covers(looked, last.size, duration_s)
        if except_track is not None and except_track not in covers.tracks:
            known = ", ".join(map(str, covers.tracks)) or "none at all"
            raise NoSuchTrack(f"there is no track {except_track} in the clip; there are {known}")
        looked_s = process_time()
        counts, mosaics = [], Mosaics()
        with Film(source, self._limits) as film, FilmWriter(target, last.size, coding, turned=last.lies) as writer:
            for picture in film.pictures():
                planes, covered = picture.planes(), covers.at(picture.t_s, except_track)
                mosaics.cover(planes, covered, picture.number)
                writer.write(planes, picture.ticks)
                counts.append(len(covered))
        return MaskReport(
            duration_s=duration_s,
            width=last.size[0],
            height=last.size[1],
            covered=tuple(counts),
            tracks=covers.described(except_track),
            doubtful=covers.doubtful(except_track),
            sound_removed=sound,
            models=self._models,
            timing_ms={
                "look": round((looked_s - begun_s) * 1000, 1),
                "write": round((process_time() - looked_s) * 1000, 1),
                "total": round((process_time() - begun_s) * 1000, 1),
            },
        )

    def _look(self, film: Film) -> tuple[list[Looked], Picture]:
        """All looks of a film, and its last picture."""
        looked: list[Looked] = []
        schedule = Every(_LOOK_EVERY_S)
        for picture in film.pictures():
            if schedule.due(picture):
                before = looked[-1].faces if looked else ()
                looked.append(self._look_at(picture, before, full=len(looked) % _FULL_EVERY == 0))
        return looked, picture

    def _look_at(self, picture: Picture, before: tuple[DetectedFace, ...], *, full: bool) -> Looked:
        small = picture.reduced(_PEOPLE_PX)
        people = tuple(
            DetectedPerson(_scaled(person.box, small, picture), person.score)
            for person in self._people.find(small, _LEAST_PERSON)
        )
        parts = [*(head_of(person.box) for person in people), *(_around(face.box) for face in before)]
        found = list(find_in_parts(self._faces, picture.image(), parts, LOW_SCORE))
        for side_px in (_REDUCED_PX, _FULL_PX) if full and max(picture.size) > _REDUCED_PX else (_REDUCED_PX,):
            small = picture.reduced(side_px)
            found += [
                DetectedFace(_scaled(face.box, small, picture), face.score)
                for face in self._faces.find(small, LOW_SCORE, side_px)
            ]
        return Looked(picture.t_s, picture.number, merged(found), people)


def _scaled(box: Box, small: Image, picture: Picture) -> Box:
    """A box of a reduced picture in pixels of the whole one."""
    across, down = picture.size[0] / small.shape[1], picture.size[1] / small.shape[0]
    return Box(box.x * across, box.y * down, box.w * across, box.h * down)


def _around(face: Box) -> Box:
    side = _AROUND * max(face.w, face.h)
    return Box(face.x + face.w / 2 - side / 2, face.y + face.h / 2 - side / 2, side, side)
