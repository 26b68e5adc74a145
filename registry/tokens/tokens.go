// Package tokens keeps the tokens of a login at a provider valid: refreshed ahead of their end, by
// one request that all callers share, and written back to where they came from, which other
// processes read and write too.
//
// The files, in reading order:
//
//	tokens.go   New: the source; who waits for a refresh, and who does not
//	renew.go    one refresh: which token is the newest, and what is kept
//	ask.go      the request to the provider, and what its answer means
//	token.go    tokens as text
package tokens

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

const (
	// early is how long before its end a token is refreshed, while it is still used.
	early = 4 * time.Minute
	// margin is how long a token must be valid yet to be handed out.
	margin = 20 * time.Second
	// again is how long a refresh that failed is not tried again while the token is valid.
	again = 30 * time.Second
	// limit is how long a refresh may take.
	limit = 40 * time.Second
)

// Options describe the login of a remote.
type Options struct {
	// Remote is the name of the remote, for errors and for the commands that they name.
	Remote string
	// Config is the OAuth client that the token was granted to. Without a ClientID the token is
	// used until it ends.
	Config oauth2.Config
	// Token is the token as the configuration has it: the JSON of rclone.
	Token string
	// AsClient has the OAuth client log in as itself: there is no token of a user.
	AsClient bool
	// Advice says how an OAuth client is made, for errors; "" = there is one.
	Advice string
	// Update sets the token in the configuration to what change makes of the one that is there. It
	// may call change several times, each time with what is there by then; one that fails leaves
	// the token as it is. nil = there is no such place: tokens are kept in memory.
	Update func(ctx context.Context, change func(current string) (next string, err error)) error
	// HTTP sends the requests; nil = http.DefaultClient.
	HTTP *http.Client
	// Warn tells of what does not keep a token from being used; nil = nobody listens.
	Warn func(message string, args ...any)
}

// source hands out tokens. It is an oauth2.TokenSource.
type source struct {
	Options

	mu     sync.Mutex
	token  *oauth2.Token
	flight *flight
	rest   time.Time // until then a refresh ahead of time is not tried again

	// Of the one who refreshes, without the lock:

	refused string // the refresh token that the provider has refused last
	why     error  // as what
	told    bool   // it was told that tokens are kept in memory only
}

// A flight is a refresh under way.
type flight struct {
	done  chan struct{} // closed at its end
	token *oauth2.Token // read after done
	err   error
}

// New returns a source of tokens. A Token that is not the JSON of one is an error of one line;
// neither that nor any other error shows a part of it. An error of the source is a
// remote.ErrPermission when somebody has to log in again, and says by which command; any other may
// pass.
func New(o Options) (oauth2.TokenSource, error) {
	token, err := Parse(o.Token)
	switch {
	case o.AsClient:
		o.Update, token = nil, &oauth2.Token{}
	case o.Token == "":
		return nil, o.reconnect("has no token of a login")
	case err != nil:
		return nil, o.reconnect("has an option token that is not the JSON of one")
	case o.Config.ClientID == "" && remaining(token) < margin:
		return nil, o.reconnect(endedForGood)
	}
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	if o.Warn == nil {
		o.Warn = func(string, ...any) {}
	}
	return &source{Options: o, token: token}, nil
}

// Token implements oauth2.TokenSource. While the token is valid nobody waits but the one caller who
// refreshes it ahead of its end.
func (s *source) Token() (*oauth2.Token, error) {
	s.mu.Lock()
	left := remaining(s.token)
	switch {
	case left > early, left > margin && (s.flight != nil || time.Now().Before(s.rest)):
		defer s.mu.Unlock()
		return s.token, nil
	case s.flight != nil:
		f := s.flight
		s.mu.Unlock()
		<-f.done
		return f.token, f.err
	}
	f := &flight{done: make(chan struct{})}
	s.flight = f
	had := s.token
	s.mu.Unlock()
	defer close(f.done)
	f.token, f.err = s.refresh(had)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	switch {
	case f.err == nil:
		s.token = f.token
	case remaining(had) > margin: // it is good for a while yet
		s.rest = time.Now().Add(again)
		f.token, f.err = had, nil
	}
	return f.token, f.err
}

// refresh is one refresh from beginning to end.
func (s *source) refresh(had *oauth2.Token) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return s.renew(ctx, had)
}
