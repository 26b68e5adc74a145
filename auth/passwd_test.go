package auth

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// sesame is sha512-crypt of that word, by crypt(3).
const sesame = "$6$rounds=1000$abcdefghijklmnop$LzZWsjYxRhxfanQB0ixRNM.AtTXZHcHJx6K7VHJaEhdsvZ1ehs2FzLkRDH2d/6TGUva6K2Y5it5hRI97EUQw20"

func newPasswd(t *testing.T, lines ...string) *Passwd {
	t.Helper()
	path := filepath.Join(t.TempDir(), "passwd")
	write(t, path, strings.Join(lines, "\n")+"\n")
	p, err := NewPasswd(path, NewVerifier(time.Hour, 1))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPasswd(t *testing.T) {
	p := newPasswd(t,
		"# made by ftpasswd",
		"scan:"+sesame+":1001:1001:a scanner:/srv/scan:/bin/false",
		"scan:"+sesame+":1001:1001:twice:/srv/other:/bin/false",
		"", // pure-pw
		"cam:"+sesame+":1002:1002::/srv/cam/./:1000:2000:1:2:3:4:5000:::::",
		"short:"+sesame+":1002:1002::/srv/short",
		"slow:"+sesame+":1002:1002::/srv/slow:1000")
	tests := map[string]Grant{
		"scan":  {Remote: "/srv/scan"},
		"cam":   {Remote: "/srv/cam", RateUp: 1000, RateDown: 2000, MaxSessions: 3, QuotaFiles: 4, QuotaBytes: 5000},
		"short": {Remote: "/srv/short"},
		"slow":  {Remote: "/srv/slow", RateUp: 1000},
	}
	for user, want := range tests {
		id, err := p.Authenticate(t.Context(), Login{User: user, Password: "sesame"})
		if err != nil || !reflect.DeepEqual(id, Identity{User: user, Owner: user, Grant: &want}) {
			t.Errorf("%s: %+v, %v, want %+v", user, id, err, want)
		}
		if knows(t, p, user, "open") {
			t.Errorf("%s is let in with a wrong password", user)
		}
	}
	if knows(t, p, "eve", "sesame") {
		t.Error("an unknown user is let in")
	}
}

// Who cannot be let in as his line says is denied, and the log gets the reason; the others are let
// in.
func TestPasswdProblems(t *testing.T) {
	p := newPasswd(t,
		"good:"+sesame+":1:1::/srv:/bin/sh",
		"locked:!"+sesame+":1:1::/srv:/bin/sh",
		"none:*:1:1::/srv:/bin/sh",
		"shadow:x:1:1::/srv:/bin/sh",
		"des:ab01FAX.bQRSU:1:1::/srv:/bin/sh",
		"root:"+sesame+":0:0::/root:/bin/sh",
		"host:"+sesame+":1:1::/srv::::::::::example.org::")
	for user, want := range map[string]string{
		"locked": "locked", "none": "locked", "shadow": "locked", "des": "ferry users hash", "root": "0", "host": "address",
	} {
		_, err := p.Authenticate(t.Context(), Login{User: user, Password: "sesame"})
		if !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ", line ") {
			t.Errorf("%s: %v, want ErrDenied with %q and the line", user, err, want)
		}
	}
	if !knows(t, p, "good", "sesame") {
		t.Error("a user beside them is not let in")
	}
}

