package test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"ferry/remote/remotetest/servers"
	"ferry/remote/remotetest/servers/driveserver"
	"ferry/remote/remotetest/servers/dropboxserver"
	"ferry/remote/remotetest/servers/gcsserver"
	"ferry/remote/remotetest/servers/graphserver"
	"ferry/remote/remotetest/servers/samba"
	"ferry/remote/remotetest/servers/sshserver"
)

// A place is a kind of remote that can be written to, behind a real server.
type place struct {
	name      string
	start     func(t *testing.T) *site
	continues bool // APPE and REST with STOR work without a cache
	timed     bool // modification times can be set
	big       int  // bytes of its largest file: longer than all pieces and buffers, and with two places much longer
	rare      bool // only tests that run for long go there: what it is made of has a place of its own
}

// places are all places. Tests that go to each of them take them from placesFor.
var places = []place{
	{name: "local", start: startLocal, continues: true, timed: true, big: 200 << 20},
	{name: "sftp", start: startSSH, continues: true, timed: true, big: 50 << 20},
	{name: "ftp", start: startFerry, timed: true, big: 50 << 20},
	{name: "s3", start: startGateway, continues: true, timed: true, big: 200 << 20},
	{name: "gcs", start: startFakeGCS, continues: true, timed: true, big: 50 << 20},
	{name: "drive", start: startDrive, timed: true, big: 50 << 20},
	{name: "drive in chunks", start: withOptions(startDrive, driveInChunks), timed: true, big: 20 << 20, rare: true},
	{name: "azureblob", start: startAzurite, continues: true, timed: true, big: 50 << 20},
	{name: "onedrive", start: startGraph, timed: true, big: 50 << 20},
	{name: "onedrive of a person", start: withOptions(startPersonalGraph, onedriveWhole), timed: true, big: 20 << 20, rare: true},
	{name: "webdav", start: startApache, big: 50 << 20},
	{name: "chunker", start: startChunker, timed: true, big: 1 << 20, rare: true},
	{name: "chunker of one chunk", start: withOptions(startChunker, chunkerLarge), timed: true, big: 1 << 20, rare: true},
	{name: "dropbox", start: startDropbox, big: 50 << 20},
	{name: "dropbox one by one", start: withOptions(startDropbox, dropboxOneByOne), big: 20 << 20, rare: true},
	{name: "smb", start: startSamba, continues: true, timed: true, big: 50 << 20},
	{name: "union", start: startUnion, continues: true, timed: true, big: 50 << 20},
	{name: "union of all", start: withOptions(startUnion, unionOfAll), continues: true, timed: true, big: 50 << 20, rare: true},
	{name: "union of s3", start: startUnionOfBuckets, continues: true, timed: true, big: 50 << 20, rare: true},
	{name: "crypt on s3", start: encrypted(startGateway), continues: true, timed: true, big: 20 << 20},
	{name: "crypt", start: encrypted(startLocal), continues: true, timed: true, big: 50 << 20, rare: true},
	{name: "crypt on sftp", start: encrypted(startSSH), continues: true, timed: true, big: 50 << 20, rare: true},
}

// Options by which a remote stores files in another way than by default.
var (
	driveInChunks   = map[string]string{"upload_cutoff": "1", "chunk_size": "256Ki"}
	onedriveWhole   = map[string]string{"upload_cutoff": "4Mi", "chunk_size": "320Ki"}
	chunkerLarge    = map[string]string{"chunk_size": "2Mi"}
	dropboxOneByOne = map[string]string{"batch_mode": "off"}
	unionOfAll      = map[string]string{"create_policy": "all", "action_policy": "all", "search_policy": "newest"}
)

// withOptions is a place with other options.
func withOptions(start func(t *testing.T) *site, more map[string]string) func(t *testing.T) *site {
	return func(t *testing.T) *site {
		s := start(t)
		options := s.options
		s.options = func(addr string) map[string]string {
			all := options(addr)
			maps.Copy(all, more)
			return all
		}
		return s
	}
}

