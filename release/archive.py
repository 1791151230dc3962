"""Archives with equal bytes for equal content: sorted names, one time, no owner, fixed modes."""

import gzip
import io
import os
import tarfile
from collections.abc import Mapping
from typing import Final

_EARLIEST: Final = 315_532_800  # 1980-01-01, the first time that a zip file can hold
_MODE: Final = 0o644
_EXECUTABLE: Final = 0o755


def epoch() -> int:
    """The time that archives carry, in seconds: SOURCE_DATE_EPOCH, at least 1980."""
    return max(_EARLIEST, int(os.environ.get("SOURCE_DATE_EPOCH") or 0))


def tar_gz(members: Mapping[str, bytes], executable: frozenset[str] = frozenset()) -> bytes:
    """A compressed tar archive of `members`, name -> content."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(members):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(members[name]), epoch()
            entry.mode = _EXECUTABLE if name in executable else _MODE
            archive.addfile(entry, io.BytesIO(members[name]))
    return gzip.compress(plain.getvalue(), compresslevel=9, mtime=epoch())
