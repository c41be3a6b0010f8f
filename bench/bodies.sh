#!/usr/bin/env bash
# Bodies of more than 2 GiB over TLS, in HTTP/1.1 and HTTP/2, up and down: the most memory that Doorward
# has held before and after each.
#
#   BODY_BYTES=2147483649 bench/bodies.sh
#
# DOORWARD and SAMPLE name binaries that are there already; else both are built. What was sent is held
# against what the service counted, and what came against what was asked for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source bench/common.sh
bytes=${BODY_BYTES:-2147483649}

for tool in openssl curl python3 truncate; do
  command -v "$tool" >/dev/null || { echo "bench: $tool is missing" >&2; exit 1; }
done
target=${CARGO_TARGET_DIR:-target}/release
if [[ -z ${DOORWARD:-} || -z ${SAMPLE:-} ]]; then
  cargo build --release --bin doorward --example sample-service
fi
doorward=${DOORWARD:-$target/doorward}
sample=${SAMPLE:-$target/examples/sample-service}

service_port=$(free_port); gateway_port=$(free_port); ops_port=$(free_port)
certificate
gateway_config "$gateway_port" "$ops_port" "$service_port" public >"$work/gateway.toml"
"$sample" --listen "127.0.0.1:$service_port" >/dev/null & children+=($!)
"$doorward" serve --config "$work/gateway.toml" >/dev/null 2>"$work/doorward.error" & children+=($!)
gateway_pid=$!
curl -fs --retry 50 --retry-delay 1 --retry-connrefused --retry-all-errors -o /dev/null "http://127.0.0.1:$ops_port/readyz"

# As large as it is said to be, and no block of it on the disk.
truncate -s "$bytes" "$work/body"
peak() { awk '/^VmHWM:/ { printf "%.1f", $2 / 1024 }' "/proc/$gateway_pid/status"; }
call() { curl -fsS --cacert "$work/tls.crt" "$@"; }
url="https://localhost:$gateway_port"
# check WHAT EXPECTED FOUND
check() { [[ $2 == "$3" ]] || { echo "bench: $1: $3 bytes instead of $2" >&2; exit 1; }; }

for version in --http1.1 --http2; do
  call "$version" -o /dev/null "$url/bytes/1000000"
done
echo "$bytes bytes; the most memory held, in MiB"
echo 'protocol   direction  before  after  seconds'
for version in --http1.1 --http2; do
  for direction in upload download; do
    before=$(peak); start=$(date +%s.%N)
    if [[ $direction == upload ]]; then
      arrived=$(call "$version" -T "$work/body" "$url/upload" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["body"]["length"])')
    else
      arrived=$(call "$version" -o /dev/null -w '%{size_download}' "$url/bytes/$bytes")
    fi
    check "$version $direction" "$bytes" "$arrived"
    printf '%-10s %-10s %6s %6s %8.1f\n' "${version#--}" "$direction" "$before" "$(peak)" \
      "$(python3 -c "import time; print(time.time() - $start)")"
  done
done