// placesFor returns the places that a test goes to: the rare ones only if it runs for long.
func placesFor(long bool) []place {
	return slices.DeleteFunc(slices.Clone(places), func(p place) bool { return p.rare && !long })
}

// A wire is what a remote and its server speak.
type wire int

const (
	noWire   wire = iota // there is no server
	httpWire             // requests of HTTP, in clear
	ftpWire
	otherWire // some other protocol over TCP
)

// A site is a server that runs. It ends with the test that started it.
type site struct {
	addr string // host and port; "" where no network is in between
	// options are those of a remote that reaches the server at addr, as a configuration file has
	// them.
	options func(addr string) map[string]string
	// beneath are the remotes that this one is made of, by their names, as options is; nil if it is
	// made of none.
	beneath map[string]func(addr string) map[string]string
	wire    wire
	flat    bool   // a directory is there as long as there are files in it
	root    string // path of the remote below which fresh directories are
	files   string // where they have to be made on the local disk; "" where they are there by themselves, or made by FTP
	other   string // where they are made besides; "" = nowhere
	mkdirs  bool   // they are made by FTP
	whole   bool   // there are none: the remote is empty and has no paths
	data    string // where the server keeps what it has; "" where nobody needs to know

	made atomic.Int32

	server *exec.Cmd // of the gateway
}

