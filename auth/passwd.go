package auth

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"
)

// Passwd is an Authenticator for a file of users of ProFTPD (AuthUserFile, 7 fields) or Pure-FTPd
// (pureftpd.passwd, up to 18 fields), lines that are told apart by the number of their colons. The
// Grant has the home directory as Remote, and of Pure-FTPd's fields quotas, rates and sessions;
// addresses and hours are held to at the login. The shell, the group and ratios do not matter
// here. The file is read again when it changes; while it cannot be read, or a line is wrong, what
// was in it before counts.
//
// A user who cannot be let in as the line says (a hash that is not Supported, user or group 0, a
// host name as an address) is denied, with an error that says why.
type Passwd struct {
	file     *liveFile[map[string]passwdUser]
	verifier *Verifier
}

// A passwdUser is a line of the file.
type passwdUser struct {
	line    int
	hash    string
	problem string // why the user cannot be let in, "" for nothing
	grant   Grant

	locals, clients addresses
	hours           hours
}

// NewPasswd reads the file. A line that cannot be parsed is an error. It calls v.SetDecoys.
func NewPasswd(path string, v *Verifier) (*Passwd, error) {
	file, err := openLive(path, func(text []byte) (map[string]passwdUser, error) {
		users, err := parsePasswd(text)
		if err != nil {
			return nil, err
		}
		var decoys [][]string
		for _, u := range users {
			if u.problem == "" {
				decoys = append(decoys, []string{u.hash})
			}
		}
		v.SetDecoys(decoys)
		return users, nil
	})
	if err != nil {
		return nil, err
	}
	return &Passwd{file: file, verifier: v}, nil
}

// Problem says why the file as it is now does not count, nil if it does.
func (p *Passwd) Problem() error { return p.file.problem() }

// Authenticate checks whether the file has that user with that password, and whether the user may
// come from there now.
func (p *Passwd) Authenticate(ctx context.Context, l Login) (Identity, error) {
	var hashes []string
	u, known := p.file.get()[l.User]
	if known && u.problem == "" {
		hashes = []string{u.hash}
	}
	right, err := p.verifier.Verify(ctx, l.User, l.Password, hashes)
	if err != nil {
		return Identity{}, fmt.Errorf("%s: %w", p.file.path, err)
	}
	switch {
	case !known:
		return Identity{}, ErrUnknownUser
	case !right && u.problem == "":
		return Identity{}, ErrDenied
	}
	problem := u.problem
	switch {
	case problem != "":
	case !u.clients.admit(l.IP):
		problem = "the user may not come from that address"
	case !u.locals.admit(l.Local):
		problem = "the user may not log in at this address of the server"
	case !u.hours.include(time.Now()):
		problem = "the user may not log in at this time of the day"
	default:
		return Identity{User: l.User, Owner: l.User, Grant: &u.grant}, nil
	}
	return Identity{}, fmt.Errorf("%w: %s, line %d: %s", ErrRefused, p.file.path, u.line, problem)
}

// The fields of a line, and how many there are at least and at most.
const (
	passwdFields, proftpdFields, pureFields = 6, 7, 18

	fieldName, fieldHash, fieldUser, fieldGroup, fieldHome = 0, 1, 2, 3, 5
)

// parsePasswd returns the users of a file.
func parsePasswd(text []byte) (map[string]passwdUser, error) {
	users := map[string]passwdUser{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		fields := strings.Split(line, ":")
		if len(fields) < passwdFields || len(fields) > pureFields || fields[fieldName] == "" {
			return nil, fmt.Errorf("line %d is of neither form, name:hash:uid:gid:gecos:home:shell "+
				"(ProFTPD) or that of pure-pw with up to %d fields", n, pureFields)
		}
		u, err := parsePasswdLine(fields)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		u.line = n
		if _, twice := users[fields[fieldName]]; !twice { // the first one counts, as in passwd(5)
			users[fields[fieldName]] = u
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(users) == 0 {
		return nil, errNoUsers
	}
	return users, nil
}

func parsePasswdLine(fields []string) (passwdUser, error) {
	u := passwdUser{hash: fields[fieldHash]}
	for _, f := range []int{fieldUser, fieldGroup} {
		id, ok := number(fields[f])
		if !ok {
			return u, fmt.Errorf("field %d is no number", f+1)
		}
		if id == 0 {
			u.problem = "user and group 0 are not let in"
		}
	}
	home := fields[fieldHome]
	if !path.IsAbs(home) {
		return u, fmt.Errorf("field %d is no absolute path", fieldHome+1)
	}
	u.grant.Remote = path.Clean(home) // Pure-FTPd's /./ at the end says that it is the root
	if err := Supported(u.hash); err != nil {
		u.problem = err.Error()
		if strings.HasPrefix(u.hash, "*") || strings.HasPrefix(u.hash, "!") || u.hash == "" || u.hash == "x" {
			u.problem = "the user is locked"
		}
	}
	_, limit := number(fields[len(fields)-1])
	if len(fields) > proftpdFields || len(fields) == proftpdFields && limit {
		return u, u.parsePure(append(slices.Clip(fields), make([]string, pureFields-len(fields))...))
	}
	return u, nil
}

// parsePure takes over what Pure-FTPd's file has besides. Its rates are in bytes a second.
func (u *passwdUser) parsePure(fields []string) error {
	var sessions int64
	for f, value := range map[int]*int64{
		6: &u.grant.RateUp, 7: &u.grant.RateDown, 10: &sessions, 11: &u.grant.QuotaFiles, 12: &u.grant.QuotaBytes,
	} {
		n, err := pureNumber(fields[f])
		if err != nil {
			return fmt.Errorf("field %d is no number", f+1)
		}
		*value = n
	}
	u.grant.MaxSessions = int(min(sessions, 1<<31-1))
	u.locals = addresses{only: fields[13], not: fields[14]}
	u.clients = addresses{only: fields[15], not: fields[16]}
	for _, a := range []*addresses{&u.locals, &u.clients} {
		if err := a.parse(); err != nil {
			u.problem = err.Error()
		}
	}
	var err error
	u.hours, err = parseHours(fields[17])
	return err
}

// addresses are lists of networks as Pure-FTPd has them.
type addresses struct {
	only, not   string
	allow, deny []netip.Prefix
}

func (a *addresses) parse() error {
	for _, list := range []struct {
		text string
		to   *[]netip.Prefix
	}{{a.only, &a.allow}, {a.not, &a.deny}} {
		for item := range strings.SplitSeq(list.text, ",") {
			if item = strings.TrimSpace(item); item == "" {
				continue
			}
			prefix, err := parseNetwork(item)
			if err != nil {
				return errors.New("an address is neither an IP address nor a network, such as 192.0.2.0/24")
			}
			*list.to = append(*list.to, prefix)
		}
	}
	return nil
}

// admit reports whether an address is on the first list, if there is one, and not on the second.
func (a *addresses) admit(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	within := func(p netip.Prefix) bool { return p.Contains(addr) }
	if len(a.allow)+len(a.deny) > 0 && !addr.IsValid() {
		return false
	}
	return (len(a.allow) == 0 || slices.ContainsFunc(a.allow, within)) && !slices.ContainsFunc(a.deny, within)
}
