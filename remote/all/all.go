// Package all knows every type of remote that there is: how each is configured, and how it is opened. It is the one
// place where the names of configuration files meet the drivers.
package all

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ferry/config"
	"ferry/remote"
)

// A Driver is a type of remote.
type Driver struct {
	config.Type
	// open makes the remote; v gives the values of the options by name.
	open func(ctx context.Context, path string, v *values) (remote.Remote, error)
}

// Drivers lists every type, in the order in which help shows them.
func Drivers() []Driver {
	return []Driver{
		localDriver(),
		memoryDriver(),
		s3Driver(),
		sftpDriver(),
		gcsDriver(),
		webdavDriver(),
	}
}

// Types lists how every type is configured.
func Types() []config.Type {
	var types []config.Type
	for _, d := range Drivers() {
		types = append(types, d.Type)
	}
	return types
}

// Open opens the remote that s describes. A value that cannot be read, and a type that is not there, are an error of one
// line that names the option or the types that there are; a value never shows.
func Open(ctx context.Context, s config.Settings) (remote.Remote, error) {
	all := Drivers()
	i := slices.IndexFunc(all, func(d Driver) bool { return d.Name == s.Type })
	if i < 0 {
		var names []string
		for _, d := range all {
			names = append(names, d.Name)
		}
		return nil, fmt.Errorf("there is no driver for the type %q; there are: %s. For any other, run "+
			"\"rclone serve webdav\" on it and use a webdav remote", s.Type, strings.Join(names, ", "))
	}
	v := &values{remote: s.Name, options: s.Values}
	return all[i].open(ctx, s.Path, v)
}
