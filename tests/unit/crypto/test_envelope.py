"""The plain stream goes in and comes out; nothing else ever comes out."""

from __future__ import annotations

import hashlib
import os
import random
import threading

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.crypto.envelope import (
    EncryptedSink,
    EncryptedSource,
    KeyRing,
    open_plain,
    read_head,
    read_totals,
)
from pinnacle_backup.errors import DamagedError, FormatError, PasswordError, PinnacleError, UsageError

C = 16_384
START = 5_176


def pattern(length: int) -> bytes:
    return random.Random(length).randbytes(length)


@pytest.fixture(scope="module")
def small(encrypt) -> bytes:
    return encrypt(b"a small plain stream")


@pytest.fixture(scope="module")
def plain() -> bytes:
    return pattern(3 * C + 5)


@pytest.fixture(scope="module")
def archive(encrypt, plain) -> bytes:
    return encrypt(plain)


@pytest.fixture(scope="module")
def ring(password) -> KeyRing:
    return KeyRing([password])


class TestRoundTrip:
    @pytest.mark.parametrize("length", [0, 1, C - 1, C, C + 1, 5 * C, 64 * C, 130 * C + 7])
    def test_every_length_comes_back(self, encrypt, open_source, length):
        plain = pattern(length)
        archive = encrypt(plain)
        source = open_source(archive)

        assert source.size == length
        assert source.read_at(0, length) == plain
        segments = length // C + 1
        assert archive[-8:] == b"PBFOOTER"
        assert len(archive) == START + length + 16 * segments + len(encrypt(b"")) - START - 16

    @settings(max_examples=60, deadline=None)
    @given(lengths=st.lists(st.one_of(st.integers(0, 40), st.integers(C - 2, C + 2), st.integers(0, 5 * C))))
    def test_however_it_is_written_it_is_the_same(self, memory, header, totals, master_key, slot, lengths):
        plain = pattern(sum(lengths))
        files = []
        for sizes in (lengths, [len(plain)]):
            file = memory()
            sink = EncryptedSink(file, header, master_key, [slot], randomness=bytes)
            begin = 0
            for size in sizes:
                sink.write(plain[begin : begin + size])
                begin += size
            sink.finish(totals)
            files.append(file.data)

        assert files[0] == files[1]

    @settings(max_examples=40, deadline=None)
    @given(
        length=st.one_of(st.integers(0, 3 * C), st.sampled_from([C, 2 * C, 3 * C])),
        reads=st.lists(st.tuples(st.integers(0, 3 * C), st.integers(0, 3 * C)), min_size=1, max_size=20),
    )
    def test_any_part_can_be_read_in_any_order(self, encrypt, open_source, length, reads):
        plain = pattern(length)
        source = open_source(encrypt(plain))
        for offset, size in reads:
            begin = min(offset, length)
            end = min(begin + size, length)
            assert source.read_at(begin, end - begin) == plain[begin:end]

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_any_buffer_can_be_written(self, memory, header, totals, master_key, slot, open_source, kind):
        file = memory()
        sink = EncryptedSink(file, header, master_key, [slot])
        sink.write(kind(b"plain"))
        sink.finish(totals)

        assert open_source(bytes(file.data)).read_at(0, 5) == b"plain"

    def test_through_files_and_a_password(self, tmp_path, encrypt, memory, password):
        plain = pattern(3 * C)
        path = tmp_path / "backup.tar.gz.enc"
        path.write_bytes(encrypt(plain))

        assert open_plain(memory(path.read_bytes()), KeyRing([password])).read_at(0, 3 * C) == plain

    def test_a_plain_archive_passes_through(self, memory):
        source = memory(b"\x1f\x8b\x08 and so on")

        assert open_plain(source, KeyRing([])) is source


class TestSecrecy:
    def test_the_same_bytes_never_look_the_same(self, encrypt):
        """The salt is another for every archive, and so are all keys."""
        one, two = encrypt(bytes(C)), encrypt(bytes(C))

        assert one[:5_120] == two[:5_120]
        for start in range(5_120, START + C, 16):
            assert one[start : start + 16] != two[start : start + 16]

    def test_no_secret_is_shown(self, encrypt, memory, header, master_key, slot):
        source = memory(encrypt())
        head = read_head(source)
        sink = EncryptedSink(memory(), header, master_key, [slot])

        for thing in (head, slot, sink, EncryptedSource(source, head, master_key)):
            assert repr(master_key) not in repr(thing)
            assert master_key.hex() not in repr(thing)


