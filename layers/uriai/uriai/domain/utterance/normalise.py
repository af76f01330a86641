"""One spelling for what people type: composed Hangul, plain digits and dashes, single spaces."""

from __future__ import annotations

import re
import unicodedata

MAX_CHARACTERS = 1000
"""Longer texts are not read at all: half a sentence read would be half a date understood."""

# Single Korean letters (ㅅㅂ, ㅎㅇ) stay as typed: NFKC would turn them into conjoining letters and glue them together.
_LETTERS = re.compile("([\u3131-\u318e]+)")
_DASHES = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
        **dict.fromkeys("\u301c\uff5e\u223c\u223d\u02dc\u2053", "~"),
        **dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d", '"'),
        "\u00b7": ",",
        "\u318d": ",",
    }
)


def normalise(text: str) -> str:
    """Return ``text`` in NFKC with plain dashes, tildes and quotes, without invisible characters, single-spaced.

    Case is kept, because a centre's name is repeated to people as they wrote it.
    """
    # decomposed Hangul (as some phones send) is composed first, so that the split below sees whole syllables
    composed = unicodedata.normalize("NFC", text.translate(_DASHES))
    folded = "".join(
        part if _LETTERS.fullmatch(part) else unicodedata.normalize("NFKC", part)
        for part in _LETTERS.split(composed)
        if part
    ).translate(_DASHES)
    visible = "".join(
        " " if unicodedata.category(character) in {"Zs", "Cc", "Zl", "Zp"} else character
        for character in folded
        if unicodedata.category(character) not in {"Cf", "Cs", "Co", "Cn"}
    )
    return " ".join(visible.split())
