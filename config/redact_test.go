package config

import "testing"

func TestSecretsOfARemoteStringAreNotShown(t *testing.T) {
	for in, want := range map[string]string{
		"nas:x":                "nas:x",
		":sftp,pass=geheim:x":  ":sftp,...:x",
		"nas,pass='a:b,c':dir": "nas,...:dir",
		"/srv/ftp":             "/srv/ftp",
		LocalType + "/x":       LocalType + "/x",
	} {
		if got := RedactRemote(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
