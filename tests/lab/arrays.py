"""tests/lab/arrays.py - a file system on a file that can be frozen: whoever writes to it waits in
the kernel (state D), for as long as it likes, and no signal ends it.

    with Array(lab.dir) as array:
        array.freeze()
"""

import os

from lab import run


class Array:
    def __init__(self, folder, name="array", journal=False):
        self.image, self.place = folder / f"{name}.image", folder / name
        self.image.write_bytes(b"")
        os.truncate(self.image, 16 << 20)
        self.place.mkdir()
        self.place.chmod(0o755)
        run("mkfs.ext4", "-q", *(() if journal else ("-O", "^has_journal")), self.image)
        device = run("losetup", "--find", "--show", self.image).strip()
        # Who had this device before may have left it read-only.
        run("blockdev", "--setrw", device)
        run("mount", device, self.place)
        run("losetup", "--detach", device)  # when nothing has it mounted any more

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        """Nobody may use it any more."""
        self.thaw()
        run("umount", self.place)
        self.place.rmdir()
        self.image.unlink()

    def freeze(self):
        run("fsfreeze", "-f", self.place)

    def thaw(self):
        run("fsfreeze", "-u", self.place, check=False)


def is_in_kernel(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "D"
