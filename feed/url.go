package feed

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// A URL says where notifications come from.
type URL struct {
	Kind           string   // one of Kinds
	Hosts          []string // host or host:port; of pubsub the project, of azqueue the account
	User, Password string
	Path           string // subject, topic, queue, subscription or name, without a slash in front
	Options        map[string]string
	Buckets        []string // that the notifications are about; none = any
}

// A form is how the URLs of a kind are written.
type form struct {
	kind, example string
	options       []string
	hosts         bool // there may be several
	users         bool // there may be a user
}

// forms are all kinds. Their options are documented in doc/cluster.md.
var forms = []form{
	{"nats", "nats://host:4222/SUBJECT", []string{"creds", "stream", "tls"}, true, true},
	{"kafka", "kafka://host:9092/TOPIC", []string{"sasl", "tls"}, true, true},
	{"sqs", "sqs://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE", []string{"profile", "region", "tls"}, false, true},
	{"pubsub", "pubsub://PROJECT/SUBSCRIPTION", []string{"credentials", "endpoint"}, false, false},
	{"azqueue", "azqueue://ACCOUNT/QUEUE", []string{"endpoint", "sas"}, false, false},
	{"webhook", "webhook:NAME?token-file=FILE", []string{"token", "token-file"}, false, false},
}

// secretOptions are never shown.
var secretOptions = []string{"sas", "token"}

// Kinds returns the kinds of sources.
func Kinds() []string {
	var all []string
	for _, f := range forms {
		all = append(all, f.kind)
	}
	return all
}

// ParseURL reads the URL of a feed. An error shows nothing of it, as it may hold a password.
func ParseURL(s string) (URL, error) {
	kind, rest, _ := strings.Cut(s, ":")
	i := slices.IndexFunc(forms, func(f form) bool { return f.kind == kind })
	if i < 0 {
		return URL{}, fmt.Errorf("it begins with none of %s: use for example %s", strings.Join(Kinds(), ":, ")+":", forms[0].example)
	}
	f := forms[i]
	u := URL{Kind: kind, Options: map[string]string{}}
	rest, query, _ := strings.Cut(rest, "?")
	if err := u.setOptions(f, query); err != nil {
		return URL{}, err
	}
	if kind == "webhook" {
		u.Path = strings.Trim(rest, "/")
		return u, u.checkWebhook()
	}
	rest, ok := strings.CutPrefix(rest, "//")
	if at := strings.LastIndex(rest, "@"); ok && at >= 0 {
		if err := u.setUser(f, rest[:at]); err != nil {
			return URL{}, err
		}
		rest = rest[at+1:]
	}
	hosts, path, _ := strings.Cut(rest, "/")
	u.Hosts = strings.Split(hosts, ",")
	var err error
	u.Path, err = url.PathUnescape(strings.Trim(path, "/"))
	switch {
	case !ok || err != nil || u.Path == "" || slices.Contains(u.Hosts, "") || len(u.Hosts) > 1 && !f.hosts:
		return URL{}, fmt.Errorf("it is not of the form %s", f.example)
	case strings.ContainsFunc(u.Path+hosts, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return URL{}, errors.New("there is a blank in it, or a control character")
	case kind == "sqs" && strings.Count(u.Path, "/") != 1, kind != "sqs" && strings.Contains(u.Path, "/"):
		return URL{}, fmt.Errorf("it is not of the form %s", f.example)
	}
	return u, u.checkOptions()
}

func (u *URL) setOptions(f form, query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("what is behind the question mark cannot be read: write & between options, and other signs as %XX")
	}
	for name, all := range values {
		if name == "bucket" {
			for _, list := range all {
				u.Buckets = append(u.Buckets, strings.FieldsFunc(list, func(r rune) bool { return r == ',' })...)
			}
			continue
		}
		if !slices.Contains(f.options, name) {
			return fmt.Errorf("%s has no option %q: there are bucket, %s", f.kind, name, strings.Join(f.options, ", "))
		}
		u.Options[name] = all[len(all)-1]
	}
	return nil
}

func (u *URL) setUser(f form, text string) error {
	if !f.users {
		return fmt.Errorf("%s takes no user: it is of the form %s", f.kind, f.example)
	}
	user, password, _ := strings.Cut(text, ":")
	var errs [2]error
	u.User, errs[0] = url.PathUnescape(user)
	u.Password, errs[1] = url.PathUnescape(password)
	if errors.Join(errs[:]...) != nil {
		return errors.New("its user or password cannot be read: write a % as %25")
	}
	return nil
}

// leastToken is the shortest token of a webhook that cannot be guessed.
const leastToken = 16

func (u *URL) checkWebhook() error {
	token, file := u.Options["token"], u.Options["token-file"]
	switch {
	case strings.Trim(u.Path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "":
		return errors.New("the name of a webhook has letters, digits, - and _")
	case (token == "") == (file == ""):
		return errors.New("a webhook needs a token, by which senders are known: use " + forms[len(forms)-1].example)
	case file == "":
		return CheckToken(token)
	}
	return nil
}

// CheckToken refuses a token that could be guessed.
func CheckToken(token string) error {
	if len(token) < leastToken {
		return fmt.Errorf("the token of a webhook has at least %d characters", leastToken)
	}
	return nil
}

func (u *URL) checkOptions() error {
	switch u.Options["tls"] {
	case "", "true", "false":
	default:
		return errors.New("option tls is true or false")
	}
	switch u.Options["sasl"] {
	case "", "plain", "scram-sha-256", "scram-sha-512":
	default:
		return errors.New("option sasl is plain, scram-sha-256 or scram-sha-512")
	}
	if e := u.Options["endpoint"]; e != "" {
		if at, err := url.Parse(e); err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
			return errors.New("option endpoint is the URL of a server: https://host:port")
		}
	}
	return nil
}

// String shows no secret.
func (u URL) String() string {
	var b strings.Builder
	b.WriteString(u.Kind + ":")
	if u.Kind != "webhook" {
		b.WriteString("//")
		if u.User != "" || u.Password != "" {
			b.WriteString("***@") // a name alone may be a token
		}
		b.WriteString(strings.Join(u.Hosts, ",") + "/")
	}
	b.WriteString(u.Path)
	mark := "?"
	for _, name := range slices.Sorted(maps.Keys(u.Options)) {
		value := u.Options[name]
		if slices.Contains(secretOptions, name) {
			value = "***"
		}
		b.WriteString(mark + name + "=" + value)
		mark = "&"
	}
	if len(u.Buckets) > 0 {
		b.WriteString(mark + "bucket=" + strings.Join(u.Buckets, ","))
	}
	return b.String()
}
