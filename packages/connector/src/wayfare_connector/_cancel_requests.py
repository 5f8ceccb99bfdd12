"""Whose a CancelledError is: the current task's, or that of something it waits for."""

import asyncio

__all__ = ("cancel_requests",)


def cancel_requests() -> int:
    """How many requests to cancel the current task has; more than before means that it was cancelled."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
