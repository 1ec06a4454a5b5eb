#!/usr/bin/env bash
# Lays out the whole file system of the image: the gateway, the libraries that it loads, the certificates of the public
# authorities, and chown for the pod's first container. No shell, no package manager. Debian's record of each package goes along,
# for scanners, and its license.
# Usage: scripts/rootfs.sh BINARY FOLDER        as any user; owners are set where it runs as root
set -euo pipefail
(($# == 2)) || { echo "usage: scripts/rootfs.sh BINARY FOLDER" >&2; exit 2; }
binary=$1
root=$2
[[ -x $binary ]] || { echo "rootfs: $binary is no program" >&2; exit 1; }
[[ ! -e $root ]] || { echo "rootfs: $root is there already: remove it, or name another folder" >&2; exit 1; }
authorities=/etc/ssl/certs/ca-certificates.crt
[[ -f $authorities ]] || { echo "rootfs: $authorities is missing: install ca-certificates" >&2; exit 1; }
umask 022

mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,usr/share/doc,etc/ssl/certs,etc/selvedge,var/lib/dpkg/status.d,var/lib/selvedge}
mkdir -p "$root"/{proc,sys,dev,run/udev,tmp}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
chmod 1777 "$root/tmp"
chmod 0750 "$root/var/lib/selvedge"

install -m 0755 "$binary" "$root/usr/bin/selvedge"
install -m 0755 "$(readlink -f "$(command -v chown)")" "$root/usr/bin/chown"
install -m 0644 "$authorities" "$root$authorities"

owner_of() { # FILE: its Debian package; a package knows the file by the name that it was unpacked to
  local path=$1 real candidate
  real=$(readlink -f "$path")
  for candidate in "$path" "$real" "${real#/usr}" "/usr$real"; do
    dpkg -S "$candidate" 2> /dev/null | head -n 1 | cut -d: -f1 && return
  done
  echo "rootfs: $path belongs to no Debian package" >&2
  return 1
}

packages=(ca-certificates "$(owner_of "$(command -v chown)")")
while read -r library; do
  target=$root/usr/${library#/}
  target=${target/usr\/usr\//usr/}
  install -D -m 0755 "$(readlink -f "$library")" "$target"
  packages+=("$(owner_of "$library")")
done < <(ldd "$binary" | sed -nE 's#^.*(=> |[[:space:]])(/[^ ]+) \(0x.*#\2#p' | sort -u)

while read -r package; do
  dpkg-query -s "$package" > "$root/var/lib/dpkg/status.d/$package"
  install -D -m 0644 "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
done < <(printf '%s\n' "${packages[@]}" | sort -u)
install -D -m 0644 "$(dirname "$0")/../LICENSE" "$root/usr/share/doc/selvedge/LICENSE"

install -m 0644 /etc/os-release "$root/etc/os-release"
printf 'root:x:0:0:root:/:/usr/sbin/nologin\nselvedge:x:65532:65532:selvedge:/var/lib/selvedge:/usr/sbin/nologin\n' > "$root/etc/passwd"
printf 'root:x:0:\ndialout:x:20:\nselvedge:x:65532:\n' > "$root/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' > "$root/etc/nsswitch.conf"
if ((EUID == 0)); then chown 65532:65532 "$root/var/lib/selvedge"; fi
