# nginx: files, slow and odd locations, TLS, client certificates and a Unix socket. Sourced by scripts/services.sh.

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

# A certificate for a client, signed by the servers' own.
client_certificate() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=client \
        -keyout "$STATE/nginx/client.key" -out "$STATE/nginx/client.csr" 2> /dev/null
    openssl x509 -req -in "$STATE/nginx/client.csr" -CA "$STATE/cert.pem" -CAkey "$STATE/key.pem" -CAcreateserial \
        -days 30 -out "$STATE/nginx/client.crt" 2> /dev/null
    cat "$STATE/nginx/client.crt" "$STATE/nginx/client.key" > "$STATE/nginx/client.pem"
}

nginx_configuration() {
    local port="$1" tls_port="$2" mutual_port="$3" socket="$4"
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
        ${socket:+listen unix:$socket;}
        ${tls_port:+listen 127.0.0.1:$tls_port ssl; ssl_certificate $STATE/cert.pem; ssl_certificate_key $STATE/key.pem;}
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
NGINX
    [ -z "$mutual_port" ] || cat <<NGINX
    server {
        listen 127.0.0.1:$mutual_port ssl;
        ssl_certificate $STATE/cert.pem;
        ssl_certificate_key $STATE/key.pem;
        ssl_client_certificate $STATE/cert.pem;
        ssl_verify_client on;
        location / { return 200 "hello \$ssl_client_s_dn\n"; }
    }
NGINX
    echo "}"
}

start_nginx() {
    local port tls_port="" mutual_port="" socket="$STATE/nginx/socket"
    write_nginx_files
    port=$(free_port)
    if certificate; then
        tls_port=$(free_port)
        mutual_port=$(free_port)
        client_certificate
    fi
    # The path of a socket has 107 octets at most (unix(7)); a checkout may lie deeper.
    [ ${#socket} -lt 108 ] || socket=""
    nginx_configuration "$port" "$tls_port" "$mutual_port" "$socket" > "$STATE/nginx/nginx.conf"
    nginx -p "$STATE/nginx" -c "$STATE/nginx/nginx.conf" -e "$STATE/nginx/logs/error.log"
    wait_for_port "$port"
    tell WAYFARE_NGINX_URL "http://127.0.0.1:$port"
    if [ -n "$socket" ]; then tell WAYFARE_NGINX_UNIX_URL "$socket"; fi
    if [ -n "$tls_port" ]; then
        tell WAYFARE_NGINX_TLS_URL "https://localhost:$tls_port"
        tell WAYFARE_NGINX_CERTIFICATE "$STATE/cert.pem"
        tell WAYFARE_NGINX_MUTUAL_URL "https://localhost:$mutual_port"
        tell WAYFARE_NGINX_CLIENT_CERTIFICATE "$STATE/nginx/client.pem"
    fi
    say "nginx answers on port $port${tls_port:+, with TLS on $tls_port, to client certificates on $mutual_port}"
}
