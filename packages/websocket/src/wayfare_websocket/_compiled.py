"""What costs time for each octet or for each frame: written in C where that was built, in Python elsewhere.

Both do the same; the tests hold one against the other. The C module lies beside this package, not inside of it:
`hatch_build.py` says why.
"""

__all__ = ("encode_frame", "mask_payload", "read_whole")

try:
    from _wayfare_frames import encode_frame, mask_payload, read_whole
except ImportError:
    from ._frames import encode_frame
    from ._masking import mask_payload
    from ._whole_messages import read_whole
