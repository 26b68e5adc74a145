package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"ferry/config"
)

// sections are remotes of every type as rclone writes them into its file.
const sections = `
[here]
type = local

[mem]
type = memory

[nick]
type = alias
remote = here:DIR

[kept]
type = cache
remote = here:DIR
chunk_size = 8Mi
info_age = 1d
chunk_total_size = off
chunk_path = DIR/.kept

[pieces]
type = chunker
remote = here:DIR
chunk_size = 2Gi
hash_type = md5
name_format = *.rclone_chunk.###
transactions = rename

[pressed]
type = compress
remote = here:DIR
mode = gzip
level = -1

[sums]
type = hasher
remote = here:DIR
hashes = md5,sha1
max_age = off

[both]
type = combine
upstreams = "one=here:DIR" two=mem:

[over]
type = union
upstreams = here:DIR mem::nc
create_policy = ff
cache_time = 60

[secret]
type = crypt
remote = here:DIR
password = OBSCURED
password2 = OBSCURED
filename_encryption = obfuscate
directory_name_encryption = false

[minio]
type = s3
provider = Minio
access_key_id = KEY
secret_access_key = SECRET
endpoint = http://127.0.0.1:9
region = us-east-1
acl = private
storage_class = STANDARD
upload_cutoff = 100Mi
chunk_size = 8Mi
upload_concurrency = 2
directory_markers = true

[nas]
type = sftp
host = 127.0.0.1
user = bob
port = 2222
pass = OBSCURED
shell_type = unix
md5sum_command = md5sum
sha1sum_command = sha1sum
idle_timeout = 1m0s

[windows]
type = smb
host = 127.0.0.1
user = bob
pass = OBSCURED
domain = EXAMPLE
idle_timeout = 1m0s
hide_special_share = false

[cloud]
type = webdav
url = http://127.0.0.1:9/remote.php/dav/files/bob/
vendor = nextcloud
user = bob
pass = OBSCURED

[old]
type = ftp
host = 127.0.0.1
user = bob
pass = OBSCURED
explicit_tls = true
no_check_certificate = true
concurrency = 4

[web]
type = http
url = http://127.0.0.1:9/pub/

[gcp]
type = google cloud storage
project_number = 12345678
anonymous = true
bucket_policy_only = true
location = eu

[backup]
type = b2
account = 0040123456789ab0000000001
key = SECRET
endpoint = https://s3.us-west-004.backblazeb2.com
hard_delete = false
chunk_size = 96Mi

[box]
type = dropbox
client_id = somebody
client_secret = SECRET
token = {"access_token":"SECRET","token_type":"bearer","refresh_token":"SECRET","expiry":"2026-01-01T00:00:00Z"}
chunk_size = 48Mi
batch_mode = async
pacer_min_sleep = 10ms

[gdrive]
type = drive
client_id = somebody.apps.googleusercontent.com
client_secret = SECRET
scope = drive
token = {"access_token":"SECRET","token_type":"Bearer","refresh_token":"SECRET","expiry":"2026-01-01T00:00:00Z"}
team_drive =
root_folder_id = 0AbCdEf
export_formats = docx,ods
skip_shortcuts = true
chunk_size = 64Mi

[blob]
type = azureblob
account = devstoreaccount1
key = S0VZ
access_tier = Hot

[one]
type = onedrive
token = {"access_token":"geheim","token_type":"Bearer","refresh_token":"geheim","expiry":"2026-01-02T03:04:05Z"}
client_id = id
client_secret = geheim
drive_id = b!abc
drive_type = business
region = us
tenant = contoso.example
`

func sources(t *testing.T) config.Sources {
	t.Helper()
	text := strings.NewReplacer("DIR", t.TempDir(), "OBSCURED", config.Obscure("geheim")).Replace(sections)
	d, err := config.ParseDocument([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return config.Sources{Types: Types(), Bridges: Bridges(), Env: config.Environ{}, File: d}
}

// opens resolves and opens a remote string; nothing may be wrong or unknown in it.
func opens(t *testing.T, s config.Sources, what string) {
	t.Helper()
	resolve := func(what string) (config.Settings, error) {
		r, err := config.ParseRemote(what)
		if err != nil {
			return config.Settings{}, err
		}
		return s.Resolve(r)
	}
	settings, err := resolve(what)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if len(settings.Warnings) > 0 {
		t.Errorf("%s: %q", what, settings.Warnings)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := Open(ctx, settings, Environment{}, resolve)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if r.Info().Name == "" {
		t.Errorf("%s has no name", what)
	}
	if strings.Contains(fmt.Sprintf("%+v", r.Info()), "geheim") || strings.Contains(fmt.Sprintf("%v %+v", settings, settings), "geheim") {
		t.Errorf("%s shows its password", what)
	}
	if err := r.Close(); err != nil {
		t.Errorf("closing %s: %v", what, err)
	}
}

// pathOf is where the remotes of a type begin in these tests.
func pathOf(s config.Sources, name string) string {
	if typ, _ := s.File.Get(name, "type"); typ == config.LocalType {
		remote, _ := s.File.Get("nick", "remote")
		return strings.TrimPrefix(remote, "here:")
	}
	return ""
}

func TestEveryTypeIsInTheFile(t *testing.T) {
	s := sources(t)
	var have []string
	for _, name := range s.File.Sections() {
		typ, _ := s.File.Get(name, "type")
		have = append(have, typ)
	}
	for _, typ := range Types() {
		if !slices.Contains(have, typ.Name) {
			t.Errorf("no remote of type %s is tested", typ.Name)
		}
	}
}

func TestRemotesOfAFileThatRcloneWroteOpen(t *testing.T) {
	s := sources(t)
	for _, name := range s.File.Sections() {
		opens(t, s, name+":"+pathOf(s, name))
	}
}

func TestTheSameByEnvironmentOnly(t *testing.T) {
	s := sources(t)
	env := config.Environ{}
	for _, name := range s.File.Sections() {
		for _, key := range s.File.Keys(name) {
			env[config.RemoteVariable(name, key)], _ = s.File.Get(name, key)
		}
	}
	for _, name := range s.File.Sections() {
		opens(t, config.Sources{Types: s.Types, Env: env}, name+":"+pathOf(s, name))
	}
}

func TestTheSameByConnectionString(t *testing.T) {
	s := sources(t)
	for _, name := range s.File.Sections() {
		var b strings.Builder
		values := map[string]string{}
		for _, key := range s.File.Keys(name) {
			values[key], _ = s.File.Get(name, key)
		}
		i := slices.IndexFunc(s.Types, func(t config.Type) bool { return t.Name == values["type"] })
		fmt.Fprintf(&b, ":%s", s.Types[i].Name)
		delete(values, "type")
		for _, key := range slices.Sorted(maps.Keys(values)) {
			fmt.Fprintf(&b, ",%s='%s'", key, strings.ReplaceAll(values[key], "'", "''"))
		}
		opens(t, s, b.String()+":"+pathOf(s, name))
	}
}

func TestAMissingOptionIsOneLine(t *testing.T) {
	s := config.Sources{Types: Types(), Bridges: Bridges(), Env: config.Environ{}}
	for _, typ := range Types() {
		for _, o := range typ.Options {
			if !o.Required {
				continue
			}
			_, err := s.Resolve(config.Remote{Type: typ.Name})
			if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), o.Name) {
				t.Errorf("%s without %s: %v", typ.Name, o.Name, err)
			}
			break
		}
	}
}
