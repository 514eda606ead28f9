#!/usr/bin/env bash
# stand_ins.sh PYTHON_IMAGE GO_IMAGE: makes local images under these names, for buildah on a machine that reaches Debian's packages and
# no registry of images: a Debian by debootstrap, Debian's own Python in it, and this machine's Go. Root only. What is there, stays.
# The environment names buildah's storage; IMAGE_SCRIPTS may name a folder with an image-bases.sh that makes the first two.
set -euo pipefail
python=docker.io/library/${1:?} go=docker.io/library/${2:?}
debian=docker.io/library/debian:bookworm-slim stand_in=docker.io/library/python:3.11-slim-bookworm
work=${IMG_BASE:-$HOME/.cache/pykafarr-images}
has() { buildah inspect --type image "$1" >/dev/null 2>&1; }

if [ -x "${IMAGE_SCRIPTS:-}/image-bases.sh" ] || [ -f "${IMAGE_SCRIPTS:-}/image-bases.sh" ]; then
  bash "$IMAGE_SCRIPTS/image-bases.sh" >/dev/null
fi
if ! has "$debian"; then
  command -v debootstrap >/dev/null || { echo "debootstrap is missing (Debian: apt-get install debootstrap)" >&2; exit 1; }
  root=$work/rootfs
  [ -f "$root/etc/debian_version" ] || debootstrap --variant=minbase bookworm "$root" >"$work/debootstrap.log"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/* "$root"/var/log/*.log
  made=$(buildah from scratch)
  buildah add -q "$made" "$root" / >/dev/null
  buildah config --cmd bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$made"
  buildah commit -q --rm "$made" "$debian" >/dev/null
fi
if ! has "$stand_in"; then
  made=$(buildah from --pull-never "$debian")
  buildah run --isolation chroot "$made" -- sh -ec 'apt-get update -q
    apt-get install -q -y --no-install-recommends ca-certificates python3 python3-pip python3-venv
    rm -rf /var/lib/apt/lists/* /usr/share/doc/* /usr/lib/python3.11/EXTERNALLY-MANAGED
    ln -s /usr/bin/python3 /usr/local/bin/python3; ln -s /usr/bin/python3 /usr/local/bin/python' >"$work/python.log" 2>&1
  buildah config --env LANG=C.UTF-8 --cmd python3 "$made"
  buildah commit -q --rm "$made" "$stand_in" >/dev/null
fi
has "$python" || buildah tag "$stand_in" "$python"
if ! has "$go"; then
  made=$(buildah from --pull-never "$debian")
  buildah add -q "$made" "$(go env GOROOT)" /usr/local/go >/dev/null
  buildah config --env PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$made"
  buildah commit -q --rm "$made" "$go" >/dev/null
fi
