package auth

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// asking returns a URL of a server that answers with h.
func asking(t *testing.T, o URLOptions, h http.HandlerFunc) *URL {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	u, err := NewURL("http://ferry:t0ken@"+strings.TrimPrefix(server.URL, "http://")+"/auth?key=t0ken", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close() })
	return u
}

// answering returns a handler with one answer.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

var bob = Login{User: "bob", Password: "pa55word", IP: netip.MustParseAddr("192.0.2.1"), TLS: true}

func TestURLQuestions(t *testing.T) {
	for protocol, want := range map[string]map[string]string{
		"rclone": {"user": "bob", "pass": "pa55word", "client_ip": "192.0.2.1"},
		"sftpgo": {
			"username": "bob", "password": "pa55word", "ip": "192.0.2.1", "protocol": "FTP",
			"public_key": "", "keyboard_interactive": "", "tls_cert": "",
		},
		"aws": {"username": "bob", "password": "pa55word", "protocol": "FTPS", "serverId": "s-1", "sourceIp": "192.0.2.1"},
	} {
		t.Run(protocol, func(t *testing.T) {
			var got map[string]string
			var asked int
			u := asking(t, URLOptions{Protocol: protocol, AWSRemote: "s3:", ServerID: "s-1"}, func(w http.ResponseWriter, r *http.Request) {
				asked++
				user, password, _ := r.BasicAuth()
				if r.Method != http.MethodPost || r.URL.String() != "/auth?key=t0ken" || user != "ferry" || password != "t0ken" ||
					r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("%s %s, %v", r.Method, r.URL, r.Header)
				}
				if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
					t.Error(err)
				}
				w.WriteHeader(http.StatusForbidden)
			})
			for range 2 { // the second time it is known to be refused
				if _, err := u.Authenticate(t.Context(), bob); !errors.Is(err, ErrDenied) {
					t.Errorf("got %v", err)
				}
			}
			if !reflect.DeepEqual(got, want) || asked != 1 {
				t.Errorf("it was asked %d times for %v, want %v", asked, got, want)
			}
		})
	}
}

func TestURLAnswers(t *testing.T) {
	const home = `"HomeDirectoryType":"LOGICAL","HomeDirectoryDetails":`
	sftpgo := `{"username":"bob","status":1,"home_dir":"/srv/bob"}`
	for _, tt := range []struct {
		name, protocol, answer string
		want                   Grant
	}{
		{"rclone", "rclone", `{"type":"s3","_root":"b/bob","provider":"Minio"}`,
			Grant{Backend: &Backend{Type: "s3", Root: "b/bob", Options: map[string]string{"provider": "Minio"}}}},
		{"sftpgo", "sftpgo", sftpgo, Grant{SFTPGo: json.RawMessage(sftpgo)}},
		{"sftpgo, the user as he is here", "sftpgo", "", Grant{}},
		{"aws, a path", "aws", `{"Role":"r","HomeDirectory":"/bucket/in/${transfer:UserName}/"}`, Grant{Remote: "s3:bucket/in/bob"}},
		{"aws, logical", "aws", `{"Role":"r","HomeDirectory":"/in",` + home +
			`"[{\"Entry\":\"/\",\"Target\":\"/bucket/${transfer:UserName}\"},{\"Entry\":\"/in\",\"Target\":\"/scans\",\"Type\":\"DIRECTORY\"}]"}`,
			Grant{Remote: "s3:bucket/bob", Start: "/in", Mounts: []Mount{{"/in", "s3:scans"}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := asking(t, URLOptions{Protocol: tt.protocol, AWSRemote: "s3:"}, answering(200, tt.answer))
			id, err := u.Authenticate(t.Context(), bob)
			if id.Grant == nil {
				id.Grant = &Grant{} // as one that says nothing
			}
			if err != nil || !reflect.DeepEqual(id, Identity{User: "bob", Owner: "bob", Grant: &tt.want}) {
				t.Errorf("got %+v, %v", id, err)
			}
		})
	}
}

// A login that is refused is ErrDenied. What a service does wrong is not: then it could not be
// checked, and the error names the service without what is secret.
func TestURLErrors(t *testing.T) {
	const details = `"Role":"r","HomeDirectoryType":"LOGICAL","HomeDirectoryDetails":`
	for _, tt := range []struct {
		protocol string
		status   int
		answer   string
		denied   bool
		want     string
	}{
		{"rclone", 401, "", true, "401"}, {"rclone", 403, "", true, "403"}, {"rclone", 404, "", false, "404"},
		{"rclone", 500, "pa55word", false, "500"}, {"rclone", 429, "", false, "429"},
		{"rclone", 204, "", false, "204"}, {"rclone", 302, "", false, "302"},
		{"rclone", 200, "", false, "JSON"}, {"rclone", 200, "<html>", false, "byte 1"}, {"rclone", 200, `{"type":"s3"}`, false, "_root"},
		{"rclone", 200, strings.Repeat(" ", maxAnswer+1), false, "1048576"},
		{"sftpgo", 200, `{"username":""}`, true, "names no user"}, {"sftpgo", 200, `{"username":"bob","status":0}`, true, "disabled"},
		{"sftpgo", 200, `{"username":"bob","status":1,"expiration_date":1000}`, true, "expired"},
		{"sftpgo", 200, `{"username":"ann","status":1}`, false, "another user"},
		{"sftpgo", 404, "", true, "404"}, {"sftpgo", 400, "", true, "400"}, {"sftpgo", 429, "", false, "429"},
		{"sftpgo", 502, "", false, "502"}, {"sftpgo", 200, "[]", false, "array"}, {"sftpgo", 200, `{"username":7}`, false, "number"},
		{"aws", 200, "", true, "empty"}, {"aws", 200, "{}", true, "no Role"}, {"aws", 403, "", true, "403"}, {"aws", 404, "", false, "404"},
		{"aws", 200, `{"Role":"r"}`, false, "HomeDirectory"},
		{"aws", 200, `{"Role":"r","HomeDirectory":"bucket"}`, false, "/BUCKET"}, {"aws", 200, `{"Role":"r","HomeDirectory":"/"}`, false, "/BUCKET"},
		{"aws", 200, `{"Role":"r","HomeDirectory":"/b/../c"}`, false, "/BUCKET"},
		{"aws", 200, `{"Role":"r","HomeDirectory":"/b","Policy":"{}"}`, false, "Policy"},
		{"aws", 200, `{"Role":"r","HomeDirectory":"/b","HomeDirectoryType":"OTHER"}`, false, "OTHER"},
		{"aws", 200, `{` + details + `"[]"}`, false, "no entry"}, {"aws", 200, `{` + details + `"x"}`, false, "byte 1"},
		{"aws", 200, `{` + details + `"[{\"Entry\":\"/in/../x\",\"Target\":\"/b\"}]"}`, false, "absolute"},
		{"aws", 200, `{` + details + `"[{\"Entry\":\"/f\",\"Target\":\"/b/f\",\"Type\":\"FILE\"}]"}`, false, "FILE"},
	} {
		u := asking(t, URLOptions{Protocol: tt.protocol, AWSRemote: "s3:"}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/auth" {
				t.Errorf("a redirect was followed to %s", r.URL)
			}
			w.Header().Set("Location", "/elsewhere")
			answering(tt.status, tt.answer)(w, r)
		})
		_, err := u.Authenticate(t.Context(), bob)
		if err == nil || errors.Is(err, ErrDenied) != tt.denied || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %d, %.60s: %v, want %q, denied: %v", tt.protocol, tt.status, tt.answer, err, tt.want, tt.denied)
			continue
		}
		if !tt.denied && !strings.Contains(err.Error(), "auth service http://127.0.0.1:") {
			t.Errorf("the error does not name the service: %v", err)
		}
		if strings.Contains(err.Error(), "t0ken") || strings.Contains(err.Error(), "pa55word") {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
}

