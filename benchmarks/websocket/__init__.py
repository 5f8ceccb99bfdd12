"""WebSocket clients side by side: echoes, a flood of small messages, idle connections."""
