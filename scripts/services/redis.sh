# Redis, without persistence. Sourced by scripts/services.sh.

start_redis() {
    local port
    mkdir -p "$STATE/redis"
    port=$(free_port)
    redis-server --port "$port" --bind 127.0.0.1 --daemonize yes --save '' --appendonly no \
        --dir "$STATE/redis" --pidfile "$STATE/redis/pid" --logfile "$STATE/redis/log" > /dev/null
    wait_for_port "$port"
    tell WAYFARE_REDIS_URL "redis://127.0.0.1:$port/0"
    say "redis answers on port $port"
}