// The name of a user cannot lead out of the prefix.
func TestAWSUserNames(t *testing.T) {
	u := asking(t, URLOptions{Protocol: "aws", AWSRemote: "nas:data"}, answering(200, `{"Role":"r","HomeDirectory":"/b/${transfer:UserName}"}`))
	for user, want := range map[string]string{"bob": "nas:data/b/bob", "a/b": "", "..": "", ".": "", `a\b`: "", "": ""} {
		id, err := u.Authenticate(t.Context(), Login{User: user, Password: "x"})
		got := ""
		if id.Grant != nil {
			got = id.Grant.Remote
		}
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", user, got, err)
		}
	}
}

func TestAURLThatIsSlow(t *testing.T) {
	u := asking(t, URLOptions{AskOptions: AskOptions{Timeout: 50 * time.Millisecond}}, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	_, err := u.Authenticate(t.Context(), bob)
	if err == nil || errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "no answer in 50ms") {
		t.Errorf("got %v", err)
	}
}

// A service that is dead denies nobody, and lets known users in for some time.
func TestAURLThatIsDead(t *testing.T) {
	server := httptest.NewServer(answering(200, `{"type":"local","_root":"/srv"}`))
	host := strings.TrimPrefix(server.URL, "http://")
	u, err := NewURL("http://ferry:t0ken@"+host+"/auth?key=t0ken", URLOptions{AskOptions: AskOptions{Remember: -1, Stale: time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if _, err := u.Authenticate(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if id, err := u.Authenticate(t.Context(), bob); err != nil || id.Grant.Backend == nil {
		t.Errorf("a known user: %+v, %v", id, err)
	}
	other := bob
	other.Password = "open"
	_, err = u.Authenticate(t.Context(), other)
	if err == nil || errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), server.URL) {
		t.Errorf("another password: %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "t0ken") {
		t.Errorf("the error shows a secret: %v", err)
	}
}

// A service that ends the connection amid its answer has not answered.
func TestAURLThatCutsItsAnswer(t *testing.T) {
	u := asking(t, URLOptions{Protocol: "sftpgo"}, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"user")
		_ = conn.Close()
	})
	if _, err := u.Authenticate(t.Context(), bob); err == nil || errors.Is(err, ErrDenied) {
		t.Errorf("got %v", err)
	}
}

func TestNewURL(t *testing.T) {
	for _, tt := range []struct {
		address string
		o       URLOptions
		want    string
	}{
		{"example.org", URLOptions{}, "https://HOST"}, {"ftp://example.org", URLOptions{}, "https://HOST"},
		{"http://u:t0ken@exa mple/", URLOptions{}, "https://HOST"},
		{"http://localhost/", URLOptions{Protocol: "ldap"}, "rclone, sftpgo"},
		{"http://localhost/", URLOptions{Protocol: "aws"}, "s3:"},
	} {
		if _, err := NewURL(tt.address, tt.o); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "t0ken") {
			t.Errorf("%s: %v", tt.address, err)
		}
	}
	for address, clear := range map[string]bool{
		"http://example.org/": true, "https://example.org/": false, "http://localhost:80/": false, "http://[::1]/": false,
		"http://" + net.IPv4(127, 0, 0, 2).String(): false, "http://192.0.2.1/": true,
	} {
		u, err := NewURL(address, URLOptions{})
		if err != nil || u.Clear() != clear {
			t.Errorf("%s: %v, %v", address, u, err)
		}
	}
}
