package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/auth"
	"ferry/config"
	"ferry/remote/remotetest/servers/dropboxserver"
)

// boxConfig is a configuration with remotes that are made of box.
func boxConfig(box *dropboxserver.Server) string {
	return fmt.Sprintf(`[box]
type = dropbox
endpoint = %s
client_id = %s
client_secret = %s
token_url = %s/oauth2/token
token = {"access_token":%q,"token_type":"bearer","refresh_token":%q}

[here]
type = memory

[boxes]
type = union
upstreams = box: box:

[mixed]
type = union
upstreams = box: here:

[dirs]
type = combine
upstreams = a=box: b=box:b

[alsohere]
type = combine
upstreams = a=box: b=here:

[secret]
type = crypt
remote = box:
password = %s
`, "http://"+box.Addr, dropboxserver.ClientID, dropboxserver.ClientSecret, "http://"+box.Addr, dropboxserver.Token, dropboxserver.RefreshToken, config.Obscure("x"))
}

// FEAT offers MFMT and SITE UTIME to users of remotes that can set times, to no others, and to
// whoever has not logged in.
func TestFeatOffersWhatSetsTimes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	box := dropboxserver.Start(t)
	conf, file := filepath.Join(dir, "rclone.conf"), filepath.Join(dir, "users.toml")
	text := boxConfig(box)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	hash, err := auth.NewHash("sha256-crypt", "", "x")
	if err != nil {
		t.Fatal(err)
	}
	users := ""
	cases := []struct {
		name, settings string
		offered        bool
	}{
		{"memory", `remote = "here:"`, true},
		{"dropbox", `remote = "box:"`, false},
		{"dropbox-cached", "remote = \"box:\"\ncache_mode = \"writes\"", true}, // the time goes with the file that waits
		{"union-of-dropbox", `remote = "boxes:"`, false},
		{"union-of-both", `remote = "mixed:"`, true},
		{"combine-of-dropbox", `remote = "dirs:"`, false},
		{"combine-of-both", `remote = "alsohere:"`, true},
		{"crypt", `remote = "secret:"`, false},
		{"mount", "remote = \"box:\"\nmounts.\"/in\" = \"here:\"", true},
		{"may-not", "remote = \"here:\"\npermissions.\"/\" = [\"drop-box\"]", false},
	}
	for _, c := range cases {
		users += "[users." + c.name + "]\npassword = \"" + hash + "\"\n" + c.settings + "\n"
	}
	if err := os.WriteFile(file, []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	url := start(t, []string{"RCLONE_CONFIG=" + conf}, "--users", file, "--addr", "127.0.0.1:0").url(t)
	offers := func(c client) bool {
		c.t.Helper()
		feat := c.cmd(211, "FEAT")
		offered := strings.Contains(feat, " MFMT\n")
		if strings.Contains(feat, " SITE UTIME\n") != offered || !strings.Contains(feat, " MDTM\n") {
			c.t.Errorf("FEAT is %s", feat)
		}
		return offered
	}
	for _, user := range cases {
		t.Run(user.name, func(t *testing.T) {
			c := dial(t, url)
			if !offers(c) {
				t.Error("nothing is known of the remote, and MFMT is not offered")
			}
			c.cmd(331, "USER "+user.name)
			c.cmd(230, "PASS x")
			if offers(c) != user.offered {
				t.Errorf("MFMT is offered: %v", !user.offered)
			}
		})
	}
}

// --no-modtime sets none.
func TestFeatWithoutTimes(t *testing.T) {
	t.Parallel()
	c := dial(t, start(t, nil, ":memory:", "--no-modtime", "--addr", "127.0.0.1:0").url(t))
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	if feat := c.cmd(211, "FEAT"); strings.Contains(feat, "MFMT") {
		t.Errorf("FEAT is %s", feat)
	}
}
