"""Where the Chinese fonts are that PDFs embed: Noto Serif CJK, as Debian's fonts-noto-cjk installs it (SIL Open Font License 1.1)."""

from __future__ import annotations

from pathlib import Path

import msgspec

from svckit.errors import Unavailable

_FOLDERS = (
    "/usr/share/fonts/opentype/noto",  # Debian, Ubuntu: fonts-noto-cjk
    "/usr/share/fonts/noto-cjk",  # Alpine, Arch: font-noto-cjk, noto-fonts-cjk
    "/usr/share/fonts/google-noto-serif-cjk-fonts",  # Fedora
)
_REGULAR, _BOLD = "NotoSerifCJK-Regular.ttc", "NotoSerifCJK-Bold.ttc"
# Faces of the collections: Japanese, Korean, simplified Chinese, Taiwan, Hong Kong.
SIMPLIFIED = 2


class Fonts(msgspec.Struct, frozen=True):
    """Finds the fonts in `folder`, or where systems install them when it is ""."""

    folder: str = ""

    def files(self) -> tuple[Path, Path]:
        """Returns the regular and the bold collection. Raises Unavailable (FONT_MISSING) saying what to install."""
        for folder in (self.folder,) if self.folder else _FOLDERS:
            regular, bold = Path(folder, _REGULAR), Path(folder, _BOLD)
            if regular.is_file() and bold.is_file():
                return regular, bold
        message = "The Chinese fonts for PDFs are not installed: install fonts-noto-cjk, or ask for the DOCX."
        raise Unavailable(message, reason="FONT_MISSING")