// fresh makes an empty directory, and returns its path on the remote.
func (s *site) fresh(t *testing.T) string {
	t.Helper()
	if s.whole {
		return ""
	}
	name := fmt.Sprintf("fresh-%d", s.made.Add(1))
	if s.files != "" {
		if err := os.Mkdir(filepath.Join(s.files, name), 0o777); err != nil {
			t.Fatal(err)
		}
		if s.other != "" {
			if err := os.Mkdir(filepath.Join(s.other, name), 0o777); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.mkdirs {
		proc, ftp := serveAt(t, "there:"+s.root, s.environment("there", s.addr))
		login(t, "", ftp).do("MKD "+name, 257)
		proc.kill()
	}
	return s.root + name
}

// noFile is the environment in which there is no configuration file.
const noFile = "RCLONE_CONFIG=notfound"

// environment says that the remote called name, which is reached at addr, is all that is
// configured.
func (s *site) environment(name, addr string) []string {
	env := []string{noFile}
	add := func(name string, options map[string]string) {
		for option, value := range options {
			env = append(env, "RCLONE_CONFIG_"+strings.ToUpper(name+"_"+option)+"="+value)
		}
	}
	add(name, s.options(addr))
	for name, options := range s.beneath {
		add(name, options(addr))
	}
	return env
}

func startLocal(t *testing.T) *site {
	dir := t.TempDir()
	options := func(string) map[string]string { return map[string]string{"type": "local"} }
	return &site{options: options, root: dir + "/", files: dir}
}

// startSSH runs an SSH server with the SFTP of OpenSSH.
func startSSH(t *testing.T) *site {
	s := sshserver.Start(t, sshserver.OpenSSH(t))
	dir := t.TempDir()
	options := func(addr string) map[string]string {
		host, port, _ := net.SplitHostPort(addr)
		return map[string]string{"type": "sftp", "host": host, "port": port, "user": "bob", "pass": obscured(t, sshserver.Password),
			"shell_type": "unix", "md5sum_command": "md5sum", "sha1sum_command": "sha1sum"}
	}
	return &site{addr: s.Addr, options: options, wire: otherWire, root: dir + "/", files: dir}
}

// encrypted is a place in which everything is encrypted in another one.
func encrypted(start func(t *testing.T) *site) func(t *testing.T) *site {
	return func(t *testing.T) *site {
		s := start(t)
		below := s.root
		s.beneath = map[string]func(string) map[string]string{"beneath": s.options}
		s.options = func(string) map[string]string {
			return map[string]string{"type": "crypt", "remote": "beneath:" + below, "password": obscured(t, "s3cret")}
		}
		s.root, s.files, s.mkdirs = "", "", !s.flat
		return s
	}
}

// startUnion lays two directories over one another, and lets chance choose between them.
func startUnion(t *testing.T) *site {
	one, two := t.TempDir(), t.TempDir()
	options := func(string) map[string]string {
		return map[string]string{"type": "union", "upstreams": one + " " + two, "create_policy": "rand"}
	}
	return &site{options: options, files: one, other: two}
}

// startUnionOfBuckets lays two directories of a bucket over one another.
func startUnionOfBuckets(t *testing.T) *site {
	s := startGateway(t)
	s.beneath = map[string]func(string) map[string]string{"beneath": s.options}
	s.options = func(string) map[string]string {
		return map[string]string{"type": "union", "upstreams": "beneath:bucket/one beneath:bucket/two", "create_policy": "rand"}
	}
	s.root = ""
	return s
}

// startSamba runs an SMB server.
func startSamba(t *testing.T) *site {
	s := samba.Start(t)
	options := func(addr string) map[string]string {
		host, port, _ := net.SplitHostPort(addr)
		return map[string]string{"type": "smb", "host": host, "port": port, "user": s.User, "pass": obscured(t, samba.Password)}
	}
	return &site{addr: s.Addr, options: options, wire: otherWire, root: "files/", files: s.Dir}
}

// startFerry runs another ferry, which is an FTP server like any other.
func startFerry(t *testing.T) *site {
	dir := t.TempDir()
	_, addr := serve(t, dir)
	options := func(addr string) map[string]string {
		host, port, _ := net.SplitHostPort(addr)
		return map[string]string{"type": "ftp", "host": host, "port": port, "user": "bob", "pass": obscured(t, "builder")}
	}
	return &site{addr: addr, options: options, wire: ftpWire, files: dir}
}

// startGateway runs an S3 server over a directory.
func startGateway(t *testing.T) *site { return startTellingGateway(t) }

// startTellingGateway is startGateway with more flags, such as who is told of changes.
func startTellingGateway(t *testing.T, more ...string) *site {
	t.Helper()
	g := servers.StartGateway(t, "key", "s3cret", "bucket", more...)
	options := func(addr string) map[string]string {
		return map[string]string{"type": "s3", "provider": "Other", "endpoint": "http://" + addr, "access_key_id": "key",
			"secret_access_key": "s3cret", "acl": "private"}
	}
	return &site{addr: g.Addr, options: options, wire: httpWire, flat: true, root: "bucket/", server: g.Server, data: g.Data}
}

// parts returns the pieces of uploads that the server keeps although they were not completed.
func (s *site) parts(t *testing.T) (all []string) {
	t.Helper()
	err := filepath.WalkDir(s.data, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // it has just been removed
			return nil
		}
		if err == nil && !e.IsDir() && strings.Contains(path, ".sgwtmp") {
			all = append(all, strings.TrimPrefix(path, s.data))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// startFakeGCS runs a fake of Google Cloud Storage.
func startFakeGCS(t *testing.T) *site {
	s := gcsserver.Start(t)
	options := func(addr string) map[string]string {
		return map[string]string{"type": "google cloud storage", "anonymous": "true", "endpoint": "http://" + addr,
			"project_number": "12345678", "bucket_policy_only": "true"}
	}
	return &site{addr: s.Addr, options: options, wire: httpWire, flat: true, root: s.NewBucket(t) + "/"}
}

// startDrive runs a double of Google Drive.
func startDrive(t *testing.T) *site {
	s := driveserver.Start(t)
	options := func(addr string) map[string]string {
		return map[string]string{"type": "drive", "endpoint": "http://" + addr,
			"token": `{"access_token":"` + driveserver.Token + `","token_type":"Bearer","expiry":"2999-01-01T00:00:00Z"}`}
	}
	return &site{addr: s.Addr, options: options, wire: httpWire, mkdirs: true}
}

func startGraph(t *testing.T) *site         { return startGraphOf(t, graphserver.Business) }
func startPersonalGraph(t *testing.T) *site { return startGraphOf(t, graphserver.Personal) }

// startGraphOf runs a double of Microsoft Graph, and makes a drive of a kind.
func startGraphOf(t *testing.T, kind string) *site {
	s := graphserver.Start(t)
	drive := s.NewDrive(kind)
	options := func(addr string) map[string]string {
		return map[string]string{"type": "onedrive", "endpoint": "http://" + addr, "drive_id": drive, "drive_type": kind,
			"token": `{"access_token":"` + graphserver.Token + `","token_type":"Bearer"}`, "client_id": "id", "client_secret": "s3cret"}
	}
	return &site{addr: s.Addr, options: options, wire: httpWire, mkdirs: true}
}

// startAzurite runs the emulator of Azure. The container is made through ferry.
func startAzurite(t *testing.T) *site {
	endpoint := strings.TrimPrefix(servers.StartAzurite(t), "http://")
	addr, path, _ := strings.Cut(endpoint, "/")
	options := func(addr string) map[string]string {
		return map[string]string{"type": "azureblob", "use_emulator": "true", "endpoint": "http://" + addr + "/" + path}
	}
	s := &site{addr: addr, options: options, wire: httpWire, flat: true, root: "container/"}
	proc, ftp := serveAt(t, "there:", s.environment("there", addr))
	login(t, "", ftp).do("MKD container", 257)
	proc.kill()
	return s
}

// startDropbox runs a double of Dropbox.
func startDropbox(t *testing.T) *site {
	s := dropboxserver.Start(t)
	options := func(addr string) map[string]string {
		return map[string]string{"type": "dropbox", "endpoint": "http://" + addr, "client_id": dropboxserver.ClientID,
			"client_secret": dropboxserver.ClientSecret, "token_url": "http://" + addr + "/oauth2/token", "chunk_size": "8Mi",
			"token": `{"access_token":"` + dropboxserver.Token + `","token_type":"bearer","refresh_token":"` + dropboxserver.RefreshToken + `"}`}
	}
	return &site{addr: s.Addr, options: options, wire: httpWire, mkdirs: true}
}

// startApache runs a WebDAV server.
func startApache(t *testing.T) *site {
	url, files := servers.StartApache(t, []string{"dav", "dav_fs"}, "Dav On")
	options := func(addr string) map[string]string {
		return map[string]string{"type": "webdav", "url": "http://" + addr + "/", "vendor": "other"}
	}
	return &site{addr: strings.TrimPrefix(url, "http://"), options: options, wire: httpWire, files: files}
}

// obscured is a password as configuration files have it.
func obscured(t *testing.T, password string) string {
	t.Helper()
	return strings.TrimSpace(ferry(t, nil, "obscure", password))
}

// ferry runs a ferry that ends by itself, and well. It returns what it printed.
func ferry(t *testing.T, env []string, args ...string) string {
	t.Helper()
	p, err := start(t.TempDir(), env, args...)
	if err != nil {
		t.Fatal(err)
	}
	if code, err := p.wait(); err != nil || code != 0 {
		t.Fatalf("ferry %s: exit status %d, %v: %s", args[0], code, err, p.log)
	}
	return p.log.String()
}

// serveAt runs ferry over a remote that env describes. Anybody may log in, so that there can be
// strangers.
func serveAt(t *testing.T, remote string, env []string) (*process, string) {
	t.Helper()
	args := []string{"serve", "ftp", remote, "--addr", "127.0.0.1:0", "--user", "bob", "-v"}
	proc, err := start(t.TempDir(), env, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		proc.kill()
		if t.Failed() || strings.Contains(proc.log.String(), "DATA RACE") {
			t.Errorf("log of ferry:\n%s", proc.log)
		}
		for _, secret := range []string{"s3cret", sshserver.Password, driveserver.Token} {
			if strings.Contains(proc.log.String(), secret) {
				t.Error("the log shows a secret")
			}
		}
	})
	addrs, err := proc.addresses(1)
	if err != nil {
		t.Fatal(err)
	}
	return proc, addrs[0]
}
