#!/bin/sh
# Installs the Debian packages that Gavel is built, tested and demonstrated with:
# only those that are missing, without questions.  Says so and fails where it cannot.
#
#   deps.sh [vm|languages]
#       vm          instead those that tests/vm needs, and a kernel for it
#       languages   instead the compilers and runtimes of all languages that have a rule in rules/languages
set -eu

build="gcc g++ libc6-dev make pkg-config protobuf-compiler protobuf-c-compiler
libprotobuf-c-dev libgrpc-dev libseccomp-dev libcap-dev libcyaml-dev libyaml-dev
libjansson-dev libsqlite3-dev libssl-dev libarchive-dev libexpat1-dev libnl-route-3-dev libnftables-dev
util-linux uidmap"
test="iproute2 nftables libcriterion-dev python3-grpcio python3-protobuf clang clang-format clang-tidy libclang-rt-14-dev mandoc
busybox-static squashfs-tools erofs-utils kmod"
languages="python3 openjdk-17-jdk-headless rustc golang-go nodejs"

# In the order of their rules' names.  Some 3 GB with what they depend on.
all_languages="gnat algol68g nasm gawk bash chezscheme chicken-bin clisp clojure gnucobol3 coffeescript sbcl mono-mcs
ldc ecl elixir erlang-base gforth gfortran binutils gdc groovy ghc haxe neko icont iconx kotlin lua5.4 luajit nim
gobjc libgnustep-base-dev ocaml-nox octave fp-compiler fp-units-base fp-units-fcl fp-units-math perl php-cli pike8.0-core
swi-prolog-nox pypy3 r-base-core racket rakudo ruby scala guile-3.0 guile-3.0-dev polyml libpolyml-dev sqlite3 tcl
node-typescript valac zsh"

vm="qemu-system-x86 qemu-system-common busybox-static cpio kmod util-linux"
kernel=linux-image-cloud-amd64

case ${1:-} in
"") wanted="$build $test $languages" ;;
vm) wanted=$vm ;;
languages) wanted="gcc g++ libc6-dev $languages $all_languages" ;;
*) echo "deps: $1: nothing of this name; 'vm', 'languages' or nothing at all" >&2; exit 2 ;;
esac

missing=
for package in $wanted; do
	status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
	case $status in ii*) ;; *) missing="$missing $package" ;; esac
done
# Installed, a kernel would become the one that the machine boots next.  So it is unpacked only.
image=
if [ "${1:-}" = vm ]; then
	[ -n "$(find /boot build/vm/boot -name 'vmlinuz-*-cloud-amd64' 2>/dev/null)" ] || image=linux-image-cloud-amd64
elif [ "${1:-}" = languages ]; then
	:
# npm fetches the gRPC client of one test.  Some distributions of Node.js bring it along.
elif ! command -v npm >/dev/null 2>&1; then
	missing="$missing npm"
fi
[ -n "$missing$image" ] || exit 0

run=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 || {
		echo "deps: these packages are missing and only root can install them:$missing" >&2
		exit 1
	}
	run=sudo
fi
echo "deps: getting$missing $image"
$run apt-get update -qq
[ -z "$missing" ] ||
	$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
[ -n "$image" ] || exit 0

# The package of this name only depends on the newest one.
image=$(apt-cache depends "$image" | sed -n 's/^ *Depends: //p' | head -n 1)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && apt-get download -qq -o APT::Sandbox::User=root "$image")
mkdir -p build/vm
dpkg-deb -x "$folder"/*.deb build/vm
for modules in build/vm/lib/modules/*; do
	PATH=$PATH:/sbin:/usr/sbin depmod -b build/vm "${modules##*/}"
done
