package main

import (
	"net/http"
	"testing"
	"time"
)

// Wrong passwords of the remote control take time and are logged, as those of FTP.
func TestRCPasswordsCannotBeGuessedQuickly(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--passive-port", "0", "-v",
		"--rc", "--rc-addr", "127.0.0.1:0", "--rc-user", "bob", "--rc-pass", "sesame")
	r.url(t)
	url := rcAddress.FindStringSubmatch(r.logged())[1]
	try := func(password string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"rc/noop", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("bob", password)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	began := time.Now()
	for range 2 {
		if got := try("wrong"); got != http.StatusUnauthorized {
			t.Errorf("a wrong password: %d", got)
		}
	}
	if took := time.Since(began); took < 1500*time.Millisecond {
		t.Errorf("two wrong passwords took %v", took)
	}
	if got := try("sesame"); got != http.StatusOK {
		t.Errorf("the right password: %d", got)
	}
	r.waitFor(t, "login denied client=127.0.0.1:")
	r.waitFor(t, "user=bob failures=2")
}
