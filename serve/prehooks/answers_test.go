package prehooks

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/hooks/settings"
)

// logged has the hooks of st written anew, and returns what they log.
func (st *stage) logged(list ...settings.Hook) *bytes.Buffer {
	st.t.Helper()
	var text bytes.Buffer
	st.hooks.Close()
	var err error
	st.hooks, err = New(list, Options{Spool: st.spool, Log: slog.New(slog.NewTextHandler(&text, nil))})
	if err != nil {
		st.t.Fatal(err)
	}
	return &text
}

// What is meant as an answer and cannot be read is none: a hook that is to rename, and fails, does
// not have the file stored under the name that the client chose.
func TestAnswersThatCannotBeRead(t *testing.T) {
	const none = "gave no answer"
	for out, want := range map[string]string{
		"":                              "",
		"  \n":                          "",
		"{}":                            "",
		`{"other": [1]}`:                "",
		"moved it":                      "",
		"<html>":                        "",
		"[1]":                           "",
		"null":                          "",
		`{"path": 7}`:                   "path is a number",
		`{"path": "/x"`:                 "ends before it is complete",
		"{path: x}":                     none,
		`{"path": "/x"} done`:           "behind it",
		`{"path": "x"}`:                 "begins with a slash",
		`{"message": true}`:             "message is a bool",
		`{"reply": "226"}`:              "reply is a string",
		"{\"path\": \"/\xff\"}":         "no UTF-8",
		"\ufeff{\"path\": 7}":           "path is a number",
		strings.Repeat(" ", 10) + "{\n": none,
	} {
		for _, fail := range []string{"closed", "open"} {
			st := newStage(t)
			file := filepath.Join(t.TempDir(), "out")
			if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
				t.Fatal(err)
			}
			hook := script("cat "+file, preUpload)
			hook.Fail = fail
			text := st.logged(hook)
			err := send(st.tree("ann"), "f", 0, "text")
			switch {
			case want == "" || fail == "open":
				if err != nil {
					t.Errorf("%q, %s: %v", out, fail, err)
				}
				st.has("f", "text")
			case err == nil || !strings.Contains(err.Error(), none) || !strings.Contains(err.Error(), want) || errors.Is(err, fs.ErrPermission):
				t.Errorf("%q: %v, not %q", out, err, want)
			default:
				st.has("f", "")
			}
			if want != "" && (!strings.Contains(text.String(), want) || !strings.Contains(text.String(), "level=WARN")) {
				t.Errorf("%q, %s: the log has %s", out, fail, text)
			}
			if line := strings.TrimSpace(out); want == "" && line != "" && line[0] != '{' && !strings.Contains(text.String(), line) {
				t.Errorf("%q is not in the log: %s", out, text)
			}
		}
	}
}

// The same of addresses, where what is said to be JSON is meant as an answer too.
func TestBodiesThatCannotBeRead(t *testing.T) {
	for _, tt := range []struct{ kind, body, want string }{
		{"application/json", "", ""},
		{"application/json", "{}", ""},
		{"application/json", "null\n", ""},
		{"text/plain", `{"path": "/g"}`, ""},
		{"text/html", "<html>", ""},
		{"text/plain", `{"path": 7}`, "path is a number"},
		{"application/json", "<html>", "invalid character"},
		{"application/problem+json; charset=utf-8", "ok", "invalid character"},
		{"application/json", `"ok"`, "no object"},
		{"application/json", `[{"path": "/g"}]`, "no object"},
	} {
		st := newStage(t)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", tt.kind)
			fmt.Fprint(w, tt.body)
		}))
		text := st.logged(settings.Hook{Name: "test", Events: []string{preUpload}, URL: s.URL})
		err := send(st.tree("ann"), "f", 0, "text")
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s %s: %v", tt.kind, tt.body, err)
		}
		if tt.want == "" && strings.HasPrefix(tt.body, "<") && !strings.Contains(text.String(), tt.body) {
			t.Errorf("%s is not in the log: %s", tt.body, text)
		}
		s.Close()
	}
}

// A no stays one whatever is said with it, and the log says what cannot be read.
func TestANoThatCannotBeRead(t *testing.T) {
	st := newStage(t)
	text := st.logged(script(`echo '{"message": "not now", "reply": "552"}'; exit 1`, preUpload))
	err := send(st.tree("ann"), "f", 0, "text")
	var hint interface{ Hint() string }
	if !errors.Is(err, fs.ErrPermission) || !errors.As(err, &hint) || hint.Hint() != "not now" {
		t.Errorf("%v", err)
	}
	if !strings.Contains(text.String(), "reply is a string") {
		t.Errorf("the log has %s", text)
	}
}

// A hook that is asked signs with the secrets of its file, too.
func TestSecretsOfAFile(t *testing.T) {
	st := newStage(t)
	signed := ""
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { signed = r.Header.Get("Webhook-Signature") }))
	defer s.Close()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	st.logged(settings.Hook{Name: "test", Events: []string{preUpload}, URL: s.URL, SecretFile: file})
	if err := send(st.tree("ann"), "f", 0, "text"); err != nil || !strings.HasPrefix(signed, "v1,") {
		t.Errorf("signed %q, %v", signed, err)
	}
}
