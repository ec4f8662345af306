"""The papers of a dispute (agreement_form.yaml) as PDF and DOCX: what stands on them is composed once, and set twice.

`compose` (pure) turns a dispute into a Sheet of blocks; `render` sets it. Fonts are those of Debian's fonts-noto-cjk (Noto Serif CJK,
SIL Open Font License 1.1, which allows embedding); a PDF carries the glyphs it uses, a DOCX names 宋体 and is set by its reader.
"""

from mediation.papers.contents import compose
from mediation.papers.fonts import Fonts
from mediation.papers.rendering import File, print_cards, render
from mediation.papers.sheet import Sheet

__all__ = ["File", "Fonts", "Sheet", "compose", "print_cards", "render"]
