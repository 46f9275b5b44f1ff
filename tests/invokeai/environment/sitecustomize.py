"""Lets torchvision be imported beside a CPU build of torch.

torchvision's wheel is built against CUDA: its compiled operators do not load beside a torch
without, and its import then fails on two operators that are not declared. Declared and
never called, they let all the rest of it work. Python runs this module at its start.
"""

import sys
from importlib.abc import MetaPathFinder

_kept = []  # a library that is dropped takes its declarations with it


class _Declaring(MetaPathFinder):
    """Declares the operators when torchvision is first looked for; finds nothing itself."""

    def find_spec(self, fullname, *_where):
        if fullname == "torchvision" and not _kept:
            import torch  # noqa: PLC0415 - only a program that wants torchvision pays for it

            _kept.append(None)
            if torch.version.cuda is None:
                library = torch.library.Library("torchvision", "DEF")
                for name in ("nms", "qnms"):
                    library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
                _kept.append(library)


sys.meta_path.insert(0, _Declaring())
