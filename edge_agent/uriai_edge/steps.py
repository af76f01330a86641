"""The named steps of writing. The crash tests end the process at each of them; see docs/formats/evidence.md."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """Instants between two durable steps, in the order in which a clip passes them."""

    FILE_MADE = "file_made"  # an empty file, announced nowhere
    BEFORE_COMMIT = "before_commit"  # of every transaction: all statements done, nothing durable yet
    COMMITTED = "committed"  # of every transaction: durable, the caller does not know yet
    FILE_SYNCED = "file_synced"  # the whole clip is on the disk under its partial name
    FOLDER_MADE = "folder_made"
    RENAMED = "renamed"  # under its final name, if the power stays on
    FOLDERS_SYNCED = "folders_synced"  # under its final name for good, without a record
    MENDED = "mended"  # recovery cut a partial file, and has not registered it
    PUT_ASIDE = "put_aside"  # recovery moved what cannot be mended, and has not reported it
    MANIFEST_SENT = "manifest_sent"
    SIGNATURE_SENT = "signature_sent"
    FILE_SENT = "file_sent"  # S3 has confirmed the file, the register does not know
    UPLOADED_REMOVED = "uploaded_removed"  # an uploaded clip was removed to make room, the register does not know
    DROP_SIGNED = "drop_signed"  # a drop record gives up a clip whose file is still there
    PRUNED = "pruned"  # files of old records were removed, their rows were not


Checkpoint = Callable[[str], None]
"""Called with each step as it is reached."""


def nothing_happens(_step: str) -> None:
    """The checkpoint of everyday life."""
