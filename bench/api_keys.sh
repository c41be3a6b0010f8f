#!/usr/bin/env bash
# What many API keys take: memory, time to load them, time to judge one.
#
#   bench/api_keys.sh [KEYS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
KEYS=${1:-1000000} exec cargo run --release --quiet --example api-keys-bench
