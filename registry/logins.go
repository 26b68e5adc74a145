package registry

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"ferry/config"
)

// A login is how users log in to the remotes of a type. Functions get the options of one.
type login struct {
	endpoint oauth2.Endpoint
	redirect string            // address that the provider knows for programs of this machine
	page     string            // where a client is made
	params   map[string]string // of the request of the browser
	scopes   func(options map[string]string) []string
	at       func(e oauth2.Endpoint, options map[string]string) oauth2.Endpoint // nil = everybody logs in at endpoint
	others   []string                                                           // options that log in otherwise
	device   func(scopes []string) bool                                         // whether a code can be typed on another device
	choose   func(ctx context.Context, c *http.Client, options map[string]string) (Choice, error)
}

// Addresses that a browser is sent to after a login: rclone's, so that a client made for one serves
// the other. Microsoft and Dropbox take a name only.
const (
	redirectAddress = "http://127.0.0.1:53682/"
	redirectName    = "http://localhost:53682/"
)

// logins lists the types that users log in to, by name.
func logins() map[string]login {
	google := login{
		endpoint: oauth2.Endpoint{
			AuthURL:       "https://accounts.google.com/o/oauth2/v2/auth",
			TokenURL:      "https://oauth2.googleapis.com/token",
			DeviceAuthURL: "https://oauth2.googleapis.com/device/code",
		},
		redirect: redirectAddress,
		page:     "https://console.cloud.google.com/apis/credentials",
		params:   map[string]string{"access_type": "offline", "prompt": "consent"}, // else there is no refresh token
		others:   []string{"service_account_file", "service_account_credentials", "env_auth", "access_token", "anonymous"},
		device:   googleDevice,
	}
	drive, storage := google, google
	drive.scopes, drive.choose = driveScopes, chooseSharedDrive
	storage.scopes = func(map[string]string) []string {
		return []string{"https://www.googleapis.com/auth/devstorage.full_control"}
	}
	return map[string]login{
		"drive":                drive,
		"google cloud storage": storage,
		"onedrive": {
			endpoint: oauth2.Endpoint{
				AuthURL:       "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
				TokenURL:      "https://login.microsoftonline.com/common/oauth2/v2.0/token",
				DeviceAuthURL: "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
			},
			redirect: redirectName,
			page:     "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps",
			scopes:   graphScopes,
			at:       microsoftAt,
			device:   func([]string) bool { return true },
			choose:   chooseOneDrive,
		},
		"dropbox": {
			endpoint: oauth2.Endpoint{
				AuthURL:  "https://www.dropbox.com/oauth2/authorize",
				TokenURL: "https://api.dropboxapi.com/oauth2/token",
			},
			redirect: redirectName,
			page:     "https://www.dropbox.com/developers/apps",
			params:   map[string]string{"token_access_type": "offline"},
			scopes: func(map[string]string) []string {
				return []string{"files.metadata.read", "files.metadata.write", "files.content.read", "files.content.write", "account_info.read"}
			},
		},
	}
}

// driveScopes makes scopes of the short names that the option scope has.
func driveScopes(options map[string]string) []string {
	var scopes []string
	for _, name := range strings.FieldsFunc(options["scope"], func(r rune) bool { return r == ',' || r == ' ' }) {
		scopes = append(scopes, "https://www.googleapis.com/auth/"+name)
	}
	if len(scopes) == 0 {
		return []string{"https://www.googleapis.com/auth/drive"}
	}
	return scopes
}

// googleDevice reports whether Google has codes for devices for these scopes: for files that the
// program has made itself.
func googleDevice(scopes []string) bool {
	for _, s := range scopes {
		if name := s[strings.LastIndexByte(s, '/')+1:]; name != "drive.file" && name != "drive.appdata" {
			return false
		}
	}
	return true
}

// graphScopes are those of the option access_scopes.
func graphScopes(options map[string]string) []string {
	if scopes := strings.FieldsFunc(options["access_scopes"], func(r rune) bool { return r == ',' || r == ' ' }); len(scopes) > 0 {
		return scopes
	}
	scopes := []string{"Files.Read", "Files.ReadWrite", "Files.Read.All", "Files.ReadWrite.All"}
	if options["disable_site_permission"] != "true" {
		scopes = append(scopes, "Sites.Read.All")
	}
	return append(scopes, "offline_access")
}

