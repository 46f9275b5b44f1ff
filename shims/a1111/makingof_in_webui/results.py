"""Which of a job's pictures is what: results, grids, masks, control maps, steps on the way."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .host import Host
from .pictures import Copies, Picture, is_image, text_of


@dataclass
class Result:
    """What the host told when a job ended, in values taken at that moment."""

    images: "list[Any]"
    first: int  # grids come before the first picture
    infotexts: "list[str]"
    masks: "tuple[str, ...]"  # what follows each picture
    extra: str  # what pictures are that follow all of them
    processed: Any  # to see what other extensions add right after us
    copies: "dict[int, Picture]" = field(default_factory=dict)  # place among the images → what no file holds


def result_of(p: Any, processed: Any, saved: "list[Picture]", host: Host, copies: Copies) -> Result:
    """Take what a job gave. What was not saved is copied now: others go on to draw on it."""
    images = [image for image in list(getattr(processed, "images", None) or ()) if is_image(image)]
    infotexts = [str(text) for text in getattr(processed, "infotexts", None) or ()]
    first = getattr(processed, "index_of_first_image", 0)
    has_masks = getattr(p, "mask_for_overlay", None) is not None
    masks = [
        name
        for option, name in (("return_mask", "mask"), ("return_mask_composite", "mask-composite"))
        if has_masks and host.option(option)
    ]
    extra = getattr(p, "extra_generation_params", None)
    has_control = isinstance(extra, dict) and any(str(name).startswith("ControlNet") for name in extra)
    result = Result(
        images,
        first if isinstance(first, int) and 0 <= first <= len(images) else 0,
        infotexts,
        tuple(masks),
        "control" if has_control else "preview",
        processed,
    )
    in_files = {id(picture.image) for picture in saved}
    for number, image in enumerate(images):
        if id(image) not in in_files:
            result.copies[number] = copies.take(image)
    return result


def added_since(result: Result) -> "list[Any]":
    """Return images that were put behind the others since the job was told to have ended."""
    now = list(getattr(result.processed, "images", None) or ())
    known = len(result.images)
    is_same = len(now) > known and all(a is b for a, b in zip(result.images, now, strict=False))
    return [image for image in now[known:] if is_image(image)] if is_same else []


def name_pictures(result: Result, saved: "list[Picture]", host: Host) -> "list[Picture]":
    """Return every picture of a job with its role: the host's results in its order, then what else it saved.

    A saved picture is known among the results because it is the very same object.
    """
    by_image: dict[int, list[Picture]] = {}
    for picture in saved:
        by_image.setdefault(id(picture.image), []).append(picture)
    named = []
    for number, (role, what, at) in enumerate(_roles(result)):
        files = by_image.get(id(result.images[number]))
        picture = files.pop(0) if files else result.copies.pop(number, None)
        if picture is not None:
            picture.role, picture.what, picture.number = role, what, at
            if role in ("output", "grid"):
                place = 0 if role == "grid" else result.first + (at or 0)
                picture.infotext = picture.infotext or _item(result.infotexts, place)
            named.append(picture)
    for picture in (picture for files in by_image.values() for picture in files):
        if host.is_grid_folder(picture.path) and looks_like_grid(picture, host):
            picture.role, picture.what = "grid", "grid"
        elif host.is_in(picture.path, "outdir_init_images"):
            picture.role, picture.what = "init", "init-image"
        elif not picture.what:
            picture.role, picture.what = "preview", "saved besides the results"
        named.append(picture)
    return named


def looks_like_grid(picture: Picture, host: Host) -> bool:
    """Tell a grid from a picture where both go to one folder: the host begins a grid's name with a word."""
    if not host.is_in(picture.path, "outdir_samples", "outdir_txt2img_samples", "outdir_img2img_samples"):
        return True
    name = picture.path.name.lower()
    return name.startswith(("grid", "xyz_grid", "xy_grid", "prompt_matrix"))


def _roles(result: Result) -> "Iterator[tuple[str, str, int | None]]":
    """Yield role, name and number of every image: grids, each picture with its masks, what is extra."""
    yield from ((("grid", "grid", None),) * result.first)
    rest = result.images[result.first :]
    told = max(len(result.infotexts) - result.first, 0) or len(rest)
    pattern = ("", *result.masks)
    if len(rest) < told * len(pattern):
        pattern = ("",)  # masks were wanted and not given
    for number in range(len(rest)):
        at, kind = divmod(number, len(pattern))
        if at >= told:
            yield result.extra, "added by an extension", None
        elif kind == 0:
            yield "output", "", at
        else:
            yield ("mask" if pattern[kind] == "mask" else "preview"), pattern[kind], at


def _item(values: "list[str]", place: int) -> "str | None":
    return values[place] if 0 <= place < len(values) else None


def copy_added(result: Result, copies: Copies) -> "list[Picture]":
    """Take what other extensions added to the results after us."""
    added = [copies.take(image) for image in added_since(result)]
    for picture in added:
        picture.role, picture.what, picture.infotext = (
            result.extra,
            "added by an extension",
            text_of(picture.image),
        )
    return added
