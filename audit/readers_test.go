package audit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/events"
)

// transferred writes an xferlog of what five users moved, and returns its name and what a reader
// must find: lines, those about whole or cut files, and bytes.
func transferred(t *testing.T) (name string, lines, moves int, bytes int64) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "xferlog")
	l, err := OpenTransfers(options(name), Xferlog)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for i, file := range append(forgeries[:len(forgeries):len(forgeries)], "/plain", "/pictures/IMG_0001.JPG") {
		if len(file) > 1000 {
			continue // readers cut lines
		}
		for j, e := range []events.Event{{Kind: events.UploadReceived}, {Kind: events.Download, Argument: "ascii deflate"}, {Kind: events.Download, Result: events.Aborted}, {Kind: events.Delete}} {
			e = by(e)
			e.Path, e.User = file, fmt.Sprintf("user%d", i%5)
			e.Time = at.Add(time.Duration(i*4+j) * time.Second)
			if e.Kind != events.Delete {
				e.Bytes = int64(1024 * (100*i + j + 1))
				moves++
			}
			bytes += e.Bytes
			lines++
			l.Record(t.Context(), &e)
		}
	}
	return name, lines, moves, bytes
}

// webalizer counts every line.
func TestWebalizerReadsXferlog(t *testing.T) {
	program, err := exec.LookPath("webalizer")
	if err != nil {
		t.Skip("webalizer is not installed")
	}
	name, lines, moves, bytes := transferred(t)
	dir := t.TempDir()
	conf := filepath.Join(dir, "conf")
	writeFile(t, conf, []byte("LogType ftp\nDumpUsers yes\n"))
	out, err := exec.Command(program, "-c", conf, "-F", "ftp", "-T", "-N", "0", "-o", dir, name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if want := fmt.Sprintf("%d records", lines); !strings.Contains(string(out), want) || strings.Contains(string(out), "bad") {
		t.Errorf("it does not say %q: %s", want, out)
	}
	month := at.Local()
	var m, y, hits, files, sites, kbytes int
	history := ""
	for line := range strings.Lines(readFile(t, filepath.Join(dir, "webalizer.hist"))) {
		if strings.HasPrefix(line, month.Format("1 2006 ")) {
			history = line
		}
	}
	if _, err := fmt.Sscan(history, &m, &y, &hits, &files, &sites, &kbytes); err != nil || hits != lines || files != moves || sites != 1 || int64(kbytes) != bytes/1024 {
		t.Errorf("it counts %q, not %d lines, %d of files, of %d KiB: %v", history, lines, moves, bytes/1024, err)
	}
	if users := readFile(t, filepath.Join(dir, month.Format("user_200601.tab"))); strings.Count(users, "\n") != 5 {
		t.Errorf("users are %s", users)
	}
}

// awstats counts what was downloaded and uploaded; it has no word for a deletion.
func TestAwstatsReadsXferlog(t *testing.T) {
	const script = "/usr/lib/cgi-bin/awstats.pl"
	if _, err := os.Stat(script); err != nil {
		t.Skip("awstats is not installed")
	}
	name, lines, moves, bytes := transferred(t)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "awstats.ferry.conf"), []byte(fmt.Sprintf(`LogFile="%s"
LogType=F
LogFormat="%s"
LogSeparator="\s"
SiteDomain="ferry"
DNSLookup=0
DirData="%s"
`, name, awstatsFormat(t), dir)))
	out, err := exec.Command("perl", script, "-config=ferry", "-configdir="+dir, "-update").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{
		fmt.Sprintf("Parsed lines in file: %d\n", lines), "Found 0 corrupted records",
		fmt.Sprintf("Found %d dropped records", lines-moves), fmt.Sprintf("Found %d new qualified records", moves),
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not say %q: %s", want, out)
		}
	}
	found := readFile(t, filepath.Join(dir, at.Local().Format("awstats012006.ferry.txt")))
	_, visitors, _ := strings.Cut(found, "\nBEGIN_VISITOR 1\n")
	var address string
	var pages, hits int
	var bandwidth int64
	if _, err := fmt.Sscan(visitors, &address, &pages, &hits, &bandwidth); err != nil || address != "192.0.2.1" || hits != moves || bandwidth != bytes {
		t.Errorf("it counts %s %d %d, not %d and %d bytes: %v", address, hits, bandwidth, moves, bytes, err)
	}
	if !strings.Contains(found, "\nBEGIN_LOGIN 5\n") {
		t.Error("it does not know five users")
	}
}

// awstatsFormat is the LogFormat that doc/operations.md tells.
func awstatsFormat(t *testing.T) string {
	t.Helper()
	_, rest, found := strings.Cut(readFile(t, "../doc/operations.md"), `LogFormat="`)
	format, _, ended := strings.Cut(rest, `"`)
	if !found || !ended {
		t.Fatal("the page has no LogFormat")
	}
	return format
}
