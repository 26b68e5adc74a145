package entra

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestTheAgentOfArcIsShownItsFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "1.key"), []byte("k"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "passwd"), []byte("no business of its own"), 0o600); err != nil {
		t.Fatal(err)
	}
	for challenge, valid := range map[string]bool{
		"Basic realm=" + filepath.Join(dir, "1.key"):            true,
		`Basic realm="` + filepath.Join(dir, "1.key") + `"`:     true,
		"Basic realm=" + filepath.Join(dir, "passwd"):           false,
		"Basic realm=" + filepath.Join(dir, "x", "..", "2.key"): false, // missing
		"Basic realm=" + dir + "/../" + "1.key":                 false,
		"Bearer":                                                false,
		"Basic realm=" + filepath.Join(dir, "below", "1.key"):   false,
		"": false,
	} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "Basic k" {
				_, _ = w.Write([]byte(`{"access_token":"T","expires_in":"3599"}`))
				return
			}
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(http.StatusUnauthorized)
		}))
		got, err := arc(web.Client(), web.URL, dir, Identity{})(t.Context())
		if (err == nil) != valid || valid && got.Value != "T" {
			t.Errorf("%q: %v", challenge, err)
		}
		web.Close()
	}
}
