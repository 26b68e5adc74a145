package serverconfig

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
	"ferry/serve/users"
)

// A Shown is a flag with what holds, and where that was said.
type Shown struct {
	Section string `json:"section"`
	Flag    string `json:"flag"`
	Value   any    `json:"value"` // secrets hidden
	From    string `json:"from"`  // flag, variable, file or default
	Where   string `json:"where"` // name of the variable, or file and line; "" of others
	Live    string `json:"live"`  // when a running server takes over another value from the file; "" = at a restart
}

// Show returns what is served and all flags of groups, in their order. served may be "".
func Show(served string, from flags.Origin, groups []flags.Group, origins map[string]flags.Origin) []Shown {
	var all []Shown
	if served != "" {
		all = append(all, Shown{Section: remoteKey, Flag: remoteKey, Value: config.RedactRemote(served), From: from.By, Where: from.Name})
	}
	for _, g := range groups {
		if g.IsHidden() {
			continue
		}
		for _, row := range g.Flags {
			o := origins[row.Key()]
			all = append(all, Shown{g.Section(), row.Key(), row.Shown(), o.By, o.Name, flags.LiveWhen(row.Key())})
		}
	}
	return all
}

// WriteJSON writes an array with an object for each flag.
func WriteJSON(w io.Writer, all []Shown) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(all)
}

// WriteTOML writes what a file would have to say, and behind each line where it was said. What is
// hidden has to be put in.
func WriteTOML(w io.Writer, all []Shown) error {
	var b strings.Builder
	section := ""
	for _, one := range sorted(all) {
		if one.Section != section {
			section = one.Section
			fmt.Fprintf(&b, "\n[%s]\n", section)
		}
		line := one.Flag + " = " + tomlValue(one.Value)
		if one.Flag == itself || one.isUnset() {
			line = "# " + line // which no file can say
		}
		fmt.Fprintf(&b, "%-44s  # %s\n", line, one.where())
	}
	_, err := io.WriteString(w, strings.TrimPrefix(b.String(), "\n"))
	return err
}

// sorted puts the remote into its section.
func sorted(all []Shown) []Shown {
	if len(all) == 0 || all[0].Flag != remoteKey {
		return all
	}
	var list []Shown
	done := false
	for _, one := range all[1:] {
		if one.Section == remoteKey && !done {
			list, done = append(list, all[0]), true
		}
		list = append(list, one)
	}
	return list
}

// isUnset reports whether nobody has said anything, and nothing is the default.
func (s Shown) isUnset() bool {
	list, isList := s.Value.([]string)
	return s.From != flags.ByFlag && s.From != flags.ByVariable && s.From != flags.ByFile && (isList && len(list) == 0 || !isList && s.Value == "")
}

func (s Shown) where() string {
	if s.Where != "" {
		return s.Where
	}
	return s.From
}

func tomlValue(v any) string {
	switch v := v.(type) {
	case string:
		return users.TOMLString(v)
	case []string:
		return users.TOMLStrings(v)
	case float64:
		text := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	return fmt.Sprint(v)
}
