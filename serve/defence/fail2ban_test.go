package defence

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ferry/ftp"
)

// forgeries are names that try to be another line, another address or another date.
var forgeries = []string{
	"bob", "", "two words", "a] FAIL LOGIN: Client \"203.0.113.1\"", "x\nThu Sep  8 00:39:49 2016 [pid 1] [y] FAIL LOGIN: Client \"203.0.113.2\"",
	"x\r\nThu Sep  8 00:39:49 2016 [pid 1] [y] FAIL LOGIN: Client \"203.0.113.3\"", "Thu Sep  8 00:39:49 2016 [pid 1", "]", "[", "\"", "\x00\x1b[0m",
	"x\u2028Thu Sep  8 00:39:49 2016 [pid 1] [y] FAIL LOGIN: Client \"203.0.113.4\"", "\xff\xfe", "x\u0085y", strings.Repeat("long ", 100),
	"203.0.113.5", "bob\", \"x", "2026-01-01 00:00:00", "é ü 漢字", "WARN  : login denied session=1 address=203.0.113.6 port=1 user=x",
}

// writeLog writes logins of all forgeries, refused and not, to a log, and returns it.
func writeLog(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "auth.log")
	log, err := OpenAuthLog(name)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	g := open(t, Options{AuthLog: log})
	for i, user := range forgeries {
		for j, kind := range []ftp.GuardKind{ftp.UnknownUser, ftp.WrongPassword, ftp.LoginRefused, ftp.LoginHeldOff, ftp.LoggedIn, ftp.Noise, ftp.NoLogin} {
			addr := netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", i))
			if kind == ftp.LoggedIn {
				addr = netip.MustParseAddr(fmt.Sprintf("::ffff:198.51.100.%d", i))
			}
			g.Note(addr, ftp.GuardEvent{Kind: kind, Password: "secret", Reason: fmt.Sprintf("reason %d\n\" %s", j, user)}, user)
		}
	}
	return name
}

func TestEachLineOfTheAuthLog(t *testing.T) {
	text, err := os.ReadFile(writeLog(t))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} \[pid \d+\] \[[^]["]+\] ` +
		`(OK LOGIN: Client "198\.51\.100\.\d+"|FAIL LOGIN: Client "192\.0\.2\.\d+", "[^"]+")$`)
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if want := 5 * len(forgeries); len(lines) != want {
		t.Errorf("%d lines, want %d", len(lines), want)
	}
	for _, l := range lines {
		if !line.MatchString(l) {
			t.Errorf("%q", l)
		}
	}
	if bytes.Contains(text, []byte("secret")) {
		t.Error("a password is in it")
	}
}

// TestFail2banFindsRefusedLogins runs fail2ban over the log with its own filter for vsftpd and with
// ours.
func TestFail2banFindsRefusedLogins(t *testing.T) {
	if _, err := exec.LookPath("fail2ban-regex"); err != nil {
		t.Skip("fail2ban-regex is not installed")
	}
	log := writeLog(t)
	for _, filter := range []string{"/etc/fail2ban/filter.d/vsftpd.conf", "../../contrib/fail2ban/filter.d/ferry.conf"} {
		checkFound(t, log, filter, 4*len(forgeries))
	}
}

// The log itself, as --log-file writes it, with the same names.
func TestFail2banFindsDeniedLoginsInTheLog(t *testing.T) {
	if _, err := exec.LookPath("fail2ban-regex"); err != nil {
		t.Skip("fail2ban-regex is not installed")
	}
	var b bytes.Buffer
	for i, user := range forgeries {
		at := time.Now().Format("2006/01/02 15:04:05")
		fmt.Fprintf(&b, "%s WARN  : login denied session=%d address=192.0.2.%d port=7 user=%q failures=1\n", at, i, i, user)
		fmt.Fprintf(&b, "%s INFO  : logged in session=%d address=198.51.100.%d port=7 user=%q\n", at, i, i, user)
		fmt.Fprintf(&b, "%s WARN  : command refused session=%d address=198.51.100.%d port=7 user=%q\n", at, i, i, user)
	}
	name := filepath.Join(t.TempDir(), "ferry.log")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	checkFound(t, name, "../../contrib/fail2ban/filter.d/ferry.conf", len(forgeries))
}

// checkFound checks how many lines a filter matches, and that it takes no address from them but
// those of the clients that were refused.
func checkFound(t *testing.T, log, filter string, want int) {
	t.Helper()
	out, err := exec.Command("fail2ban-regex", "--out", "ip", log, filter).Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", filter, err, out)
	}
	found := strings.Fields(string(out))
	if len(found) != want {
		t.Errorf("%s: %d lines, want %d", filter, len(found), want)
	}
	for _, ip := range found {
		if !strings.HasPrefix(ip, "192.0.2.") {
			t.Errorf("%s: a name forged %s", filter, ip)
		}
	}
}
