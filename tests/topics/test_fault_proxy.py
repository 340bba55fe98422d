"""Every fault that tests inject is really there: seen through plain HTTP, before the real S3 server."""

from __future__ import annotations

import base64
import hashlib
import http.client
import ssl
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ..fault_proxy import Fault, FaultProxy
from ..mail_servers import Authority
from ..s3_faults import (
    answer,
    as_if_complete,
    clock_skew,
    cut_answer,
    cut_request,
    edit,
    edit_headers,
    error_with_200,
    flip,
    flip_request,
    hang_up,
    html,
    lose_answer,
    refuse,
    refuse_early,
    replay,
    shorten,
    stall,
    trickle,
    truncate,
    with_first_twice,
    without_all,
    without_first,
    without_token,
    without_truncated,
)
from ..s3_servers import ADMIN, REGION, Bucket, S3Server

DATA = bytes(range(256)) * 40
MD5 = base64.b64encode(hashlib.md5(DATA).digest()).decode()
SHA256 = base64.b64encode(hashlib.sha256(DATA).digest()).decode()


class Said(NamedTuple):
    """An answer as a plain client had it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The server's word for an error."""
        return ET.fromstring(self.body).findtext("Code") or ""


class Client:
    """Plain HTTP with a signature; one connection for each request unless told otherwise."""

    def __init__(self, proxy: FaultProxy, bucket: Bucket) -> None:
        self.proxy, self.bucket = proxy, bucket

    def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        connection: http.client.HTTPConnection | None = None,
    ) -> Said:
        """Make one request."""
        url = f"{self.proxy.url}/{self.bucket.name}{target}"
        request = AWSRequest(method=method, url=url, data=body, headers=headers)
        S3SigV4Auth(Credentials(ADMIN.access_key, ADMIN.secret_key), "s3", REGION).add_auth(request)
        used = connection or http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=20)
        try:
            used.request(
                method, f"/{self.bucket.name}{target}", body=body or None, headers=dict(request.headers)
            )
            got = used.getresponse()
            return Said(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
        finally:
            if connection is None:
                used.close()

    def pages(self) -> list[Said]:
        """List in pages of two, for as long as it says that more follow and where."""
        pages, token = [], ""
        while not pages or token:
            more = f"&continuation-token={token}" if token else ""
            pages.append(self.ask("GET", f"?list-type=2&max-keys=2{more}"))
            token = tag(pages[-1], "NextContinuationToken")
            assert len(pages) < 20
        return pages


def tag(said: Said, name: str) -> str:
    """Return the text of the first element of this name."""
    return next((e.text or "" for e in ET.fromstring(said.body).iter() if e.tag.endswith(name)), "")


def keys(page: Said) -> list[str]:
    """Return the keys that a page of a listing has."""
    return [e.text or "" for e in ET.fromstring(page.body).iter() if e.tag.endswith("}Key") or e.tag == "Key"]


@pytest.fixture
def proxy(s3: S3Server) -> Iterator[FaultProxy]:
    with FaultProxy(s3.port) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: FaultProxy, bucket: Bucket) -> Client:
    return Client(proxy, bucket)


def test_without_rules_all_passes_and_is_recorded(proxy: FaultProxy, client: Client) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port)
    stored = client.ask("PUT", "/a", DATA, connection=connection)
    looked = client.ask("HEAD", "/a", connection=connection)
    read = client.ask("GET", "/a", headers={"Range": "bytes=10-19"}, connection=connection)
    gone = client.ask("DELETE", "/a", connection=connection)
    connection.close()

    assert [stored.status, looked.status, read.status, gone.status] == [200, 200, 206, 204]
    assert (looked.body, looked.headers["content-length"]) == (b"", str(len(DATA)))
    assert (read.body, read.headers["content-range"]) == (DATA[10:20], f"bytes 10-19/{len(DATA)}")
    assert [(s.operation, s.request.key, s.status) for s in proxy.seen] == [
        ("PutObject", "a", 200),
        ("HeadObject", "a", 200),
        ("GetObject", "a", 206),
        ("DeleteObject", "a", 204),
    ]
    assert len(DATA) < proxy.up("PutObject") < len(DATA) + 1000
    assert 10 < proxy.down("GetObject") < 1000
    assert proxy.count() == 4
    assert proxy.up() == sum(seen.up for seen in proxy.seen)


