package registry

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

// find returns the driver of a type, one of all.
func find(all []Driver, name string) (Driver, error) {
	if i := slices.IndexFunc(all, func(d Driver) bool { return d.Name == name }); i >= 0 {
		return all[i], nil
	}
	var names []string
	for _, d := range all {
		names = append(names, d.Name)
	}
	return Driver{}, fmt.Errorf("there is no driver for the type %q; there are: %s. For any other, run "+
		"\"rclone serve webdav\" on it and use a webdav remote", name, strings.Join(names, ", "))
}
