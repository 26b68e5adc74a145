package rc

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// open, local and secret are calls that differ in their Access.
func accessCalls() []Call {
	run := func(context.Context, Params) (Params, error) { return Params{"ok": true}, nil }
	return []Call{
		{Path: "x/open", Access: Open, Run: run}, {Path: "x/local", Access: LocalOnly, Run: run}, {Path: "x/secret", Run: run},
	}
}

func sesame(user, password string) Rights {
	switch {
	case user == "bob" && password == "sesame":
		return MayChange
	case user == "eve" && password == "look":
		return MayRead
	}
	return NoRights
}

const (
	basicRight = "Basic Ym9iOnNlc2FtZQ==" // bob:sesame
	basicWrong = "Basic Ym9iOm9wZW4="     // bob:open
)

func TestWhoMayCallWhat(t *testing.T) {
	const here, here6, mapped, elsewhere = "127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "192.0.2.1:1"
	none, withCheck, noAuth := Options{}, Options{Check: sesame}, Options{NoAuth: true}
	tests := []struct {
		name                string
		o                   Options
		remote              string
		header              map[string]string
		open, local, secret int
	}{
		{"no password is set up, from here", none, here, nil, 200, 200, 403},
		{"no password is set up, from here over IPv6", none, here6, nil, 200, 200, 403},
		{"no password is set up, from here over IPv4 in IPv6", none, mapped, nil, 200, 200, 403},
		{"no password is set up, from elsewhere", none, elsewhere, nil, 200, 403, 403},
		{"no password is set up, through a proxy", none, here, map[string]string{"X-Forwarded-For": "192.0.2.1"}, 200, 403, 403},
		{"no password is set up, but one is given", none, elsewhere, map[string]string{"Authorization": basicRight}, 200, 403, 403},
		{"no password is wanted, from elsewhere", noAuth, elsewhere, nil, 200, 200, 200},
		{"none is given, from here", withCheck, here, nil, 401, 401, 401},
		{"none is given, from elsewhere", withCheck, elsewhere, nil, 401, 401, 401},
		{"a wrong one is given", withCheck, here, map[string]string{"Authorization": basicWrong}, 401, 401, 401},
		{"a right one is given, from elsewhere", withCheck, elsewhere, map[string]string{"Authorization": basicRight}, 200, 200, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Calls = accessCalls()
			s := newServer(t, tt.o)
			for path, want := range map[string]int{"x/open": tt.open, "x/local": tt.local, "x/secret": tt.secret} {
				w := request{target: "/" + path, remote: tt.remote, header: tt.header}.do(s)
				if w.Code != want {
					t.Errorf("%s: %d, want %d: %s", path, w.Code, want, w.Body)
				}
			}
		})
	}
}

func TestForbiddenHasTheTextOfRclone(t *testing.T) {
	w := request{target: "/x/secret?clear=hunter2"}.do(newServer(t, Options{Calls: accessCalls()}))
	wantJSON(t, w, http.StatusForbidden, `{"error":"authentication must be set up on the rc server to use \"x/secret\" or the --rc-no-auth flag must be in use",
		"input":{},"path":"x/secret","status":403}`)
}

func TestWithoutAPasswordTheBrowserIsToldToAsk(t *testing.T) {
	w := request{target: "/no/such"}.do(newServer(t, Options{Check: sesame}))
	if got := w.Header().Get("WWW-Authenticate"); w.Code != http.StatusUnauthorized || !strings.HasPrefix(got, "Basic realm=") {
		t.Errorf("%d, %q", w.Code, got)
	}
}

