#!/bin/sh
# Other people's trackers for `make benchmark-tracker` and re-ranking for `make benchmark-rerank`, in .peers/ beside the
# project: never in .venv, and never with their dependencies (some would replace OpenCV, lap or filterpy by other
# versions). Runs twice as well as once.
set -eu
project=$(CDPATH='' cd -- "$(dirname -- "$0")/../../.." && pwd)
target="$project/.peers"
wanted="trackers==2.6.1 boxmot==25.0.0 supervision==0.31.2 pydeprecate==0.14.0 defusedxml==0.7.1 fastreid==1.4.0"
if [ -f "$target/installed" ] && [ "$(cat "$target/installed")" = "$wanted" ]; then
    exit 0
fi
rm -rf "$target"
# shellcheck disable=SC2086  # one argument for each package
"$project/.venv/bin/python" -m pip install --quiet --no-deps --no-compile --target "$target" $wanted
printf '%s' "$wanted" > "$target/installed"
