"""Registers of daycare centres as they are published, and as they are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from uriai_cli.centre_register import RegisterError, Row, read_register

GYEONGGI = "어린이집명,시도명,시군구명,정원수,소재지도로명주소,어린이집전화번호\n"
SEOUL = '"시군구명","어린이집코드","어린이집명","운영현황","상세주소","전화번호"\n"02","03","04","06","08","09"\n'


@pytest.fixture
def read(tmp_path: Path):
    def rows(text: str | bytes, encoding: str = "cp949") -> list[Row]:
        path = tmp_path / "register.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return list(read_register(path))

    return rows


@pytest.mark.parametrize("encoding", ["cp949", "utf-8", "utf-8-sig"])
def test_gyeonggis_register_gives_centres_with_their_region(read, encoding):
    (row,) = read(
        GYEONGGI + "샘물어린이집,경기도,고양시일산서구,40,경기도 고양시 일산서구 가상로 1 (가상동),031-000-0001\n",
        encoding,
    )
    assert row.centre is not None
    assert (row.centre.name, row.centre.province, row.centre.district, row.centre.neighbourhood, row.centre.phone) == (
        "샘물어린이집", "경기도", "고양시 일산서구", "가상동", "031-000-0001",
    )  # fmt: skip


def test_seouls_junk_line_and_closed_centres_are_passed_over(read):
    rows = read(
        SEOUL
        + '"가상구","1","푸른샘어린이집","정상","서울특별시 가상구 가상로 2 101호(모의동 아파트)","02-000-0001"\n'
        + '"가상구","2","옛샘어린이집","폐지","서울특별시 가상구 가상로 3",""\n'
        + '"가상구","3","쉬는샘어린이집","휴지","서울특별시 가상구 가상로 4",""\n'
    )
    assert [row.passed_over for row in rows] == [True, False, True, False]
    assert [(row.centre.province, row.centre.neighbourhood) for row in rows if row.centre] == [
        ("서울특별시", "모의동"), ("서울특별시", ""),
    ]  # fmt: skip


def test_bad_rows_are_told_with_their_line_and_the_others_are_read(read):
    broken = "깨진샘어린이집".encode("cp949") + b"\xff"
    rows = read(
        GYEONGGI.encode("cp949")
        + "샘1어린이집,경기도,가상시,1,주소 1,\n".encode("cp949")
        + "칸이 모자람,경기도\n".encode("cp949")
        + ",경기도,가상시,1,주소 2,\n".encode("cp949")
        + broken + ",경기도,가상시,1,주소 3,\n".encode("cp949")
        + ("가" * 121 + ",경기도,가상시,1,주소 4,\n").encode("cp949")
        + b"\n"
        + "샘2어린이집,경기도,가상시,1,\"여러\n줄 주소\",\n".encode("cp949")
    )  # fmt: skip
    assert [row.centre.name for row in rows if row.centre] == ["샘1어린이집", "샘2어린이집"]
    assert [(row.line, row.reason) for row in rows if not row.centre] == [
        (3, "has 2 columns, the header 6"),
        (4, "has no name"),
        (5, "has a name that is not text in cp949"),
        (6, "has a name of 121 characters, more than 120"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\x00\x01\x02",
        "이름,주소\n가,나\n".encode(),
        b"%PDF-1.7\n",
        b"\xff\xfe" + "어린이집명".encode("utf-16-le"),
    ],
)
def test_another_file_is_refused_by_name(read, text):
    with pytest.raises(RegisterError, match=r"register\.csv: no register"):
        read(text)


def test_a_file_that_is_not_there_is_told_so(tmp_path):
    with pytest.raises(RegisterError, match="No such file"):
        read_register(tmp_path / "none.csv")


@pytest.mark.skipif(
    "URIAI_DATA" not in os.environ, reason="URIAI_DATA is not set: the published registers are not here"
)
@pytest.mark.parametrize(("file", "least"), [("gyeonggi_daycare.csv", 11_000), ("seoul_daycare.csv", 5_000)])
def test_the_published_registers_have_no_bad_row(file, least):
    rows = list(read_register(Path(os.environ["URIAI_DATA"]) / "opendata" / file))
    assert sum(row.centre is not None for row in rows) > least
    assert [row for row in rows if row.centre is None and not row.passed_over] == []
