package users

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/serve/access"
)

// someHash is that of "sesame".
const someHash = "$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/"

func parse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("users.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func user(t *testing.T, f *File, name string) User {
	t.Helper()
	u, ok := f.User(name)
	if !ok {
		t.Fatalf("there is no user %q", name)
	}
	return u
}

const everything = `
version = 1

[defaults]
remote = "/srv/{home}"
timezone = "Europe/Berlin"
max_sessions = 3
permissions."/" = ["read-only"]
permissions."/in" = ["drop-box"]
deny = ["10.9.0.0/16"]
umask = "022"

[groups.cameras]
home = "plant/{group}/{user}"
quota_bytes = "10G"
rate_up = "1M"
permissions."/in" = ["upload", "mkdir"]
mounts."/shared" = "nas:shared"

[groups.night]
quota_bytes = "1G"
hours = ["Mon-Fri 22:00-06:00", "Sun 00:00-24:00"]
patterns = [{deny = ["*.exe"]}, {path = "/in", allow = ["*.jpg"], hide = true}]

[users.cam-1]
groups = ["cameras", "night"]
password = ['$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/', {hash = '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', expires = 2027-01-31, note = "old"}]
max_sessions = 0
allow = ["192.168.1.7", "fe80::/10"]
expires = 2030-01-01T00:00:00
start = "/in/{user}"
client_cert = ["cn:{user}", "sha256:AB:CD:00000000000000000000000000000000000000000000000000000000:EF:01"]
idle_timeout = "10m"
cache_mode = "writes"
max_file_size = "50M"
quota_files = 1000
create_home = true
require_tls = true
max_transfers = 2
rate_down = "off"
note = "gate"
[users.cam-1.mounts]
"/shared" = {remote = "nas:other", read_only = true}
[[users.cam-1.patterns]]
path = "/"
deny = ["*.tmp"]

[users.ann]
auth = "none"
disabled = true
`

