package remotetest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ferry/remote"
)

// RunPortal checks that a remote over HTTP does not take what a captive portal says in the place of
// its server for an answer to a change, a listing or a look at a file: nothing was stored, nothing
// is gone, and nothing was said about the file. open makes a remote whose server is at addr; it
// must not ask that server anything.
func RunPortal(t *testing.T, open func(t *testing.T, addr string) remote.Remote) {
	const page = "<!DOCTYPE html><html><head><title>Welcome</title></head><body>Please log in.</body></html>"
	for what, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"a page": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, page)
		},
		"a redirection": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				w.Header().Set("Content-Type", "text/html")
				_, _ = io.WriteString(w, page)
				return
			}
			http.Redirect(w, r, "http://"+r.Host+"/login", http.StatusFound)
		},
		"a page that says it is needed": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNetworkAuthenticationRequired)
			_, _ = io.WriteString(w, page)
		},
	} {
		t.Run("a captive portal answers with "+what, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				answer(w, r)
			}))
			t.Cleanup(s.Close)
			r := open(t, strings.TrimPrefix(s.URL, "http://"))
			ctx := t.Context()
			_, err := r.Put(ctx, "f", strings.NewReader("content"), remote.PutOptions{Size: 7})
			notAbout(t, "Put", err)
			notAbout(t, "Remove", r.Remove(ctx, "f"))
			notAbout(t, "Mkdir", r.Mkdir(ctx, "d"))
			if _, able := r.(remote.Mover); able {
				notAbout(t, "Move", remote.Move(ctx, r, "f", "g"))
			}
			_, err = r.Stat(ctx, "f")
			notAbout(t, "Stat", err)
			_, err = r.Stat(ctx, ".")
			notAbout(t, "Stat of the root", err)
			if content, err := r.Open(ctx, "f", 0, -1); err == nil && r.Info().Caps.ImplicitDirs { // else a server may show pages
				_, err = io.ReadAll(content)
				content.Close()
				notAbout(t, "Read", err)
			}
			err = nil
			for _, listErr := range r.List(ctx, ".") {
				err = listErr
			}
			notAbout(t, "List", err)
		})
	}
}

// notAbout checks that err says nothing of the file.
func notAbout(t *testing.T, call string, err error) {
	t.Helper()
	if err == nil || remote.RefusesObject(err) || errors.Is(err, remote.ErrNotExist) || errors.Is(err, context.Canceled) {
		t.Errorf("%s: %v", call, err)
	}
}
