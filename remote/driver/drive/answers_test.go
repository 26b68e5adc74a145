package drive_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/retry"
)

// preludes answers what is asked for before a Put, "" for anything else.
func preludes(r *http.Request) string {
	switch {
	case r.URL.Path == "/drive/v3/files/root":
		return `{"id":"r"}`
	case r.URL.Path == "/drive/v3/files/generateIds":
		return `{"ids":["1","2","3","4","5","6","7","8","9","10"]}`
	case r.Method == http.MethodGet && r.URL.Path == "/drive/v3/files":
		return `{"files":[]}`
	}
	return ""
}

func TestWhatAnAnswerMeansAndCosts(t *testing.T) {
	t.Parallel()
	remotetest.RunAnswers(t, []remotetest.Answer{
		{Status: 413, Code: "uploadTooLarge", Requests: 1, Kind: remote.ErrTooLarge},
		{Status: 418, Code: "somethingNew", Requests: 1},
		{Status: 401, Code: "authError", Requests: 1, Kind: remote.ErrPermission},
		{Status: 403, Code: "insufficientFilePermissions", Requests: 1, Kind: remote.ErrPermission},
		{Status: 403, Code: "storageQuotaExceeded", Requests: 1, Kind: remote.ErrNoSpace},
		{Status: 403, Code: "teamDriveFileLimitExceeded", Requests: 1, Kind: remote.ErrQuota},
		{Status: 403, Code: "dailyLimitExceeded", Requests: 1},
		{Status: 503, Code: "backendError", Requests: 3},
		{Status: 500, Code: "internalError", Requests: 3},
		{Status: 429, Code: "rateLimitExceeded", Requests: 3},
		{Status: 403, Code: "userRateLimitExceeded", Requests: 3},
		{Status: 408, Code: "timeout", Requests: 6}, // an answer that may be lost is asked for once more
	}, func(w http.ResponseWriter, a remotetest.Answer) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.Status)
		_, _ = fmt.Fprintf(w, `{"error":{"code":%d,"errors":[{"reason":%q}]}}`, a.Status, a.Code)
	}, preludes, func(t *testing.T, url string) remote.Remote {
		o := options(strings.TrimPrefix(url, "http://"))
		o.Network.Attempts = 3
		return retry.New(open(t, "", o), retry.Options{Attempts: 3})
	})
}

// openLiar opens a drive in whose root there is nothing but what page tells of the files behind
// from.
func openLiar(t *testing.T, page func(from int) (names []string, next bool)) remote.Remote {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if prelude := preludes(r); prelude != "" && r.URL.Path != "/drive/v3/files" {
			_, _ = io.WriteString(w, prelude)
			return
		}
		from := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("pageToken"), &from)
		names, more := page(from)
		answer := map[string]any{}
		if more {
			answer["nextPageToken"] = fmt.Sprint(from + max(len(names), 1))
		}
		var files []any
		for i, name := range names {
			files = append(files, map[string]any{"id": fmt.Sprint(from + i), "name": name, "mimeType": "text/plain", "size": "1", "parents": []string{"r"}})
		}
		answer["files"] = files
		_ = json.NewEncoder(w).Encode(answer) // the client may have gone
	}))
	t.Cleanup(s.Close)
	o := options(strings.TrimPrefix(s.URL, "http://"))
	o.Network.MaxEntries = remotetest.EndlessEntries
	return open(t, "", o)
}

// What cannot be part of a path is shown as what looks like it, or left out with a word.
func TestNamesThatAreNoPaths(t *testing.T) {
	t.Parallel()
	names := []string{"..", ".", "", "/", "a/b", "../up", "a\x00b", "‛x", "ok"}
	r := openLiar(t, func(int) ([]string, bool) { return names, false })
	defer r.Close()
	shown, omitted, err := remotetest.ListOmitting(t.Context(), r, ".")
	want := []string{"．．", "．", "／", "a／b", "..／up", "ok"}
	if err != nil || !slices.Equal(shown, want) {
		t.Errorf("%q, %v, want %q", shown, err, want)
	}
	if len(omitted) != len(names)-len(want) {
		t.Errorf("left out: %q", omitted)
	}
	for _, name := range shown {
		if !remote.ValidName(name) {
			t.Errorf("%q is no name", name)
		}
	}
}

func TestListsWithoutEnd(t *testing.T) {
	t.Parallel()
	remotetest.RunEndless(t, func(t *testing.T, name func(i int) string) remote.Remote {
		return openLiar(t, func(from int) ([]string, bool) {
			var names []string
			for i := from; i < from+100; i++ {
				names = append(names, name(i))
			}
			return names, true
		})
	})
	remotetest.RunEndlessPages(t, func(t *testing.T) remote.Remote {
		return openLiar(t, func(int) ([]string, bool) { return nil, true })
	})
}
