"""For those who write a jar, a store or a suffix list: a store in memory, and the suites that check theirs.

Each suite takes a factory, calls it once per check for something new and empty, and raises an `AssertionError` that
names the rule that is broken.
"""

from ._checks import check_jar, check_public_suffixes, check_store
from ._memory_store import MemoryStore

__all__ = ("MemoryStore", "check_jar", "check_public_suffixes", "check_store")
