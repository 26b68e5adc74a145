package importer

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"ferry/serve/users"
)

// A table is what becomes a table of the file: a user, or a group.
type table struct {
	kind     string // users or groups
	name     string
	settings []users.Setting
}

// set sets a key to a value in TOML, both of one line.
func (t *table) set(key, toml string) {
	for i := range t.settings {
		if t.settings[i].Key == key {
			t.settings[i].TOML = toml
			return
		}
	}
	t.settings = append(t.settings, users.Setting{Key: key, TOML: toml})
}

// drop removes a key, or all that begin with one that ends with a dot.
func (t *table) drop(key string) {
	t.settings = slices.DeleteFunc(t.settings, func(s users.Setting) bool {
		return s.Key == key || strings.HasSuffix(key, ".") && strings.HasPrefix(s.Key, key)
	})
}

func (t *table) text(key, value string) { t.set(key, users.TOMLString(value)) }

func (t *table) list(key string, values []string) { t.set(key, users.TOMLStrings(values)) }

func (t *table) number(key string, n int64) {
	if n > 0 {
		t.set(key, fmt.Sprint(n))
	}
}

// size sets a key to a number of units; 0 and less are no limit.
func (t *table) size(key string, n int64, unit string) {
	if n > 0 {
		t.text(key, fmt.Sprint(n)+unit)
	}
}

// A draft is a file that is being made.
type draft struct {
	tables []*table
	left   []remark
}

// A remark is what could not be said of some users.
type remark struct {
	what  string
	names []string
}

// say notes what could not be said of a user or a group.
func (d *draft) say(name, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	for i := range d.left {
		if r := &d.left[i]; r.what == what {
			if !slices.Contains(r.names, name) {
				r.names = append(r.names, name)
			}
			return
		}
	}
	d.left = append(d.left, remark{what: what, names: []string{name}})
}

// disable keeps a user out, for what could not be said would have kept somebody or something out.
func (d *draft) disable(t *table, format string, args ...any) {
	d.say(t.name, format+"; disabled for that", args...)
	t.set("disabled", "true")
}

// add adds a table, nil if there cannot be one of that name.
func (d *draft) add(kind, name string) *table {
	if err := users.CheckName(name); err != nil || name == users.Anybody {
		d.say(name, "left out: %v", orElse(err, "it stands for everybody else"))
		return nil
	}
	if slices.ContainsFunc(d.tables, func(t *table) bool { return t.kind == kind && t.name == name }) {
		d.say(name, "left out: the name was there before")
		return nil
	}
	t := &table{kind: kind, name: name}
	d.tables = append(d.tables, t)
	return t
}

func orElse(err error, text string) string {
	if err != nil {
		return err.Error()
	}
	return text
}

// finish writes the file. What it cannot read itself it leaves out, and says so.
func (d *draft) finish() ([]byte, error) {
	for {
		text, lines := d.write()
		_, err := users.Parse("import", text)
		if err == nil {
			return text, nil
		}
		if !d.leaveOut(users.Errors(err), lines) {
			return nil, err
		}
	}
}

// A source is the setting that a line of the file comes from.
type source struct {
	table *table
	key   string
}

func (d *draft) write() ([]byte, map[int]source) {
	var b bytes.Buffer
	lines, line := map[int]source{}, 1
	for i, t := range d.tables {
		if i > 0 {
			b.WriteString("\n")
			line++
		}
		fmt.Fprintf(&b, "[%s.%s]\n", t.kind, users.TOMLKey(t.name))
		for _, s := range t.settings {
			line++
			lines[line] = source{t, s.Key}
			fmt.Fprintf(&b, "%s = %s\n", s.Key, s.TOML)
		}
		line++
	}
	return b.Bytes(), lines
}

// leaveOut takes out what has a mistake, and reports whether that was something. What restricts a
// user cannot just be left out: such a user is disabled.
func (d *draft) leaveOut(mistakes []*users.Error, lines map[int]source) bool {
	some := false
	for _, e := range mistakes {
		s, ok := lines[e.Line]
		i := -1
		if ok {
			i = slices.IndexFunc(s.table.settings, func(o users.Setting) bool { return o.Key == s.key })
		}
		if i < 0 {
			continue
		}
		some = true
		s.table.settings = slices.Delete(s.table.settings, i, i+1)
		if s.key == "note" || s.key == "password" {
			d.say(s.table.name, "%s", e.Text)
			continue
		}
		d.disable(s.table, "%s", e.Text)
	}
	return some
}

// remarks returns what could not be said, one line for each.
func (d *draft) remarks() []string {
	var lines []string
	for _, r := range d.left {
		names := r.names
		more := ""
		if len(names) > maxNames {
			more = fmt.Sprintf(" and %d more", len(names)-maxNames)
			names = names[:maxNames]
		}
		quoted := make([]string, len(names))
		for i, name := range names {
			quoted[i] = users.TOMLKey(name)
		}
		lines = append(lines, strings.Join(quoted, ", ")+more+": "+r.what)
	}
	return lines
}

// maxNames is how many users one line names.
const maxNames = 10
