"""yoke disk init: what may be missed stays, byte for byte, unless --force says otherwise."""

import struct
import subprocess

import pytest

from test_check import PLATTER
from test_cli import environment, yoke

SIZE = 4 * 1024 * 1024
REISERFS_AT = 64 * 1024
# A libblkid that cannot read the device.
FAILING = "int blkid_do_safeprobe(void *probe) { (void)probe; return -1; }\n"


@pytest.fixture
def disk(place):
    """A file, and a cluster that it may become a disk of."""
    key, file = place / "key", place / "disk"
    key.touch(0o600)
    key.write_text("00" * 32 + "\n")
    (place / "yoke.conf").write_text(PLATTER.format(key=key, device=file, name="alpha",
                                                    dead_ms=1000, interval_ms=200))
    file.write_bytes(bytes(SIZE))
    return file


def init(disk, *arguments, **more):
    return yoke("disk", "init", str(disk), *arguments,
                env=environment(YOKE_CONF=str(disk.parent / "yoke.conf"), **more))


def refused(disk, why, **more):
    """Nothing was written; and --force does it."""
    before, written_at = disk.read_bytes(), disk.stat().st_mtime_ns
    done = init(disk, **more)
    assert done.returncode == 1, done.stdout
    assert done.stderr == f"yoke: {disk}: {why}\n"
    assert disk.read_bytes() == before and disk.stat().st_mtime_ns == written_at
    done = init(disk, "--force", **more)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{disk} is a disk of cluster shop now")
    assert disk.read_bytes() != before


def make_ext4(disk):
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", disk], check=True, capture_output=True,
                   timeout=10)


def add_reiserfs(disk):
    """As much of its superblock as libblkid looks at."""
    with disk.open("r+b") as file:
        for offset, data in ((12, struct.pack("<I", 1000)), (44, struct.pack("<H", 4096)),
                             (52, b"ReIsEr2Fs")):
            file.seek(REISERFS_AT + offset)
            file.write(data)


def test_an_empty_one_is_made(disk):
    done = init(disk)
    assert done.returncode == 0, done.stderr
    assert disk.read_bytes()[:4] == b"YOKD"


def test_a_file_system_is_refused(disk):
    make_ext4(disk)
    refused(disk, "holds ext4: --force overwrites it")


def test_a_partition_table_is_refused(disk):
    entry = struct.pack("<B3xB3xII", 0, 0x83, 64, 1024)
    with disk.open("r+b") as file:
        file.seek(446)
        file.write(entry + bytes(48) + b"\x55\xaa")
    refused(disk, "holds dos: --force overwrites it")


def test_two_file_systems_are_refused(disk):
    """None of them is the one that it holds for sure."""
    make_ext4(disk)
    add_reiserfs(disk)
    refused(disk, "holds more than one thing ('wipefs' lists them): --force overwrites it")


def test_what_cannot_be_told_is_refused(disk, place):
    (place / "failing.c").write_text(FAILING)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", place / "failing.so", place / "failing.c"],
                   check=True, timeout=60)
    refused(disk, "holds something that cannot be read: --force overwrites it",
            LD_PRELOAD=str(place / "failing.so"))


def test_a_disk_of_a_cluster_is_refused(disk):
    assert init(disk).returncode == 0
    refused(disk, "is a disk of a cluster already: --force makes it anew, while no node runs")
