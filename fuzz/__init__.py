"""Fuzzing: properties of whatever reads a peer's octets, and inputs that look for a counterexample.

`python -m fuzz` runs each target under atheris, which looks for inputs that reach new branches. The suites run the same
targets over their seeds and over what hypothesis makes of them, so that a property is held where atheris does not run.
"""
