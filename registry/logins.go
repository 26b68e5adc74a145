package registry

import (
	"fmt"
	"strings"

	"golang.org/x/oauth2"
)

// A login is how users log in to the remotes of a type.
type login struct {
	endpoint oauth2.Endpoint
	page     string // where a client_id is made
}

// logins lists the types that users log in to, by name.
func logins() map[string]login {
	google := oauth2.Endpoint{
		AuthURL:       "https://accounts.google.com/o/oauth2/v2/auth",
		TokenURL:      "https://oauth2.googleapis.com/token",
		DeviceAuthURL: "https://oauth2.googleapis.com/device/code",
	}
	return map[string]login{
		"drive":                {endpoint: google, page: "https://console.cloud.google.com/apis/credentials"},
		"google cloud storage": {endpoint: google, page: "https://console.cloud.google.com/apis/credentials"},
		"onedrive": {endpoint: oauth2.Endpoint{
			AuthURL:       "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
			TokenURL:      "https://login.microsoftonline.com/common/oauth2/v2.0/token",
			DeviceAuthURL: "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
		}, page: "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps"},
		"dropbox": {endpoint: oauth2.Endpoint{
			AuthURL:  "https://www.dropbox.com/oauth2/authorize",
			TokenURL: "https://api.dropboxapi.com/oauth2/token",
		}, page: "https://www.dropbox.com/developers/apps"},
	}
}

// advice says how a client is made where there is none, for a remote.
func (l login) advice(remote, clientID string) string {
	if clientID != "" || l.page == "" {
		return ""
	}
	name, _, _ := strings.Cut(remote, "{")
	return fmt.Sprintf("make a client at %s with the redirect URI http://127.0.0.1:53682/, and set it by "+
		"ferry config update %s client_id=ID client_secret=SECRET", l.page, name)
}
