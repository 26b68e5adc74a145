package source

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"ferry/feed"
	"ferry/remote/network"
)

// maxPosted is how long a notification may be that is posted: Event Grid sends up to a megabyte.
const maxPosted = 2 << 20

// A Webhook is an address that notifications are posted to. Whoever posts shows a token: as the
// parameter token of the address, as the password of HTTP, or in the header Authorization, with the
// word Bearer or without.
type Webhook struct {
	// Path is where it is on the server.
	Path string

	token  [sha256.Size]byte
	client *http.Client
	feed   atomic.Pointer[feed.Feed] // nil while nobody listens
}

func newWebhook(u feed.URL, n network.Options) (*Webhook, error) {
	token := u.Options["token"]
	if file := u.Options["token-file"]; file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("option token-file: %w", err)
		}
		token = strings.TrimSpace(string(text))
		if err := feed.CheckToken(token); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	path := "feed"
	if u.Path != "" {
		path += "/" + u.Path
	}
	return &Webhook{Path: path, token: sha256.Sum256([]byte(token)), client: newClient(n)}, nil
}

// Listen implements feed.Source. What was posted while the process did not run is missed; that
// nothing came may mean anything from then on.
func (w *Webhook) Listen(ctx context.Context, f *feed.Feed) error {
	w.feed.Store(f)
	f.Begun(true)
	defer w.feed.Store(nil)
	<-ctx.Done()
	return context.Cause(ctx)
}

// ServeHTTP implements http.Handler. It answers as soon as all remotes know: senders have little
// patience.
func (w *Webhook) ServeHTTP(a http.ResponseWriter, r *http.Request) {
	f := w.feed.Load()
	switch {
	case !w.knows(r):
		http.Error(a, "The token is missing, or wrong.", http.StatusUnauthorized)
		return
	case r.Method == http.MethodOptions:
		allowEvents(a, r)
		return
	case r.Method != http.MethodPost:
		a.Header().Set("Allow", "POST, OPTIONS")
		http.Error(a, "Notifications are posted here.", http.StatusMethodNotAllowed)
		return
	case f == nil:
		http.Error(a, "The server is not ready yet.", http.StatusServiceUnavailable)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(a, r.Body, maxPosted))
	if err != nil {
		http.Error(a, "The notification is too long, or broken off.", http.StatusRequestEntityTooLarge)
		return
	}
	if w.hello(a, r, body) {
		return
	}
	f.Take(feed.Message{Body: body})
	a.WriteHeader(http.StatusOK)
}

// knows reports whether a request has the token.
func (w *Webhook) knows(r *http.Request) bool {
	given := []string{r.URL.Query().Get("token")}
	if _, password, ok := r.BasicAuth(); ok {
		given = append(given, password)
	} else {
		given = append(given, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}
	known := 0
	for _, token := range given {
		sum := sha256.Sum256([]byte(token))
		known |= subtle.ConstantTimeCompare(sum[:], w.token[:])
	}
	return known == 1
}
