package onedrive_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/onedrive"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/retry"
)

// A listed is what the service says of a file.
type listed struct {
	ID   string   `json:"id"`
	Name string   `json:"name"`
	Size int      `json:"size"`
	File struct{} `json:"file"`
}

type listPage struct {
	Value []listed `json:"value"`
	Next  string   `json:"@odata.nextLink,omitempty"`
}

func (p *listPage) add(name string) { p.Value = append(p.Value, listed{ID: "x", Name: name, Size: 1}) }

// root is what a service says of the root of a drive.
const root = `{"id":"root-id","folder":{},"root":{},"parentReference":{"driveId":"d"}}`

// openLiar opens a drive in whose root there is what page tells, from the entry from on.
func openLiar(t *testing.T, page func(host string, from int) listPage) remote.Remote {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if !strings.HasSuffix(r.URL.Path, "/children") {
			_, _ = fmt.Fprint(w, root)
			return
		}
		from := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("from"), &from)
		_ = json.NewEncoder(w).Encode(page(r.Host, from)) // the client may have gone
	}))
	t.Cleanup(s.Close)
	var o onedrive.Options
	o.Network.MaxEntries = remotetest.EndlessEntries
	return open(t, strings.TrimPrefix(s.URL, "http://"), o)
}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	remotetest.RunHostile(t, func(t *testing.T, names []string) remote.Remote {
		var p listPage
		p.add("ok")
		for _, name := range names {
			p.add(name)
		}
		return openLiar(t, func(string, int) listPage { return p })
	}, func(string) bool { return false })
}

// An encoding makes no names that are none.
func TestHostileEncodedNames(t *testing.T) {
	t.Parallel()
	var p listPage
	for _, name := range []string{"．．", "．", "a／b", "ok"} {
		p.add(name)
	}
	r := openLiar(t, func(string, int) listPage { return p })
	defer r.Close()
	names, omitted, err := remotetest.ListOmitting(t.Context(), r, ".")
	if err != nil || strings.Join(names, " ") != "ok" || len(omitted) != 3 {
		t.Errorf("%q, left out %q, %v", names, omitted, err)
	}
}

func TestListsWithoutEnd(t *testing.T) {
	t.Parallel()
	endless := func(t *testing.T, name func(i int) string) remote.Remote {
		return openLiar(t, func(host string, from int) listPage {
			p := listPage{Next: fmt.Sprintf("http://%s/v1.0/me/drive/root/children?from=%d", host, from+100)}
			for i := from; name != nil && i < from+100; i++ {
				p.add(name(i))
			}
			return p
		})
	}
	remotetest.RunEndless(t, endless)
	remotetest.RunEndlessPages(t, func(t *testing.T) remote.Remote { return endless(t, nil) })
}

// The token goes to the service alone, whatever address it names to go on.
func TestATokenGoesNowhereElse(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s with %q", r.Method, r.URL, r.Header.Get("Authorization"))
	}))
	t.Cleanup(other.Close)
	r := openLiar(t, func(string, int) listPage {
		p := listPage{Next: other.URL + "/v1.0/me/drive/root/children"}
		p.add("ok")
		return p
	})
	defer r.Close()
	if names, _, err := remotetest.ListOmitting(t.Context(), r, "."); err == nil || strings.Join(names, " ") != "ok" {
		t.Errorf("%q, %v", names, err)
	}
}

func TestCaptivePortal(t *testing.T) {
	t.Parallel()
	remotetest.RunPortal(t, func(t *testing.T, addr string) remote.Remote { return open(t, addr, onedrive.Options{}) })
}

func TestWhatAnAnswerMeansAndCosts(t *testing.T) {
	t.Parallel()
	remotetest.RunAnswers(t, []remotetest.Answer{
		{Status: 400, Code: "invalidRequest", Requests: 1, Kind: remote.ErrInvalid},
		{Status: 401, Code: "InvalidAuthenticationToken", Requests: 1, Kind: remote.ErrPermission},
		{Status: 403, Code: "accessDenied", Requests: 1, Kind: remote.ErrPermission},
		{Status: 405, Code: "notSupported", Requests: 1, Kind: remote.ErrUnsupported},
		{Status: 411, Code: "lengthRequired", Requests: 1},
		{Status: 412, Code: "resourceModified", Requests: 1, Kind: remote.ErrChanged},
		{Status: 413, Code: "maxFileSizeExceeded", Requests: 1, Kind: remote.ErrTooLarge},
		{Status: 418, Code: "somethingNew", Requests: 1},
		{Status: 423, Code: "resourceLocked", Requests: 3},
		{Status: 429, Code: "activityLimitReached", Requests: 3},
		{Status: 500, Code: "generalException", Requests: 3},
		{Status: 503, Code: "serviceNotAvailable", Requests: 3},
		{Status: 507, Code: "quotaLimitReached", Requests: 1, Kind: remote.ErrNoSpace},
		{Status: 509, Code: "bandwidthLimitExceeded", Requests: 3},
	}, func(w http.ResponseWriter, a remotetest.Answer) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(a.Status)
		_, _ = fmt.Fprintf(w, `{"error":{"code":%q,"message":"no"}}`, a.Code)
	}, func(r *http.Request) string {
		switch {
		case r.Method != http.MethodGet:
			return ""
		case strings.HasSuffix(r.URL.Path, "/root"):
			return root
		}
		return `{"id":"id","name":"f","file":{}}`
	}, func(t *testing.T, url string) remote.Remote {
		var o onedrive.Options
		o.Network.Attempts = 3
		return retry.New(open(t, strings.TrimPrefix(url, "http://"), o), retry.Options{Attempts: 3})
	})
}

// Only the service itself knows that something does not exist.
func TestNotFoundByOthers(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/gone") {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = fmt.Fprint(w, `{"error":{"code":"itemNotFound"}}`)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(s.Close)
	r := open(t, strings.TrimPrefix(s.URL, "http://"), onedrive.Options{})
	defer r.Close()
	if _, err := r.Stat(t.Context(), "gone"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := r.Stat(t.Context(), "f"); err == nil || errors.Is(err, remote.ErrNotExist) || remote.Permanent(err) {
		t.Errorf("%v", err)
	}
}
