#!/usr/bin/env bash
# in-memory.sh COMMAND...: runs a command with the folder for temporary files in memory, where
# the machine has room for it. The tests' databases lie there: they sync as they always do, and
# don't wait for a disk while doing it. No test cuts the power, which is all a disk would add;
# processes that are killed find in memory what they wrote. What go builds stays on the disk.
set -euo pipefail
shm=/dev/shm
room() { # at least 4 GiB there, and 6 GiB of memory to hold it
	[ -w $shm ] && [ "$(df --output=avail -k $shm | tail -1)" -gt 4194304 ] &&
		[ "$(awk '/^MemAvailable:/{print $2}' /proc/meminfo)" -gt 6291456 ]
}
if ! room 2>/dev/null; then exec "$@"; fi
find $shm -maxdepth 1 -name 'hufu-test.*' -mmin +240 -exec rm -rf {} + 2>/dev/null || true # of who was killed
dir=$(mktemp -d $shm/hufu-test.XXXXXX)
trap 'rm -rf "$dir"' EXIT
trap : INT TERM HUP # the command gets them too; what it writes is removed when it has ended
chmod 755 "$dir"
printf '#!/bin/sh\n' >"$dir/try" && chmod 755 "$dir/try"
if ! "$dir/try" 2>/dev/null; then rm -rf "$dir"; exec "$@"; fi
GOTMPDIR=${GOTMPDIR:-${TMPDIR:-/tmp}} TMPDIR=$dir "$@"
