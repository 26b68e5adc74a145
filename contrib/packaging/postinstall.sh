#!/bin/sh
# After an installation or an update. Nothing is started: the configuration comes first.
set -e

if ! getent passwd ferry >/dev/null; then
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers ferry.conf
	else
		useradd --system --user-group --home-dir /var/lib/ferry --no-create-home --shell /usr/sbin/nologin ferry
	fi
fi
# The configuration has passwords: only root writes it, and only ferry reads it.
chown root:ferry /etc/ferry /etc/ferry/ferry.toml /etc/ferry/users.toml
# What users without a remote of their own see.
if [ ! -e /srv/ferry ]; then
	install -d -m 0750 -o ferry -g ferry /srv/ferry
fi
# Debian says the old version at an update, RPM 2 or more.
if [ -z "$2" ] && ! [ "$1" -ge 2 ] 2>/dev/null; then
	echo "ferry: look at /etc/ferry/ferry.toml, make a user (ferry users add NAME --users /etc/ferry/users.toml)," \
		"then systemctl enable --now ferry"
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	if [ -n "$2" ] || [ "$1" -ge 2 ] 2>/dev/null; then
		systemctl try-restart ferry.service || true
	fi
fi
exit 0
