package registry

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"ferry/config"
	"ferry/registry/tokens"
	"ferry/remote/remotetest/servers/oauthserver"
)

// loginOf returns the login of a type with options.
func loginOf(t *testing.T, typ string, options map[string]string) Login {
	t.Helper()
	l, ok := LoginOf(config.Settings{Name: "c", Type: typ, Values: options})
	if !ok {
		t.Fatalf("type %s has no login", typ)
	}
	return l
}

func TestLogins(t *testing.T) {
	if _, ok := LoginOf(config.Settings{Type: "sftp"}); ok {
		t.Error("an SSH server is logged in to at a provider")
	}
	for typ := range logins() {
		l := loginOf(t, typ, map[string]string{"client_id": "id", "client_secret": "secret"})
		address := l.Config.AuthCodeURL("state", l.Params...)
		if l.Config.RedirectURL == "" || len(l.Config.Scopes) == 0 || !strings.HasPrefix(address, "https://") || l.Advice != "" || l.Optional {
			t.Errorf("%s: %s, %+v", typ, address, l.Config.Scopes)
		}
		if typ != "onedrive" && !strings.Contains(address, "offline") || typ == "onedrive" && !slices.Contains(l.Config.Scopes, "offline_access") {
			t.Errorf("%s: no refresh token is asked for: %s", typ, address)
		}
		if l := loginOf(t, typ, nil); !strings.Contains(l.Advice, "https://") {
			t.Errorf("%s: it is not said how a client is made", typ)
		}
	}
	for _, c := range []struct {
		typ     string
		options map[string]string
		want    func(l Login) bool
	}{
		{"drive", map[string]string{"scope": "drive.file,drive.appdata"}, func(l Login) bool {
			return l.Device && slices.Equal(l.Config.Scopes, []string{"https://www.googleapis.com/auth/drive.file", "https://www.googleapis.com/auth/drive.appdata"})
		}},
		{"drive", map[string]string{"scope": "drive"}, func(l Login) bool { return !l.Device }},
		{"drive", map[string]string{"service_account_file": "x"}, func(l Login) bool { return l.Optional }},
		{"drive", map[string]string{"env_auth": "false"}, func(l Login) bool { return !l.Optional }},
		{"drive", map[string]string{"auth_url": "http://own/auth", "token_url": "http://own/token"}, func(l Login) bool {
			return l.Config.Endpoint.AuthURL == "http://own/auth" && l.Config.Endpoint.TokenURL == "http://own/token" && l.Config.Endpoint.DeviceAuthURL == ""
		}},
		{"onedrive", map[string]string{"region": "us", "tenant": "example.org"}, func(l Login) bool {
			return l.Device && l.Config.Endpoint.TokenURL == "https://login.microsoftonline.us/example.org/oauth2/v2.0/token"
		}},
		{"onedrive", map[string]string{"access_scopes": "Files.Read offline_access"}, func(l Login) bool { return len(l.Config.Scopes) == 2 }},
		{"onedrive", map[string]string{"disable_site_permission": "true"}, func(l Login) bool { return !slices.Contains(l.Config.Scopes, "Sites.Read.All") }},
		{"onedrive", map[string]string{"client_credentials": "true"}, func(l Login) bool { return l.Optional }},
	} {
		if l := loginOf(t, c.typ, c.options); !c.want(l) {
			t.Errorf("%s with %v: %+v", c.typ, c.options, l)
		}
	}
}

// After a login it is asked which of several drives the remote is.
func TestChoices(t *testing.T) {
	s := oauthserver.Start(t)
	s.Drives = []string{"Team", "Family"}
	token, err := tokens.Parse(s.Token(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	base := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{Transport: &oauth2.Transport{Base: base, Source: oauth2.StaticTokenSource(token)}}
	choose := func(typ string, more map[string]string) []string {
		t.Helper()
		options := map[string]string{"endpoint": s.URL}
		for key, value := range more {
			options[key] = value
		}
		choice, err := loginOf(t, typ, options).Choose(t.Context(), client)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, a := range choice.Answers {
			all = append(all, a.Text+"|"+a.Set["drive_id"]+a.Set["team_drive"]+"|"+a.Set["drive_type"])
		}
		return all
	}
	if got, want := strings.Join(choose("onedrive", nil), "\n"), "OneDrive (personal) own-id|own-id|personal\n"+
		"Team (business) drive-1|drive-1|business\nFamily (business) drive-2|drive-2|business"; got != want {
		t.Errorf("onedrive: %s", got)
	}
	if got, want := strings.Join(choose("drive", nil), "\n"), "My Drive||\nTeam (shared drive)|drive-1|\nFamily (shared drive)|drive-2|"; got != want {
		t.Errorf("drive: %s", got)
	}
	for typ, options := range map[string]map[string]string{
		"onedrive": {"drive_id": "x", "drive_type": "personal"}, "drive": {"team_drive": "x"}, "dropbox": nil,
	} {
		if got := choose(typ, options); got != nil {
			t.Errorf("%s is asked about: %v", typ, got)
		}
	}
	stranger := &http.Client{Transport: base}
	if _, err := loginOf(t, "onedrive", map[string]string{"endpoint": s.URL}).Choose(t.Context(), stranger); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("no token: %v", err)
	}
}
