package events

import (
	"context"
	"net/netip"
	"path"
	"strings"
	"time"
)

// An Origin says whose upload a file is. It travels in the context of the call that stores the
// file, and with what waits for the remote, also across a restart; then the number of the session
// is one of an earlier process.
type Origin struct {
	ID      string         `json:"id"` // of the upload; events about it are told apart by it
	Session uint64         `json:"session,omitempty"`
	User    string         `json:"user,omitempty"`
	Address netip.AddrPort `json:"address,omitzero"`
	TLS     string         `json:"tls,omitempty"`
	Client  string         `json:"client,omitempty"`
	Path    string         `json:"path"`           // absolute, as its client saw it at the time of the upload
	Name    string         `json:"name,omitempty"` // in the tree at that time
	Time    time.Time      `json:"time"`           // when it was received
}

type originKey struct{}

// WithOrigin returns a context of a call on behalf of o.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// WithoutOrigin returns a context of a call on behalf of no client: what it stores is not told of.
func WithoutOrigin(ctx context.Context) context.Context {
	return context.WithValue(ctx, originKey{}, nil)
}

// OriginOf returns the Origin of ctx.
func OriginOf(ctx context.Context) (Origin, bool) {
	o, ok := ctx.Value(originKey{}).(Origin)
	return o, ok
}

// PathOf returns the path that the client of o sees of the file called name in the tree now. Path
// and Name of o have the last part in common, up to where the tree that the client sees is joined
// to the other one: what stands before it changes from one into the other. A name elsewhere in the
// tree, which this client cannot have given it, keeps its own path.
func (o Origin) PathOf(name string) string {
	switch {
	case o.Path == "" || o.Name == "":
		return path.Join("/", name)
	case name == o.Name:
		return o.Path
	}
	from, to := path.Join("/", o.Name), path.Join("/", o.Path)
	for { // the file itself may have another name in each
		from, to = path.Dir(from), path.Dir(to)
		if from == "/" || to == "/" || path.Base(from) != path.Base(to) {
			break
		}
	}
	name = path.Join("/", name)
	if below, ok := strings.CutPrefix(name, strings.TrimSuffix(from, "/")+"/"); ok {
		return path.Join(to, below)
	}
	return name
}