// microsoftAt is where the users of a national cloud, and of a tenant, log in.
func microsoftAt(e oauth2.Endpoint, options map[string]string) oauth2.Endpoint {
	host := map[string]string{
		"us": "login.microsoftonline.us", "de": "login.microsoftonline.de", "cn": "login.chinacloudapi.cn",
	}[options["region"]]
	for _, address := range []*string{&e.AuthURL, &e.TokenURL, &e.DeviceAuthURL} {
		if host != "" {
			*address = strings.Replace(*address, "login.microsoftonline.com", host, 1)
		}
		if tenant := options["tenant"]; tenant != "" {
			*address = strings.Replace(*address, "/common/", "/"+url.PathEscape(tenant)+"/", 1)
		}
	}
	return e
}

// advice says how a client is made where there is none, for a remote.
func (l login) advice(remote, clientID string) string {
	if clientID != "" || l.page == "" {
		return ""
	}
	name, _, _ := strings.Cut(remote, "{")
	if strings.HasPrefix(name, ":") { // it is described on the spot
		return fmt.Sprintf("make an OAuth client at %s with the redirect URI %s, and name it by client_id=ID client_secret=SECRET", l.page, l.redirect)
	}
	return fmt.Sprintf("make an OAuth client at %s with the redirect URI %s, and set it by "+
		"\"ferry config update %s client_id=ID client_secret=SECRET\"", l.page, l.redirect, name)
}

// A Login is how somebody logs in to a remote.
type Login struct {
	Config   oauth2.Config // Config.RedirectURL is where the browser is sent afterwards
	Params   []oauth2.AuthCodeOption
	Device   bool   // a code can be typed on another device instead
	Advice   string // how an OAuth client is made, where there is none; else ""
	Optional bool   // the options log in otherwise already

	choose  func(ctx context.Context, c *http.Client, options map[string]string) (Choice, error)
	options map[string]string
}

// LoginOf returns how somebody logs in to the remote that s describes, and whether remotes of its
// type are logged in to.
func LoginOf(s config.Settings) (Login, bool) {
	l, ok := logins()[s.Type]
	if !ok {
		return Login{}, false
	}
	o := s.Values
	device := l.device != nil && l.device(l.scopes(o))
	login := Login{
		Config: oauth2.Config{
			ClientID: o["client_id"], ClientSecret: o["client_secret"], RedirectURL: l.redirect,
			Scopes: l.scopes(o), Endpoint: l.endpointOf(o),
		},
		Device: device, Advice: l.advice(s.Name, o["client_id"]), Optional: o["client_credentials"] == "true",
		choose: l.choose, options: o,
	}
	for _, name := range l.others {
		login.Optional = login.Optional || o[name] != "" && o[name] != "false"
	}
	for key, value := range l.params {
		login.Params = append(login.Params, oauth2.SetAuthURLParam(key, value))
	}
	if login.Config.Endpoint.DeviceAuthURL == "" {
		login.Device = false
	}
	return login, true
}

// endpointOf returns where a remote is logged in to, which its options may say.
func (l login) endpointOf(options map[string]string) oauth2.Endpoint {
	e := l.endpoint
	if l.at != nil {
		e = l.at(e, options)
	}
	e.AuthStyle = oauth2.AuthStyleInParams // a refused request is not sent twice
	if own := options["auth_url"]; own != "" {
		e.AuthURL, e.DeviceAuthURL = own, ""
		if before, ok := strings.CutSuffix(own, "/authorize"); ok {
			e.DeviceAuthURL = before + "/devicecode" // Microsoft's form
		}
	}
	if own := options["token_url"]; own != "" {
		e.TokenURL = own
	}
	return e
}

// A Choice is what somebody who has logged in is asked. Without answers there is nothing to choose.
type Choice struct {
	Question string
	Answers  []Answer // the first is the usual one
}

// An Answer is one of a Choice.
type Answer struct {
	Text string
	Set  map[string]string // options, and their values
}

// Choose asks the provider, by a client that has the tokens of the login, what there is to choose
// from. It returns no answers where the options say already what would be asked.
func (l Login) Choose(ctx context.Context, c *http.Client) (Choice, error) {
	if l.choose == nil {
		return Choice{}, nil
	}
	return l.choose(ctx, c, l.options)
}
