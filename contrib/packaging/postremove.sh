#!/bin/sh
# After it was removed. What waits to be sent, certificates and logs stay until Debian's "purge", and what users have stored
# under /srv stays for ever.
set -e

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
if [ "$1" = purge ]; then
	rm -rf /var/lib/ferry /var/cache/ferry /var/log/ferry /etc/ferry
	if getent passwd ferry >/dev/null; then
		userdel ferry || true
	fi
fi
exit 0
