#!/usr/bin/env bash
# The servers that some tests and the benchmarks need, on free loopback ports, all state in .services/.
#
#   scripts/services.sh start [NAME ...]     install where possible, start, and write .services/env; all unless named
#   scripts/services.sh require NAME ...     only make sure that the programs are there
#   scripts/services.sh list                 the names: nginx redis squid tinyproxy microsocks autobahn
#   scripts/services.sh stop                 stop what `start` started
#
# Programs come from the system's packages: as root they are installed, otherwise the script says how. What comes from
# elsewhere has a function require_NAME.
# .services/env holds NAME=value lines; tests/conftest.py reads it. Each server has a part of its own in services/:
# a function start_NAME that leaves the server's process ids in .services/NAME/*pid.
set -euo pipefail
cd "$(dirname "$0")/.."
STATE="$PWD/.services"
PATH="$PATH:/usr/sbin:/usr/local/sbin"
NAMES=(nginx redis squid tinyproxy microsocks autobahn)

say() { echo "services: $*" >&2; }

for name in "${NAMES[@]}"; do
    # shellcheck source=/dev/null
    . "scripts/services/$name.sh"
done

# A port that nobody has, and that was not handed out before: its server may not have taken it yet.
free_port() {
    local port
    while port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])') \
        && grep -qsx "$port" "$STATE/ports"; do :; done
    echo "$port" | tee -a "$STATE/ports"
}

tell() { echo "$1=$2" >> "$STATE/env"; }

program_of() {
    case "$1" in
        redis) echo redis-server ;;
        nginx | squid | tinyproxy | microsocks) echo "$1" ;;
        *) say "unknown service '$1'"; exit 2 ;;
    esac
}

package_of() {
    case "$1" in
        redis) echo redis-server ;;
        squid) echo squid-openssl ;; # the other build of it speaks no TLS
        *) echo "$1" ;;
    esac
}

require() {
    local program package
    if declare -F "require_$1" > /dev/null; then
        "require_$1"
        return
    fi
    program=$(program_of "$1")
    package=$(package_of "$1")
    command -v "$program" > /dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        say "installing $package"
        export DEBIAN_FRONTEND=noninteractive
        # RUNLEVEL keeps the package from starting a server of its own.
        { apt-get update -q && RUNLEVEL=1 apt-get install -y -q --no-install-recommends "$package"; } > /dev/null
        command -v "$program" > /dev/null && return
    fi
    say "$program is not on PATH; install it first, for example: sudo apt-get install $package"
    exit 1
}

wait_for_port() {
    python3 - "$1" <<'PYTHON'
import socket, sys, time
deadline = time.monotonic() + 60
while True:
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=1).close()
        break
    except OSError:
        if time.monotonic() > deadline:
            sys.exit("services: the server does not answer")
        time.sleep(0.02)
PYTHON
}

# A self-signed certificate for localhost, shared by the servers that speak TLS; false where there is no openssl.
certificate() {
    [ -f "$STATE/cert.pem" ] && return
    command -v openssl > /dev/null || return 1
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
        -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
        -keyout "$STATE/key.pem" -out "$STATE/cert.pem" 2> /dev/null
    # Servers that give up root must still read it.
    chmod 644 "$STATE/key.pem"
}

stop() {
    local name file pid
    for name in "${NAMES[@]}"; do
        for file in "$STATE/$name"/*pid; do
            [ -f "$file" ] || continue
            pid=$(cat "$file")
            # A stale file may name a process that is somebody else's by now.
            if grep -qa "$name" "/proc/$pid/cmdline" 2> /dev/null; then
                kill "$pid" && say "stopped $name"
                for _ in $(seq 100); do kill -0 "$pid" 2> /dev/null || break; sleep 0.05; done
            fi
        done
    done
    rm -rf "$STATE"
}

command="${1:-}"
shift || true
case "$command" in
    start)
        [ $# -gt 0 ] || set -- "${NAMES[@]}"
        for name in "$@"; do require "$name"; done
        stop
        mkdir -p "$STATE"
        for name in "$@"; do "start_$name"; done
        ;;
    require) for name in "$@"; do require "$name"; done ;;
    list) echo "${NAMES[*]}" ;;
    stop) stop ;;
    *) say "usage: $0 start [NAME ...] | require NAME ... | list | stop"; exit 2 ;;
esac
