"""Self-contained pages: everything inside one file, nothing fetched, no text taken for markup. Room: html."""

from deepmotif.html.gallery import gallery_html

__all__ = ["gallery_html"]
