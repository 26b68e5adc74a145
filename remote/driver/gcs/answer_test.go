package gcs_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ferry/remote/driver/gcs"
)

// startAnswers starts a server that answers as told, and returns a remote on it.
func startAnswers(t *testing.T, answer http.HandlerFunc) *gcs.Remote {
	t.Helper()
	web := httptest.NewServer(answer)
	t.Cleanup(web.Close)
	r := open(t, "b", gcs.Options{Anonymous: true, UserProject: "payer", Endpoint: web.URL})
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestAContentWithAnotherSumIsAnError(t *testing.T) {
	for sum, damaged := range map[string]bool{"ZLZnnQ==": false, "AAAAAA==": true} { // the first is that of the content
		r := startAnswers(t, func(w http.ResponseWriter, q *http.Request) {
			if q.URL.Query().Has("prefix") { // is it a directory?
				_, _ = io.WriteString(w, `{}`)
				return
			}
			w.Header().Set("X-Goog-Hash", "crc32c="+sum+",md5=XrY7u+Ae7tCTyyK7j1rNww==")
			_, _ = io.WriteString(w, "hello world, hello")
		})
		f, err := r.Open(t.Context(), "f", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(f)
		f.Close()
		if (err != nil) != damaged {
			t.Errorf("with the sum %s: %v", sum, err)
		}
	}
}

func TestACopyIsAskedForUntilItIsDone(t *testing.T) {
	var tokens []string
	r := startAnswers(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Goog-User-Project") != "payer" {
			t.Errorf("%s: nobody pays", r.URL)
		}
		if r.Method == http.MethodGet { // is the target a directory?
			_, _ = io.WriteString(w, `{}`)
			return
		}
		tokens = append(tokens, r.FormValue("rewriteToken"))
		if len(tokens) < 3 {
			_, _ = io.WriteString(w, `{"done":false,"rewriteToken":"again"}`)
			return
		}
		_, _ = io.WriteString(w, `{"done":true}`)
	})
	if err := r.Copy(t.Context(), "f", "g"); err != nil {
		t.Error(err)
	}
	if got := strings.Join(tokens, " "); got != " again again" {
		t.Errorf("tokens: %q", got)
	}
}

func TestAServerThatGivesWholeFilesOnlyIsNotBelieved(t *testing.T) {
	r := startAnswers(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	if f, err := r.Open(t.Context(), "f", 2, -1); err == nil {
		f.Close()
		t.Error("a part of the file is the whole file")
	}
}
