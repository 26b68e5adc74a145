package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"ferry/config"
	"ferry/remote"
)

// The token of a remote is refreshed with what its options say, and written to the section that it
// stands in.
func TestTokensOfARemote(t *testing.T) {
	var asked string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		asked = strings.Join([]string{r.Form.Get("grant_type"), r.Form.Get("refresh_token"), r.Form.Get("client_id"), r.Form.Get("client_secret")}, " ")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"a1","refresh_token":"r1","token_type":"Bearer","expires_in":3600}`)
	}))
	defer web.Close()
	cloud := config.Type{Name: "cloud", Options: oauthOptions()}
	doc, err := config.ParseDocument(fmt.Appendf(nil, "[c]\ntype = cloud\nclient_id = id\nclient_secret = hunter2\ntoken_url = %s\n"+
		"token = {\"access_token\":\"a0\",\"refresh_token\":\"r0\",\"expiry\":%q}\n[c.sub]\ntype = cloud\n", web.URL, time.Now().Add(-time.Hour).Format(time.RFC3339)))
	if err != nil {
		t.Fatal(err)
	}
	sources := config.Sources{Types: []config.Type{cloud}, File: doc}
	set, err := sources.Resolve(config.Remote{Name: "c.sub"})
	if err != nil {
		t.Fatal(err)
	}
	var section, stored string
	v := (&values{warn: func(string, ...any) { t.Error("there is a warning") }, env: Environment{
		Update: func(_ context.Context, s, option string, change func(string) (string, error)) (err error) {
			section = s + " " + option
			stored, err = change(set.Values["token"])
			return err
		},
	}}).of(set)
	source := v.tokens(oauth2.Endpoint{}, "scope")
	if v.err != nil {
		t.Fatal(v.err)
	}
	token, err := source.Token()
	if err != nil || token.AccessToken != "a1" || asked != "refresh_token r0 id hunter2" || section != "c token" || !strings.Contains(stored, `"r1"`) {
		t.Errorf("got %v, %v; asked with %q; %s is %s", token, err, asked, section, stored)
	}
}

func TestNoTokenIsAnErrorWithTheWayToOne(t *testing.T) {
	for typ, page := range map[string]string{"drive": "console.cloud.google.com", "onedrive": "entra.microsoft.com", "dropbox": "dropbox.com/developers"} {
		v := (&values{}).of(config.Settings{Name: "c{abcde}", Type: typ})
		v.tokens(oauth2.Endpoint{})
		for _, want := range []string{page, ":53682/", "ferry config update c client_id=", `"ferry config reconnect c:"`} {
			if !errors.Is(v.err, remote.ErrPermission) || !strings.Contains(v.err.Error(), want) {
				t.Errorf("%s: %v lacks %s", typ, v.err, want)
			}
		}
	}
}