func TestPagesOfOtherOriginsCannotCall(t *testing.T) {
	trusting := Options{AllowOrigin: "https://admin.example.org"}
	tests := []struct {
		name   string
		o      Options
		header map[string]string
		want   int
	}{
		{"no browser", Options{}, nil, 200},
		{"the own page", Options{}, map[string]string{"Origin": "http://localhost:5572", "Sec-Fetch-Site": "same-origin"}, 200},
		{"the own page in an old browser", Options{}, map[string]string{"Origin": "http://localhost:5572"}, 200},
		{"another page", Options{}, map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403},
		{"another page in an old browser", Options{}, map[string]string{"Origin": "https://evil.example"}, 403},
		{"another port of this machine", Options{}, map[string]string{"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-site"}, 403},
		{"a page that hides its origin", Options{}, map[string]string{"Origin": "null"}, 403},
		{"another page without password", Options{NoAuth: true}, map[string]string{"Origin": "https://evil.example"}, 403},
		{"another page with a remembered password", Options{Check: sesame},
			map[string]string{"Origin": "https://evil.example", "Authorization": basicRight}, 403},
		{"the page that is allowed", trusting, map[string]string{"Origin": "https://admin.example.org", "Sec-Fetch-Site": "cross-site"}, 200},
		{"another page than the one that is allowed", trusting, map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403},
		{"all pages are allowed", Options{AllowOrigin: "*"}, map[string]string{"Origin": "https://evil.example"}, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Calls = accessCalls()
			w := request{target: "/x/local", header: tt.header}.do(newServer(t, tt.o))
			if w.Code != tt.want {
				t.Errorf("%d, want %d: %s", w.Code, tt.want, w.Body)
			}
		})
	}
}

func TestANameThatIsNotTheServersReachesNothing(t *testing.T) {
	tests := []struct {
		host string
		o    Options
		want int
	}{
		{"localhost", Options{}, 200},
		{"LOCALHOST:5572", Options{}, 200},
		{"localhost.:5572", Options{}, 200},
		{"127.0.0.1:5572", Options{}, 200},
		{"[::1]:5572", Options{}, 200},
		{"[::1]", Options{}, 200},
		{"192.0.2.1", Options{}, 200},
		{"rebound.example:5572", Options{}, 403},
		{"localhost.rebound.example", Options{}, 403},
		{"127.0.0.1.rebound.example", Options{}, 403},
		{"", Options{}, 403},
		{"rebound.example:5572", Options{NoAuth: true}, 403},
		{"nas.example.org:5572", Options{Hosts: []string{"NAS.example.org"}}, 200},
		{"rebound.example", Options{AllowOrigin: "*"}, 200},
	}
	for _, tt := range tests {
		t.Run(tt.host, func(t *testing.T) {
			tt.o.Calls = accessCalls()
			header := map[string]string{"Host": tt.host, "Origin": "http://" + tt.host}
			if tt.host == "" {
				delete(header, "Origin")
			}
			w := request{target: "/x/local", header: header}.do(newServer(t, tt.o))
			if w.Code != tt.want {
				t.Errorf("%d, want %d: %s", w.Code, tt.want, w.Body)
			}
		})
	}
	s := newServer(t, Options{Check: sesame, Calls: accessCalls()})
	w := request{target: "/x/local", header: map[string]string{"Host": "nas.example.org", "Authorization": basicRight}}.do(s)
	if w.Code != http.StatusOK {
		t.Errorf("with a password: %d %s", w.Code, w.Body)
	}
}

func TestPreflightNeedsNoPassword(t *testing.T) {
	s := newServer(t, Options{Check: sesame, AllowOrigin: "https://admin.example.org"})
	w := request{method: http.MethodOptions, target: "/rc/noop", header: map[string]string{"Origin": "https://admin.example.org"}}.do(s)
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":  "https://admin.example.org",
		"Access-Control-Allow-Methods": "POST, OPTIONS",
		"Access-Control-Allow-Headers": "authorization, Content-Type",
	} {
		if got := w.Header().Get(name); w.Code != http.StatusOK || got != want {
			t.Errorf("%d, %s: %q, want %q", w.Code, name, got, want)
		}
	}
	w = request{method: http.MethodOptions, target: "/rc/noop"}.do(newServer(t, Options{}))
	if w.Code != http.StatusOK || w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// A unix socket is local, whatever name the client says.
func TestUnixSocketsAreLocal(t *testing.T) {
	s := newServer(t, Options{Calls: accessCalls()})
	for _, tt := range []struct {
		path, header string
		want         int
	}{{"/x/local", "", 200}, {"/x/secret", "", 403}, {"/x/local", "X-Forwarded-For: 192.0.2.1\r\n", 403}} {
		text := "POST " + tt.path + " HTTP/1.1\r\nHost: whatever\r\n" + tt.header + "\r\n"
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr = "@"
		socket := &net.UnixAddr{Name: "/run/x", Net: "unix"}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, socket)))
		if w.Code != tt.want {
			t.Errorf("%s %q: %d, want %d: %s", tt.path, tt.header, w.Code, tt.want, w.Body)
		}
	}
}
