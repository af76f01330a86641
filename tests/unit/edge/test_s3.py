"""Signing by the server's clock, held against Amazon's own example and botocore's own signer."""

from __future__ import annotations

import ast
import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from uriai_edge import s3, sockets

BODY = b"a clip's bytes"


def test_the_signature_is_the_one_of_amazons_example():
    # "Example: GET Object" in "Signature Calculations for the Authorization Header", Amazon S3 API Reference
    credentials = ReadOnlyCredentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None)
    request = AWSRequest("GET", "https://examplebucket.s3.amazonaws.com/test.txt", headers={"Range": "bytes=0-9"})
    request.context["signed_at"] = datetime(2013, 5, 24, tzinfo=UTC)
    s3._Signer(credentials, "s3", "us-east-1").add_auth(request)
    assert request.headers["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


@pytest.mark.parametrize("token", [None, "a session's token"])
def test_the_signature_of_an_upload_is_botocores_own(token):
    credentials = ReadOnlyCredentials("KEY", "secret", token)
    ours, theirs = (
        AWSRequest(
            "PUT",
            "http://127.0.0.1:9/clips-test/clips/gw/1/x.mp4",
            headers={
                "If-None-Match": "*",
                "Content-Type": "video/mp4",
                "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(BODY).digest()).decode(),
            },
            data=BODY,
        )
        for _ in range(2)
    )
    S3SigV4Auth(credentials, "s3", "ap-northeast-2").add_auth(theirs)
    at = datetime.strptime(theirs.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours.context["signed_at"] = at
    for _ in range(2):  # the second time as for a request that is sent again
        s3._Signer(credentials, "s3", "ap-northeast-2").add_auth(ours)
    assert sorted(ours.headers.items()) == sorted(theirs.headers.items())


@pytest.mark.parametrize(
    ("module", "changed"),
    [(s3, {("_Signer", "add_auth"), ("_Signer", "payload")}), (sockets, {("_NotedConnection", "connect")})],
)
def test_nothing_private_of_botocore_is_used(module, changed):
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    foreign = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and ast.unparse(node.value) != "self"
    ]
    overridden = {
        (owner.__name__, name)
        for owner in vars(module).values()
        if isinstance(owner, type) and owner.__module__ == module.__name__
        for name in vars(owner)
        if not name.startswith("__")
        and any(name in vars(base) for heir in heirs(owner) for base in foreign_bases(heir))
    }
    assert foreign == [] and overridden == changed


def heirs(owner: type) -> list[type]:
    """A class and those below it: what a mixin overrides shows only in who mixes it in."""
    return [owner, *(heir for below in owner.__subclasses__() for heir in heirs(below))]


def foreign_bases(owner: type) -> list[type]:
    return [base for base in owner.__mro__ if base.__module__.startswith(("botocore.", "urllib3.", "http."))]
