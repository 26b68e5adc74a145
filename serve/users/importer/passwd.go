package importer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// eachLine calls do with the fields of each line that is neither empty nor a comment.
func eachLine(text []byte, do func(number int, fields []string) error) error {
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if trimmed := strings.TrimSpace(line); trimmed == "" || trimmed[0] == '#' {
			continue
		}
		if err := do(n, strings.Split(line, ":")); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

// readHtpasswd reads lines of user:hash.
func readHtpasswd(d *draft, text []byte) error {
	return eachLine(text, func(_ int, fields []string) error {
		if len(fields) < 2 {
			return errors.New("it is not user:hash")
		}
		if t := d.add("users", fields[0]); t != nil {
			d.password(t, fields[1])
		}
		return nil
	})
}

// password takes a hash over, or what stands in the place of one.
func (d *draft) password(t *table, hash string) {
	switch {
	case hash == "x":
		d.say(t.name, "the hash is in another file (shadow): ferry users passwd sets a password")
	case hash == "" || strings.HasPrefix(hash, "!") || strings.HasPrefix(hash, "*"):
		d.disable(t, "there is no password, or it is locked")
	default:
		t.text("password", hash)
	}
}

// readPasswd reads the seven fields of passwd(5).
func readPasswd(d *draft, text []byte) error {
	return eachLine(text, func(_ int, fields []string) error {
		if len(fields) != 7 {
			return fmt.Errorf("%d fields are not the 7 of passwd: name:hash:uid:gid:gecos:home:shell", len(fields))
		}
		t := d.add("users", fields[0])
		if t == nil {
			return nil
		}
		d.password(t, fields[1])
		d.home(t, fields[5])
		d.gecos(t, fields[4])
		d.say(t.name, "uid and gid: all files belong to the user that ferry runs as")
		return nil
	})
}

func (d *draft) gecos(t *table, gecos string) {
	if gecos = strings.Trim(gecos, ", "); gecos != "" {
		t.text("note", gecos)
	}
}

// home makes a local directory the remote. A /./ in it parts the root from the directory in which
// sessions begin.
func (d *draft) home(t *table, home string) {
	root, start, split := strings.Cut(home, "/./")
	if err := checkBraces(home); err != nil || !strings.HasPrefix(home, "/") {
		d.disable(t, "the home %q is no directory here: set remote", home)
		return
	}
	if root == "" {
		root = "/"
	}
	t.text("remote", root)
	if start = strings.Trim(start, "/"); split && start != "" {
		t.text("start", "/"+start)
	}
}

// pureFields are the fields of pureftpd.passwd behind the home.
const (
	pureUp = iota + 6
	pureDown
	pureRatioUp
	pureRatioDown
	pureSessions
	pureFiles
	pureBytes
	pureLocalAllowed
	pureLocalRefused
	pureAllowed
	pureRefused
	pureTime
	pureAll
)

var errPureDB = errors.New("it is the compiled form: name the text file it was made from, as /etc/pureftpd.passwd")

// readPureDB reads the text file of Pure-FTPd's virtual users.
func readPureDB(d *draft, text []byte) error {
	if bytes.HasPrefix(text, []byte("PDB2")) {
		return errPureDB
	}
	return eachLine(text, func(_ int, fields []string) error {
		if len(fields) < pureUp {
			return fmt.Errorf("%d fields are not those of Pure-FTPd: account:hash:uid:gid:gecos:home and so on", len(fields))
		}
		t := d.add("users", fields[0])
		if t == nil {
			return nil
		}
		d.password(t, fields[1])
		d.home(t, fields[5])
		d.gecos(t, fields[4])
		d.say(t.name, "uid and gid: all files belong to the user that ferry runs as")
		for len(fields) < pureAll {
			fields = append(fields, "")
		}
		d.pureLimits(t, fields)
		d.pureNetworks(t, fields[pureAllowed], fields[pureRefused])
		d.pureHours(t, fields[pureTime])
		return nil
	})
}

func (d *draft) pureLimits(t *table, fields []string) {
	number := func(field int) int64 {
		if fields[field] == "" {
			return 0
		}
		n, err := strconv.ParseInt(fields[field], 10, 64)
		if err != nil || n < 0 {
			d.disable(t, "field %d is not a number", field+1)
			return 0
		}
		return n
	}
	t.size("rate_up", number(pureUp), "B")
	t.size("rate_down", number(pureDown), "B")
	t.number("max_sessions", number(pureSessions))
	t.number("quota_files", number(pureFiles))
	t.size("quota_bytes", number(pureBytes), "B")
	if number(pureRatioUp)+number(pureRatioDown) > 0 {
		d.say(t.name, "a ratio of uploads to downloads: there is none here")
	}
	if fields[pureLocalAllowed]+fields[pureLocalRefused] != "" {
		d.disable(t, "addresses of the server that the user may log in at (fields 14 and 15)")
	}
}

// pureNetworks reads the addresses that a user may come from, or not. A host name cannot be said.
func (d *draft) pureNetworks(t *table, allowed, refused string) {
	for _, list := range []param{{"allow", allowed}, {"deny", refused}} {
		var networks []string
		for host := range strings.FieldsFuncSeq(list.value, func(r rune) bool { return r == ',' || r == ' ' }) {
			if network, ok := networkOf(host); ok {
				networks = append(networks, network)
				continue
			}
			d.disable(t, "%s: %q is no address: a host name cannot be said", list.key, host)
		}
		if len(networks) > 0 {
			t.list(list.key, networks)
		}
	}
}

// networkOf returns an address or a network as the file has it.
func networkOf(s string) (string, bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.String(), true
	}
	n, err := netip.ParsePrefix(s)
	return n.Masked().String(), err == nil
}

// pureHours reads HHMM-HHMM.
func (d *draft) pureHours(t *table, span string) {
	if span == "" {
		return
	}
	if len(span) != len("0800-1800") || span[4] != '-' {
		d.disable(t, "the time %q is not HHMM-HHMM", span)
		return
	}
	t.list("hours", []string{span[:2] + ":" + span[2:4] + "-" + span[5:7] + ":" + span[7:]})
}
