#!/usr/bin/env bash
# Builds loaban-controller for 64-bit ARM boards on Debian, without ALSA, so into WAV files.
# With a sound card add the ARM library: dpkg --add-architecture arm64; apt-get install libasound2-dev:arm64; and
# PKG_CONFIG_ALLOW_CROSS=1 PKG_CONFIG_PATH=/usr/lib/aarch64-linux-gnu/pkgconfig FEATURES=alsa in the environment.
set -euo pipefail
cd "$(dirname "$0")/.."
target=aarch64-unknown-linux-gnu

command -v aarch64-linux-gnu-gcc >/dev/null ||
    { echo "build: the cross compiler is missing: apt-get install gcc-aarch64-linux-gnu g++-aarch64-linux-gnu" >&2; exit 1; }
[ -d "$(rustc --print sysroot)/lib/rustlib/$target" ] ||
    { echo "build: Rust's library for $target is missing: rustup target add $target" >&2; exit 1; }

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc CXX_aarch64_unknown_linux_gnu=aarch64-linux-gnu-g++
cargo build --release --locked --target $target --no-default-features --features "${FEATURES:-controller}" --bin loaban-controller
built="${CARGO_TARGET_DIR:-target}/$target/release/loaban-controller"
aarch64-linux-gnu-strip "$built"
ls -l "$built"
