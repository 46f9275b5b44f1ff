"""OpenRaster after its specification."""

from xml.sax.saxutils import quoteattr

from PIL import Image
from tests.documents.drawing import DRAWING, HEIGHT, WIDTH, Drawn, merged, png
from tests.documents.zipped import write_zip


def write_ora(layers=DRAWING, extra=(), *, without=()) -> bytes:
    members = [
        ("mimetype", b"image/openraster"),
        ("stack.xml", stack(layers).encode()),
        *((f"data/{drawn.id}.png", _picture(drawn)) for drawn in _leaves(layers)),
        *extra,
        ("mergedimage.png", png(merged())),
        ("Thumbnails/thumbnail.png", png(merged().resize((48, 40)))),
    ]
    return write_zip([member for member in members if member[0] not in without])


def stack(layers=DRAWING) -> str:
    inner = "".join(map(_node, layers))
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        f'<image version="0.0.6" w="{WIDTH}" h="{HEIGHT}" xres="72" yres="72"><stack>{inner}</stack></image>'
    )


def _node(drawn: Drawn) -> str:
    said = f'name={quoteattr(drawn.name)} opacity="{drawn.opacity / 255:.4f}" composite-op="svg:src-over"'
    if not drawn.visible:
        said += ' visibility="hidden"'
    if drawn.children is not None:
        return f"<stack {said}>{''.join(map(_node, drawn.children))}</stack>"
    return f'<layer {said} x="{drawn.at[0]}" y="{drawn.at[1]}" src="data/{drawn.id}.png"/>'


def _leaves(layers):
    for drawn in layers:
        if drawn.children is None:
            yield drawn
        else:
            yield from _leaves(drawn.children)


def _picture(drawn: Drawn) -> bytes:
    return png(Image.frombytes("RGBA", drawn.size, drawn.pixels()))
