# microsocks, a SOCKS 5 server: open, and with a password. Sourced by scripts/services.sh.

run_microsocks() {
    local port="$1" name="$2"
    shift 2
    # It knows no way to become a daemon.
    nohup microsocks -i 127.0.0.1 -p "$port" "$@" > /dev/null 2>&1 < /dev/null &
    echo $! > "$STATE/microsocks/$name.pid"
    wait_for_port "$port"
}

start_microsocks() {
    local open closed
    mkdir -p "$STATE/microsocks"
    open=$(free_port)
    run_microsocks "$open" open
    closed=$(free_port)
    run_microsocks "$closed" closed -u user -P password
    tell WAYFARE_MICROSOCKS_URL "socks5://127.0.0.1:$open"
    tell WAYFARE_MICROSOCKS_CLOSED_URL "socks5://user:password@127.0.0.1:$closed"
    say "microsocks answers on port $open, with a password on $closed"
}
