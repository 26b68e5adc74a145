package events

import (
	"context"
	"net/netip"
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

// OriginOf returns the Origin of ctx.
func OriginOf(ctx context.Context) (Origin, bool) {
	o, ok := ctx.Value(originKey{}).(Origin)
	return o, ok
}
