"""How static files are stored: under names that carry a hash of the content, with a gzip copy beside each."""

from __future__ import annotations

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Without Brotli copies: they make the first start four times as long, for files a browser asks for once."""

    def create_compressor(self, **kwargs: Any) -> Compressor:
        return Compressor(**kwargs | {"use_brotli": False})
