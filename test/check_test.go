package test

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ferry/remote/remotetest/servers"
	"ferry/remote/remotetest/servers/sshserver"
)

// A fault makes a remote one that cannot work.
type fault struct {
	name    string
	options map[string]string // what differs from a good remote; "" takes an option away
	path    string            // "" = a fresh directory
	says    string            // what the line has to match in which "ferry check" tells it
}

// wrong is in the place of each secret, and nowhere to be seen.
const wrong = "n0t-the-secret"

// TestCheck lets "ferry check" say of a good remote of each type what works, which is what the
// table of doc/remotes.md says, and of others what is wrong and what to do.
func TestCheck(t *testing.T) {
	types := []struct {
		name   string
		start  func(t *testing.T) *site
		faults func(t *testing.T, s *site) []fault
	}{
		{"local", startLocal, localFaults},
		{"memory", startMemory, memoryFaults},
		{"alias", startAlias, aliasFaults},
		{"combine", startCombine, combineFaults},
		{"union", startUnion, unionFaults},
		{"chunker", startChunker, noFaults},
		{"compress", startCompress, noFaults},
		{"crypt", startCrypt, noFaults},
		{"hasher", startHasher, noFaults},
		{"sftp", startSSH, sftpFaults},
		{"ftp", startFerry, ftpFaults},
		{"s3", startGateway, s3Faults},
		{"gcs", startFakeGCS, gcsFaults},
		{"drive", startDrive, driveFaults},
		{"azureblob", startAzurite, azureFaults},
		{"dropbox", startDropbox, dropboxFaults},
		{"onedrive", startGraph, onedriveFaults},
		{"webdav", startApache, webdavFaults},
		{"smb", startSamba, smbFaults},
		{"http", startIndex, httpFaults},
	}
	table := tableOfRemotes(t)
	for _, tt := range types {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.start(t)
			t.Run("good", func(t *testing.T) { checkGood(t, s, tt.name, table[tt.name]) })
			for _, f := range tt.faults(t, s) {
				t.Run(f.name, func(t *testing.T) { checkFault(t, s, f) })
			}
		})
		delete(table, tt.name)
	}
	for name := range table {
		t.Errorf("doc/remotes.md has a row for %s, which nothing has tried", name)
	}
}

// TestEveryTypeIsDescribed looks for the types in the notes of doc/remotes.md.
func TestEveryTypeIsDescribed(t *testing.T) {
	text, err := os.ReadFile("../doc/remotes.md")
	if err != nil {
		t.Fatal(err)
	}
	types := regexp.MustCompile(`(?m)^  (\w+) +\S`).FindAllStringSubmatch(ferry(t, nil, "help", "backends"), -1)
	for _, m := range types {
		if !strings.Contains(string(text), "**"+m[1]+"**") {
			t.Errorf("doc/remotes.md says nothing of %s", m[1])
		}
	}
	if len(types) < 12 {
		t.Errorf("there are only %d types", len(types))
	}
}

// tableOfRemotes returns the rows of the table in doc/remotes.md by their types.
func tableOfRemotes(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../doc/remotes.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| .*$").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = m[0]
	}
	return rows
}

// stepThatWorks is a line of a check.
var stepThatWorks = regexp.MustCompile(`(?m)^  (\w+(?: \w+)?) +ok +\S+ *(.*)$`)

