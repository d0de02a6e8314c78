#!/bin/sh
# Makes deploy/env/production.env with fresh passwords and deploy/env/signing.pem, and never overwrites either.
#   sh deploy/env/create.sh https://lienthong.example.vn
set -eu
public_url=${1:?"usage: sh deploy/env/create.sh <address of the gateway as the world sees it>"}
folder=$(cd "$(dirname "$0")" && pwd)
umask 077
for file in "$folder/production.env" "$folder/signing.pem"; do
  [ ! -e "$file" ] || { echo "$file exists already; nothing was changed." >&2; exit 1; }
done

# A letter in front: nats-server reads a bare word that starts with a digit as a number. Hex needs no escaping in a URL.
password() { printf 'p%s' "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"; }

openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$folder/signing.pem"
while IFS= read -r line; do
  case $line in
    PUBLIC_URL=*) echo "PUBLIC_URL=$public_url" ;;
    CONNECTOR_KEY=* | CONTENT_KEY=* | LTI_KEY=* | *_PASSWORD=*) echo "${line%%=*}=$(password)" ;;
    *) echo "$line" ;;
  esac
done <"$folder/production.env.example" >"$folder/production.env"
echo "Wrote $folder/production.env and $folder/signing.pem. Keep a copy of both in a safe place."
echo "The gateway's account must be able to read the key:  chown 10001 $folder/signing.pem"
