// Package registry knows every type of remote that there is: how each is configured, and how it is
// opened. It is the one place where the names of configuration files meet the drivers.
package registry

import (
	"context"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/network"
)

// Drivers lists every type, in the order in which help shows them.
func Drivers() []Driver {
	return []Driver{
		localDriver(),
		memoryDriver(),
		s3Driver(),
		b2Driver(),
		sftpDriver(),
		smbDriver(),
		ftpDriver(),
		gcsDriver(),
		driveDriver(),
		azureblobDriver(),
		dropboxDriver(),
		onedriveDriver(),
		webdavDriver(),
		httpDriver(),
		aliasDriver(),
		combineDriver(),
		unionDriver(),
		cryptDriver(),
		chunkerDriver(),
		compressDriver(),
		hasherDriver(),
		cachedDriver(),
	}
}

// Types lists how every type is configured.
func Types() []config.Type { return typesOf(Drivers()) }

// Bridges lists the types that rclone has and that have no driver here, by name, with the bridge to
// each.
func Bridges() []config.Bridge { return bridgesBeside(Drivers()) }

// An Environment is what remotes need beside their own options. The zero value is fine.
type Environment struct {
	Network network.Options // how servers are reached
	Mounts  string          // directory of the records of mount points; "" = none are kept

	// Around returns what each driver is opened as, directly around it; nil = as it is.
	Around func(remote.Remote) remote.Remote

	// Update sets an option of a section of the configuration file to what change makes of its
	// value: see config.File. nil = nothing is written back.
	Update func(ctx context.Context, section, option string, change func(current string) (string, error)) error
}

// A Resolve finds out what a remote string means. Remotes that are made of others open those
// through it.
type Resolve func(remoteString string) (config.Settings, error)

// Open opens the remote that s describes. A value that cannot be read, and a type that is not
// there, are an error of one line that names the option or the types that there are; a value never
// shows.
func Open(ctx context.Context, s config.Settings, env Environment, resolve Resolve) (remote.Remote, error) {
	all := Drivers()
	d, err := find(all, s.Type)
	if err != nil {
		return nil, err
	}
	v := &values{env: env, resolve: resolve, drivers: all, warn: func(message string, args ...any) { remote.Warn(ctx, message, args...) }}
	return d.openIn(ctx, s.Path, v.of(s))
}
