#!/usr/bin/env bash
# publish.sh images | digests | chart | sign: what CI does with a release. GitHub's and GitLab's workflows run the same commands.
#
# Environment: VERSION (1.2.3), REGISTRY (prefix of the images, e.g. registry.example.com/batch), REVISION (commit),
# URL (of the repository). Needs docker with buildx, helm and cosign, logged in to the registry; cosign signs without a key,
# by the identity of the workflow.
set -euo pipefail

: "${VERSION:?}" "${REGISTRY:?}" "${REVISION:?}"
PLATFORMS=${PLATFORMS:-linux/amd64,linux/arm64}
BASE_IMAGE=${BASE_IMAGE:-python:3.13-slim}
STATE=${STATE:-build/publish} # digests of what was pushed

# Build all images for all platforms on one base, by digest; push them with SBOM and provenance of the build.
images() {
    local base created file name
    mkdir -p "$STATE"
    base="$BASE_IMAGE@$(docker buildx imagetools inspect "$BASE_IMAGE" --format '{{.Manifest.Digest}}')"
    created=$(git log -1 --format=%cI)
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
    export SOURCE_DATE_EPOCH
    for file in Dockerfile.*; do
        name=${file#Dockerfile.}
        docker buildx build --file "$file" --platform "$PLATFORMS" --push --sbom=true --provenance=mode=max \
            --tag "$REGISTRY/jobflow-$name:$VERSION" --build-arg "BASE=$base" --build-arg "VERSION=$VERSION" \
            --build-arg "REVISION=$REVISION" --build-arg "CREATED=$created" --build-arg "SOURCE=${URL:-}" \
            --metadata-file "$STATE/$name.json" .
        python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["containerimage.digest"])' "$STATE/$name.json" >"$STATE/$name.digest"
    done
}

# The digests of the pushed images, as `make release` takes them: webhook=sha256:...
digests() {
    local file
    for file in "$STATE"/*.digest; do
        printf '%s=%s ' "$(basename "$file" .digest)" "$(cat "$file")"
    done
}

# Push the packaged chart, and keep its digest.
chart() {
    mkdir -p "$STATE"
    helm push "dist/jobflow-chart-$VERSION.tgz" "oci://$REGISTRY/charts" 2>&1 | tee "$STATE/chart.log"
    sed -n 's/^Digest: //p' "$STATE/chart.log" >"$STATE/chart.pushed"
}

# Sign images and chart, attest the bills of materials, sign the checksums of all files.
sign() {
    local file name image
    for file in "$STATE"/*.digest; do
        name=$(basename "$file" .digest)
        image="$REGISTRY/jobflow-$name@$(cat "$file")"
        cosign sign --yes --recursive "$image"
        cosign attest --yes --type cyclonedx --predicate "dist/jobflow-$name-$VERSION.cdx.json" "$image"
    done
    cosign sign --yes "$REGISTRY/charts/jobflow@$(cat "$STATE/chart.pushed")"
    cosign sign-blob --yes --bundle dist/SHA256SUMS.sigstore.json dist/SHA256SUMS
}

case "${1:-}" in
images | digests | chart | sign) "$1" ;;
*)
    echo "usage: $0 images | digests | chart | sign" >&2
    exit 2
    ;;
esac
