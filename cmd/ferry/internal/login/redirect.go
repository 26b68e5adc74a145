package login

import (
	"context"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// listen waits for the browser to come back, at the address that the provider sends it to. It ends
// when end is called.
func (a *attempt) listen(ctx context.Context) (end func(), err error) {
	at, err := url.Parse(a.Config.RedirectURL)
	if err != nil {
		return nil, err
	}
	var listeners []net.Listener
	first, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", at.Port()))
	if err != nil {
		return nil, fmt.Errorf("port %s of this machine is in use, perhaps by another login: %w", at.Port(), err)
	}
	listeners = append(listeners, first)
	if at.Port() == "0" { // any port will do
		at.Host = first.Addr().String()
		a.Config.RedirectURL = at.String()
	}
	if at.Hostname() == "localhost" { // for a browser it may be either
		if second, err := net.Listen("tcp6", net.JoinHostPort("::1", at.Port())); err == nil {
			listeners = append(listeners, second)
		}
	}
	server := &http.Server{Handler: a.page(ctx), ReadHeaderTimeout: 10 * time.Second}
	var wg sync.WaitGroup
	for _, l := range listeners {
		wg.Go(func() { _ = server.Serve(l) }) // ends with Shutdown
	}
	return func() {
		// The page is sent before the program ends.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(ending) != nil {
			server.Close()
		}
		wg.Wait()
	}, nil
}

// page is what the browser is shown. Only the answer to this login ends it.
func (a *attempt) page(ctx context.Context) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Connection", "close")
		w.Header().Set("Referrer-Policy", "no-referrer") // the address has the code
		if r.URL.Path != "/" || query.Get("state") != a.state {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, pageText("This is not the answer to the login that ferry waits for."))
			return
		}
		token, err := a.answered(ctx, query)
		text := "You are logged in, and can close this page."
		if err != nil {
			w.WriteHeader(http.StatusForbidden)
			text = "The login has failed: " + err.Error() + "."
		}
		fmt.Fprint(w, pageText(text))
		select {
		case a.results <- result{token, err}:
		default: // it is answered already
		}
	})
}

// answered returns the token for what the provider has put into the address.
func (a *attempt) answered(ctx context.Context, query url.Values) (*oauth2.Token, error) {
	if query.Get("code") == "" {
		return nil, refusal(query.Get("error"))
	}
	return a.exchange(ctx, query.Get("code"))
}

func pageText(s string) string {
	return "<!DOCTYPE html><title>ferry</title><p>" + html.EscapeString(s)
}
