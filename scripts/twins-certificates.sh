#!/usr/bin/env bash
# Makes the certificates of the cluster's twins where there is no cert-manager: one authority, whose key is not kept, and the
# Secrets selvedge-twins-tls and selvedge-gateway-tls; tells the APIService of the authority. Run it again before they end: then
# all are new, and both ends read theirs again within minutes.
#
# Usage: twins-certificates.sh [NAMESPACE [DAYS]]   (selvedge, 365; needs openssl and kubectl; KUBECTL names another kubectl)
set -euo pipefail
namespace=${1:-selvedge}
days=${2:-365}
kubectl=${KUBECTL:-kubectl}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
umask 077

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

key ca
openssl req -x509 -new -key ca.key -subj "/CN=selvedge-twins-ca" -days "$days" -out ca.crt \
  -addext "keyUsage=critical,keyCertSign,cRLSign"

issue() { # FILE COMMON-NAME DNS-NAME USAGES
  key "$1"
  openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
  printf 'basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:%s\nextendedKeyUsage=%s\n' "$3" "$4" > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days "$days" -extfile "$1.ext" -out "$1.crt" 2> /dev/null
}

issue server selvedge-twins "selvedge-twins.$namespace.svc" serverAuth,clientAuth
issue gateway selvedge-gateway selvedge-gateway serverAuth

secret() { # NAME FILE
  "$kubectl" -n "$namespace" create secret generic "$1" --type=kubernetes.io/tls --from-file=tls.crt="$2.crt" \
    --from-file=tls.key="$2.key" --from-file=ca.crt=ca.crt --dry-run=client -o yaml | "$kubectl" apply -f -
}
secret selvedge-twins-tls server
secret selvedge-gateway-tls gateway

if "$kubectl" get apiservice v1alpha1.twin.selvedge.dev > /dev/null 2>&1; then
  "$kubectl" patch apiservice v1alpha1.twin.selvedge.dev --type=merge \
    -p "{\"spec\":{\"caBundle\":\"$(base64 -w0 < ca.crt)\"}}"
else
  echo "no APIService v1alpha1.twin.selvedge.dev yet: apply the overlay, then run this again" >&2
fi
