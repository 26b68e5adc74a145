package serverconfig

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ferry/cmd/ferry/internal/flags"
	"ferry/serve/users"
)

// Faults are what is wrong with a configuration, each with its place where it has one.
type Faults struct {
	Origins map[string]flags.Origin // of the flags

	list []string
}

// List returns what was noted, in that order, each once.
func (f *Faults) List() []string { return f.list }

// Note notes what err says: each mistake of a file by itself. nil is nothing.
func (f *Faults) Note(err error) {
	if err == nil {
		return
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range many.Unwrap() {
			f.Note(one)
		}
		return
	}
	if list := users.Errors(err); len(list) > 0 {
		for _, one := range list {
			f.add(one.Error())
		}
		return
	}
	text := err.Error()
	if where := f.whereSaid(text); where != "" {
		text = where + ": " + text
	}
	f.add(text)
}

// Notef notes what is wrong with a flag.
func (f *Faults) Notef(flag, format string, args ...any) {
	f.Note(fmt.Errorf("--"+flag+": "+format, args...))
}

// NoteAt notes what is wrong at a place.
func (f *Faults) NoteAt(where string, err error) {
	if err != nil {
		f.add(where + ": " + err.Error())
	}
}

func (f *Faults) add(text string) {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	if !slices.Contains(f.list, text) {
		f.list = append(f.list, text)
	}
}

var flagName = regexp.MustCompile(`--[a-z0-9-]+`)

// whereSaid is where the first flag of a text was said that somebody has said.
func (f *Faults) whereSaid(text string) string {
	for _, name := range flagName.FindAllString(text, -1) {
		if o := f.Origins[strings.TrimPrefix(name, "--")]; o.Name != "" {
			return o.Name
		}
	}
	return ""
}