class TestDamage:
    @pytest.fixture
    def check(self, memory, ring):
        """Do what verify does: look at everything."""

        def check(archive: bytes) -> bytes:
            source = memory(archive)
            head = read_head(source)
            head.check_slots()
            key = ring.master_key(head)
            read_totals(source, head, key)
            plain = EncryptedSource(source, head, key)
            return plain.read_at(0, plain.size)

        return check

    def test_a_sound_archive_passes(self, small, check):
        assert check(small) == b"a small plain stream"

    def test_every_flipped_byte_is_damage_and_never_a_wrong_password(self, small, check):
        for position in range(len(small)):
            damaged = bytearray(small)
            damaged[position] ^= 1 << position % 8
            with pytest.raises(DamagedError):
                check(bytes(damaged))

    def test_every_truncation_is_damage(self, small, check):
        for length in range(len(small)):
            with pytest.raises(DamagedError):
                check(small[:length])

    @pytest.mark.parametrize("more", [b"\0", b"PBFOOTER", bytes(C + 16)], ids=len)
    def test_every_extension_is_damage(self, small, check, more):
        with pytest.raises(DamagedError):
            check(small + more)

    def test_every_byte_cut_out_before_the_footer_is_damage(self, small, check):
        """The footer stands where it belongs, so only the last segment can tell."""
        for position in range(START, START + 36):
            with pytest.raises(DamagedError):
                check(small[:position] + small[position + 1 :])

    def test_a_wrong_password_is_not_damage(self, small, memory):
        with pytest.raises(PasswordError) as caught:
            open_plain(memory(small), KeyRing(["wrong"]))

        assert not isinstance(caught.value, DamagedError)

    def test_restore_goes_on_when_only_the_footer_is_damaged(self, small, open_source):
        damaged = bytearray(small)
        damaged[-100] ^= 1

        assert open_source(bytes(damaged)).read_at(0, 20) == b"a small plain stream"


class TestSegments:
    @staticmethod
    def segments(archive: bytes) -> list[bytes]:
        return [archive[START + n * (C + 16) : START + (n + 1) * (C + 16)] for n in range(3)]

    def test_segments_cannot_change_places(self, archive, open_source, plain):
        first, second, third = self.segments(archive)
        swapped = archive[:START] + second + first + third + archive[START + 3 * (C + 16) :]
        source = open_source(swapped)

        with pytest.raises(DamagedError, match="segment 0, plain offset 0"):
            source.read_at(0, 1)
        assert source.read_at(2 * C, C + 5) == plain[2 * C :]

    def test_a_segment_cannot_be_left_out_or_doubled(self, archive, open_source):
        first, second, third = self.segments(archive)
        rest = archive[START + 3 * (C + 16) :]
        for segments in (first + second, first + first + second + third, first + third + second + third):
            with pytest.raises(DamagedError):
                open_source(archive[:START] + segments + rest)

    def test_the_archive_cannot_end_with_a_whole_segment(self, archive, open_source, memory):
        """Cut at a segment boundary: the last one is whole, hence not the last one."""
        first, second, third = self.segments(archive)
        footer = archive[START + 3 * (C + 16) + 5 + 16 :]

        with pytest.raises(DamagedError, match="last segment"):
            open_source(archive[:START] + first + second + third + footer)

    def test_a_segment_of_another_archive_does_not_fit(self, encrypt, archive, open_source, plain):
        other = encrypt(plain)
        source = open_source(archive[:START] + self.segments(other)[0] + archive[START + C + 16 :])

        with pytest.raises(DamagedError, match="segment 0"):
            source.read_at(0, C)

    def test_nothing_of_a_read_with_a_damaged_segment_comes_out(self, archive, open_source, plain):
        damaged = bytearray(archive)
        damaged[START + C + 16] ^= 1
        source = open_source(bytes(damaged))

        for offset, length in ((0, len(plain)), (C - 1, 2), (C, 1), (2 * C - 1, 2)):
            with pytest.raises(DamagedError, match="segment 1, plain offset 16,384"):
                source.read_at(offset, length)
        assert source.read_at(0, C) == plain[:C]
        assert source.read_at(2 * C, C + 5) == plain[2 * C :]


class TestIdentity:
    def test_an_archive_cannot_pass_for_another(self, encrypt, open_source, header):
        """Head and slots of one backup before the segments of another."""
        other = encrypt(header=msgspec.structs.replace(header, id="aa" * 16))

        with pytest.raises(DamagedError, match="another archive's"):
            open_source(encrypt()[:5_120] + other[5_120:])

    @pytest.mark.parametrize("part", [slice(5_120, 5_144), slice(5_144, 5_176)], ids=["salt", "commitment"])
    def test_salt_and_commitment_belong_together(self, encrypt, open_source, part):
        archive, other = bytearray(encrypt()), encrypt()
        archive[part] = other[part]

        with pytest.raises(DamagedError, match="another archive's"):
            open_source(bytes(archive))

    def test_another_master_key_is_refused_before_anything_is_decrypted(self, encrypt, open_source):
        with pytest.raises(DamagedError, match="head"):
            open_source(encrypt(), bytes(32))


