"""Forms, where applications look for them."""

from wayfare_multipart import FormData

__all__ = ("FormData",)