// checkGood compares what a check says of a good remote with the row of its type.
func checkGood(t *testing.T, s *site, name, row string) {
	out := ferry(t, s.environment("there", s.addr), "check", "there:"+s.fresh(t))
	works := map[string]string{}
	for _, m := range stepThatWorks.FindAllStringSubmatch(out, -1) {
		works[m[1]] = cmp.Or(m[2], "yes")
	}
	cell := func(step string) string { return cmp.Or(works[step], "no") }
	kept := "no"
	if strings.Contains(works["continue"], "is kept") {
		kept = "yes"
	}
	continues := "no"
	if works["continue"] != "" {
		continues = "yes"
	}
	changes := "no"
	if works["changes"] != "" {
		changes = "yes"
	}
	want := "| `" + name + "` | " + strings.Join([]string{
		cell("overwrite"), strings.TrimPrefix(cell("modtime"), "kept to "), cell("move"), cell("move dir"),
		continues, kept, cell("checksums"), changes,
	}, " | ") + " |"
	if row != want {
		t.Errorf("doc/remotes.md says\n%s\nand the check\n%s\n%s", row, want, out)
	}
	if strings.Contains(out, "FAILED") {
		t.Errorf("steps fail:\n%s", out)
	}
}

func checkFault(t *testing.T, s *site, f fault) {
	options := s.options(s.addr)
	maps.Copy(options, f.options)
	maps.DeleteFunc(options, func(_, value string) bool { return value == "" })
	faulty := &site{options: func(string) map[string]string { return options }}
	env := faulty.environment("there", "")
	p, err := start(t.TempDir(), env, "check", "there:"+cmp.Or(f.path, s.fresh(t)))
	if err != nil {
		t.Fatal(err)
	}
	if code, err := p.wait(); err != nil || code == 0 {
		t.Errorf("exit status %d, %v", code, err)
	}
	out := p.log.String()
	if !regexp.MustCompile(`(?m)^(ferry: |  reach +FAILED .*).*` + f.says).MatchString(out) {
		t.Errorf("it does not say %q:\n%s", f.says, out)
	}
	if n := len(regexp.MustCompile(`(?m)^(ferry: |  reach)`).FindAllString(out, -1)); n > 2 || strings.Contains(out, "\n\n") {
		t.Errorf("it is told in more than a line:\n%s", out)
	}
	if strings.Contains(out, wrong) {
		t.Errorf("it shows a secret:\n%s", out)
	}
}

// noFaults is for a type that fails as the remote does that it is made of.
func noFaults(*testing.T, *site) []fault { return nil }

func startChunker(t *testing.T) *site  { return startOver(t, "chunker", "chunk_size", "1Ki") }
func startCompress(t *testing.T) *site { return startOver(t, "compress") }
func startCrypt(t *testing.T) *site {
	s := startOver(t, "crypt", "password", obscured(t, "s3cret"))
	s.files, s.mkdirs = "", true
	return s
}
func startHasher(t *testing.T) *site { return startOver(t, "hasher") }

// startOver makes a remote of a type over a local directory.
func startOver(t *testing.T, typ string, more ...string) *site {
	dir := t.TempDir()
	options := func(string) map[string]string {
		o := map[string]string{"type": typ, "remote": dir}
		for i := 0; i < len(more); i += 2 {
			o[more[i]] = more[i+1]
		}
		return o
	}
	return &site{options: options, files: dir}
}

func startMemory(t *testing.T) *site {
	return &site{options: func(string) map[string]string { return map[string]string{"type": "memory"} }, whole: true}
}

func startAlias(t *testing.T) *site {
	dir := t.TempDir()
	options := func(string) map[string]string { return map[string]string{"type": "alias", "remote": dir} }
	return &site{options: options, files: dir}
}

func startCombine(t *testing.T) *site {
	dir := t.TempDir()
	options := func(string) map[string]string {
		return map[string]string{"type": "combine", "upstreams": "one=" + dir + " two=:memory:"}
	}
	return &site{options: options, root: "one/", files: dir}
}

// startIndex runs a web server that shows lists of files.
func startIndex(t *testing.T) *site {
	url, files := servers.StartApache(t, []string{"autoindex"}, "Options +Indexes")
	options := func(addr string) map[string]string {
		return map[string]string{"type": "http", "url": "http://" + addr + "/"}
	}
	return &site{addr: strings.TrimPrefix(url, "http://"), options: options, files: files}
}

// nobody is an address that nothing listens at.
func nobody(t *testing.T) string { return fmt.Sprintf("127.0.0.1:%d", servers.FreePort(t)) }