class TestSink:
    def test_a_batch_is_one_write(self, memory, header, totals, master_key, slot):
        file = memory()
        sink = EncryptedSink(file, header, master_key, [slot])
        for _ in range(200):
            sink.write(bytes(C))
        sink.finish(totals)
        sink.commit()

        assert file.calls == ["write"] * (1 + 4 + 1) + ["commit"]

    def test_a_buffer_may_be_used_again_after_write(
        self, memory, header, totals, master_key, slot, open_source
    ):
        file = memory()
        sink = EncryptedSink(file, header, master_key, [slot])
        buffer = bytearray(b"first")
        sink.write(buffer)
        buffer[:] = b"other"
        sink.finish(totals)

        assert open_source(bytes(file.data)).read_at(0, 5) == b"first"

    def test_what_is_checked_is_the_archive_as_stored(self, memory, header, totals, master_key, slot):
        file = memory()
        sink = EncryptedSink(file, header, master_key, [slot])
        sink.finish(totals)

        sink.check(hashlib.sha256(file.data).hexdigest())
        with pytest.raises(DamagedError):
            sink.check(hashlib.sha256(b"").hexdigest())

    def test_an_unfinished_archive_is_not_committed(self, memory, header, master_key, slot):
        file = memory()
        sink = EncryptedSink(file, header, master_key, [slot])

        with pytest.raises(PinnacleError, match="only after its last segment"):
            sink.commit()
        assert "commit" not in file.calls
        sink.abort()
        assert file.calls[-1] == "abort"

    def test_nothing_follows_the_last_segment(self, memory, header, totals, master_key, slot):
        sink = EncryptedSink(memory(), header, master_key, [slot])
        sink.finish(totals)

        with pytest.raises(PinnacleError):
            sink.write(b"more")
        with pytest.raises(PinnacleError):
            sink.finish(totals)

    @pytest.mark.parametrize("count", [0, 9])
    def test_there_are_one_to_eight_slots(self, memory, header, master_key, slot, count):
        with pytest.raises(UsageError, match="one to 8"):
            EncryptedSink(memory(), header, master_key, [slot] * count)

    def test_an_empty_slot_stays_where_it_is(self, memory, header, master_key, slot, totals):
        file = memory()
        sink = EncryptedSink(file, header, master_key, [None, slot])
        sink.finish(totals)

        assert read_head(file).slots[:3] == (None, slot, None)


class TestSource:
    def test_small_reads_one_after_the_other_read_the_file_once(self, encrypt, memory, master_key):
        plain = pattern(4 * C)
        file = memory(encrypt(plain))
        source = EncryptedSource(file, read_head(file), master_key)
        file.calls.clear()

        assert b"".join(source.read_at(offset, 512) for offset in range(0, 4 * C, 512)) == plain
        assert len(file.calls) == 4

    def test_a_read_that_goes_on_where_another_stopped_decrypts_only_what_is_new(
        self, encrypt, memory, master_key
    ):
        plain = pattern(4 * C)
        file = memory(encrypt(plain))
        source = EncryptedSource(file, read_head(file), master_key)
        source.read_at(0, C + 100)
        file.calls.clear()

        assert source.read_at(C + 100, 2 * C) == plain[C + 100 : 3 * C + 100]
        assert file.calls == [f"read {START + 2 * (C + 16)} {2 * (C + 16)}"]

    @pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, -1), (0, 13), (12, 1), (13, 0), (2**70, 1)])
    def test_what_is_not_there_cannot_be_read(self, encrypt, open_source, offset, length):
        with pytest.raises(DamagedError, match="are wanted"):
            open_source(encrypt(b"plain stream")).read_at(offset, length)

    def test_nothing_can_be_read_anywhere(self, encrypt, open_source):
        source = open_source(encrypt(bytes(2 * C)))

        assert [source.read_at(offset, 0) for offset in (0, 5, C, 2 * C)] == [b""] * 4

    def test_closing_closes_the_archive(self, encrypt, memory, master_key):
        file = memory(encrypt())
        EncryptedSource(file, read_head(file), master_key).close()

        assert file.calls[-1] == "close"

    def test_threads_may_share_it(self, encrypt, open_source):
        plain = os.urandom(8 * C)
        source = open_source(encrypt(plain))
        wrong: list[int] = []

        def read(seed: int) -> None:
            choose = random.Random(seed)
            for _ in range(300):
                offset = choose.randrange(8 * C)
                length = min(choose.choice([1, 500, C, 3 * C]), 8 * C - offset)
                if source.read_at(offset, length) != plain[offset : offset + length]:
                    wrong.append(offset)

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert wrong == []


def test_format_errors_are_damage():
    """Callers that tell a wrong password from damage need one question only."""
    assert issubclass(FormatError, DamagedError)
    assert not issubclass(PasswordError, DamagedError)
