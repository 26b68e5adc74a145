package importer

import (
	"strings"
	"testing"

	"ferry/config"
	"ferry/serve/users"
)

const dump = `{
"version": 16,
"folders": [
  {"name": "scans", "mapped_path": "/srv/scans", "filesystem": {"provider": 0}},
  {"name": "secret", "filesystem": {"provider": 4}}
],
"groups": [
  {"name": "cams", "user_settings": {"home_dir": "/data/%username%", "max_sessions": 2, "quota_size": 1000,
    "permissions": {"/": ["list", "upload"]}, "filters": {"ftp_security": 1}},
   "virtual_folders": [{"name": "scans", "virtual_path": "/scans"}]},
  {"name": "other", "user_settings": {"upload_bandwidth": 128}}
],
"users": [
  {"username": "bob", "status": 1, "expiration_date": 1893456000000, "description": "gate",
   "password": "$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/", "home_dir": "/ignored",
   "groups": [{"name": "third", "type": 3}, {"name": "other", "type": 2}, {"name": "cams", "type": 1}],
   "permissions": {"/": ["list", "download", "upload", "overwrite", "delete_files", "create_dirs", "chtimes", "chown"], "/in": ["*"], "/none": []}},
  {"username": "ann", "status": 0, "password": "plain", "home_dir": "/srv/ann", "permissions": {"/": ["*"]},
   "quota_files": 10, "download_bandwidth": 64, "total_data_transfer": 5,
   "virtual_folders": [{"name": "secret", "virtual_path": "/secret"}, {"name": "scans", "virtual_path": "/scans", "quota_size": 5}],
   "filters": {"allowed_ip": ["10.1.2.3/8"], "denied_ip": ["10.9.0.0/16"], "max_upload_file_size": 99, "start_directory": "/x",
     "file_patterns": [{"path": "/", "denied_patterns": ["*.exe"], "deny_policy": 1}, {"path": "/in", "allowed_patterns": ["*.jpg"]}],
     "access_time": [{"day_of_week": 1, "from": "08:00", "to": "23:59"}], "password_expiration": 30, "tls_username": "CommonName",
     "totp_config": {"enabled": true}}},
  {"username": "s3", "status": 1, "password": "$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/", "permissions": {"/": ["list", "rename_files"]},
   "filesystem": {"provider": 1, "s3config": {"bucket": "b", "key_prefix": "users/%username%/", "region": "eu-1", "access_key": "AK",
     "access_secret": {"status": "Plain", "payload": "a+b/c=\"d"}, "endpoint": "https://minio:9000", "force_path_style": true, "upload_part_size": 8}}},
  {"username": "locked", "status": 1, "filesystem": {"provider": 1, "s3config": {"bucket": "b", "access_key": "AK",
     "access_secret": {"status": "AES-256-GCM", "payload": "xyz"}}}},
  {"username": "nas", "status": 1, "filesystem": {"provider": 5, "sftpconfig": {"endpoint": "nas:2222", "username": "u", "prefix": "/p",
     "password": {"status": "Plain", "payload": "pw"}, "fingerprints": ["SHA256:x"]}}, "filters": {"denied_ip": ["10.9.0.0/16"], "denied_protocols": ["FTP"]}},
  {"username": "anonymous", "status": 1, "password": "x", "home_dir": "/pub", "permissions": {"/": ["*"], "/in": ["*"]}, "filters": {"is_anonymous": true}},
  {"username": "http", "status": 1, "filesystem": {"provider": 6}},
  {"username": "role", "status": 1, "home_dir": "/srv/%role%"}
]}`

func TestSFTPGo(t *testing.T) {
	file, left, err := Import("sftpgo", []byte(dump))
	if err != nil {
		t.Fatal(err)
	}
	text := string(file)
	i := strings.Index(text, "pass=")
	if i < 0 {
		t.Fatalf("there is no password of nas in\n%s", text)
	}
	pass, _, _ := strings.Cut(text[i+len("pass="):], ":")
	if plain, err := config.Reveal(pass); err != nil || plain != "pw" {
		t.Errorf("the password of nas is %q, %v", plain, err)
	}
	if text = strings.Replace(text, pass, "OBSCURED", 1); text != wantFile {
		t.Errorf("got\n%s\nwant\n%s", text, wantFile)
	}
	if got := strings.Join(left, "\n") + "\n"; got != wantLeft {
		t.Errorf("left\n%s\nwant\n%s", got, wantLeft)
	}
	f, err := users.Parse("x", file)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := f.User("s3")
	remote, err := u.Expand(u.Remote)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := config.ParseRemote(remote); err != nil || r.Params["secret_access_key"] != `a+b/c="d` || r.Path != "b/users/s3" {
		t.Errorf("%s is %v, %v", remote, r, err)
	}
}

