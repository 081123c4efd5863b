"""How static files are stored: under names that carry a hash of the content, with a gzip copy beside each."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.conf import settings
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Without Brotli copies: they make the first start four times as long, for files a browser asks for once."""

    @cached_property
    def _addresses(self) -> dict[str, str]:
        return {}

    def url(self, name: str | None, force: bool = False) -> str:
        """The address of a file; it is worked out once, since the names of a build do not change."""
        if settings.DEBUG or force or not name:
            return str(super().url(name, force))
        return self._addresses.get(name) or self._addresses.setdefault(name, str(super().url(name, force)))

    def create_compressor(self, **kwargs: Any) -> Compressor:
        return Compressor(**kwargs | {"use_brotli": False})
