"""
Byte-exact vectors of the archive (format.md, sections 1 to 4).

``vectors/archive.json`` never changes while the format has its version. Where the page leaves a writer no
choice, our bytes are compared with it; tar headers also with what Python's own tarfile makes of them.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import msgspec
import pytest

from pinnacle_backup.archive import manifest, tar, trailer
from pinnacle_backup.archive.members import CODECS, codec_of, codec_of_stream
from pinnacle_backup.archive.trailer import Trailer
from pinnacle_backup.errors import FormatError
from pinnacle_backup.model.entry import Entry, Extent, PageTable

VECTORS = json.loads(Path(__file__).with_name("vectors").joinpath("archive.json").read_text("utf-8"))


def cases(group: str):
    items = VECTORS[group]
    return pytest.mark.parametrize(
        "case", items, ids=[item.get("name", str(i)) for i, item in enumerate(items)]
    )


def text_of(value: str) -> str:
    return bytes.fromhex(value).decode("utf-8", "surrogateescape")


def entry_of(fields: dict) -> Entry:
    fields = dict(fields)
    for key in ("path", "target"):
        if f"{key}_hex" in fields:
            fields[key] = text_of(fields.pop(f"{key}_hex"))
    if "xattrs" in fields:
        fields["xattrs"] = {text_of(key): bytes.fromhex(value) for key, value in fields["xattrs"].items()}
    fields["extents"] = tuple(Extent(*extent) for extent in fields.get("extents", ()))
    fields["holes"] = tuple(tuple(hole) for hole in fields.get("holes", ()))
    if "pages" in fields:
        size, extents = fields["pages"]
        fields["pages"] = PageTable(size, tuple(Extent(*extent) for extent in extents))
    return Entry(**fields)


def blocks_of(packed: dict) -> bytes:
    data = bytearray(packed["length"])
    for offset, text in packed["at"].items():
        data[int(offset) : int(offset) + len(text)] = text.encode("latin-1")
    return bytes(data)


@cases("stored_members")
def test_what_is_stored_has_one_encoding(case) -> None:
    data = bytes.fromhex(case["data"]) * case["repeat"]
    for name, codec in CODECS.items():
        member = codec.store(data)
        assert (len(member), hashlib.sha256(member).hexdigest()) == (
            case[name]["length"],
            case[name]["sha256"],
        )
        assert member.startswith(bytes.fromhex(case[name]["start"]))
        assert member.endswith(bytes.fromhex(case[name]["end"]))
        assert codec.decompress(member) == data


@cases("members")
def test_members_of_any_compressor_are_read(case) -> None:
    member = bytes.fromhex(case["member"])
    assert codec_of_stream(member).decompress(member) == bytes.fromhex(case["data"])


@cases("refused_members")
def test_what_no_writer_writes_is_refused(case) -> None:
    with pytest.raises(FormatError):
        codec_of(case["codec"]).decompress(bytes.fromhex(case["member"]))


@cases("trailers")
def test_a_trailer_has_one_encoding(case) -> None:
    hashes = bytes.fromhex(case["summary_sha256"]), bytes.fromhex(case["stream_sha256"])
    wanted = Trailer(case["member"], case["stored"], case["length"], *hashes)
    for name, codec in CODECS.items():
        encoded = bytes.fromhex(case[name])
        assert wanted.encode(codec) == encoded
        assert trailer.decode(encoded, codec) == wanted
        assert trailer.trailer_size(codec) == len(encoded)


@cases("headers")
def test_tar_headers_are_these(case) -> None:
    entry = entry_of(case["entry"])
    assert tar.header(entry, case["size"], link=case["link"]) == blocks_of(case["blocks"])


@cases("headers")
def test_tarfile_understands_the_headers(case) -> None:
    entry = entry_of(case["entry"])
    blocks = io.BytesIO(blocks_of(case["blocks"]))
    with tarfile.open(fileobj=blocks, encoding="utf-8", errors="surrogateescape") as archive:
        found = archive.next()
    assert found is not None
    assert found.name == entry.path
    assert found.linkname == (case["link"] or entry.target)
    assert (found.mode, found.uid, found.gid) == (entry.mode, entry.uid, entry.gid)
    assert (found.size, found.mtime) == (case["size"], entry.mtime_ns // 10**9)
    kinds = {
        "file": found.isreg(),
        "directory": found.isdir(),
        "symlink": found.issym(),
        "fifo": found.isfifo(),
    }
    assert found.islnk() if case["link"] else kinds[entry.type]


@cases("sparse")
def test_sparse_headers_are_these(case) -> None:
    entry = entry_of(case["entry"])
    content_map = tar.sparse_map(entry.size, entry.holes)
    assert content_map == blocks_of(case["map"])
    assert tar.sparse_header(entry, len(content_map) + case["data"]) == blocks_of(case["header"])


@cases("sparse")
def test_tarfile_understands_sparse_headers(case) -> None:
    entry = entry_of(case["entry"])
    blocks = io.BytesIO(blocks_of(case["header"]) + blocks_of(case["map"]))
    with tarfile.open(fileobj=blocks) as archive:
        found = archive.next()
    assert found is not None
    assert (found.name, found.size, found.uid) == (entry.path, entry.size, entry.uid)
    assert found.mtime == entry.mtime_ns // 10**9
    assert found.issparse()
    data = sum(length for _, length in found.sparse)
    assert data == case["data"] == entry.size - sum(length for _, length in entry.holes)


@cases("manifest_headers")
def test_the_manifest_always_has_one_block_of_header(case) -> None:
    assert tar.manifest_header(case["size"]) == blocks_of(case["blocks"])
    found = tarfile.TarInfo.frombuf(blocks_of(case["blocks"]), "utf-8", "strict")
    assert (found.name, found.size, found.mode) == (tar.MANIFEST_PATH, case["size"], 0o600)


@cases("lines")
def test_manifest_lines_are_these(case) -> None:
    entry = entry_of(case["entry"])
    line = case["line"].encode()
    assert manifest.encode(entry) == line
    assert manifest.decode(line) == [entry]
    assert json.loads(line)["type"] == entry.type


def test_lines_do_not_read_differently_beside_others() -> None:
    """A line whose names are not UTF-8 leaves the lines around it, and their meaning, alone."""
    lines = b"".join(case["line"].encode() for case in VECTORS["lines"])
    assert manifest.decode(lines) == [entry_of(case["entry"]) for case in VECTORS["lines"]]


@cases("refused_lines")
def test_lines_that_nobody_writes_are_refused(case) -> None:
    line = case["line"].encode()
    with pytest.raises(FormatError):
        manifest.decode(line)
    odd = b'{"path_base64":"/w==","type":"fifo"}\n'
    with pytest.raises(FormatError):
        manifest.decode(odd + line)


def test_keys_of_a_later_minor_version_are_ignored() -> None:
    line = b'{"path":"a","later":{"x":[1,2.5,null]},"type":"fifo"}\n'
    assert manifest.decode(line) == [Entry(path="a", type="fifo")]
    assert msgspec.json.decode(line)["later"] == {"x": [1, 2.5, None]}
