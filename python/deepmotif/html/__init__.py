"""Self-contained pages: everything inside one file, nothing fetched, no text taken for markup. Room: html."""

from deepmotif.html.channels import channels_html
from deepmotif.html.gallery import gallery_html

__all__ = ["channels_html", "gallery_html"]
