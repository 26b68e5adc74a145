package tokens

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"ferry/remote"
)

// Another program may have refreshed the token just now without having written it yet: the token is
// read so many times more when it is refused, with such pauses.
const (
	looks = 4
	pause = 250 * time.Millisecond
)

// renew returns a token that is valid for a while: the newest of had and what is stored if it is,
// else what the provider grants for it.
func (s *source) renew(ctx context.Context, had *oauth2.Token) (*oauth2.Token, error) {
	if s.Update == nil {
		t, err := s.newest(ctx, had, "")
		if err == nil && !s.told && !s.AsClient {
			s.told = true
			s.Warn("the token of the login was refreshed and is kept in memory: it does not come from the configuration file", "remote", s.Remote)
		}
		return t, err
	}
	for look := 1; ; look++ {
		t, err := s.shared(ctx, had)
		if err == nil || look == looks || !errors.Is(err, remote.ErrPermission) {
			return t, err
		}
		if remote.Sleep(ctx, pause) != nil {
			return nil, err
		}
	}
}

// shared renews the token where others renew it too. A token that cannot be stored is used all the
// same.
func (s *source) shared(ctx context.Context, had *oauth2.Token) (*oauth2.Token, error) {
	var best *oauth2.Token
	var failed error
	err := s.Update(ctx, func(current string) (string, error) {
		if best != nil {
			had = best // granted already, and others have written meanwhile
		}
		var t *oauth2.Token
		if t, failed = s.newest(ctx, had, current); failed != nil {
			return "", failed
		}
		best = t
		if stored, err := Parse(current); err == nil && same(stored, t) {
			return current, nil
		}
		return Format(t), nil
	})
	switch {
	case failed != nil:
		return nil, failed
	case err == nil:
		return best, nil
	case best == nil: // it cannot be read: what was known of it is still good
		if best, failed = s.newest(ctx, had, ""); failed != nil {
			return nil, failed
		}
	}
	if !s.told {
		s.told = true
		s.Warn("the token of the login was refreshed and cannot be stored: other programs, and the next start, may have to log in again",
			"remote", s.Remote, "error", err)
	}
	return best, nil
}

// newest is renew for what is stored as current, "" for nothing.
func (s *source) newest(ctx context.Context, had *oauth2.Token, current string) (*oauth2.Token, error) {
	stored, err := Parse(current)
	if err != nil {
		stored = nil
	}
	best, other := had, stored
	if newer(had, stored) == stored && stored != nil {
		best, other = stored, had
	}
	if remaining(best) > early {
		return best, nil
	}
	t, err := s.ask(ctx, best)
	if errors.Is(err, remote.ErrPermission) && other != nil && other.RefreshToken != best.RefreshToken {
		if second, err := s.ask(ctx, other); err == nil {
			return second, nil
		}
	}
	return t, err
}

func same(a, b *oauth2.Token) bool {
	return a.AccessToken == b.AccessToken && a.RefreshToken == b.RefreshToken && a.Expiry.Equal(b.Expiry)
}
