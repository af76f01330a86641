"""Reads the open-data registers of daycare centres: Gyeonggi's and Seoul's CSVs, as they are published."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uriai.adapters.database.centres import NewCentre

CLOSED = "폐지"
"""운영현황 of a centre that is no more."""
_NAME, _DISTRICT = "어린이집명", "시군구명"
_FORMS = {
    # a column that only this register has -> (its address, its phone, its province where no column says it)
    "소재지도로명주소": ("소재지도로명주소", "어린이집전화번호", ""),
    "상세주소": ("상세주소", "전화번호", "서울특별시"),
}
_LONGEST = {"name": 120, "address": 255, "phone": 40, "province": 40, "district": 40, "neighbourhood": 60}
_IN_BRACKETS = re.compile(r"\(\s*([가-힣][가-힣0-9·.]{0,20}(?:동|가|읍|면|리))(?=[\s,)])")
_IN_ADDRESS = re.compile(r"\s([가-힣]{1,20}[읍면])\s")


class RegisterError(Exception):
    """A file that is no register; the message names it and what is wrong."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a register: a centre, or why it is none. ``passed_over``: rightly so, it is not counted as bad."""

    line: int
    centre: NewCentre | None
    reason: str = ""
    passed_over: bool = False


def read_register(path: Path) -> Iterator[Row]:
    """Every line of the file after its header.

    Raises
    ------
    RegisterError
        If the file cannot be read, is in neither UTF-8 nor cp949, or has other columns.
    """
    try:
        text = _decoded(path.read_bytes())
    except OSError as error:
        raise RegisterError(f"{path}: {error.strerror or error}") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [column.strip() for column in next(reader, [])]
    except csv.Error as error:
        raise RegisterError(f"{path}: the header cannot be read: {error}") from error
    form = next((form for column, form in _FORMS.items() if column in header), None)
    if form is None or _NAME not in header or _DISTRICT not in header:
        raise RegisterError(
            f"{path}: no register of Gyeonggi or Seoul: it has to be in UTF-8 or cp949 and have the columns {_NAME}, "
            f"{_DISTRICT} and one of {', '.join(_FORMS)}"
        )
    return _rows(reader, header, form)


def _rows(reader: Iterator[list[str]], header: list[str], form: tuple[str, str, str]) -> Iterator[Row]:
    line = 1
    while True:
        line = max(line + 1, getattr(reader, "line_num", line) + 1)
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Row(line, None, f"cannot be read: {error}")
            continue
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield _row(line, cells, header, form)


def _row(line: int, cells: list[str], header: list[str], form: tuple[str, str, str]) -> Row:
    from uriai.adapters.database.centres import NewCentre

    if len(cells) != len(header):
        return Row(line, None, f"has {len(cells)} columns, the header {len(header)}")
    fields = {column: " ".join(cell.split()) for column, cell in zip(header, cells, strict=True)}
    if fields[_NAME].isdecimal() and fields[_DISTRICT].isdecimal():
        # Seoul's second line numbers the columns
        return Row(line, None, "numbers the columns", passed_over=True)
    if fields.get("운영현황") == CLOSED:
        return Row(line, None, "is closed", passed_over=True)
    address_column, phone_column, province = form
    address = fields[address_column]
    values = {
        "name": fields[_NAME],
        "address": address,
        "phone": fields.get(phone_column, ""),
        "province": fields.get("시도명") or province,
        "district": re.sub(r"(?<=시)(?=[가-힣]+구$)", " ", fields[_DISTRICT]),
        "neighbourhood": _neighbourhood(address),
    }
    for name in ("name", "province", "district"):
        if not values[name]:
            return Row(line, None, f"has no {name}")
    for name, value in values.items():
        if len(value) > _LONGEST[name]:
            return Row(line, None, f"has a {name} of {len(value)} characters, more than {_LONGEST[name]}")
        if not value.isprintable() or any("\udc80" <= letter <= "\udcff" for letter in value):
            return Row(line, None, f"has a {name} that is not text in cp949")
    return Row(
        line,
        NewCentre(
            name=values["name"],
            province=values["province"],
            district=values["district"],
            neighbourhood=values["neighbourhood"],
            address=values["address"],
            phone=values["phone"],
        ),
    )


def _neighbourhood(address: str) -> str:
    """The 동, 읍 or 면 of a road address ("… 3동 103호(성포동, 선경)", "… 가평군 가평읍 석봉로 16"), else empty."""
    found = _IN_ADDRESS.search(address) or _IN_BRACKETS.search(address)
    return found[1] if found else ""


def _decoded(data: bytes) -> str:
    """UTF-8, else cp949; a byte that is neither stays visible as half a character, so that only its line is lost."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp949", "surrogateescape")
