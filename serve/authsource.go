package serve

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ferry/auth"
	"ferry/config"
	"ferry/serve/users"
)

// AuthSource is the Source of an Authenticator that may grant its users a tree and limits.
type AuthSource struct {
	Auth auth.Authenticator
	// SFTPGo returns the user whom a service for SFTPGo describes by its JSON; nil: such a user
	// cannot log in.
	SFTPGo func(name string, text []byte) (users.User, error)
}

var _ Source = AuthSource{}

// Login implements Source.
func (s AuthSource) Login(ctx context.Context, l auth.Login) (users.User, error) {
	id, err := s.Auth.Authenticate(ctx, l)
	if err != nil {
		return users.User{}, err
	}
	g := cmp.Or(id.Grant, &auth.Grant{})
	if g.SFTPGo != nil {
		if s.SFTPGo == nil {
			return users.User{}, fmt.Errorf("user %q: a user of SFTPGo is not understood here", id.User)
		}
		return s.SFTPGo(id.User, g.SFTPGo)
	}
	u := users.User{
		Name: id.User, Auth: users.AuthHash, Literal: true, Remote: g.Remote, Start: g.Start,
		QuotaBytes: g.QuotaBytes, QuotaFiles: g.QuotaFiles, RateUp: g.RateUp, RateDown: g.RateDown, MaxSessions: g.MaxSessions,
	}
	for _, m := range g.Mounts {
		u.Mounts = append(u.Mounts, users.Mount{Path: m.Path, Remote: m.Remote})
	}
	if g.Backend != nil {
		u.Remote = remoteOf(*g.Backend)
	}
	return u, nil
}

// ByCertificate implements Source: every user needs a password.
func (s AuthSource) ByCertificate(string) (users.User, bool) { return users.User{}, false }

// remoteOf writes a back end as a remote, which contains its secrets.
func remoteOf(b auth.Backend) string {
	var text strings.Builder
	text.WriteString(":" + b.Type)
	for _, name := range slices.Sorted(maps.Keys(b.Options)) {
		value := b.Options[name]
		if slices.Contains(b.Plain, name) {
			value = config.Obscure(value)
		}
		text.WriteString("," + name + `="` + strings.ReplaceAll(value, `"`, `""`) + `"`)
	}
	return text.String() + ":" + b.Root
}
