#!/usr/bin/env bash
# need.sh WHAT...: installs what the tests need and the machine lacks, by its package name.
# It fails when it can't.
set -euo pipefail
declare -a packages=()
for what in "$@"; do
	case $what in
	chromium) [ -x /usr/bin/chromium ] || packages+=(chromium)
		fc-list 2>/dev/null | grep -i 'noto.*cjk' >/dev/null || packages+=(fonts-noto-cjk fontconfig) ;;
	postgres) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || packages+=(postgresql) ;;
	npm) command -v npm >/dev/null || packages+=(npm) ;;
	*) echo "need.sh: $what is not known" >&2; exit 2 ;;
	esac
done
[ ${#packages[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
	echo "The tests need: ${packages[*]}. Install them: sudo apt-get install ${packages[*]}" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends "${packages[@]}"