def test_operations_have_the_names_that_s3_gives_them(proxy: FaultProxy, bucket: Bucket) -> None:
    client = bucket.server.client(url=proxy.url)
    where = {"Bucket": bucket.name, "Key": "a"}
    client.put_object(**where, Body=b"x")
    upload = {**where, "UploadId": client.create_multipart_upload(**where)["UploadId"]}
    part = client.upload_part(**upload, PartNumber=1, Body=b"y")
    client.upload_part_copy(**upload, PartNumber=2, CopySource=where)
    client.list_parts(**upload)
    client.list_multipart_uploads(Bucket=bucket.name)
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    client.list_object_versions(Bucket=bucket.name)
    client.get_bucket_versioning(Bucket=bucket.name)
    client.head_bucket(Bucket=bucket.name)
    client.close()

    assert [seen.operation for seen in proxy.seen] == [
        "PutObject",
        "CreateMultipartUpload",
        "UploadPart",
        "UploadPartCopy",
        "ListParts",
        "ListMultipartUploads",
        "CompleteMultipartUpload",
        "ListObjectVersions",
        "GetBucketVersioning",
        "HeadBucket",
    ]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (refuse(500, "InternalError"), 500, "InternalError"),
        (refuse(503, "SlowDown"), 503, "SlowDown"),
        (refuse(429, "TooManyRequests"), 429, "TooManyRequests"),
        (refuse(404, "NoSuchBucket"), 404, "NoSuchBucket"),
        (
            refuse(301, "PermanentRedirect", headers=[("x-amz-bucket-region", "eu-west-1")]),
            301,
            "PermanentRedirect",
        ),
        (clock_skew(), 403, "RequestTimeTooSkewed"),
        (error_with_200(), 200, "InternalError"),
    ],
)
def test_refusal_comes_in_place_of_the_deed(
    proxy: FaultProxy, client: Client, fault: Fault, status: int, code: str
) -> None:
    rule = proxy.add(fault, "PutObject")
    said = client.ask("PUT", "/a", DATA)

    assert (said.status, said.code, rule.met) == (status, code, 1)
    assert client.bucket.keys() == set()
    assert client.ask("PUT", "/a", DATA).status == 200


def test_refusal_of_a_head_has_no_body(proxy: FaultProxy, client: Client) -> None:
    proxy.add(refuse(403, "AccessDenied"), "HeadObject")

    assert client.ask("HEAD", "/a")[::2] == (403, b"")


def test_early_refusal_does_not_wait_for_the_body(proxy: FaultProxy, client: Client) -> None:
    proxy.add(refuse_early(503, "SlowDown"), "PutObject")
    try:
        said = client.ask("PUT", "/a", bytes(64 << 20))
    except OSError:
        pass  # the client was still sending when it was hung up on
    else:
        assert said.code == "SlowDown"

    assert proxy.up("PutObject") < 10_000
    assert client.bucket.keys() == set()


@pytest.mark.parametrize("fault", [lose_answer(), cut_answer(0), cut_answer(5), cut_answer(-1)])
def test_lost_answer_leaves_the_deed_done(proxy: FaultProxy, client: Client, fault: Fault) -> None:
    proxy.add(fault, "PutObject")

    with pytest.raises((OSError, http.client.HTTPException)):
        client.ask("PUT", "/a", DATA)

    assert client.bucket.get("a") == DATA


@pytest.mark.parametrize("count", [0, 1, 100, 2000, -1])
def test_cut_request_is_not_carried_out(proxy: FaultProxy, client: Client, count: int) -> None:
    proxy.add(cut_request(count), "PutObject")

    with pytest.raises((OSError, http.client.HTTPException)):
        client.ask("PUT", "/a", DATA)

    assert client.bucket.keys() == set()


