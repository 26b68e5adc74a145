package systemd

import (
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const units = "../../../../contrib/systemd"

// unit copies the units with a program that is there, and returns their paths.
func unit(t *testing.T) (service, socket string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"ferry.service", "ferry.socket"} {
		text, err := os.ReadFile(filepath.Join(units, name))
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.ReplaceAll(string(text), "/usr/bin/ferry", "/bin/true"))
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "ferry.service"), filepath.Join(dir, "ferry.socket")
}

// analyze runs systemd-analyze.
func analyze(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	if out, err := exec.Command("systemd-analyze", args...).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestTheUnitsAreValid(t *testing.T) {
	service, socket := unit(t)
	analyze(t, "verify", "--man=no", service, socket)
}

// 0 is best and 100 worst; a unit without any protection has 96.
func TestTheServiceIsHardened(t *testing.T) {
	service, _ := unit(t)
	analyze(t, "security", "--offline=true", "--threshold=20", service)
}

// What the units name is what the program knows.
func TestTheUnitsFitTheProgram(t *testing.T) {
	service, socket := unit(t)
	text := func(name string) string {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, m := range regexp.MustCompile(`(?m)^(?:#\s*)?FileDescriptorName=([a-z-]+)`).FindAllStringSubmatch(text(socket), -1) {
		if _, known := names[m[1]]; !known {
			t.Errorf("a socket is called %q", m[1])
		}
	}
	for _, line := range []string{"Type=notify", "WatchdogSec=30", "ExecReload=/bin/kill -HUP $MAINPID", "KillMode=mixed"} {
		if !strings.Contains(text(service), "\n"+line+"\n") {
			t.Errorf("the service is without %s", line)
		}
	}
}

func TestTheUnitOfLaunchdIsXML(t *testing.T) {
	text, err := os.ReadFile("../../../../contrib/launchd/org.ferry.ftp.plist")
	if err != nil {
		t.Fatal(err)
	}
	var plist struct {
		Keys    []string `xml:"dict>key"`
		Strings []string `xml:"dict>array>string"`
	}
	if err := xml.Unmarshal(text, &plist); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(plist.Keys, "ProgramArguments") || len(plist.Strings) < 3 || plist.Strings[1] != "serve" {
		t.Errorf("it is %+v", plist)
	}
}