func TestPasswdAddresses(t *testing.T) {
	const inside, outside = "192.0.2.7", "198.51.100.1"
	line := func(name, localOnly, localNot, only, not string) string {
		return name + ":" + sesame + ":1:1::/srv::::::::" + strings.Join([]string{localOnly, localNot, only, not, ""}, ":")
	}
	p := newPasswd(t,
		line("only", "", "", "192.0.2.0/24,203.0.113.5", ""),
		line("not", "", "", "", "192.0.2.0/24"),
		line("both", "", "", "192.0.2.0/24", inside),
		line("local", inside, "", "", ""))
	tests := []struct {
		user, ip, local string
		want            bool
	}{
		{"only", inside, outside, true}, {"only", "::ffff:" + inside, outside, true}, {"only", "203.0.113.5", outside, true},
		{"only", outside, outside, false}, {"not", inside, outside, false}, {"not", outside, outside, true},
		{"both", inside, outside, false}, {"both", "192.0.2.8", outside, true}, {"both", outside, outside, false},
		{"local", outside, inside, true}, {"local", outside, outside, false}, {"local", outside, "", false},
	}
	for _, tt := range tests {
		l := Login{User: tt.user, Password: "sesame", IP: netip.MustParseAddr(tt.ip)}
		if tt.local != "" {
			l.Local = netip.MustParseAddr(tt.local)
		}
		if _, err := p.Authenticate(t.Context(), l); (err == nil) != tt.want || err != nil && !errors.Is(err, ErrDenied) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

func TestPasswdHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := strings.Repeat(":", 11)
		p := newPasswd(t,
			"day:"+sesame+":1:1::/srv:"+end+"0800-1730",
			"night:"+sesame+":1:1::/srv:"+end+"2200-0600",
			"always:"+sesame+":1:1::/srv:"+end)
		now := time.Now()
		midnight := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, time.Local)
		for _, tt := range []struct {
			hour, minute int
			day, night   bool
		}{{3, 0, false, true}, {7, 59, false, false}, {8, 0, true, false}, {17, 30, true, false}, {17, 31, false, false}, {23, 0, false, true}} {
			time.Sleep(time.Until(midnight.Add(time.Duration(tt.hour)*time.Hour + time.Duration(tt.minute)*time.Minute)))
			for user, want := range map[string]bool{"day": tt.day, "night": tt.night, "always": true} {
				if knows(t, p, user, "sesame") != want {
					t.Errorf("%s at %v: %v", user, time.Now(), !want)
				}
			}
		}
	})
}

func TestNewPasswdRefuses(t *testing.T) {
	for _, line := range []string{
		"", "bob", "bob:builder", "bob:" + sesame + ":1:1:/home", ":" + sesame + ":1:1::/srv:/bin/sh",
		"bob:" + sesame + ":x:1::/srv:/bin/sh", "bob:" + sesame + ":1:-1::/srv:/bin/sh", "bob:" + sesame + ":1:1::srv:/bin/sh",
		"bob:" + sesame + ":1:1::/srv:fast:::::::::::", "bob:" + sesame + ":1:1::/srv::::::::::::8-17",
		"bob:" + sesame + ":1:1::/srv" + strings.Repeat(":", 13),
	} {
		path := filepath.Join(t.TempDir(), "passwd")
		write(t, path, line+"\n")
		if _, err := NewPasswd(path, NewVerifier(0, 1)); err == nil {
			t.Errorf("%q: no error", line)
		} else if strings.Contains(err.Error(), sesame) || strings.Contains(err.Error(), "builder") {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
}

func TestPasswdIsReadAgain(t *testing.T) {
	p := newPasswd(t, "bob:"+sesame+":1:1::/srv:/bin/sh")
	if !knows(t, p, "bob", "sesame") || p.Problem() != nil {
		t.Fatalf("at first: %v", p.Problem())
	}
	write(t, p.file.path, "bob:"+sesame+"\n")
	if err := p.Problem(); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a broken file: %v", err)
	}
	if !knows(t, p, "bob", "sesame") {
		t.Error("what was in it before does not count")
	}
	write(t, p.file.path, "ann:"+sesame+":1:1::/srv:/bin/sh\n")
	if knows(t, p, "bob", "sesame") || !knows(t, p, "ann", "sesame") || p.Problem() != nil {
		t.Errorf("the old file counts; %v", p.Problem())
	}
	if err := os.Remove(p.file.path); err != nil {
		t.Fatal(err)
	}
	if !knows(t, p, "ann", "sesame") || !errors.Is(p.Problem(), os.ErrNotExist) {
		t.Errorf("without the file: %v", p.Problem())
	}
}

func FuzzParsePasswd(f *testing.F) {
	f.Add("bob:" + sesame + ":1:1::/srv:/bin/sh\n")
	f.Add("cam:" + sesame + ":1002:1002::/srv/cam/./:1000:2000:1:2:3:4:5000:192.0.2.1:::::0800-1730\n")
	f.Fuzz(func(t *testing.T, text string) {
		users, err := parsePasswd([]byte(text))
		if (err == nil) != (len(users) > 0) {
			t.Errorf("%d users and %v", len(users), err)
		}
		for name, u := range users {
			if name == "" || strings.ContainsAny(name, ":\n") || !strings.HasPrefix(u.grant.Remote, "/") ||
				u.grant.QuotaBytes < 0 || u.grant.QuotaFiles < 0 || u.grant.RateUp < 0 || u.grant.RateDown < 0 || u.grant.MaxSessions < 0 ||
				u.problem == "" && Supported(u.hash) != nil {
				t.Errorf("%q: %+v", name, u)
			}
		}
	})
}
