# squid, a proxy with many habits: open, with a password, and over TLS. Sourced by scripts/services.sh.

squid_configuration() {
    local open="$1" closed="$2" tls="$3"
    [ "$(id -u)" = 0 ] && echo "cache_effective_user proxy"
    cat <<SQUID
pid_filename $STATE/squid/pid
cache_log $STATE/squid/cache.log
access_log none
coredump_dir $STATE/squid
cache deny all
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname localhost
http_port 127.0.0.1:$open name=open
http_port 127.0.0.1:$closed name=closed
${tls:+https_port 127.0.0.1:$tls name=tls tls-cert=$STATE/cert.pem tls-key=$STATE/key.pem}
auth_param basic program /usr/lib/squid/basic_ncsa_auth $STATE/squid/passwords
auth_param basic children 1
acl on_closed myportname closed
acl known proxy_auth REQUIRED
http_access deny on_closed !known
http_access allow all
SQUID
}

start_squid() {
    local open closed tls=""
    mkdir -p "$STATE/squid"
    chmod 777 "$STATE/squid"
    open=$(free_port)
    closed=$(free_port)
    if certificate; then tls=$(free_port); fi
    printf 'user:%s\n' "$(openssl passwd -apr1 'pass word')" > "$STATE/squid/passwords"
    squid_configuration "$open" "$closed" "$tls" > "$STATE/squid/squid.conf"
    squid -f "$STATE/squid/squid.conf"
    wait_for_port "$open"
    tell WAYFARE_SQUID_URL "http://127.0.0.1:$open"
    tell WAYFARE_SQUID_CLOSED_URL "http://user:pass%20word@127.0.0.1:$closed"
    if [ -n "$tls" ]; then
        wait_for_port "$tls"
        tell WAYFARE_SQUID_TLS_URL "https://localhost:$tls"
        tell WAYFARE_SQUID_CERTIFICATE "$STATE/cert.pem"
    fi
    say "squid answers on port $open, with a password on $closed${tls:+, with TLS on $tls}"
}
