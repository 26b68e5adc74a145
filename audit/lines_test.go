package audit

import (
	"encoding/json"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/events"
)

// at is when everything happens in these tests.
var at = time.Date(2026, 4, 3, 10, 34, 56, 789000000, time.UTC)

// by returns e as an event of a client.
func by(e events.Event) events.Event {
	e.ID, e.Time, e.Session, e.User = "01kn", at, 7, "bob"
	e.Address, e.TLS = netip.MustParseAddrPort("192.0.2.1:50123"), "1.3"
	return e
}

// of returns e as an event that no client is behind.
func of(e events.Event) events.Event {
	e.ID, e.Time = "01kn", at
	return e
}

const (
	head   = `{"time":"2026-04-03T10:34:56.789Z","event":"`
	client = `","id":"01kn","session":7,"user":"bob","address":"192.0.2.1","port":50123,"tls":"1.3"`
)

// golden is a line for each kind, and what else a line may have.
var golden = []struct {
	event events.Event
	line  string
}{
	{of(events.Event{Kind: events.Start}), head + `start","id":"01kn","result":"ok"}`},
	{of(events.Event{Kind: events.Stop, Duration: 90 * time.Second}), head + `stop","id":"01kn","duration_s":90,"result":"ok"}`},
	{of(events.Event{Kind: events.Drain}), head + `drain","id":"01kn","result":"ok"}`},
	{of(events.Event{Kind: events.Undrain}), head + `undrain","id":"01kn","result":"ok"}`},
	{of(events.Event{Kind: events.HandOver, Argument: "7"}), head + `handover","id":"01kn","argument":"7","result":"ok"}`},
	{of(events.Event{Kind: events.TakeOver, Argument: "7", Remote: "s3"}), head + `takeover","id":"01kn","argument":"7","result":"ok","remote":"s3"}`},
	{of(events.Event{Kind: events.ConfigReload, Path: "/etc/ferry/users.toml", Result: events.Failed, Cause: "line 3: no remote"}),
		head + `config.reload","id":"01kn","path":"/etc/ferry/users.toml","result":"failed","cause":"line 3: no remote"}`},
	{of(events.Event{Kind: events.CertRenewed, Path: "ftp.example.org", ModTime: at.Add(time.Hour)}),
		head + `cert.renewed","id":"01kn","path":"ftp.example.org","mtime":"2026-04-03T11:34:56.789Z","result":"ok"}`},
	{by(events.Event{Kind: events.Connect}), head + "connect" + client + `,"result":"ok"}`},
	{by(events.Event{Kind: events.Disconnect, Cause: "idle", Duration: 1500 * time.Millisecond}), head + "disconnect" + client + `,"duration_s":1.5,"result":"ok","cause":"idle"}`},
	{by(events.Event{Kind: events.Login, Rule: "file", Client: "WinSCP", Duration: 123456789}), head + "login" + client + `,"client":"WinSCP","duration_s":0.123457,"result":"ok","rule":"file"}`},
	{by(events.Event{Kind: events.LoginRefused, Result: events.Denied, Cause: "password", Code: 530}), head + "login.refused" + client + `,"duration_s":0,"result":"denied","code":530,"cause":"password"}`},
	{of(events.Event{Kind: events.Ban, Address: netip.MustParseAddrPort("[2001:db8::1]:0"), Cause: "tries", Duration: time.Minute}),
		head + `ban","id":"01kn","address":"2001:db8::1","duration_s":60,"result":"ok","cause":"tries"}`},
	{of(events.Event{Kind: events.Unban, Address: netip.MustParseAddrPort("[::ffff:192.0.2.9]:0")}), head + `unban","id":"01kn","address":"192.0.2.9","result":"ok"}`},
	{by(events.Event{Kind: events.Kick}), head + "kick" + client + `,"result":"ok"}`},
	{by(events.Event{Kind: events.Command, Command: "SITE", Argument: "HELP", Code: 214}), head + "command" + client + `,"command":"SITE","argument":"HELP","duration_s":0,"result":"ok","code":214}`},
	{by(events.Event{Kind: events.List, Path: "/", Bytes: 0}), head + "list" + client + `,"path":"/","bytes":0,"duration_s":0,"result":"ok"}`},
	{by(events.Event{Kind: events.Download, Path: "/a", Offset: 5, Bytes: 7, Size: 100, Duration: time.Second, Result: events.Aborted, Code: 426, Cause: "reset"}),
		head + "download" + client + `,"path":"/a","offset":5,"bytes":7,"size":100,"duration_s":1,"result":"aborted","code":426,"cause":"reset"}`},
	{by(events.Event{Kind: events.UploadReceived, Path: "/in/a", Bytes: 7, Size: 7, Overwrote: true, Digest: "md5:0123", Code: 226}),
		head + "upload.received" + client + `,"path":"/in/a","offset":0,"bytes":7,"size":7,"duration_s":0,"md5":"0123","overwrote":true,"result":"ok","code":226}`},
	{by(events.Event{Kind: events.UploadAborted, Path: "/in/a", Bytes: 3, Result: events.Failed, Cause: "disk"}),
		head + "upload.aborted" + client + `,"path":"/in/a","bytes":3,"duration_s":0,"result":"failed","cause":"disk"}`},
	{by(events.Event{Kind: events.UploadStored, Path: "/in/a", Name: "b/in/a", Remote: "s3", Before: []string{"/in/a.part", "/in/\"x"}, Size: 7, Digest: "sha256:ab", Version: "\"e\"", ModTime: at, Duration: time.Second}),
		head + "upload.stored" + client + `,"path":"/in/a","previous_names":["/in/a.part","/in/\"x"],"size":7,"duration_s":1,"sha256":"ab","version":"\"e\"","mtime":"2026-04-03T10:34:56.789Z","result":"ok","remote":"s3","remote_path":"b/in/a"}`},
	{by(events.Event{Kind: events.UploadConflict, Path: "/in/a", To: "/in/a.conflict-n1-20260403-103456", Name: "in/a", Remote: "s3", Size: 3, Version: "e", ModTime: at}),
		head + "upload.conflict" + client + `,"path":"/in/a","to":"/in/a.conflict-n1-20260403-103456","size":3,"version":"e","mtime":"2026-04-03T10:34:56.789Z","result":"ok","remote":"s3","remote_path":"in/a"}`},
	{by(events.Event{Kind: events.UploadRefused, Path: "/in/a", Name: "in/a", Remote: "s3", Size: -1, Result: events.Failed, Cause: "too long"}),
		head + "upload.refused" + client + `,"path":"/in/a","result":"failed","cause":"too long","remote":"s3","remote_path":"in/a"}`},
	{by(events.Event{Kind: events.Delete, Path: "/a", Result: events.Denied, Rule: "users.toml:14"}), head + "delete" + client + `,"path":"/a","result":"denied","rule":"users.toml:14"}`},
	{by(events.Event{Kind: events.Rename, Path: "/a", To: "/b"}), head + "rename" + client + `,"path":"/a","to":"/b","result":"ok"}`},
	{by(events.Event{Kind: events.Mkdir, Path: "/d"}), head + "mkdir" + client + `,"path":"/d","result":"ok"}`},
	{by(events.Event{Kind: events.Rmdir, Path: "/d"}), head + "rmdir" + client + `,"path":"/d","result":"ok"}`},
	{by(events.Event{Kind: events.SetTime, Path: "/a", ModTime: at}), head + "mtime" + client + `,"path":"/a","mtime":"2026-04-03T10:34:56.789Z","result":"ok"}`},
	{by(events.Event{Kind: events.Chmod, Path: "/a", Argument: "644"}), head + "chmod" + client + `,"argument":"644","path":"/a","result":"ok"}`},
	{by(events.Event{Kind: events.Copy, Path: "/a", To: "/b"}), head + "copy" + client + `,"path":"/a","to":"/b","result":"ok"}`},
	{by(events.Event{Kind: events.Quota, Bytes: 90, Size: 100, Argument: "0.9"}), head + "quota" + client + `,"argument":"0.9","bytes":90,"size":100,"result":"ok"}`},
}

