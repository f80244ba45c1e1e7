"""PDFs for tests, drawn by matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from pypdf import PdfReader, PdfWriter


def pdf(*pages: str, outline: Sequence[tuple[str, int]] = (), password: str | None = None) -> bytes:
    """A PDF.

    Args:
        pages: What is on each page, line by line; a page of nothing has a drawing.
        outline: Titles with the pages, from 0, that they are on; a title in a page is on top level,
            and one that begins with a blank under the one before it.
        password: Encrypt it.
    """
    drawn = io.BytesIO()
    with PdfPages(drawn) as book:
        for page in pages:
            figure = Figure()
            for number, line in enumerate(page.split("\n")):
                figure.text(0.1, 0.9 - 0.05 * number, line)
            if not page:
                figure.add_subplot().plot([0, 1])
                figure.axes[0].set_axis_off()
            book.savefig(figure)
    writer = PdfWriter(clone_from=PdfReader(drawn))
    parent = None
    for title, place in outline:
        under = parent if title.startswith(" ") else None
        added = writer.add_outline_item(title=title.strip(), page_number=place, parent=under)
        parent = under or added
    if password is not None:
        writer.encrypt(user_password=password)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()
