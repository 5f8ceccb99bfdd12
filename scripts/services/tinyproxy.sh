# tinyproxy, a proxy with few habits: open, and with a password. Sourced by scripts/services.sh.

run_tinyproxy() {
    local port="$1" name="$2"
    {
        echo "Port $port"
        echo "Listen 127.0.0.1"
        echo "PidFile \"$STATE/tinyproxy/$name.pid\""
        echo "LogFile \"$STATE/tinyproxy/$name.log\""
        echo "MaxClients 100"
        echo "Timeout 60"
        if [ "$name" = closed ]; then echo "BasicAuth user password"; fi
    } > "$STATE/tinyproxy/$name.conf"
    tinyproxy -c "$STATE/tinyproxy/$name.conf"
    wait_for_port "$port"
}

start_tinyproxy() {
    local open closed
    mkdir -p "$STATE/tinyproxy"
    open=$(free_port)
    run_tinyproxy "$open" open
    closed=$(free_port)
    run_tinyproxy "$closed" closed
    tell WAYFARE_TINYPROXY_URL "http://127.0.0.1:$open"
    tell WAYFARE_TINYPROXY_CLOSED_URL "http://user:password@127.0.0.1:$closed"
    say "tinyproxy answers on port $open, with a password on $closed"
}