// record writes events to a log, and returns its file.
func record(t *testing.T, open func(Options) (*Log, error), all ...events.Event) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "log")
	l, err := open(options(name))
	if err != nil {
		t.Fatal(err)
	}
	s := events.New(events.Subscription{Kinds: l.Kinds(), Listener: l})
	for _, e := range all {
		if err := s.Record(t.Context(), &e); err != nil {
			t.Error(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	return readFile(t, name)
}

func options(name string) Options {
	return Options{Name: name, What: "--audit-log", Mode: 0o600, Log: slog.New(slog.DiscardHandler)}
}

func withCommands(o Options) (*Log, error) { return OpenAudit(o, true, false) }

func transfers(form string) func(Options) (*Log, error) {
	return func(o Options) (*Log, error) { return OpenTransfers(o, form) }
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each kind has a golden line, and nothing else is logged.
func TestLinesOfTheAuditLog(t *testing.T) {
	seen, all := events.Of(events.Handshake, events.QueueLate), []events.Event{by(events.Event{Kind: events.Handshake}), of(events.Event{Kind: events.QueueLate})}
	want := ""
	for _, g := range golden {
		if !json.Valid([]byte(g.line)) {
			t.Errorf("not JSON: %s", g.line)
		}
		seen |= events.Of(g.event.Kind)
		all = append(all, g.event)
		want += g.line + "\n"
	}
	if seen != events.All {
		t.Errorf("some kind has no golden line: %b", events.All&^seen)
	}
	if got := record(t, withCommands, all...); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	without := func(o Options) (*Log, error) { return OpenAudit(o, false, false) }
	if got := record(t, without, all...); strings.Contains(got, `"command"`) || strings.Count(got, "\n") != len(golden)-1 {
		t.Errorf("without commands it is\n%s", got)
	}
}

var moves = []events.Event{
	by(events.Event{Kind: events.UploadReceived, Path: "/in/a b\n.txt", Bytes: 12, Duration: 2100 * time.Millisecond, Argument: "binary"}),
	by(events.Event{Kind: events.Download, Path: "/é\xff", Offset: 3, Bytes: 7, Argument: "ascii deflate"}),
	by(events.Event{Kind: events.Download, Path: "/cut", Bytes: 7, Result: events.Aborted, Argument: "binary"}),
	by(events.Event{Kind: events.UploadAborted, Path: "/in/cut", Bytes: 9, Result: events.Failed, Argument: "binary"}),
	by(events.Event{Kind: events.Delete, Path: "/old"}),
	{Kind: events.Download, ID: "01kn", Time: at, User: "anonymous", Path: "/pub", Bytes: 1},
	// Nothing was moved by these.
	by(events.Event{Kind: events.Download, Path: "/secret", Result: events.Denied}),
	by(events.Event{Kind: events.UploadAborted, Path: "/none", Result: events.Failed}),
	by(events.Event{Kind: events.Delete, Path: "/kept", Result: events.Denied}),
	by(events.Event{Kind: events.List, Path: "/", Bytes: 100}),
}

func TestLinesOfTransferLogs(t *testing.T) {
	ctime, web := at.Local().Format("Mon Jan _2 15:04:05 2006"), at.Local().Format("[02/Jan/2006:15:04:05 -0700]")
	for form, want := range map[string]string{
		Xferlog: `CTIME 3 192.0.2.1 12 /in/a_b_.txt b _ i r bob ftp 0 * c
CTIME 1 192.0.2.1 7 /é_ a C o r bob ftp 0 * c
CTIME 1 192.0.2.1 7 /cut b _ o r bob ftp 0 * i
CTIME 1 192.0.2.1 9 /in/cut b _ i r bob ftp 0 * i
CTIME 1 192.0.2.1 0 /old b _ d r bob ftp 0 * c
CTIME 1 - 1 /pub b _ o a anonymous ftp 0 * c
`,
		CLF: `192.0.2.1 - bob [TIME] "PUT /in/a%20b%0A.txt" 200 12
192.0.2.1 - bob [TIME] "GET /%C3%A9%FF" 200 7
192.0.2.1 - bob [TIME] "GET /cut" 206 7
192.0.2.1 - bob [TIME] "PUT /in/cut" 206 9
192.0.2.1 - bob [TIME] "DELETE /old" 200 0
- - anonymous [TIME] "GET /pub" 200 1
`,
	} {
		want = strings.NewReplacer("CTIME", ctime, "[TIME]", web).Replace(want)
		if got := record(t, transfers(form), moves...); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", form, got, want)
		}
	}
	if got := record(t, transfers(JSON), moves...); strings.Count(got, "\n") != 6 || !strings.Contains(got, `"path":"/in/a b\u000a.txt"`) {
		t.Errorf("json: got\n%s", got)
	}
	if _, err := OpenTransfers(options(filepath.Join(t.TempDir(), "log")), "other"); err == nil {
		t.Error("a form that does not exist is taken")
	}
}

// forgeries are names that try to be another line, another field, or a command to a terminal.
var forgeries = []string{
	"/a b", "/\n" + head, "/\r\nFri Apr  3 12:34:56 2026 1 192.0.2.1 7 /x b _ o r eve ftp 0 * c", "/\x00\x1b[2J\x7f", "/\"},{\"x\":\"", "/\\", "/\\\"",
	"/\xff\xfe", "/\xed\xa0\x80", "/\u0085\u009b31m", "/\u2028\u2029\u00a0x\u3000y", "/\u202egnp.exe", "/\ufffd", "/\U0001f600", "/\U000e0001", "/é漢字", "/" + strings.Repeat("x ", 3000), "/%41%",
}

// No name makes another line or field, JSON readers get it back, and nothing in a line commands a
// terminal.
func TestNamesInLines(t *testing.T) {
	for _, form := range []string{"audit", Xferlog, CLF, JSON} {
		open := transfers(form)
		if form == "audit" {
			open = withCommands
		}
		var all []events.Event
		for _, name := range forgeries {
			e := by(events.Event{Kind: events.Download, Path: name, Bytes: 1, Duration: 1})
			e.User = name[1:]
			all = append(all, e)
		}
		lines := strings.Split(strings.TrimSuffix(record(t, open, all...), "\n"), "\n")
		if len(lines) != len(forgeries) {
			t.Fatalf("%s: %d lines for %d events", form, len(lines), len(forgeries))
		}
		for i, line := range lines {
			if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r >= 0x7f && r <= 0x9f || r >= 0x2028 && r <= 0x202e }) {
				t.Errorf("%s: %q commands a terminal", form, line)
			}
			switch form {
			case Xferlog:
				if n := len(strings.Split(strings.Replace(line, "Apr  3", "Apr 3", 1), " ")); n != 18 {
					t.Errorf("%d fields: %q", n, line)
				}
			case CLF:
				if n := strings.Count(line, `"`); n != 2+strings.Count(forgeries[i], `"`) {
					t.Errorf("%d quotes: %q", n, line)
				}
			default:
				checkDecoded(t, line, forgeries[i])
			}
		}
	}
}