def test_request_that_was_sent_whole_before_the_cut_is_carried_out(proxy: FaultProxy, client: Client) -> None:
    proxy.add(lose_answer(), "DeleteObject")
    client.bucket.put("a", DATA)

    with pytest.raises((OSError, http.client.HTTPException)):
        client.ask("DELETE", "/a")

    assert client.bucket.keys() == set()


def test_hanging_up_is_heard_by_the_client_alone(proxy: FaultProxy, client: Client) -> None:
    proxy.add(hang_up(), "PutObject")

    with pytest.raises(http.client.RemoteDisconnected):
        client.ask("PUT", "/a", DATA)

    assert client.bucket.keys() == set()


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.9999])
def test_truncated_body_is_announced_whole(proxy: FaultProxy, client: Client, keep: float) -> None:
    client.bucket.put("a", DATA)
    proxy.add(truncate(keep), "GetObject")

    with pytest.raises(http.client.IncompleteRead) as caught:
        client.ask("GET", "/a")

    assert caught.value.partial == DATA[: int(len(DATA) * keep)]


def test_shortened_body_looks_complete(proxy: FaultProxy, client: Client) -> None:
    client.bucket.put("a", DATA)
    proxy.add(shorten(), "GetObject")

    assert client.ask("GET", "/a").body == DATA[: len(DATA) // 2]


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
def test_flipped_bit_is_the_only_difference(proxy: FaultProxy, client: Client, at: float) -> None:
    client.bucket.put("a", DATA)
    proxy.add(flip(at), "GetObject")

    body = client.ask("GET", "/a").body

    assert [a ^ b for a, b in zip(body, DATA, strict=True) if a != b] == [1]


@pytest.mark.parametrize("check", [{"Content-MD5": MD5}, {"x-amz-checksum-sha256": SHA256}])
def test_flipped_bit_of_a_request_is_noticed_by_a_server_that_is_told_a_checksum(
    proxy: FaultProxy, client: Client, check: dict[str, str]
) -> None:
    proxy.add(flip_request(), "PutObject", times=2)

    assert client.ask("PUT", "/a", DATA, check).code == "BadDigest"
    assert client.bucket.keys() == set()
    assert client.ask("PUT", "/a", DATA).status == 200  # this server does not compare x-amz-content-sha256
    assert sum(a != b for a, b in zip(client.bucket.get("a"), DATA, strict=True)) == 1


def test_trickle_is_slow_and_whole(proxy: FaultProxy, client: Client) -> None:
    client.bucket.put("a", DATA)
    proxy.add(trickle(2000, 0.05), "GetObject")
    began = time.monotonic()

    assert client.ask("GET", "/a").body == DATA
    assert time.monotonic() - began > 0.05 * (len(DATA) // 2000)


@pytest.mark.parametrize(
    ("fault", "done"), [(stall(), False), (stall(carried_out=True), True), (stall(30), True)]
)
def test_stalled_request_gets_no_end(proxy: FaultProxy, client: Client, fault: Fault, done: bool) -> None:
    proxy.add(fault, "PutObject")
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=0.5)

    with pytest.raises(TimeoutError):
        client.ask("PUT", "/a", DATA, connection=connection)
    connection.close()

    assert client.bucket.keys() == ({"a"} if done else set())


def test_stalled_clients_do_not_keep_the_proxy_from_its_end(s3: S3Server, bucket: Bucket) -> None:
    with FaultProxy(s3.port) as proxy:
        proxy.add(stall(), times=None)
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port)
        connection.request("GET", "/")
    with pytest.raises((OSError, http.client.HTTPException)):
        connection.getresponse()
    connection.close()


def test_other_bodies_and_headers(proxy: FaultProxy, client: Client) -> None:
    client.bucket.put("a", DATA)
    proxy.add(html(), "GetObject")
    proxy.add(answer(200, b"something else"), "GetObject")
    proxy.add(edit_headers(lambda pairs: [p for p in pairs if p[0].lower() != "etag"]), "HeadObject")

    assert b"<html>" in client.ask("GET", "/a").body
    assert client.ask("GET", "/a").body == b"something else"
    assert client.ask("GET", "/a").body == DATA
    looked = client.ask("HEAD", "/a")
    assert "etag" not in looked.headers
    assert looked.headers["content-length"] == str(len(DATA))


