"""What a file says foremost, for tests of readers."""

from makingof.metadata.registry import main_reading, read_records

FACTS = ("prompt", "negative", "seed", "steps", "model")


def main_of(data, name=None):
    return main_reading(read_records(data, name))


def values(reading, *names):
    return [reading.value(name) for name in names]
