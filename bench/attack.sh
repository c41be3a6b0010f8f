#!/usr/bin/env bash
# Sign-in under attack: 200 wrong passwords a second, from one address and from a thousand, while the owner
# of the account signs in at home and at new addresses. And whether an unknown user can be told from a wrong
# password by the time of the answer.
#
#   bench/attack.sh [attack|timing]        about a minute each
#
# DOORWARD names a binary; without it a release build is made. The client addresses are what a trusted proxy
# on loopback says they are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source bench/common.sh
mode=${1:-attack}

for tool in openssl curl python3; do
  command -v "$tool" >/dev/null || { echo "bench: $tool is missing" >&2; exit 1; }
done
if [ -z "${DOORWARD:-}" ]; then
  cargo build --release --bin doorward
  DOORWARD=${CARGO_TARGET_DIR:-target}/release/doorward
fi

port=$(free_port); ops=$(free_port)
certificate
limits=
if [ "$mode" = timing ]; then
  # The cheapest hash there may be: nothing that differs should drown in it.
  limits=$'sign_in = "off"\nsign_in_address = "off"\nsign_in_account = "off"\n[passwords]\nmemory_kib = 7168\niterations = 1'
fi
cat >"$work/gateway.toml" <<TOML
[server]
listen = ["127.0.0.1:$port"]
public_url = "https://localhost:$port"
trusted_proxies = ["127.0.0.1"]
[[tls.certificates]]
cert = "tls.crt"
key = "tls.key"
[state]
directory = "state"
[ops]
listen = "127.0.0.1:$ops"
[log]
access = { file = "access.log" }
audit = { file = "audit.log" }
[limits]
$limits
[[upstreams]]
name = "service"
servers = ["http://127.0.0.1:9"]
[[routes]]
path = "/**"
require = "signed-in"
upstream = "service"
TOML
echo benchmark-password | "$DOORWARD" user add owner@example.com --username owner --verified --config "$work/gateway.toml" >/dev/null
"$DOORWARD" serve --config "$work/gateway.toml" >/dev/null 2>"$work/stderr" & children+=($!)
gateway=$!
curl -fs --retry 50 --retry-delay 1 --retry-connrefused --retry-all-errors -o /dev/null "http://127.0.0.1:$ops/readyz"

python3 bench/attack.py "$mode" "$port" "$ops" "$gateway"
if [ "$mode" = attack ]; then
  echo "audit log: $(wc -l <"$work/audit.log") lines, $(grep -c '"limited"' "$work/audit.log" || true) of them limited"
fi
