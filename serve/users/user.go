package users

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"ferry/config"
	"ferry/serve/access"
)

// A User is what holds for somebody who logs in: own values, else those of the groups, else the
// defaults. What has no value in the file is zero, and then the flags of the server hold.
type User struct {
	Name      string
	Passwords []Password // each of them is right
	Auth      Auth
	Groups    []string

	Remote     string // with placeholders, see Expand; "" = that of the command line, or none with Mounts
	Home       string // what {home} stands for, with placeholders; "" = the name
	Mounts     []Mount
	Literal    bool   // Remote and those of Mounts have no placeholders: braces stand for themselves. Never in a file
	Start      string // directory after login, absolute
	CreateHome bool   // make the root of Remote at the login if it is not there

	Policy                 access.Policy
	QuotaBytes, QuotaFiles int64 // 0 = no limit
	RateUp, RateDown       int64 // bytes a second, of all sessions together; 0 = no limit
	MaxSessions            int   // 0 = no limit
	MaxTransfers           int   // 0 = no limit
	Allow, Deny            []netip.Prefix
	Hours                  Hours
	RequireTLS             bool
	ClientCerts            []string  // sha256:HEX, cn:NAME or san:dns:NAME; one of them is enough
	Expires                time.Time // no login from then on; zero = never
	Disabled               bool
	IdleTimeout            time.Duration     // 0 = that of the server; config.DurationOff = never
	Options                map[string]string // cache_mode and others of OptionKeys; nil = none
	Note                   string
}

// A Password is a hash and how long it counts.
type Password struct {
	Hash    string
	Expires time.Time // zero = never
	Note    string
}

// Auth says how the password of a user is checked.
type Auth string

const (
	AuthHash   Auth = "hash"   // against Passwords
	AuthRemote Auth = "remote" // by the remote, whose credentials they are
	AuthNone   Auth = "none"   // any password is right
)

// A Mount is a remote that is shown as a directory.
type Mount struct {
	Path     string // absolute
	Remote   string // with placeholders, see Expand
	ReadOnly bool
	Options  map[string]string // those that differ from the user's; nil = none
}

// OptionKeys are the keys of Options: flags of the server that make sense for one tree.
func OptionKeys() []string { return []string{"cache_mode", "write_ack", "umask", "encoding"} }

// Hashes returns the hashes of the passwords that count at a time.
func (u User) Hashes(now time.Time) []string {
	var hashes []string
	for _, p := range u.Passwords {
		if p.Expires.IsZero() || now.Before(p.Expires) {
			hashes = append(hashes, p.Hash)
		}
	}
	return hashes
}

// Same reports whether a session that began with u may go on when o holds: nothing that it depends
// on differs. A further password ends no session, and neither does a note.
func (u User) Same(o User) bool {
	for _, p := range u.Passwords {
		if !slices.ContainsFunc(o.Passwords, func(q Password) bool { return q.Hash == p.Hash && q.Expires.Equal(p.Expires) }) {
			return false
		}
	}
	return u.Expires.Equal(o.Expires) && zoneName(u) == zoneName(o) && reflect.DeepEqual(u.bare(), o.bare())
}

// bare leaves out what Same looks at in another way.
func (u User) bare() User {
	u.Passwords, u.Note, u.Expires, u.Hours.Zone = nil, "", time.Time{}, nil
	return u
}

func zoneName(u User) string {
	if u.Hours.Zone == nil {
		return ""
	}
	return u.Hours.Zone.String()
}

// placeholder finds the words in braces.
var placeholder = regexp.MustCompile(`\{[a-z_]*\}`)

// Placeholders of remotes. {password} is left for who opens the remote of a user with AuthRemote.
const (
	holdsUser     = "{user}"
	holdsGroup    = "{group}"
	holdsHome     = "{home}"
	holdsPassword = "{password}"
)

// Expand puts the user into a remote: {user} is the name, {group} the first group, {home} the home.
// Whatever the name is, the result is a remote of the same type or name: in the options of the
// remote a value is quoted where needed, and in its path the name is one element. {password} stays.
func (u User) Expand(remote string) (string, error) {
	if !strings.Contains(remote, "{") {
		return remote, nil
	}
	values, err := u.values(remote)
	if err != nil {
		return "", err
	}
	parsed, err := config.ParseRemote(remote)
	if err != nil {
		return "", err
	}
	wanted := config.Remote{Name: parsed.Name, Type: parsed.Type, Path: values.Replace(parsed.Path)}
	text := strings.TrimSuffix(remote, parsed.Path)
	if placeholder.MatchString(text) {
		wanted.Params, text = replaceParams(parsed, values)
	} else {
		wanted.Params = parsed.Params
	}
	text += wanted.Path
	if got, err := config.ParseRemote(text); err != nil || !reflect.DeepEqual(got, wanted) {
		return "", fmt.Errorf("user %q would turn the remote into another one: write ./ or a remote in front of %s", u.Name, placeholder.FindString(remote))
	}
	return text, nil
}

// values returns what the placeholders of text stand for.
func (u User) values(text string) (*strings.Replacer, error) {
	if err := CheckName(u.Name); err != nil {
		return nil, err
	}
	pairs := []string{holdsUser, u.Name}
	if strings.Contains(text+u.Home, holdsGroup) {
		if len(u.Groups) == 0 {
			return nil, errors.New("{group} stands for the first group, and the user is in none: name groups, or leave {group} out")
		}
		pairs = append(pairs, holdsGroup, u.Groups[0])
	}
	home := strings.NewReplacer(pairs...).Replace(u.Home)
	if home == "" {
		home = u.Name
	}
	if slices.Contains(strings.Split(strings.ReplaceAll(home, `\`, "/"), "/"), "..") {
		return nil, fmt.Errorf("home %q leads out of where it is put: leave .. out", home)
	}
	for _, word := range placeholder.FindAllString(text, -1) {
		if !slices.Contains([]string{holdsUser, holdsGroup, holdsHome, holdsPassword}, word) {
			return nil, unknownPlaceholder(word)
		}
	}
	return strings.NewReplacer(append(pairs, holdsHome, home)...), nil
}

// HasPlaceholder reports whether a remote is another one for each user.
func HasPlaceholder(remote string) bool {
	return slices.ContainsFunc([]string{holdsUser, holdsGroup, holdsHome, holdsPassword}, func(word string) bool {
		return strings.Contains(remote, word)
	})
}

// HasPassword reports whether a remote asks for the password of the client.
func HasPassword(remote string) bool { return strings.Contains(remote, holdsPassword) }

func unknownPlaceholder(word string) error {
	return fmt.Errorf("%s stands for nothing: there are {user}, {group}, {home}, and with auth = \"remote\" {password}", word)
}

// replaceParams puts values into the options of a remote, and writes what comes before its path.
func replaceParams(r config.Remote, values *strings.Replacer) (map[string]string, string) {
	params := map[string]string{}
	text := r.Name
	if r.Type != "" {
		text = ":" + r.Type
	}
	for _, key := range slices.Sorted(maps.Keys(r.Params)) {
		params[key] = values.Replace(r.Params[key])
		text += "," + key + `="` + strings.ReplaceAll(params[key], `"`, `""`) + `"`
	}
	return params, text + ":"
}

// Sample returns a remote with something in the place of its placeholders, to look at. The password
// is obscured, which is as good as another where it need not be.
func Sample(remote string) string {
	text, err := User{Name: "user", Groups: []string{"group"}}.Expand(remote)
	if err != nil {
		return remote
	}
	return strings.ReplaceAll(text, holdsPassword, config.Obscure("password"))
}
