#!/usr/bin/env bash
# How soon a replica refuses what another one ended, and what the memory of ended sessions costs.
#
#   bench/revocation.sh [ENDS]
#
# Three replicas follow one Redis server on this machine, as gateways do; each end is written through a
# connection of its own, and counted is the time from its acknowledgement until the last replica refuses
# the session. Then a million ended sessions are remembered, and looked up.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ends=${1:-5000}

for tool in redis-server redis-cli python3; do
  command -v "$tool" >/dev/null || { echo "bench: $tool is missing" >&2; exit 1; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/doorward-bench.XXXXXX")
redis=
clean_up() {
  if [ -n "$redis" ]; then kill "$redis" 2>/dev/null || true; wait "$redis" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap clean_up EXIT

cargo build --release --example revocation-bench
bench=${CARGO_TARGET_DIR:-target}/release/examples/revocation-bench

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
redis-server --bind 127.0.0.1 --port "$port" --dir "$work" --save '' --appendonly yes >"$work/redis.log" & redis=$!
for _ in $(seq 100); do
  if redis-cli -p "$port" ping >/dev/null 2>&1; then break; fi
  sleep 0.1
done
"$bench" "$port" "$ends"
