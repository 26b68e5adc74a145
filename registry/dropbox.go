package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/oauth2"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/dropbox"
	"ferry/remote/nameenc"
)

func dropboxDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "dropbox",
			Help: "Dropbox",
			Options: together(append(userOptions(), []config.Option{
				{Name: "chunk_size", Default: "48Mi", Help: "Length of the pieces that a file is uploaded in, up to 150Mi; each is held in memory"},
				{Name: "impersonate", Help: "Address of a member of the team on whose behalf requests are made, or ID (dbmid:...)"},
				{Name: "impersonate_admin", Help: "ID of the administrator of a team that requests are made by (dbmid:...)"},
				{Name: "root_namespace", Help: "ID of the namespace that paths are relative to; empty is the user's own"},
				{Name: "batch_mode", Default: "sync", Choices: []string{"sync", "async", "off"}, Help: "sync: files whose uploads end while others are committed are committed together; " +
					"off: each by itself; async is sync here, as what is acknowledged is stored"},
				{Name: "batch_size", Default: "0", Help: "Most files that are committed together; 0 is 1000"},
				{Name: "batch_timeout", Default: "0s", Help: "How long a commit waits for more; 0 is as long as others are committed"},
				{Name: "endpoint", Help: "Another server with the same interface: https://host:port"},
				{Name: "shared_files", Default: "false", Help: "Refused when it is true: add the files to your Dropbox"},
				{Name: "shared_folders", Default: "false", Help: "Refused when it is true: add the folders to your Dropbox, or set root_namespace"},
				{Name: "encoding", Default: dropbox.Encoding.String(), Help: "What is encoded in names"},
			}...),
				unused("requests are not spaced, but kept back as long as Dropbox asks for it", "pacer_min_sleep"),
				unused("a commit is answered by its own request", "batch_commit_timeout"),
				ignored("Dropbox knows logins of users only", "client_credentials?"),
				ignored("documents of editors are left out of listings", "export_formats", "show_all_exports?"),
				unused("documents of editors are left out of listings", "skip_exports?"),
				ignored("shared folders are shown as any other", "skip_shared_folders?", "skip_unowned_folders?"),
			),
		},
		open: openDropbox,
	}
}

func openDropbox(ctx context.Context, path string, v *values) (remote.Remote, error) {
	mode := parse(v, "batch_mode", parseBatchMode)
	o := dropbox.Options{
		Network:       v.env.Network,
		Account:       dropboxAccount(v.str("token")),
		Endpoint:      v.str("endpoint"),
		Login:         v.login(),
		ChunkSize:     v.size("chunk_size"),
		Unbatched:     mode == "off",
		BatchSize:     v.integer("batch_size"),
		BatchTimeout:  v.duration("batch_timeout"),
		RootNamespace: v.str("root_namespace"),
		Impersonate:   v.str("impersonate"),
		AdminID:       v.str("impersonate_admin"),
		Encoding:      parse(v, "encoding", nameenc.Parse),
	}
	for option, instead := range map[string]string{
		"shared_files":   "add the files to your Dropbox",
		"shared_folders": "add the folders to your Dropbox, or set root_namespace",
	} {
		if v.boolean(option) && v.err == nil {
			v.err = fmt.Errorf("remote %s: there is no option %s here: %s", v.remote, option, instead)
		}
	}
	if v.err != nil {
		return nil, v.err
	}
	o.Tokens = v.tokens(oauth2.Endpoint{})
	if v.err != nil {
		return nil, v.err
	}
	return dropbox.New(ctx, path, o)
}

func parseBatchMode(s string) (string, error) {
	if s != "sync" && s != "async" && s != "off" {
		return "", errors.New("it is sync, async or off")
	}
	return s, nil
}

// dropboxAccount tells the accounts of tokens apart, "" where a token does not stay the same. It
// does not tell the token.
func dropboxAccount(token string) string {
	var t struct {
		Refresh string `json:"refresh_token"`
	}
	if json.Unmarshal([]byte(token), &t) != nil || t.Refresh == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("ferry dropbox account " + t.Refresh))
	return hex.EncodeToString(sum[:8])
}