func TestEffectiveValues(t *testing.T) {
	f := parse(t, everything)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	span := func(s string) Span {
		v, err := parseSpan(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	want := User{
		Name: "cam-1", Auth: AuthHash, Groups: []string{"cameras", "night"},
		Passwords: []Password{
			{Hash: someHash},
			{Hash: "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, berlin), Note: "old"},
		},
		Remote: "/srv/{home}", Home: "plant/{group}/{user}", CreateHome: true, Start: "/in/cam-1",
		Mounts: []Mount{{Path: "/shared", Remote: "nas:other", ReadOnly: true}},
		Policy: access.Policy{
			Rules: []access.Rule{
				{Path: "/", Verbs: verbs(t, "read-only")},
				{Path: "/in", Verbs: verbs(t, "upload", "mkdir")},
			},
			Patterns: []access.Pattern{
				{Path: "/", Deny: []string{"*.tmp"}},
				{Path: "/in", Allow: []string{"*.jpg"}, Hide: true},
			},
			MaxFileSize: 50 << 20,
		},
		QuotaBytes: 10 << 30, QuotaFiles: 1000, RateUp: 1 << 20, MaxTransfers: 2,
		Allow: []netip.Prefix{netip.MustParsePrefix("192.168.1.7/32"), netip.MustParsePrefix("fe80::/10")},
		Deny:  []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")},
		Hours: Hours{Spans: []Span{span("Mon-Fri 22:00-06:00"), span("Sun 00:00-24:00")}, Zone: berlin},

		RequireTLS:  true,
		ClientCerts: []string{"cn:cam-1", "sha256:abcd" + strings.Repeat("0", 56) + "ef01"},
		Expires:     time.Date(2030, 1, 1, 0, 0, 0, 0, berlin),
		IdleTimeout: 10 * time.Minute,
		Options:     map[string]string{"umask": "022", "cache_mode": "writes"},
		Note:        "gate",
	}
	if got := user(t, f, "cam-1"); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	ann := user(t, f, "ann")
	if !ann.Disabled || ann.Auth != AuthNone || ann.MaxSessions != 3 || !ann.Policy.Rules[1].OwnOnly {
		t.Errorf("ann is %+v", ann)
	}
	if got := strings.Join(f.Names(), " "); got != "ann cam-1" {
		t.Errorf("the names are %s", got)
	}
	if _, ok := f.User("eve"); ok {
		t.Error("eve is there")
	}
}

func verbs(t *testing.T, words ...string) access.Verbs {
	t.Helper()
	v, err := access.ParseVerbs(words)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Each mistake is found where it stands, whatever else is wrong, and is told with a remedy.
func TestMistakes(t *testing.T) {
	tests := []struct{ text, want string }{
		{"[users.a]\nremot = \"x\"", "2:1: there is no key remot here: did you mean remote?"},
		{"[usrs.a]", "1:2: there is no key usrs here: did you mean users?"},
		{"[defaults]\nzzzzzzzz = 1", "2:1: there is no key zzzzzzzz here: doc/users.md has"},
		{"zzzzzzzz = 1", "1:1: there is no key zzzzzzzz here: there are version, defaults, groups, users"},
		{"[defaults]\npassword = 'x'", "2:1: password is a key of users alone"},
		{"[groups.a]\ngroups = ['a']", "2:1: groups is a key of users alone"},
		{"version = 2", "1:11: version: this ferry reads version 1"},
		{"users = 3", "1:9: users: a table is expected here, and this is a number"},
		{"version = 1\n[[users]]\nname = 'a'", "2:3: users: a table is expected here, and these are several: write [...] in place of [[...]], for a user [users.NAME]"},
		{"[users]\na = 'x'", "2:5: users.a: a table is expected here, and this is a string"},
		{"[users.'a/b']", `1:8: "a/b" cannot be a name: it holds '/'`},
		{"[users.'..']", `1:8: ".." is a directory`},
		{"[users.'-x']", "begins with a hyphen"},
		{"[groups.'*']", "what holds for everybody goes into [defaults]"},
		{"[users.'*']", `1:8: "*" stands for names that only a remote knows: give it auth = "remote"`},
		{"[users.a]\npassword = 'secret'", "2:12: password: "},
		{"[users.a]\npassword = ['" + someHash + "',\n  'secret']", "3:3: password.1: "},
		{"[users.a]\npassword = [{hash = 'secret'}]", "2:21: password.0.hash: "},
		{"[users.a]\npassword = [{}]", "2:13: password.0: there is no hash in it"},
		{"[users.a]\npassword = 12", "2:12: password: a hash, or a table"},
		{"[users.a]\npassword = [{hash = '" + someHash + "', expires = 'x', nte = 1}]", "a date has no quotes"},
		{"[users.a]\nauth = 'ldap'", `2:8: auth: "ldap" is none of hash, remote, none`},
		{"[users.a]\nauth = 'none'\npassword = '" + someHash + "'", `3:12: password: auth = "none" does not look at it`},
		{"[users.a]\ngroups = ['b']\n[groups.c]", `2:11: groups.0: there is no group "b": add [groups.b], or name one of c`},
		{"[users.a]\ngroups = ['b', 'b']\n[groups.b]", `group "b" is named twice`},
		{"[users.a]\nremote = ''", "2:10: remote: the remote is empty"},
		{"[users.a]\nremote = '/{usr}'", "2:10: remote: {usr} stands for nothing: there are {user}"},
		{"[users.a]\nremote = '{user}:x'", "2:10: remote: "},
		{"[users.a]\nremote = ':sftp,host=h,pass=topsecret/x'", "2:10: remote: "},
		{"[users.a]\nremote = '/{group}'", `2:10: remote: {group} stands for the first group, and user "a" is in none`},
		{"[defaults]\nhome = '{group}'\n[users.a]", `2:8: defaults.home: {group} stands for the first group, and user "a" is in none`},
		{"[users.a]\nremote = ':sftp,pass={password}:'", `{password} is there only with auth = "remote"`},
		{"[users.a]\nauth = 'remote'\nremote = '/srv'", "every password of user \"a\" would be right"},
		{"[users.a]\nhome = '../b'", "2:8: home: home \"../b\" leads out"},
		{"[users.a]\nhome = '{home}'", "{home} stands for nothing here: there are {user}, {group}"},
		{"[users.a]\nmounts = {'in' = 'x'}", `2:18: mounts.in: "in" is not a path from the root`},
		{"[users.a.mounts]\n'/' = 'x'", "2:1: / is not a directory to put a remote into"},
		{"[users.a.mounts]\n'/*' = 'x'", "is one directory"},
		{"[users.a.mounts]\n'/a' = {read_only = 1}", "2:8: mounts.'/a': the remote is missing"},
		{"[users.a.mounts]\n'/a' = {remote = 'x', read_only = 1}", `2:35: mounts.'/a'.read_only: true or false is expected here, and this is a number`},
		{"[users.a]\nstart = 'x'", `2:9: start: "x" is not a path from the root`},
		{"[users.a]\npermissions = ['all']", "2:15: permissions: a table is expected here, and this is an array"},
		{"[users.a.permissions]\n'/' = ['al']", "2:7: permissions.'/': "},
		{"[users.a]\npatterns = [{}]", "2:13: patterns.0: a pattern says"},
		{"[users.a]\npatterns = [{deny = ['[']}]", "2:22: patterns.0.deny.0: "},
		{"[[users.a.patterns]]\nallow = ['x']\n[[users.a.patterns]]\nallow = ['y']\nhid = true", "5:1: there is no key hid here: did you mean hide?"},
		{"[users.a]\nquota_bytes = 1000", `a size has a unit, so it is a string: write for example "1000M"`},
		{"[users.a]\nquota_bytes = '0'", `nothing fits into "0"`},
		{"[users.a]\nquota_bytes = '3 apples'", `2:15: quota_bytes: "3 apples": not a size`},
		{"[users.a]\nquota_files = -1", "-1 is less than nothing"},
		{"[users.a]\nmax_sessions = 3000000000", "is too large"},
		{"[users.a]\nmax_sessions = 1.5", "a whole number is expected here, and this is a number with a point"},
		{"[users.a]\nallow = ['10.0.0.1/8']", "2:10: allow.0: 10.0.0.1/8 has bits behind its length: write 10.0.0.0/8"},
		{"[users.a]\ndeny = 'office'", `2:8: deny: "office" is not a network`},
		{"[users.a]\nhours = ['Mo 8-18']", `2:10: hours.0: "Mo 8-18" is not a time of the week`},
		{"[users.a]\ntimezone = 'CET/DST'", `2:12: timezone: "CET/DST" is not a time zone`},
		{"[users.a]\nclient_cert = ['bob']", "2:16: client_cert.0: "},
		{"[users.a]\nclient_cert = 'sha256:ab'", "2:15: client_cert: \"sha256:ab\" is not a fingerprint"},
		{"[users.a]\nexpires = '2027-01-01'", "2:11: expires: a date has no quotes"},
		{"[users.a]\nexpires = 12:00:00", "and this is a time of day"},
		{"[users.a]\nexpires = 2027", "and this is a number"},
		{"[users.a]\nidle_timeout = 10", `a duration has a unit, so it is a string: write for example "10s" or "10m"`},
		{"[users.a]\nidle_timeout = 'soon'", "not a duration"},
		{"[users.a]\nidle_timeout = '0'", `write "off" for no limit`},
		{"[users.a]\numask = 22", "a mode is octal, so it is a string"},
		{"[users.a]\numask = '99'", "not permission bits"},
		{"[users.a]\ncache_mode = 'on'", `"on" is none of off, minimal, writes, full`},
		{"[users.a]\ndisabled = 'yes'", "2:12: disabled: true or false is expected here, and this is a string"},
		{"[users.a\n", "1:9: this is not TOML (https://toml.io): "},
		{"[users.a]\nnote = 'x'\nnote = 'y'", "3:1: this is not TOML"},
		{"\xef\xbb\xbf[users.a]\r\nnte = 'x'\r\n", "2:1: there is no key nte here: did you mean note?"},
	}
	for _, tt := range tests {
		_, err := Parse("users.toml", []byte(tt.text))
		if err == nil {
			t.Errorf("%q is read", tt.text)
			continue
		}
		if got := err.Error(); !strings.Contains(got, tt.want) || !strings.HasPrefix(got, "users.toml:") {
			t.Errorf("%q\ngot  %s\nwant %s", tt.text, got, tt.want)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error has a secret: %v", tt.text, err)
		}
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, err := Parse("u", []byte("[defaults]\nquota_bytes = 1\n[users.b]\nfoo = 1\nauth = 'x'\n[users.a]\ngroups = ['g']\npassword = 'x'\n"))
	var at []string
	for _, e := range Errors(err) {
		at = append(at, fmt.Sprintf("%d:%d", e.Line, e.Column))
	}
	if got := strings.Join(at, " "); got != "2:15 4:1 5:8 7:11 8:12" {
		t.Errorf("mistakes at %s: %v", got, err)
	}
	many := strings.Builder{}
	for i := range 1000 {
		fmt.Fprintf(&many, "[users.u%d]\nx = 1\n", i)
	}
	_, err = Parse("u", []byte(many.String()))
	list := Errors(err)
	if len(list) != maxErrors+1 || !strings.Contains(list[maxErrors].Text, "900 more") {
		t.Errorf("%d mistakes, the last is %v", len(list), list[len(list)-1])
	}
}

func TestChanges(t *testing.T) {
	was := parse(t, "[users.a]\n[users.b]\n[users.c]\nnote = 'x'\n[defaults]\n")
	now := parse(t, "[users.c]\n[users.b]\ndisabled = true\n[users.d]\n")
	added, changed, removed := was.Changes(now)
	if got := fmt.Sprint(added, changed, removed); got != "[d] [b] [a]" {
		t.Errorf("got %s", got)
	}
}

// A remote that checks passwords knows names that the file does not.
func TestAnybody(t *testing.T) {
	f := parse(t, "[users.'*']\nauth = 'remote'\nremote = ':s3,access_key_id={user},secret_access_key={password}:bucket'\n[users.bob]\n")
	if u := user(t, f, "eve"); u.Auth != AuthRemote || u.Name != "eve" {
		t.Errorf("eve is %+v", u)
	}
	if u := user(t, f, "bob"); u.Auth != AuthHash {
		t.Errorf("bob is %+v", u)
	}
	for _, name := range []string{"*", "..", "a/b", ""} {
		if u, ok := f.User(name); ok {
			t.Errorf("%q is %+v", name, u)
		}
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "users.toml")
	if _, err := Read(path); !os.IsNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := Read(dir); err == nil {
		t.Error("a directory is read")
	}
	if err := os.WriteFile(path, []byte("[users.a]\nx = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil || !strings.HasPrefix(err.Error(), path+":2:1: ") {
		t.Errorf("got %v", err)
	}
}

func TestExplain(t *testing.T) {
	f := parse(t, everything)
	values, ok := f.Explain("cam-1")
	if !ok {
		t.Fatal("there is no such user")
	}
	got := map[string]string{}
	for _, v := range values {
		if _, twice := got[v.Key+" "+v.Text]; twice {
			t.Errorf("%s is told twice", v.Key)
		}
		got[v.Key+" "+v.Text] = fmt.Sprintf("%s:%d", v.From, v.Line)
	}
	for want, at := range map[string]string{
		"max_sessions 0":                                       "users.cam-1:28",
		"quota_bytes 10Gi":                                     "groups.cameras:15",
		"remote /srv/{home}":                                   "defaults:5",
		"rate_down off":                                        "users.cam-1:40",
		"permissions.'/' [list, download]":                     "defaults:8",
		"permissions.'/in' [upload, mkdir]":                    "groups.cameras:17",
		"mounts.'/shared' nas:other (read_only)":               "users.cam-1:43",
		"patterns.'/' deny [*.tmp]":                            "users.cam-1:44",
		"patterns.'/in' allow [*.jpg], hide":                   "groups.night:23",
		"password [apr1, SHA until 2027-01-31 00:00:00 (old)]": "users.cam-1:27",
	} {
		if got[want] != at {
			t.Errorf("%s: got %q, want %s", want, got[want], at)
		}
	}
	for text := range got {
		if strings.Contains(text, "GQVaHF") {
			t.Errorf("a hash is shown: %s", text)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestCheck(t *testing.T) {
	f := parse(t, "[defaults]\nremote = 'nas:a'\numask = '022'\n[users.a]\nencoding = 'Slash'\n[users.a.mounts]\n'/m' = 'nowhere:'\n")
	var seen []string
	err := f.Check(func(key, text string) error {
		seen = append(seen, key+" "+text)
		if text == "nowhere:" || text == "Slash" {
			return fmt.Errorf("no")
		}
		return nil
	})
	slices.Sort(seen)
	if got := strings.Join(seen, ", "); got != "encoding Slash, remote nas:a, remote nowhere:, umask 022" {
		t.Errorf("looked at %s", got)
	}
	want := "users.toml:5:12: encoding: no\nusers.toml:7:8: mounts.'/m': no"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestWarnings(t *testing.T) {
	f := parse(t, "[users.a]\n[users.b]\nauth = 'none'\n[users.c]\npassword = '"+someHash+"'\n[users.d]\nclient_cert = 'cn:d'\n")
	var got []string
	for _, w := range f.Warnings() {
		got = append(got, fmt.Sprint(w.Line, " ", w.Text))
	}
	if len(got) != 3 || !strings.Contains(got[0], "1 user a cannot log in") || !strings.Contains(got[1], "2 user b logs in with any") || !strings.Contains(got[2], "4 user c has a password") {
		t.Errorf("got %q", got)
	}
}

// longHash is what NewHash makes.
const longHash = "$argon2id$v=19$m=19456,t=2,p=1$VqtXSS3W2KJbIrEZficVCA$tNSyLrYTskurMAkcqdocxEAA97f/kWnwbr+CqNWVt1I"

// What it takes to read a file grows with the number of users: ten times as many take ten times as
// much and a bit. BenchmarkParse has the time.
func TestReadingGrowsWithTheUsers(t *testing.T) {
	cost := func(n int) (mallocs, bytes uint64) {
		var before, after runtime.MemStats
		text := manyUsers(n)
		runtime.ReadMemStats(&before)
		if _, err := Parse("users.toml", text); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc
	}
	fewMallocs, fewBytes := cost(1000)
	mallocs, bytes := cost(10_000)
	t.Logf("1,000 users: %d allocations, %d bytes; 10,000: %d, %d", fewMallocs, fewBytes, mallocs, bytes)
	if mallocs > 12*fewMallocs || bytes > 15*fewBytes {
		t.Errorf("1,000 users take %d allocations of %d bytes, 10,000 take %d of %d", fewMallocs, fewBytes, mallocs, bytes)
	}
}

// manyUsers is a file as a program writes it.
func manyUsers(n int) []byte {
	var b strings.Builder
	b.WriteString("[defaults]\nremote = \"s3:bucket/{user}\"\n[groups.g]\nquota_bytes = \"1G\"\n")
	for i := range n {
		fmt.Fprintf(&b, "\n[users.camera-%d]\npassword = '%s'\ngroups = [\"g\"]\nallow = [\"10.0.%d.%d\"]\nnote = \"gate %d\"\npermissions.\"/in\" = [\"upload\"]\n", i, longHash, i>>8&255, i&255, i)
	}
	return []byte(b.String())
}

// BenchmarkParse has the time of one user, which is the same in a large file: each name that is
// compared with all before it would make it ten times as long in the second.
func BenchmarkParse(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text := manyUsers(n)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse("users.toml", text); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/user")
		})
	}
}

func BenchmarkUser(b *testing.B) {
	f, err := Parse("users.toml", manyUsers(10_000))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := f.User("camera-5000"); !ok {
			b.Fatal("the user is not there")
		}
	}
}
