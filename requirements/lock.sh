#!/bin/sh
# Pins every dependency with its hashes: all.txt for the whole workspace, <service>.txt for each image. `make lock` calls
# this; versions that still fit stay, `--upgrade` takes the newest. No file carries a download address.
set -eu
cd "$(dirname "$0")/.."
: "${UV:=uv}"

compile() {
  "$UV" pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
    --custom-compile-command "make lock" "$@"
}

services="gateway sync materials reporting"
everything="shared/pyproject.toml"
for service in $services; do everything="$everything services/$service/pyproject.toml"; done

# shellcheck disable=SC2086  # the list is meant to be split
compile "$@" --group dev --group local $everything pyproject.toml -o requirements/all.txt

for service in $services; do
  # Constrained by all.txt: one version of each library for every service and for the tests.
  compile "services/$service/pyproject.toml" shared/pyproject.toml -c requirements/all.txt -o "requirements/$service.txt"
done

# uv itself, for machines that have none (deploy/local/install.sh).
echo uv | compile "$@" - -o requirements/uv.txt
