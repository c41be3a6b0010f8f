# Sourced by the scripts beside it: a directory and processes that go when the script does, free ports, a
# certificate, and the gateway's configuration before one service.

work=$(mktemp -d "${TMPDIR:-/tmp}/doorward-bench.XXXXXX")
children=()
clean_up() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  for child in "${children[@]}"; do wait "$child" 2>/dev/null || true; done
  rm -rf "$work"
}
trap clean_up EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$work/tls.key" -out "$work/tls.crt" 2>/dev/null
}

# gateway_config GATEWAY_PORT OPS_PORT SERVICE_PORT REQUIRE: one thread, an access log.
gateway_config() {
  cat <<TOML
[server]
listen = ["127.0.0.1:$1"]
public_url = "https://localhost:$1"
threads = 1
[[tls.certificates]]
cert = "tls.crt"
key = "tls.key"
[state]
directory = "state"
[ops]
listen = "127.0.0.1:$2"
[log]
access = { file = "doorward.access" }
[[upstreams]]
name = "service"
servers = ["http://127.0.0.1:$3"]
[[routes]]
path = "/**"
require = "$4"
upstream = "service"
TOML
}