// nobodysPort is the port of that.
func nobodysPort(t *testing.T) string { return fmt.Sprint(servers.FreePort(t)) }

// startGuarded runs a web server that lets nobody in.
func startGuarded(t *testing.T) (url string) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

const createIt = `there is no such directory: create it, or correct the path`

func localFaults(t *testing.T, s *site) []fault {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return []fault{
		{"a missing directory", nil, s.root + "missing", createIt},
		{"a file", nil, file, "not a directory: give the directory that holds it"},
	}
}

func memoryFaults(t *testing.T, s *site) []fault {
	return []fault{{"a path", nil, "path", `leave it out`}}
}

func aliasFaults(t *testing.T, s *site) []fault {
	return []fault{
		{"a missing directory", nil, "missing", createIt},
		{"no target", map[string]string{"remote": ""}, "", `option remote is missing: set it`},
		{"a target that is not configured", map[string]string{"remote": "nowhere:"}, "", `"nowhere": there is no such remote in the configuration: ferry listremotes`},
		{"a circle", map[string]string{"remote": "there:"}, "", `made of remotes that are made of it: correct the configuration`},
	}
}

func combineFaults(t *testing.T, s *site) []fault {
	return []fault{
		{"a missing directory", nil, "one/missing", createIt},
		{"a directory that is not in the tree", nil, "three", `there is no directory "three": there are one, two`},
		{"a target that is not configured", map[string]string{"upstreams": "one=nowhere:"}, "", `"nowhere": there is no such remote in the configuration: ferry listremotes`},
		{"directories without targets", map[string]string{"upstreams": "one"}, "", `upstreams`},
	}
}

