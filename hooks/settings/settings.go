// Package settings says what a hook is: which events it is about, and what is called. It is plain
// data, from a file or a flag, and its rules.
//
// The files, in reading order:
//
//	settings.go   Hook, and what must go together
//	match.go      which users, paths and names a Hook is about
//	name.go       how a Hook is called that has no name
//	flag.go       a Hook in one argument
//	called.go     what it calls, and whether that is there
package settings

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"ferry/events"
	"ferry/hooks/call"
)

// A Hook is what is told of events, or asked before something is done.
type Hook struct {
	Name   string
	Events []string // names of kinds of events, or of Questions; at least one
	Users  []string // globs; nil = everybody
	Paths  []string // globs, see MatchPath; nil = everything. An event without a path passes

	Program    []string // with its arguments; or URL
	URL        string
	Secrets    []string // of URL, the first signs
	SecretFile string   // one secret in each line, read with the hook; in the place of Secrets
	Env        string   // "ferry" or "", "sftpgo", "pure-ftpd"
	Format     string   // "cloudevents" or "", "aws"
	Timeout    time.Duration

	// Of those that are told.
	Settle      time.Duration // how long a name must stay the same; 0 = the default of the mode, below 0 = not at all
	Ignore      []string      // names that uploads have for a time only; nil = DefaultIgnore
	Concurrency int           // calls at the same time; 0 = DefaultConcurrency
	GiveUp      time.Duration // 0 = DefaultGiveUp
	Batch       int           // events in one request at most; 0 = one

	// Of those that are asked.
	Fail       string // what holds without an answer: "closed" (no) or "", "open" (yes)
	Quarantine string // of check: directory for what is refused; "" = it is dropped
}

// Defaults.
const (
	DefaultConcurrency = 4
	DefaultGiveUp      = 7 * 24 * time.Hour
	DefaultAskTimeout  = 5 * time.Second // of questions; others have call.DefaultTimeout
)

// DefaultIgnore are names that clients give to files that they have not sent as a whole.
func DefaultIgnore() []string {
	return []string{"*.part", "*.filepart", "*.tmp", "*.crdownload", ".*.swp"}
}

// Questions are the names of what is asked before it is done.
func Questions() []string {
	return []string{"pre.login", "pre.upload", "pre.download", "pre.delete", "pre.rename", "check"}
}

// Kinds are the events that a hook can be told of. Commands and handshakes are for logs.
func Kinds() []string {
	return slices.DeleteFunc(events.Names(), func(name string) bool {
		return name == events.Command.String() || name == events.Handshake.String()
	})
}

// Words are all that Events may name.
func Words() []string { return append(Kinds(), Questions()...) }

// Facts returns the kinds of events that h is told of.
func (h Hook) Facts() events.Set {
	set := events.Set(0)
	for _, name := range h.Events {
		if k, ok := events.Parse(name); ok {
			set |= events.Of(k)
		}
	}
	return set
}

// Asks reports whether h is asked a question, one of Questions.
func (h Hook) Asks(question string) bool { return slices.Contains(h.Events, question) }

// Check returns what does not go together, or cannot be.
func (h Hook) Check() error {
	asks := slices.ContainsFunc(h.Events, func(name string) bool { return slices.Contains(Questions(), name) })
	tells := slices.ContainsFunc(h.Events, func(name string) bool { return !slices.Contains(Questions(), name) })
	switch {
	case len(h.Events) == 0:
		return errors.New("a hook says what it is told of: add events, as in events = [\"upload.stored\"]")
	case (h.URL == "") == (len(h.Program) == 0):
		return errors.New("a hook calls a program or a url: name one of them")
	case call.IsClamd(h.URL) && !(len(h.Events) == 1 && h.Asks("check")):
		return errors.New("a clamd only checks uploads: write events = [\"check\"], and make another hook of the rest")
	case asks && tells:
		return errors.New("a hook is told of events, or asked (pre.*, check): make two of it")
	case h.URL == "" && (len(h.Secrets) > 0 || h.SecretFile != ""):
		return errors.New("a secret signs what is sent to a url, and there is none")
	case len(h.Secrets) > 0 && h.SecretFile != "":
		return errors.New("there are both secret and secret_file: remove one")
	case h.URL == "" && h.Batch > 1:
		return errors.New("only a url takes several events at once: remove batch")
	case h.URL != "" && h.Env != "":
		return errors.New("env is for programs, and there is none")
	case !asks && (h.Fail != "" || h.Quarantine != ""):
		return errors.New("fail and quarantine are for hooks that are asked (pre.*, check)")
	case h.Quarantine != "" && !h.Asks("check"):
		return errors.New("quarantine is for what check refuses: add check to events, or remove it")
	case h.Quarantine != "" && !isDirectory(h.Quarantine):
		return errors.New("quarantine is a directory of the user's tree, not its root: write one like quarantine = \"/quarantine\"")
	case asks && (h.Settle != 0 || h.Ignore != nil || h.Batch != 0 || h.GiveUp != 0):
		return errors.New("settle, ignore, give_up and batch are for hooks that are told, and this one is asked")
	}
	return nil
}

// isDirectory reports whether a path can be that of a directory in a tree: it is absolute, and not
// the root.
func isDirectory(p string) bool {
	return strings.HasPrefix(p, "/") && path.Clean(p) != "/" && !strings.ContainsAny(p, "\r\n\x00")
}

// spellings are other words for events, that others use.
var spellings = map[string]events.Kind{"login.failed": events.LoginRefused}

// ParseEvent returns the one of Words that name is, or is another spelling of.
func ParseEvent(name string, nearest func(word string, known []string) string) (string, error) {
	words := Words()
	if slices.Contains(words, name) {
		return name, nil
	}
	if k, known := spellings[name]; known {
		return k.String(), nil
	}
	if near := nearest(name, words); near != "" {
		return "", fmt.Errorf("there is no event %q: did you mean %s?", name, near)
	}
	return "", fmt.Errorf("there is no event %q: there are %s", name, strings.Join(words, ", "))
}

// CheckProgram returns why a program cannot be one.
func CheckProgram(args []string) error {
	if len(args) == 0 || args[0] == "" {
		return errors.New("a program has a name: write its path, and its arguments behind it")
	}
	return nil
}

// CheckURL returns why s is no address of a hook.
func CheckURL(s string) error { return call.CheckURL(s) }
