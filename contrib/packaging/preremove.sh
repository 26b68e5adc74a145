#!/bin/sh
# Before it is removed, but not before an update: Debian says "remove" then, RPM 0.
set -e

if [ "$1" = remove ] || [ "$1" = 0 ]; then
	if [ -d /run/systemd/system ]; then
		systemctl --no-reload disable --now ferry.socket ferry.service || true
	fi
fi
exit 0
