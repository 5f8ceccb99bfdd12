"""One target under atheris, in a process of its own: libFuzzer ends it with an exit of its own.

python -m fuzz.engine NAME [libFuzzer's arguments] [folders of inputs]
"""

import importlib
import sys

INSTRUMENTED = ["wayfare_http_core", "wayfare_cookies"]


def main() -> None:
    """Fuzz; never returns."""
    name = sys.argv.pop(1)
    # By name: the types of atheris are known only where it is installed.
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=INSTRUMENTED):
        targets = importlib.import_module("fuzz.targets")
    atheris.Setup(sys.argv, targets.TARGETS[name].check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
