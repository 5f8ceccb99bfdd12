# The fuzzing server of the Autobahn test suite, which tries WebSocket clients. Sourced by scripts/services.sh.
#
# It runs under CPython 2.7 alone: the releases for Python 3 install, and do not start. So it is installed into an
# environment of its own, .cache/autobahn, where a python2.7 is on PATH or among pyenv's. The versions are the newest that
# still work there, and the order is the one in which their builds find each other.

AUTOBAHN="$PWD/.cache/autobahn"

autobahn_interpreter() {
    local found
    for found in "$(command -v python2.7 || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7*/bin/python2.7; do
        # A shim of pyenv is on PATH and starts nothing.
        if [ -n "$found" ] && "$found" -c 'import ssl' > /dev/null 2>&1; then
            echo "$found"
            return
        fi
    done
    return 1
}

install_autobahn() {
    local pip="$AUTOBAHN/python2/bin/pip"
    # The workspace's own pins are for Python 3.
    unset PIP_CONSTRAINT UV_CONSTRAINT
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_PYTHON_VERSION_WARNING=1
    rm -rf "$AUTOBAHN"
    python3 -m venv "$AUTOBAHN/tools" &&
        # The last virtualenv that makes environments of Python 2.
        "$AUTOBAHN/tools/bin/python" -m pip install -q virtualenv==20.15.1 &&
        "$AUTOBAHN/tools/bin/virtualenv" -q -p "$1" "$AUTOBAHN/python2" &&
        "$pip" install -q --no-build-isolation incremental==16.10.1 six==1.16.0 &&
        "$pip" install -q --no-build-isolation txaio==2.1.0 pyOpenSSL==19.1.0 cryptography==3.3.2 Twisted==19.10.0 \
            zope.interface==4.6.0 jinja2==2.11.3 markupsafe==1.1.1 Werkzeug==1.0.1 klein==17.10.0 \
            service_identity==18.1.0 unittest2==1.1.0 autobahn==0.10.9 ujson==2.0.3 &&
        "$pip" install -q --no-build-isolation autobahntestsuite==25.10.1 &&
        touch "$AUTOBAHN/installed"
}

require_autobahn() {
    local interpreter
    [ -f "$AUTOBAHN/installed" ] && return
    if ! interpreter=$(autobahn_interpreter); then
        say "autobahn needs CPython 2.7, and no python2.7 is on PATH; install one, for example: pyenv install 2.7.18"
        exit 1
    fi
    say "installing autobahn under $interpreter"
    if ! install_autobahn "$interpreter" > "$STATE.autobahn.log" 2>&1; then
        say "autobahn could not be installed: $(tail -1 "$STATE.autobahn.log")"
        exit 1
    fi
    rm -f "$STATE.autobahn.log"
}

start_autobahn() {
    local port
    mkdir -p "$STATE/autobahn"
    port=$(free_port)
    cat > "$STATE/autobahn/spec.json" <<JSON
{"url": "ws://127.0.0.1:$port", "outdir": "$STATE/autobahn/reports",
 "cases": ["*"], "exclude-cases": [], "exclude-agent-cases": {}}
JSON
    # -u 0: no web server beside it, whose port would be fixed.
    nohup "$AUTOBAHN/python2/bin/wstest" -m fuzzingserver -u 0 -s "$STATE/autobahn/spec.json" \
        > "$STATE/autobahn/log" 2>&1 < /dev/null &
    echo $! > "$STATE/autobahn/pid"
    wait_for_port "$port"
    tell WAYFARE_AUTOBAHN_URL "ws://127.0.0.1:$port"
    say "autobahn answers on port $port"
}
