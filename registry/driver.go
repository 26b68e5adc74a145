package registry

import (
	"context"
	"slices"

	"ferry/config"
	"ferry/remote"
)

// A Driver is a type of remote.
type Driver struct {
	config.Type
	// open makes the remote; v gives the values of the options by name.
	open func(ctx context.Context, path string, v *values) (remote.Remote, error)
}

// openIn opens the remote, and puts around it what its environment has for that.
func (d Driver) openIn(ctx context.Context, path string, v *values) (remote.Remote, error) {
	r, err := d.open(ctx, path, v)
	if err != nil || v.env.Around == nil {
		return r, err
	}
	return v.env.Around(r), nil
}

// typesOf lists how drivers are configured.
func typesOf(all []Driver) []config.Type {
	var types []config.Type
	for _, d := range all {
		types = append(types, d.Type)
	}
	return types
}

// find returns the driver of a type, one of all.
func find(all []Driver, name string) (Driver, error) {
	if i := slices.IndexFunc(all, func(d Driver) bool { return d.Name == name }); i >= 0 {
		return all[i], nil
	}
	return Driver{}, config.NoDriver(name, "NAME:", typesOf(all), bridgesBeside(all))
}
