"""What the targets share: how an input becomes arguments."""

__all__ = ("cuts", "text")


def cuts(first: int, second: int, data: bytes) -> list[bytes]:
    """The data in three pieces (some may be empty), cut where two octets of the input say."""
    low, high = sorted((first * len(data) // 255, second * len(data) // 255))
    return [data[:low], data[low:high], data[high:]]


def text(data: bytes) -> str:
    """A field value as a head gives it: UTF-8, with other octets as surrogates."""
    return data.decode("utf-8", "surrogateescape")
