"""Static files that a proxy, as another user of the machine, may read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class CompressedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped
    def post_process(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Set permissions of compressed copies, which WhiteNoise writes past Django."""
        for name, written, processed in super().post_process(*args, **kwargs):
            if written and not isinstance(processed, Exception):
                Path(self.path(written)).chmod(self.file_permissions_mode)
            yield name, written, processed
