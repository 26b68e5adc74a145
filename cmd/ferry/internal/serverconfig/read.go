package serverconfig

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
	"ferry/serve/users"
)

// A reader makes a File of a text, and notes what is wrong with it.
type reader struct {
	text  *users.Text
	lines func(key ...string) int
	file  *File
	dir   string              // of the file
	from  map[string][]string // the key of each flag that was read

	rows     map[string]flags.Flag // every flag that a file may have
	sections map[string][]string   // the flags of each section
	without  map[string]string     // flags that mean nothing, and why
	backend  []string              // flags of types of remotes
}

// remoteKey says what is served. It is at the top of the file, or in the section of that name.
const remoteKey = "remote"

// itself is the flag that a file cannot have.
const itself = "server-config"

func newReader(path string, text *users.Text) *reader {
	r := &reader{
		text: text, lines: text.Lines(), dir: filepath.Dir(path), backend: flags.Backend(),
		file: &File{Name: path, Said: map[string]flags.Said{}},
		from: map[string][]string{}, rows: map[string]flags.Flag{}, sections: map[string][]string{}, without: map[string]string{},
	}
	for _, g := range flags.All(&flags.Options{}) {
		for _, row := range g.Flags {
			name := row.Key()
			if g.IsHidden() {
				r.without[name] = row.Usage
				continue
			}
			if name == itself {
				continue
			}
			r.rows[name] = row
			r.sections[g.Section()] = append(r.sections[g.Section()], name)
		}
	}
	return r
}

// read reads all keys but those of users.
func (r *reader) read(values map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		raw := values[name]
		_, isSection := r.sections[name]
		table, isTable := raw.(map[string]any)
		if isSection && isTable {
			r.section(name, table)
			continue
		}
		r.key([]string{name}, raw, "")
	}
}

// section reads the flags of one group.
func (r *reader) section(section string, table map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		r.key([]string{section, name}, table[name], section)
	}
}

// key reads what may be a flag, in a section or above all of them.
func (r *reader) key(key []string, raw any, section string) {
	name := key[len(key)-1]
	row, known := r.rows[name]
	if !known && slices.Contains(r.backend, name) && (section == "" || section == remoteKey) {
		row, known = flags.BackendFlag(name), true
	}
	switch {
	case name == remoteKey && (section == "" || section == remoteKey):
		r.remote(key, raw)
	case !known:
		r.unknown(key, section)
	case section != "" && r.rows[name].Name != "" && !slices.Contains(r.sections[section], name):
		r.text.WrongKey(key, "%s does not belong into [%s]: put it into [%s], or above all sections", name, section, r.sectionOf(name))
	case r.from[name] != nil:
		r.text.WrongKey(key, "%s is there twice, also in line %d: remove one", name, r.lines(r.from[name]...))
	default:
		r.flag(key, name, row, raw)
	}
}

// flag reads the value of a flag.
func (r *reader) flag(key []string, name string, row flags.Flag, raw any) {
	texts, err := row.Texts(raw)
	if err == nil && row.IsFile() {
		for i, text := range texts {
			texts[i] = r.path(name, text)
		}
	}
	if err == nil {
		err = row.Try(texts)
	}
	if err != nil {
		r.text.Wrong(key, "%s: %v", name, err)
		return
	}
	r.from[name] = key
	r.file.Said[name] = flags.Said{Texts: texts, File: r.file.Name, Line: r.lines(key...)}
	r.file.Secret = r.file.Secret || row.IsSecret() || slices.Contains(r.backend, name)
}

// path makes what a flag names relative to the directory of the file. Standard input is nowhere.
func (r *reader) path(name, text string) string {
	if text == "" || text == "-" || filepath.IsAbs(text) || name == "config" && text == "notfound" {
		return text
	}
	return filepath.Join(r.dir, text)
}

// remote reads what is served. A directory of this machine is relative to that of the file.
func (r *reader) remote(key []string, raw any) {
	what, isText := raw.(string)
	if !isText {
		r.text.Wrong(key, `remote: a string is expected here, as "/srv/ftp" or "nas:scans", and this is %s`, users.KindOf(raw))
		return
	}
	if r.from[remoteKey] != nil {
		r.text.WrongKey(key, "remote is there twice, also in line %d: remove one", r.lines(r.from[remoteKey]...))
		return
	}
	parsed, err := config.ParseRemote(what)
	if err != nil {
		r.text.Wrong(key, "remote: %v", err)
		return
	}
	if parsed.Type == config.LocalType && parsed.Path == what && !filepath.IsAbs(what) {
		what = filepath.Join(r.dir, what)
	}
	r.from[remoteKey] = key
	r.file.Remote, r.file.Line = what, r.lines(key...)
	r.file.Secret = r.file.Secret || config.RedactRemote(what) != what
}

// unknown notes a key that is none.
func (r *reader) unknown(key []string, section string) {
	name := key[len(key)-1]
	switch why, without := r.without[name]; {
	case name == itself:
		r.text.WrongKey(key, "one file is read, and this is it: remove %s", itself)
		return
	case without:
		r.text.WrongKey(key, "%s has no effect here: %s", name, why)
		return
	}
	known := append(slices.Collect(maps.Keys(r.rows)), remoteKey)
	if section == "" {
		known = append(slices.AppendSeq(known, maps.Keys(r.sections)), "users", "groups", "defaults")
	}
	near := config.Nearest(strings.ReplaceAll(name, "_", "-"), known)
	if near == "" {
		r.text.WrongKey(key, "there is no key %s here: doc/configuration.md has those that there are", users.TOMLKey(name))
		return
	}
	r.text.WrongKey(key, "there is no key %s here: did you mean %s?", users.TOMLKey(name), near)
}

func (r *reader) sectionOf(name string) string {
	for section, names := range r.sections {
		if slices.Contains(names, name) {
			return section
		}
	}
	return ""
}
