#!/usr/bin/env bash
# The servers that some tests and the benchmarks need, on free loopback ports, all state in .services/.
#
#   scripts/services.sh start [nginx] [redis]   install where possible, start, and write .services/env
#   scripts/services.sh require nginx           only make sure that the program is there
#   scripts/services.sh stop                    stop what `start` started
#
# Programs come from the system's packages: as root they are installed, otherwise the script says how.
# .services/env holds NAME=value lines; tests/conftest.py reads it.
set -euo pipefail
cd "$(dirname "$0")/.."
STATE="$PWD/.services"
PATH="$PATH:/usr/sbin:/usr/local/sbin"

say() { echo "services: $*" >&2; }

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

program_of() { case "$1" in nginx) echo nginx ;; redis) echo redis-server ;; *) say "unknown service '$1'"; exit 2 ;; esac; }
package_of() { case "$1" in nginx) echo nginx ;; redis) echo redis-server ;; esac; }

require() {
    local program package
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
deadline = time.monotonic() + 10
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

write_nginx_files() {
    local www="$STATE/nginx/www"
    mkdir -p "$www/upload" "$STATE/nginx/logs" "$STATE/nginx/tmp"
    python3 - "$www" <<'PYTHON'
import hashlib, pathlib, sys
www = pathlib.Path(sys.argv[1])
def octets(count):
    blocks = (hashlib.sha256(str(n).encode()).digest() for n in range(count // 32))
    return b"".join(blocks)
(www / "1k.bin").write_bytes(octets(1024))
(www / "1m.bin").write_bytes(octets(1024 * 1024))
(www / "words.txt").write_text("the quick brown fox jumps over the lazy dog\n" * 2000)
PYTHON
    printf 'user:{PLAIN}secret\n' > "$STATE/nginx/htpasswd"
}

write_certificate() {
    command -v openssl > /dev/null || return 1
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
        -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
        -keyout "$STATE/nginx/key.pem" -out "$STATE/nginx/cert.pem" 2> /dev/null
}

nginx_configuration() {
    local port="$1" tls_port="$2"
    [ "$(id -u)" = 0 ] && echo "user root;"
    cat <<NGINX
worker_processes 1;
pid $STATE/nginx/pid;
error_log $STATE/nginx/logs/error.log;
events { worker_connections 4096; }
http {
    access_log off;
    types { text/plain txt; }
    default_type application/octet-stream;
    client_body_temp_path $STATE/nginx/tmp/body;
    proxy_temp_path $STATE/nginx/tmp/proxy;
    fastcgi_temp_path $STATE/nginx/tmp/fastcgi;
    uwsgi_temp_path $STATE/nginx/tmp/uwsgi;
    scgi_temp_path $STATE/nginx/tmp/scgi;
    client_max_body_size 0;
    keepalive_requests 1000000;
    server {
        listen 127.0.0.1:$port;
        ${tls_port:+listen 127.0.0.1:$tls_port ssl; ssl_certificate $STATE/nginx/cert.pem; ssl_certificate_key $STATE/nginx/key.pem;}
        root $STATE/nginx/www;
        location = / { return 200 "wayfare\n"; }
        location /files/ { alias $STATE/nginx/www/; }
        location /gzip/ { alias $STATE/nginx/www/; gzip on; gzip_types *; gzip_min_length 0; }
        location /close/ { alias $STATE/nginx/www/; keepalive_timeout 0; }
        location /few/ { alias $STATE/nginx/www/; keepalive_requests 2; }
        location /private/ { alias $STATE/nginx/www/; auth_basic "files"; auth_basic_user_file $STATE/nginx/htpasswd; }
        location /moved/ { return 302 /files/1k.bin; }
        location /upload/ { dav_methods PUT DELETE; }
    }
}
NGINX
}

start_nginx() {
    local port tls_port=""
    write_nginx_files
    port=$(free_port)
    if write_certificate; then tls_port=$(free_port); fi
    nginx_configuration "$port" "$tls_port" > "$STATE/nginx/nginx.conf"
    nginx -p "$STATE/nginx" -c "$STATE/nginx/nginx.conf" -e "$STATE/nginx/logs/error.log"
    wait_for_port "$port"
    echo "WAYFARE_NGINX_URL=http://127.0.0.1:$port" >> "$STATE/env"
    if [ -n "$tls_port" ]; then
        echo "WAYFARE_NGINX_TLS_URL=https://localhost:$tls_port" >> "$STATE/env"
        echo "WAYFARE_NGINX_CERTIFICATE=$STATE/nginx/cert.pem" >> "$STATE/env"
    fi
    say "nginx answers on port $port${tls_port:+, with TLS on $tls_port}"
}

start_redis() {
    local port
    mkdir -p "$STATE/redis"
    port=$(free_port)
    redis-server --port "$port" --bind 127.0.0.1 --daemonize yes --save '' --appendonly no \
        --dir "$STATE/redis" --pidfile "$STATE/redis/pid" --logfile "$STATE/redis/log" > /dev/null
    wait_for_port "$port"
    echo "WAYFARE_REDIS_URL=redis://127.0.0.1:$port/0" >> "$STATE/env"
    say "redis answers on port $port"
}

stop() {
    local name pid
    for name in nginx redis; do
        [ -f "$STATE/$name/pid" ] || continue
        pid=$(cat "$STATE/$name/pid")
        # A stale file may name a process that is somebody else's by now.
        if grep -qa "$name" "/proc/$pid/cmdline" 2> /dev/null; then
            kill "$pid" && say "stopped $name"
            for _ in $(seq 100); do kill -0 "$pid" 2> /dev/null || break; sleep 0.05; done
        fi
    done
    rm -rf "$STATE"
}

command="${1:-}"
shift || true
case "$command" in
    start)
        [ $# -gt 0 ] || set -- nginx redis
        for name in "$@"; do require "$name"; done
        stop
        mkdir -p "$STATE"
        for name in "$@"; do "start_$name"; done
        ;;
    require) for name in "$@"; do require "$name"; done ;;
    stop) stop ;;
    *) say "usage: $0 start [nginx] [redis] | require NAME | stop"; exit 2 ;;
esac