def test_rules_choose_by_key_query_header_and_number(proxy: FaultProxy, client: Client) -> None:
    refusal = refuse(500, "InternalError")
    by_key = proxy.add(refusal, "PutObject", key="^folder/", times=None)
    by_query = proxy.add(refusal, query=["prefix"], times=None)
    by_header = proxy.add(refusal, header="x-amz-checksum-", times=None)
    by_number = proxy.add(refusal, "GetObject", first=2, times=2)

    assert client.ask("PUT", "/a", DATA).status == 200
    assert client.ask("PUT", "/folder/a", DATA).status == 500
    assert client.ask("GET", "?list-type=2").status == 200
    assert client.ask("GET", "?list-type=2&prefix=x").status == 500
    assert client.ask("PUT", "/b", DATA, {"x-amz-checksum-crc32": "AAAAAA=="}).status == 500
    assert [client.ask("GET", "/a").status for _ in range(5)] == [200, 500, 500, 200, 200]
    assert [rule.met for rule in (by_key, by_query, by_header, by_number)] == [1, 1, 1, 2]

    proxy.clear()
    assert client.ask("PUT", "/folder/a", DATA).status == 200
    assert proxy.count() == 1


LISTINGS: list[tuple[Callable[[str], str], list[str]]] = [
    (without_token, ["a", "b"]),
    (as_if_complete, ["a", "b"]),
    (without_truncated, ["a", "b"]),
    (without_first, ["b", "c", "d", "e"]),
    (without_all, ["c", "d", "e"]),
    (with_first_twice, ["a", "a", "b", "c", "d", "e"]),
]


@pytest.mark.parametrize(("change", "left"), LISTINGS)
def test_listing_can_go_wrong(
    proxy: FaultProxy, client: Client, change: Callable[[str], str], left: list[str]
) -> None:
    for key in "abcde":
        client.bucket.put(key, b"")
    proxy.add(edit(change), "ListObjectsV2")
    pages = client.pages()

    assert [key for page in pages for key in keys(page)] == left
    said = {without_token: "true", as_if_complete: "false", without_truncated: ""}
    assert change not in said or tag(pages[0], "IsTruncated") == said[change]
    assert [key for page in client.pages() for key in keys(page)] == list("abcde")


def test_page_can_come_again(proxy: FaultProxy, client: Client) -> None:
    for key in "abcde":
        client.bucket.put(key, b"")
    proxy.add(replay(), "ListObjectsV2", times=3)

    assert [key for page in client.pages() for key in keys(page)][:6] == ["a", "b"] * 3


def test_clients_may_ask_whether_to_go_on(proxy: FaultProxy, bucket: Bucket) -> None:
    client = bucket.server.client(url=proxy.url)
    client.put_object(Bucket=bucket.name, Key="a", Body=DATA)
    client.close()

    assert proxy.seen[0].request.header("expect") == "100-continue"
    assert bucket.get("a") == DATA


def test_encrypted_towards_clients(s3: S3Server, bucket: Bucket, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with FaultProxy(s3.port, tls=authority.server("localhost")) as proxy:
        trusting = ssl.create_default_context(cafile=authority.file)
        connection = http.client.HTTPSConnection("localhost", proxy.port, context=trusting)
        said = Client(proxy, bucket).ask("GET", "?list-type=2", connection=connection)
        connection.close()

    assert said.status == 200


def test_proxy_can_be_spoken_to_as_a_forward_proxy(proxy: FaultProxy, bucket: Bucket, s3: S3Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port)
    connection.request("GET", f"{s3.url}/{bucket.name}?list-type=2")

    assert b"AccessDenied" in connection.getresponse().read()
    assert proxy.seen[0].operation == "ListObjectsV2"
    connection.close()
