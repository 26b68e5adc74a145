package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/oauth2"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/onedrive"
	"ferry/remote/nameenc"
)

// onedriveScopes are what a login is asked for unless the option access_scopes says otherwise.
const onedriveScopes = "Files.Read Files.ReadWrite Files.Read.All Files.ReadWrite.All Sites.Read.All offline_access"

func onedriveDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "onedrive",
			Help: "Microsoft OneDrive, and document libraries of SharePoint",
			Options: together(oauthOptions(), []config.Option{
				{Name: "drive_id", Help: "The drive, by its id; empty is the drive of whom the token belongs to"},
				{Name: "drive_type", Help: "Kind of the drive: personal, business, documentLibrary; it decides how exactly times are kept"},
				{Name: "region", Default: "global", Help: "National cloud: global, us, de, cn"},
				{Name: "tenant", Help: "Tenant that logs in, by id or domain; empty is any"},
				{Name: "access_scopes", Default: onedriveScopes, Help: "What a login is asked for, separated by blanks"},
				{Name: "tenant_url", Help: "Refused: log in to Graph, or let rclone serve the remote (rclone serve webdav)"},
				{Name: "endpoint", Help: "Another server with the same interface: https://host:port"},
				{Name: "root_folder_id", Help: "Folder at which the path begins, by its id; empty is the root of the drive"},
				{Name: "chunk_size", Default: "10Mi", Help: "Size of the fragments of an upload, a multiple of 320Ki of 250Mi at most"},
				{Name: "upload_cutoff", Default: "off", Help: "Files up to this size are sent in one request and get their time by a second one, which makes a second version"},
				{Name: "list_chunk", Default: "1000", Help: "Entries asked for at a time"},
				{Name: "expose_onenote_files", Default: "false", Help: "Show notebooks of OneNote, as directories that cannot be written to"},
				{Name: "no_versions", Default: "false", Help: "Remove the old versions of what is replaced; not on personal drives"},
				{Name: "hard_delete", Default: "false", Help: "Delete for good, without the recycle bin; not on personal drives"},
				{Name: "hash_type", Default: "auto", Help: "Checksum that content is compared by: auto and any other are QuickXorHash, none compares nothing"},
				{Name: "encoding", Default: onedrive.Encoding.String(), Help: "What is encoded in names"},
			},
				unused("changes are read from the feed of the drive, and listings one by one", "delta?"),
				unused("no links are made", "link_scope", "link_type", "link_password"),
				unused("files are copied between remotes by way of this program", "server_side_across_configs?"),
				unused("tenant_url is refused", "tenant_api_version"),
				unused("nobody is asked which site it is", "disable_site_permission?"),
				ignored("what the service takes for a virus cannot be read", "av_override?"),
				ignored("permissions of files are not copied", "metadata_permissions"),
			),
		},
		open: openOnedrive,
	}
}

func openOnedrive(ctx context.Context, path string, v *values) (remote.Remote, error) {
	o := onedrive.Options{
		Network:      v.env.Network,
		Name:         v.remote,
		Login:        v.login(),
		DriveID:      v.str("drive_id"),
		DriveType:    v.str("drive_type"),
		Region:       v.str("region"),
		Endpoint:     v.str("endpoint"),
		RootID:       v.str("root_folder_id"),
		ChunkSize:    v.size("chunk_size"),
		UploadCutoff: v.size("upload_cutoff"),
		ListChunk:    v.integer("list_chunk"),
		OneNote:      v.boolean("expose_onenote_files"),
		NoVersions:   v.boolean("no_versions"),
		HardDelete:   v.boolean("hard_delete"),
		NoHash:       parse(v, "hash_type", parseHashType) == "none",
		Encoding:     parse(v, "encoding", nameenc.Parse),
	}
	if v.str("tenant_url") != "" && v.err == nil {
		v.err = fmt.Errorf("remote %s: option tenant_url is not supported: remove it and log in to Graph by \"ferry config reconnect\", "+
			"or let rclone serve the remote (rclone serve webdav) and name that", v.remote)
	}
	if v.err != nil {
		return nil, v.err
	}
	scopes := strings.Fields(v.str("access_scopes"))
	if v.boolean("client_credentials") {
		if v.str("tenant") == "" && v.str("token_url") == "" {
			return nil, fmt.Errorf("remote %s: option client_credentials needs the option tenant", v.remote)
		}
		if o.DriveID == "" {
			return nil, fmt.Errorf("remote %s: option client_credentials needs the option drive_id: a client has no drive of its own", v.remote)
		}
		scopes = []string{"https://" + cmp.Or(graphHosts()[o.Region].graph, graphHosts()["global"].graph) + "/.default"}
	}
	if o.Tokens = v.tokens(onedriveEndpoint(v.str("tenant"), o.Region), scopes...); v.err != nil {
		return nil, v.err
	}
	return onedrive.New(ctx, path, o)
}

// A graphHost is where the service and its logins are in a national cloud.
type graphHost struct{ graph, login string }

func graphHosts() map[string]graphHost {
	return map[string]graphHost{
		"global": {"graph.microsoft.com", "login.microsoftonline.com"},
		"us":     {"graph.microsoft.us", "login.microsoftonline.us"},
		"de":     {"graph.microsoft.de", "login.microsoftonline.de"},
		"cn":     {"microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn"},
	}
}

// onedriveEndpoint is where a tenant of a region logs in. The zero one stands for everybody in the
// world.
func onedriveEndpoint(tenant, region string) oauth2.Endpoint {
	host, ok := graphHosts()[cmp.Or(region, "global")]
	if !ok || tenant == "" && host == graphHosts()["global"] {
		return oauth2.Endpoint{}
	}
	base := "https://" + host.login + "/" + cmp.Or(tenant, "common") + "/oauth2/v2.0/"
	return oauth2.Endpoint{AuthURL: base + "authorize", TokenURL: base + "token", DeviceAuthURL: base + "devicecode"}
}

func parseHashType(s string) (string, error) {
	switch s {
	case "auto", "quickxor", "sha1", "sha256", "crc32", "none":
		return s, nil
	}
	return "", errors.New("it is auto, quickxor, sha1, sha256, crc32 or none")
}
