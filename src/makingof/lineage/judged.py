"""What is said of a picture in the end, apart from how that is found out."""

from enum import StrEnum


class Judged(StrEnum):
    """What was last said of a picture, by choices that were not taken back."""

    FINAL = "final"
    KEPT = "kept"
    REJECTED = "rejected"
    NEVER = "never"
