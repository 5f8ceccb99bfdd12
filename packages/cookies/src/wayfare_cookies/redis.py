"""A cookie store in Redis: for the processes of many machines. Needs the extra `redis`."""

import sys
from collections.abc import Sequence
from secrets import token_hex
from types import TracebackType
from typing import Any, Self, final

from redis import Redis
from redis.exceptions import RedisError

from ._errors import StoreUnavailableError
from ._records import FORGET_AFTER, read_change, write_cookie, write_identity
from ._store import Change, Changes, CookieStore, Revision

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("RedisStore",)

TIMEOUT = 5.0
"""Seconds to wait for a server that `from_url` was given, when connecting and for each answer."""

# Four keys: the state; identity -> "stamp\ncookie"; identities by revision; identities by the time to forget them.
# The scripts run alone in the server: a change is made whole or not at all, and all clocks are the server's.
_APPLY = """
local state, records, revisions, purges = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
now = math.max(now, tonumber(redis.call('HGET', state, 'clock') or '0'))
redis.call('HSETNX', state, 'store', ARGV[1])
redis.call('HSET', state, 'clock', string.format('%.6f', now))
local revision = redis.call('HINCRBY', state, 'revision', 1)
local forget = tonumber(ARGV[2])
for at = 3, #ARGV, 4 do
  local identity, stamp, expires, cookie = ARGV[at], now - tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3]
  local old = redis.call('HGET', records, identity)
  if not old or tonumber(string.match(old, '^[^\\n]*')) <= stamp then
    redis.call('HSET', records, identity, string.format('%.6f', stamp) .. '\\n' .. cookie)
    redis.call('ZADD', revisions, revision, identity)
    if cookie == '' then
      redis.call('ZADD', purges, string.format('%.6f', stamp + forget), identity)
    elseif expires ~= '' then
      redis.call('ZADD', purges, string.format('%.6f', math.max(stamp, tonumber(expires)) + forget), identity)
    else
      redis.call('ZREM', purges, identity)
    end
  end
end
for _, identity in ipairs(redis.call('ZRANGEBYSCORE', purges, '-inf', string.format('%.6f', now))) do
  local number = tonumber(redis.call('ZSCORE', revisions, identity))
  if number > tonumber(redis.call('HGET', state, 'forgotten') or '0') then
    redis.call('HSET', state, 'forgotten', number)
  end
  redis.call('HDEL', records, identity)
  redis.call('ZREM', revisions, identity)
  redis.call('ZREM', purges, identity)
end
"""
# A revision that is ahead of the state means that the server lost writes (it was put back from a copy, or a replica
# took over): what its readers know is not in it, so it is another store now.
_READ = """
local state, records, revisions = KEYS[1], KEYS[2], KEYS[3]
redis.call('HSETNX', state, 'store', ARGV[1])
local store = redis.call('HGET', state, 'store')
local revision = tonumber(redis.call('HGET', state, 'revision') or '0')
local number = tonumber(ARGV[3])
if ARGV[2] == store and number > revision then
  store = ARGV[1]
  redis.call('HSET', state, 'store', store)
end
local known = ARGV[2] == store and number >= tonumber(redis.call('HGET', state, 'forgotten') or '0')
local identities
if known then
  identities = redis.call('ZRANGEBYSCORE', revisions, '(' .. number, '+inf')
else
  identities = redis.call('HKEYS', records)
end
local answer = {store, revision, known and 1 or 0}
for _, identity in ipairs(identities) do
  local cookie = string.match(redis.call('HGET', records, identity), '\\n(.*)$')
  if known or cookie ~= '' then
    answer[#answer + 1] = identity
    answer[#answer + 1] = cookie
  end
end
return answer
"""


@final
class RedisStore(CookieStore):
    """Cookies in four keys of a Redis server (5.0 or later), safe for several threads, processes and machines.

    client: a `redis.Redis`, which stays yours to configure and to close.
    name: the beginning of the keys; jars that share cookies share it.
    forget_after: seconds for which removals are remembered.

    The clock is the server's. The keys have one hash tag, so that a cluster keeps them together.
    """

    def __init__(
        self,
        client: Redis,
        *,
        name: str = "wayfare-cookies",
        forget_after: float = FORGET_AFTER,
    ) -> None:
        self._client = client
        self._owned = False
        self._forget_after = forget_after
        self._keys = [f"{{{name}}}:{key}" for key in ("state", "records", "revisions", "purges")]
        self._apply = client.register_script(_APPLY)
        self._read = client.register_script(_READ)

    @classmethod
    def from_url(
        cls, url: str, *, name: str = "wayfare-cookies", forget_after: float = FORGET_AFTER
    ) -> "RedisStore":
        """A store on the server of a `redis://`, `rediss://` or `unix://` URL, with its own client."""
        client = Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
        store = cls(client, name=name, forget_after=forget_after)
        store._owned = True
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the client, if `from_url` made it."""
        if self._owned:
            self._client.close()

    @override
    def changes_since(self, revision: Revision | None) -> Changes:
        known = ("", -1) if revision is None else (revision.store, revision.number)
        answer = self._run(self._read, [token_hex(8), *known])
        store, number, incremental, *rest = (_text(one) for one in answer)
        changes = tuple(map(read_change, rest[::2], rest[1::2]))
        read = Revision(store, int(number))  # Y1: the script made the number
        return Changes(read, changes, complete=incremental == "0")

    @override
    def apply(self, changes: Sequence[Change]) -> None:
        arguments: list[str] = [token_hex(8), repr(self._forget_after)]
        for change in changes:
            expires = None if change.cookie is None else change.cookie.expires
            arguments += (
                write_identity(change.identity),
                repr(change.age),
                "" if expires is None else repr(expires),
                write_cookie(change.cookie),
            )
        self._run(self._apply, arguments)

    def _run(self, script: Any, arguments: Sequence[object]) -> Any:
        try:
            return script(keys=self._keys, args=arguments)
        except (RedisError, OSError) as error:
            raise StoreUnavailableError(f"the cookie store in Redis: {error}") from error


def _text(value: object) -> str:
    """An answer as text, whether the client decodes or not."""
    return value.decode("ascii") if isinstance(value, bytes) else str(value)
