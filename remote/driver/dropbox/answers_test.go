package dropbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/retry"
)

func TestWhatAnAnswerMeansAndCosts(t *testing.T) {
	t.Parallel()
	const nested = `{"error_summary": "x", "error": %s}`
	remotetest.RunAnswers(t, []remotetest.Answer{
		{Status: 409, Code: `{".tag": "payload_too_large"}`, Requests: 1, Kind: remote.ErrTooLarge},
		{Status: 409, Code: `{".tag": "path", "path": {".tag": "insufficient_space"}}`, Requests: 1, Kind: remote.ErrQuota},
		{Status: 409, Code: `{".tag": "path", "path": {".tag": "no_write_permission"}}`, Requests: 1, Kind: remote.ErrPermission},
		{Status: 409, Code: `{".tag": "path", "path": {".tag": "malformed_path", "malformed_path": "x"}}`, Requests: 1, Kind: remote.ErrBadName},
		{Status: 409, Code: `{".tag": "something_new"}`, Requests: 1},
		{Status: 409, Code: `{".tag": "too_many_write_operations"}`, Requests: 3},
		{Status: 409, Code: `{".tag": "content_hash_mismatch"}`, Requests: 3},
		{Status: 400, Code: `"no"`, Requests: 1, Kind: remote.ErrInvalid},
		{Status: 401, Code: `{".tag": "invalid_access_token"}`, Requests: 1, Kind: remote.ErrPermission},
		{Status: 403, Code: `{".tag": "missing_scope"}`, Requests: 1, Kind: remote.ErrPermission},
		{Status: 418, Code: `{}`, Requests: 1},
		{Status: 429, Code: `{".tag": "too_many_requests"}`, Requests: 3},
		{Status: 500, Code: `{}`, Requests: 3},
		{Status: 503, Code: `{}`, Requests: 3},
	}, func(w http.ResponseWriter, a remotetest.Answer) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.Status)
		_, _ = fmt.Fprintf(w, nested, a.Code)
	}, func(*http.Request) string { return "" }, func(t *testing.T, url string) remote.Remote {
		o := options(url[len("http://"):])
		o.Network.Attempts = 3
		return retry.New(open(t, "", o), retry.Options{Attempts: 3})
	})
}

// openLiar opens a folder of which a server says what page tells.
func openLiar(t *testing.T, page func(from int) (names []string, more bool)) remote.Remote {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Cursor string }
		_ = json.NewDecoder(r.Body).Decode(&asked)
		from := 0
		_, _ = fmt.Sscan(asked.Cursor, &from)
		names, more := page(from)
		entries := []any{}
		for _, name := range names {
			entries = append(entries, map[string]any{".tag": "file", "name": name, "path_display": "/" + name, "rev": "0123456789", "size": 1})
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"entries": entries, "cursor": fmt.Sprint(from + len(names)), "has_more": more}) // the client may have gone
	}))
	t.Cleanup(s.Close)
	o := options(s.Listener.Addr().String())
	o.Network.MaxEntries = remotetest.EndlessEntries
	return open(t, "", o)
}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	remotetest.RunHostile(t, func(t *testing.T, names []string) remote.Remote {
		return openLiar(t, func(int) ([]string, bool) { return append(names[:len(names):len(names)], "ok"), false })
	}, func(string) bool { return false })
}

func TestEndlessListings(t *testing.T) {
	t.Parallel()
	remotetest.RunEndless(t, func(t *testing.T, name func(i int) string) remote.Remote {
		return openLiar(t, func(from int) (names []string, more bool) {
			for i := range 500 {
				names = append(names, name(from+i))
			}
			return names, true
		})
	})
	remotetest.RunEndlessPages(t, func(t *testing.T) remote.Remote {
		return openLiar(t, func(int) ([]string, bool) { return nil, true })
	})
}

// An answer that has no end, and one that is none, are what no repetition helps against.
func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for what, answer := range map[string]string{"no JSON": "yes", "nothing": "", "no object": "[1]"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, answer)
		}))
		r := open(t, "", options(s.Listener.Addr().String()))
		if _, err := r.Stat(t.Context(), "f"); err == nil || !remote.Permanent(err) {
			t.Errorf("%s: %v", what, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		s.Close()
	}
}