const wantFile = `[groups.cams]
remote = '/data/{user}'
create_home = true
max_sessions = 2
quota_bytes = '1000B'
permissions.'/' = ['list', 'upload']
require_tls = true
mounts.'/scans' = '/srv/scans'

[groups.other]
rate_up = '128K'

[users.bob]
password = '$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/'
expires = 2030-01-01T00:00:00Z
groups = ['cams', 'other']
note = 'gate'
permissions.'/' = ['delete', 'download', 'list', 'mkdir', 'mtime', 'overwrite', 'rename', 'resume', 'upload']
permissions.'/in' = ['all']
permissions.'/none' = []

[users.ann]
disabled = true
remote = '/srv/ann'
create_home = true
quota_files = 10
rate_down = '64K'
permissions.'/' = ['all']
max_file_size = '99B'
allow = ['10.0.0.0/8']
start = '/x'
patterns = [{path = '/', deny = ['*.exe'], hide = true}, {path = '/in', allow = ['*.jpg']}]
client_cert = ['cn:{user}']
hours = ['Mon 08:00-24:00']
timezone = 'UTC'
mounts.'/scans' = '/srv/scans'

[users.s3]
password = '$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/'
remote = ':s3,provider=Other,access_key_id=AK,secret_access_key="a+b/c=""d",region=eu-1,endpoint="https://minio:9000",force_path_style=true,chunk_size=8M:b/users/{user}'
permissions.'/' = ['list', 'rename']

[users.locked]
disabled = true
remote = ':s3,provider=AWS,access_key_id=AK:b'
permissions.'/' = []

[users.nas]
remote = ':sftp,host=nas,port=2222,user=u,pass=OBSCURED:/p'
deny = ['10.9.0.0/16']
disabled = true
permissions.'/' = []

[users.anonymous]
remote = '/pub'
create_home = true
auth = 'none'
permissions.'/' = ['read-only']

[users.http]
disabled = true
permissions.'/' = []

[users.role]
disabled = true
permissions.'/' = []
`

const wantLeft = `bob: permission to rename was added: SFTPGo lets whoever may delete and upload rename
ann: a limit of what is transferred in all: there is none here
ann: passwords that expire after some days: {hash, expires} has a date
ann: a second factor: none is asked for here
ann: hours are taken for UTC, as SFTPGo does unless its configuration has another zone: correct timezone if it has
ann: folder /secret: files are encrypted as SFTPGo does it, which ferry cannot read: it is left out
ann: folder /scans has a quota of its own: there is one for the user alone
s3: permission to rename files, or directories, alone: rename is for both
locked: secret_access_key is encrypted with SFTPGo's own key (AES-256-GCM): write it into the options of the remote, as secret_access_key=...; disabled for that
locked, nas, http, role: there are no permissions, and so nothing is allowed
nas: fingerprints of the SFTP server: put its key into ~/.ssh/known_hosts
nas: FTP is denied; disabled for that
http: ferry has no file system of the kind 6: set remote; disabled for that
role: %role% stands for nothing here: set remote; disabled for that
ann: password: a password in plain text, or a hash of a kind that is not known, is not accepted: make one with ` + "`ferry users hash`\n"

func TestOneUserOfSFTPGo(t *testing.T) {
	for _, text := range []string{`{"username": "bob", "status": 1, "home_dir": "/srv"}`, ` [{"username": "bob", "status": 1, "home_dir": "/srv"}]`} {
		check(t, "sftpgo", text, "[users.bob]\nremote = '/srv'\ncreate_home = true\npermissions.'/' = []\n",
			"bob: there are no permissions, and so nothing is allowed")
	}
	for _, text := range []string{"", "x", "{}", "[]", `{"users": 3}`} {
		if _, _, err := Import("sftpgo", []byte(text)); err == nil {
			t.Errorf("%q is imported", text)
		}
	}
}

// A secret is taken as it is, or said to be one that cannot be.
func TestASecretWithBraces(t *testing.T) {
	dump := `{"users": [
  {"username": "a", "status": 1, "filesystem": {"provider": 1, "s3config": {"bucket": "b", "access_key": "AK",
     "access_secret": {"status": "Plain", "payload": "x{user}y"}}}},
  {"username": "b", "status": 1, "filesystem": {"provider": 5, "sftpconfig": {"endpoint": "nas:22", "username": "u",
     "password": {"status": "Plain", "payload": "x{user}y"}}}},
  {"username": "c", "status": 1, "filesystem": {"provider": 1, "s3config": {"bucket": "b", "access_key": "AK",
     "access_secret": {"status": "Plain", "payload": "x{\"y"}}}}]}`
	file, left, err := Import("sftpgo", []byte(dump))
	if err != nil {
		t.Fatal(err)
	}
	f, err := users.Parse("users.toml", file)
	if err != nil {
		t.Fatal(err)
	}
	for name, disabled := range map[string]bool{"a": true, "b": false, "c": false} {
		if u, _ := f.User(name); u.Disabled != disabled {
			t.Errorf("%s: disabled is %v\n%s\n%s", name, u.Disabled, left, file)
		}
	}
}
