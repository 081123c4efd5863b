"""How static files are stored: under names that carry a hash of the content, with packed copies beside each."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

READERS = (Path(settings.STATIC_ROOT) / "css", Path(settings.STATIC_ROOT) / "js")


class _Packer(Compressor):
    """Brotli as well for what every reader asks for; for all of the desk's it would make the first start four
    times as long.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"use_brotli": False})
        self.thorough = Compressor(**options)

    def compress(self, path: str) -> Any:
        if Path(path).parent in READERS:
            return self.thorough.compress(path)
        return super().compress(path)


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Addresses never change under one name, and are worked out once."""

    @cached_property
    def _addresses(self) -> dict[str, str]:
        return {}

    def url(self, name: str | None, force: bool = False) -> str:
        """The address of a file; it is worked out once, since the names of a build do not change."""
        if settings.DEBUG or force or not name:
            return str(super().url(name, force))
        return self._addresses.get(name) or self._addresses.setdefault(name, str(super().url(name, force)))

    def create_compressor(self, **kwargs: Any) -> Compressor:
        return _Packer(**kwargs)