func sftpFaults(t *testing.T, s *site) []fault {
	known := filepath.Join(t.TempDir(), "known_hosts")
	line := sshserver.KnownHost(t, s.addr, sshserver.NewKey(t).PublicKey())
	if err := os.WriteFile(known, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	return []fault{
		{"a missing directory", nil, s.root + "missing", createIt},
		{"a wrong password", map[string]string{"pass": obscured(t, wrong)}, "", `does not let "bob" in with what is configured \(pass, key_file`},
		{"a password in clear", map[string]string{"pass": wrong}, "", `option pass .* is not an obscured password: write it as "ferry obscure" prints it`},
		{"a host that does not answer", map[string]string{"port": nobodysPort(t)}, "", `cannot be reached, see the options host and port`},
		{"a host without an address", map[string]string{"host": "missing.invalid"}, "", `cannot be reached, see the options host and port`},
		{"another host key", map[string]string{"known_hosts_file": known}, "", `host key .* is not the one in .* run: ssh-keygen `},
		{"a missing key file", map[string]string{"key_file": "/missing"}, "", `key_file cannot be read`},
	}
}

func unionFaults(t *testing.T, s *site) []fault {
	return []fault{
		{"a missing directory", nil, "missing", createIt},
		{"no upstreams", map[string]string{"upstreams": " "}, "", `option upstreams names no remote`},
		{"an unknown policy", map[string]string{"create_policy": "best"}, "", `option create_policy: there is no policy "best"; there are all, epall`},
		{"an upstream that is copied to", map[string]string{"upstreams": ":memory::writeback"}, "", `:writeback is not supported`},
	}
}

func smbFaults(t *testing.T, s *site) []fault {
	return []fault{
		{"a missing directory", nil, s.root + "missing", createIt},
		{"a missing share", nil, "missing/directory", createIt},
		{"a wrong password", map[string]string{"pass": obscured(t, wrong)}, "", `does not let ".*" in with what is configured \(user, pass, domain\)`},
		{"a host that does not answer", map[string]string{"port": nobodysPort(t)}, "", `cannot be reached, see the options host and port`},
		{"Kerberos", map[string]string{"use_kerberos": "true"}, "", `Kerberos is not supported; set use_kerberos = false`},
	}
}

func ftpFaults(t *testing.T, s *site) []fault {
	return []fault{
		{"a missing directory", nil, "missing", createIt},
		{"a wrong password", map[string]string{"pass": obscured(t, wrong)}, "", `does not let "bob" in, see the options user and pass`},
		{"a host that does not answer", map[string]string{"port": nobodysPort(t)}, "", `cannot be reached, see the options host and port`},
		{"no TLS", map[string]string{"explicit_tls": "true"}, "", `has no AUTH TLS, see the option explicit_tls`},
		{"no TLS from the beginning", map[string]string{"tls": "true"}, "", `does not begin with TLS: set explicit_tls in place of tls`},
	}
}

func s3Faults(t *testing.T, s *site) []fault {
	return []fault{
		{"a missing bucket", nil, "missing", `create the bucket, or correct the path`},
		{"a wrong secret", map[string]string{"secret_access_key": wrong}, "", `permission denied .*check the option secret_access_key`},
		{"a wrong key", map[string]string{"access_key_id": wrong}, "", `permission denied .*check the option access_key_id`},
		{"no secret", map[string]string{"secret_access_key": ""}, "", `set both, or env_auth`},
		{"a host that does not answer", map[string]string{"endpoint": "http://" + nobody(t)}, "", `check the option endpoint and the network`},
		{"TLS where there is none", map[string]string{"endpoint": "https://" + s.addr}, "", `HTTP response to HTTPS client: check the option endpoint`},
	}
}

func gcsFaults(t *testing.T, s *site) []fault {
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant","error_description":"Token has been expired or revoked."}`)
	}))
	t.Cleanup(refuses.Close)
	revoked := map[string]string{"anonymous": "", "token_url": refuses.URL, "client_id": "me", "client_secret": wrong,
		"token": `{"access_token":"` + wrong + `","refresh_token":"` + wrong + `","expiry":"2020-01-01T00:00:00Z"}`}
	return []fault{
		{"a missing bucket", nil, "missing", createIt},
		{"a token that was revoked", revoked, "", `it is not logged in any more \(invalid_grant\): log in by "ferry config reconnect there:"`},
		{"no credentials", map[string]string{"anonymous": ""}, "", `no credentials: set service_account_file`},
		{"a missing key file", map[string]string{"anonymous": "", "service_account_file": "/missing"}, "", `service_account_file cannot be read`},
		{"a host that does not answer", map[string]string{"endpoint": "http://" + nobody(t)}, "", `cannot be reached, check the network and the option endpoint`},
	}
}

func driveFaults(t *testing.T, s *site) []fault {
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant","error_description":"Token has been expired or revoked."}`)
	}))
	t.Cleanup(refuses.Close)
	revoked := map[string]string{"token_url": refuses.URL, "client_id": "me", "client_secret": wrong,
		"token": `{"access_token":"` + wrong + `","refresh_token":"` + wrong + `","expiry":"2020-01-01T00:00:00Z"}`}
	other := map[string]string{"token": `{"access_token":"` + wrong + `","expiry":"2999-01-01T00:00:00Z"}`}
	return []fault{
		{"a missing folder", nil, "missing", createIt},
		{"a token that was revoked", revoked, "", `ferry config reconnect there:`},
		{"a token of another service", other, "", `answers 401 authError, log in again: ferry config reconnect there:`},
		{"no credentials", map[string]string{"token": ""}, "", `ferry config reconnect there:`},
		{"a folder that is not there", map[string]string{"root_folder_id": "none"}, "", `does not exist: check the option root_folder_id`},
		{"a shared drive that is not there", map[string]string{"team_drive": "none"}, "", `does not exist: check the option team_drive`},
		{"a missing key file", map[string]string{"token": "", "service_account_file": "/missing"}, "", `service_account_file cannot be read`},
		{"a form that nothing is read in", map[string]string{"export_formats": "docx,doc"}, "", `option export_formats has "doc"`},
		{"a host that does not answer", map[string]string{"endpoint": "http://" + nobody(t)}, "", `cannot be reached, check the network and the option endpoint`},
	}
}

