package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/webdav"
	"ferry/remote/nameenc"
)

func webdavDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "webdav",
			Help: "A directory of a WebDAV server: Nextcloud, ownCloud, Apache and others",
			Options: together([]config.Option{
				{Name: "url", Required: true, Help: "Address of the directory, as in https://example.com/remote.php/dav/files/me"},
				{Name: "vendor", Default: "other", Help: "What the server is: nextcloud, owncloud, infinitescale, fastmail, rclone or other. " +
					"It decides whether modification times are kept and how uploads are made atomic"},
				{Name: "user", Help: "User name"},
				{Name: "pass", Obscured: true, Help: "Password"},
				{Name: "bearer_token", Secret: true, Help: "Token to send in place of a user and a password"},
				{Name: "bearer_token_command", Help: "Command that prints the token; it is run again when the server refuses it"},
				{Name: "headers", Secret: true, Help: "Headers of every request, as name,value,name,value"},
				{Name: "auth_redirect", Default: "false", Help: "Log in also to hosts that the server redirects to"},
				{Name: "redirect_hosts", Help: "Hosts besides that of url to which redirections are followed, separated by commas; * is any"},
				{Name: "unix_socket", Help: "Path of a Unix socket to connect to instead of the host of the address"},
				{Name: "atomic_put", Help: "Whether the server shows an upload only when it is complete: true or false. " +
					"Empty is what is known of the vendor. Where it is false, uploads get a hidden name first"},
				{Name: "nextcloud_chunk_size", Default: "10Mi", Help: "How much Nextcloud gets at once of a file that is longer; " +
					"each upload under way takes that much memory. 0 sends it all at once"},
				{Name: "owncloud_exclude_shares", Default: "false", Help: "Leave out what others share with the user"},
				{Name: "owncloud_exclude_mounts", Default: "false", Help: "Leave out storages that are mounted into the directory"},
				{Name: "encoding", Default: "None", Help: "What is encoded in names"},
			},
				unused("requests are not spaced", "pacer_min_sleep"),
			),
		},
		open: openWebDAV,
	}
}

func openWebDAV(ctx context.Context, path string, v *values) (remote.Remote, error) {
	o := webdav.Options{
		Network:       v.env.Network,
		URL:           v.str("url"),
		Vendor:        v.str("vendor"),
		User:          v.str("user"),
		Pass:          v.str("pass"),
		BearerToken:   v.str("bearer_token"),
		TokenCommand:  v.words("bearer_token_command"),
		UnixSocket:    v.str("unix_socket"),
		KeepAuth:      v.boolean("auth_redirect"),
		Redirects:     v.list("redirect_hosts"),
		ChunkSize:     chunkSize(v.size("nextcloud_chunk_size")),
		ExcludeShares: v.boolean("owncloud_exclude_shares"),
		ExcludeMounts: v.boolean("owncloud_exclude_mounts"),
		Encoding:      parse(v, "encoding", nameenc.Parse),
	}
	if v.str("atomic_put") != "" {
		o.AtomicPut = new(v.boolean("atomic_put"))
	}
	var err error
	if o.Header, err = v.header("headers"); err != nil {
		return nil, err
	}
	if v.err != nil {
		return nil, v.err
	}
	return webdav.New(ctx, path, o)
}

// chunkSize turns the option, in which 0 means no chunks, into the driver's, in which it means the
// default.
func chunkSize(n int64) int {
	if n <= 0 {
		return -1
	}
	return int(min(n, 1<<30))
}

// header reads names and values in turn.
func (v *values) header(name string) (http.Header, error) {
	h, err := parseHeader(v.pairs(name))
	if err != nil {
		return nil, fmt.Errorf("remote %s: option %s: %w", v.remote, name, err)
	}
	return h, nil
}

// parseHeader makes a header of names and values in turn, as they are configured.
func parseHeader(list []string) (http.Header, error) {
	if len(list)%2 != 0 {
		return nil, errors.New("names and values must come in pairs: name,value,name,value")
	}
	h := http.Header{}
	for i := 0; i < len(list); i += 2 {
		name := strings.TrimSpace(list[i])
		if name == "" || strings.ContainsAny(name, " \t\r\n:") || strings.ContainsAny(list[i+1], "\r\n") {
			return nil, errors.New("a name holds a blank or a colon, or a value a line end")
		}
		h.Add(name, list[i+1])
	}
	return h, nil
}
