package flags

import (
	"errors"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"ferry/config"
	"ferry/feed"
)

// ClusterOptions are the values of the flags about several nodes over one store.
type ClusterOptions struct {
	Servers []string // URLs of the engine that nodes share, passwords in them included; none = there is no other node
	Name    string   // what the nodes have in common
	Node    string   // "" = the name of this machine
	Creds   string   // file; "" = none
	CA      string   // file; "" = those of the system

	Conflict     string     // auto, keep or overwrite
	Handover     string     // remote:path by which waiting changes go from node to node; "" = they do not
	Feeds        []feed.URL // where notifications of buckets come from
	QuotaOffline string     // refuse or allow
}

// Cluster returns the flags about several nodes over one store.
func Cluster(o *Options) Group {
	return Group{"Cluster", []Flag{
		{"cluster", "", engine(&o.Cluster.Servers), "Servers of NATS, with JetStream, by which several ferries over one store know of each other: nats://[user:pass@]host[:port][,host...], or tls://; doc/cluster.md says what they share"},
		{"cluster-name", "ferry", subjectWord(&o.Cluster.Name), "What the nodes have in common, and other users of those servers have not: their subjects and buckets begin with it"},
		{"cluster-creds", "", file(&o.Cluster.Creds), "File of credentials for --cluster, as nsc makes it (.creds)"},
		{"cluster-ca", "", file(&o.Cluster.CA), "File of certificates (PEM) that those of --cluster are checked with, instead of the system's; it implies TLS"},
		{"handover", "", remoteText(&o.Cluster.Handover), "Remote, as s3:bucket/.ferry-handover, by which what still waits when this ferry ends goes to others, and theirs comes here"},
		{"change-feed", "", feeds(&o.Cluster.Feeds), "Where notifications of buckets come from, so that what others change shows at once: nats://, kafka://, sqs://, pubsub://, azqueue:// or webhook:, as in nats://host:4222/SUBJECT; doc/cluster.md has all forms. May be repeated"},
		{"quota-offline", "refuse", choice(&o.Cluster.QuotaOffline, "refuse", "allow"), "What users with a quota may store while the servers of --cluster are away: what this node has leased, or all that is left as far as it knows"},
		{"node", "", nodeName(&o.Cluster.Node), "Name of this ferry among the nodes; without this flag that of the machine"},
		{"conflict", "auto", choice(&o.Cluster.Conflict, "auto", "keep", "overwrite"), "What becomes of a file that others have stored while a new one of its name waited in the cache here: it is kept beside that as NAME.conflict-NODE-TIME, or overwritten; auto keeps it with --cluster or --handover"},
	}}
}

// Shared reports whether there may be other nodes.
func (c *ClusterOptions) Shared() bool { return len(c.Servers) > 0 }

// NodeName returns how this ferry is called among the nodes.
func (c *ClusterOptions) NodeName() string {
	if c.Node != "" {
		return c.Node
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "ferry"
}

// KeepsConflicts reports whether a file that others have stored, while a change of its name waited
// here, is kept.
func (c *ClusterOptions) KeepsConflicts() bool {
	return c.Conflict == "keep" || c.Conflict != "overwrite" && (c.Shared() || c.Handover != "")
}

func (c *ClusterOptions) check(given func(string) bool) error {
	for _, name := range []string{"cluster-name", "cluster-creds", "cluster-ca", "quota-offline"} {
		if !c.Shared() && given(name) {
			return Usagef("--%s needs --cluster, the servers by which nodes know of each other", name)
		}
	}
	return nil
}

// errEngine is an error that is told without the value.
var errEngine = errors.New("is not a list of servers of NATS: use nats://host:4222, or tls://, and more behind commas")

// engine is a list of servers: each occurrence of the flag adds to it. What is behind a comma has
// the scheme of what is before it, unless it has one of its own. They may hold passwords.
func engine(p *[]string) pflag.Value {
	parse := func(s string) ([]string, error) {
		if s == "" {
			return *p, nil
		}
		all, scheme := slices.Clip(*p), "nats"
		for text := range strings.SplitSeq(s, ",") {
			text = strings.TrimSpace(text)
			if !strings.Contains(text, "://") {
				text = scheme + "://" + text
			}
			u, err := url.Parse(text)
			if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || (u.Scheme != "nats" && u.Scheme != "tls") {
				return nil, errEngine
			}
			scheme = u.Scheme
			all = append(all, text)
		}
		return all, nil
	}
	format := func(all []string) string {
		var shown []string
		for _, text := range all {
			if u, err := url.Parse(text); err == nil {
				if u.User != nil {
					u.User = url.User(hidden) // a name alone may be a token
				}
				shown = append(shown, strings.ReplaceAll(u.String(), url.PathEscape(hidden), hidden))
			}
		}
		return strings.Join(shown, ",")
	}
	return &value[[]string]{p, "servers", parse, format}
}

// subjectWord is a word that may stand in names of subjects and buckets.
func subjectWord(p *string) pflag.Value {
	parse := func(s string) (string, error) {
		if s == "" || len(s) > 64 || strings.ContainsFunc(s, func(r rune) bool { return !isWordRune(r) }) {
			return "", errors.New("use up to 64 letters, digits, - and _")
		}
		return s, nil
	}
	return word(p, "string", parse)
}

// nodeName is the name of a machine, or none.
func nodeName(p *string) pflag.Value {
	parse := func(s string) (string, error) {
		if len(s) > 64 || strings.ContainsFunc(s, func(r rune) bool { return !isWordRune(r) && r != '.' }) {
			return "", errors.New("use up to 64 letters, digits, points, - and _")
		}
		return s, nil
	}
	return word(p, "string", parse)
}

func isWordRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
}

// remoteText is a remote, whose options may be secrets.
func remoteText(p *string) pflag.Value {
	parse := func(s string) (string, error) { return s, nil }
	return &value[string]{p, "string", parse, config.RedactRemote}
}

// untold is why a value is refused that may hold a secret, so that it is told without the value.
type untold struct{ error }

// feeds is a list of change feeds: each occurrence of the flag adds one. They may hold passwords.
func feeds(p *[]feed.URL) pflag.Value {
	parse := func(s string) ([]feed.URL, error) {
		if s == "" {
			return *p, nil
		}
		u, err := feed.ParseURL(s)
		if err != nil {
			return nil, untold{err}
		}
		return append(slices.Clip(*p), u), nil
	}
	format := func(all []feed.URL) string {
		var shown []string
		for _, u := range all {
			shown = append(shown, u.String())
		}
		return strings.Join(shown, " ")
	}
	return &value[[]feed.URL]{p, "URL", parse, format}
}

// checkFeeds refuses webhooks that nobody can post to.
func (c *ClusterOptions) checkFeeds(rc *RCOptions) error {
	seen := map[string]bool{}
	for _, u := range c.Feeds {
		switch {
		case u.Kind != "webhook":
			continue
		case !rc.On():
			return Usagef("--change-feed %s needs --rc, whose server it is posted to", u)
		case seen[u.Path]:
			return Usagef("--change-feed %s is there twice: give each webhook a name, as in webhook:NAME?token-file=FILE", u)
		}
		seen[u.Path] = true
	}
	return nil
}