func azureFaults(t *testing.T, s *site) []fault {
	account := func(key string) map[string]string {
		return map[string]string{"use_emulator": "", "account": "devstoreaccount1", "key": key}
	}
	return []fault{
		{"a missing container", nil, "missing", `create the container, or correct the path`},
		{"a wrong key", account("bm90LXRoZS1zZWNyZXQ="), "", `check the options for the account and its key`},
		{"a key that is none", account(wrong), "", `option key is not the key of a storage account`},
		{"no credentials", account(""), "", `check the options for the account and its key`},
		{"a host that does not answer", map[string]string{"endpoint": "http://" + nobody(t) + "/devstoreaccount1"}, "",
			`cannot be reached, check the network and the options account and endpoint`},
	}
}

func dropboxFaults(t *testing.T, s *site) []fault {
	token := func(access, refresh string) map[string]string {
		return map[string]string{"token": `{"access_token":"` + access + `","refresh_token":"` + refresh + `","expiry":"2020-01-01T00:00:00Z"}`}
	}
	return []fault{
		{"a missing folder", nil, "missing", createIt},
		{"a login that was revoked", token(wrong, wrong), "", `ferry config reconnect there:`},
		{"a token that the server does not know", map[string]string{"token": `{"access_token":"` + wrong + `"}`}, "", `log in again: ferry config reconnect there:`},
		{"no login", map[string]string{"token": ""}, "", `ferry config reconnect there`},
		{"a host that does not answer", map[string]string{"endpoint": "http://" + nobody(t)}, "", `cannot be reached, check the network and the option endpoint`},
	}
}

func onedriveFaults(t *testing.T, s *site) []fault {
	token := func(access string) map[string]string {
		return map[string]string{"token": `{"access_token":"` + access + `"}`}
	}
	return []fault{
		{"a missing folder", nil, "missing", createIt},
		{"a token that the server does not know", token(wrong), "", `log in again: ferry config reconnect there:`},
		{"no login", map[string]string{"token": ""}, "", `ferry config reconnect there`},
		{"a drive that is not there", map[string]string{"drive_id": "b!none"}, "", `check the option drive_id`},
		{"a folder that is not there", map[string]string{"root_folder_id": "none"}, "", `does not exist: check the option root_folder_id`},
		{"a host that does not answer", map[string]string{"endpoint": "http://" + nobody(t)}, "", `does not answer, check the option endpoint and the network`},
		{"a fragment that is none", map[string]string{"chunk_size": "1Mi"}, "", `option chunk_size must be a multiple of 320Ki`},
	}
}

func webdavFaults(t *testing.T, s *site) []fault {
	guarded := startGuarded(t)
	return []fault{
		{"a missing directory", nil, "missing", createIt},
		{"a wrong password", map[string]string{"url": guarded, "user": "bob", "pass": obscured(t, wrong)}, "",
			`401 .*check the options for the user and the password or token`},
		{"no password", map[string]string{"url": guarded}, "", `401 .*check the options for the user`},
		{"a host that does not answer", map[string]string{"url": "http://" + nobody(t)}, "", `does not answer, check the option url and the network`},
		{"no address", map[string]string{"url": ""}, "", `option url is missing: set it`},
	}
}

func httpFaults(t *testing.T, s *site) []fault {
	guarded := strings.Replace(startGuarded(t), "://", "://bob:"+wrong+"@", 1)
	return []fault{
		{"a missing directory", nil, "missing", createIt},
		{"a wrong password", map[string]string{"url": guarded}, "", `401 .*check the options for the user`},
		{"a host that does not answer", map[string]string{"url": "http://" + nobody(t)}, "", `does not answer, check the option url and the network`},
		{"an address that is none", map[string]string{"url": "://" + wrong}, "", `option url`},
	}
}
