#!/bin/sh
# Installs the Debian packages that Gavel is built, tested and demonstrated with:
# only those that are missing, without questions.  Says so and fails where it cannot.
set -eu

build="gcc g++ libc6-dev make pkg-config protobuf-compiler protobuf-c-compiler
libprotobuf-c-dev libgrpc-dev libseccomp-dev libcap-dev libcyaml-dev libyaml-dev
libjansson-dev libsqlite3-dev libssl-dev libarchive-dev libnl-route-3-dev libnftables-dev
util-linux"
test="iproute2 nftables libcriterion-dev python3-grpcio python3-protobuf clang clang-format clang-tidy libclang-rt-14-dev mandoc
busybox-static squashfs-tools erofs-utils"
languages="python3 openjdk-17-jdk-headless rustc golang-go nodejs"

missing=
for package in $build $test $languages; do
	status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
	case $status in ii*) ;; *) missing="$missing $package" ;; esac
done
# npm fetches the gRPC client of one test.  Some distributions of Node.js bring it along.
command -v npm >/dev/null 2>&1 || missing="$missing npm"
[ -n "$missing" ] || exit 0

run=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 || {
		echo "deps: these packages are missing and only root can install them:$missing" >&2
		exit 1
	}
	run=sudo
fi
echo "deps: installing$missing"
$run apt-get update -qq
$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
