"""The build of `_wayfare_frames`, the part of this package that is written in C and that it works without.

`WAYFARE_WEBSOCKET_EXTENSION` says what is wanted: `never` makes a wheel for every platform, without it; `always` fails
where it cannot be compiled, for wheels that are published; otherwise it is left out where it cannot be compiled. The
module lies beside the package and not inside of it: an editable installation has it in site-packages then, and no
compiled file ever lies among the sources.
"""

import os
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext

MODULE = "_wayfare_frames"
SOURCE = f"native/{MODULE}.c"
SWITCH = "WAYFARE_WEBSOCKET_EXTENSION"
SINCE = (3, 11)
"""The first version whose limited API has all that is used; the wheel is good for later ones too."""


class CustomBuildHook(BuildHookInterface[Any]):
    """Compiles the module, and puts it into the wheel, an editable one included."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the wheel is written. Raises: what the compiler does, where the module is wanted always."""
        wanted = os.environ.get(SWITCH, "")
        if wanted not in ("", "never", "always"):
            raise ValueError(f"{SWITCH} is {wanted!r}, neither 'never' nor 'always'")
        if wanted == "never":
            return
        self._folder = tempfile.TemporaryDirectory()
        # Free-threaded interpreters have no limited API.
        limited = not sysconfig.get_config_var("Py_GIL_DISABLED")
        try:
            built = compiled(Path(self.root), Path(self._folder.name), limited)
        except Exception as error:
            # No compiler, no headers, a platform that nobody thought of: the package does without.
            if wanted == "always":
                raise
            self.app.display_warning(f"{MODULE} is left out, large messages are slow: {error}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = wheel_tag(limited)
        build_data["force_include"][str(built)] = built.name
        build_data["force_include_editable"][str(built)] = built.name

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was compiled."""
        if self._folder is not None:
            self._folder.cleanup()


def compiled(root: Path, folder: Path, limited: bool) -> Path:
    """Compile the module into the folder, and return the file."""
    macros = [("Py_LIMITED_API", f"0x{SINCE[0]:02X}{SINCE[1]:02X}0000")] if limited else []
    extension = Extension(
        MODULE, [str(root / SOURCE)], py_limited_api=limited, define_macros=list(macros)
    )
    command = build_ext(Distribution({"name": MODULE, "ext_modules": [extension]}))
    command.build_lib = str(folder)
    command.build_temp = str(folder)
    command.ensure_finalized()
    command.run()
    (built,) = command.get_outputs()
    return Path(built)


def wheel_tag(limited: bool) -> str:
    """The interpreters and the platform that the wheel is for."""
    tag = next(sys_tags())
    if limited:
        return f"cp{SINCE[0]}{SINCE[1]}-abi3-{tag.platform}"
    return str(tag)