// checkDecoded wants the name in a line, as it is or percent-encoded.
func checkDecoded(t *testing.T, line, name string) {
	t.Helper()
	var got struct {
		Path    string
		User    string
		Encoded *string `json:"path_encoded"`
	}
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("%v: %q", err, line)
	}
	valid := strings.ToValidUTF8(name, "") == name
	if valid && (got.Path != name || got.User != name[1:]) || valid != (got.Encoded == nil) {
		t.Errorf("%q is logged as %q", name, line)
	}
	if !valid && string(percent(nil, name)) != *got.Encoded {
		t.Errorf("%q is encoded as %q", name, *got.Encoded)
	}
}

// A line takes no memory.
func TestLinesAreWrittenWithoutAllocations(t *testing.T) {
	for name, open := range map[string]func(Options) (*Log, error){
		"audit": withCommands, Xferlog: transfers(Xferlog), CLF: transfers(CLF),
		"chained": func(o Options) (*Log, error) { return OpenAudit(o, true, true) },
	} {
		l, err := open(options(os.DevNull))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		e := moves[0]
		if n := testing.AllocsPerRun(100, func() { l.Record(t.Context(), &e) }); n != 0 {
			t.Errorf("%s: %v allocations for a line", name, n)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, name := range []string{"audit", "chained", Xferlog} {
		b.Run(name, func(b *testing.B) {
			o := options(filepath.Join(b.TempDir(), "log"))
			open := transfers(Xferlog)
			if name != Xferlog {
				open = func(o Options) (*Log, error) { return OpenAudit(o, true, name == "chained") }
			}
			l, err := open(o)
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			e := by(events.Event{Kind: events.UploadReceived, Path: "/in/2026/pictures/IMG_0001.JPG", Bytes: 4 << 20, Size: 4 << 20, Duration: time.Second, Digest: "md5:d41d8cd98f00b204e9800998ecf8427e"})
			b.ReportAllocs()
			for b.Loop() {
				l.Record(b.Context(), &e)
			}
		})
	}
}
