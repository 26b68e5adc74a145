package users

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"

	"ferry/config"
)

// An Editor changes the text of a users file. Comments, order and all that is not changed stay,
// byte by byte.
type Editor struct {
	form Form
	name string
	text []byte // without bom
	eol  string
}

// NewEditor returns an editor of a text that Parse can read; name is what errors call it.
func NewEditor(name string, text []byte) (*Editor, error) { return Alone.edit(name, text) }

func (form Form) edit(name string, text []byte) (*Editor, error) {
	if _, err := form.parse(name, text); err != nil {
		return nil, err
	}
	e := &Editor{form: form, name: name, text: bytes.TrimPrefix(text, bom), eol: "\n"}
	if bytes.Contains(text, []byte("\r\n")) {
		e.eol = "\r\n"
	}
	return e, nil
}

// Bytes returns the text.
func (e *Editor) Bytes() []byte { return e.text }

// Edit lets change edit the file at path, and writes what comes out atomically and durably, with
// the mode and the owner that the file had. A file that is not there is empty. One with mistakes
// is not touched, nor one that somebody else changes meanwhile.
func Edit(path string, change func(*Editor) error) error { return Alone.Edit(path, change) }

// Edit is that for a file of that form.
func (form Form) Edit(path string, change func(*Editor) error) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	before, _ := os.Stat(path)
	e, err := form.edit(path, text)
	if err != nil {
		return err
	}
	if err := change(e); err != nil {
		return err
	}
	changed := e.Bytes()
	if bytes.HasPrefix(text, bom) {
		changed = append(bytes.Clone(bom), changed...)
	}
	if bytes.Equal(changed, text) {
		return nil
	}
	if now, _ := os.Stat(path); (before != nil || now != nil) && !sameStamp(before, now) {
		return fmt.Errorf("%s: somebody else changed it in this moment: try again", path)
	}
	if err := config.WriteFile(path, changed, 0); err != nil {
		return fmt.Errorf("%s: cannot save: %w", path, err)
	}
	return nil
}

// Add appends a user that is not there yet.
func (e *Editor) Add(name string, settings []Setting) error {
	if err := CheckName(name); err != nil {
		return err
	}
	b := bytes.NewBuffer(bytes.Clone(e.text))
	if len(e.text) > 0 {
		if !bytes.HasSuffix(e.text, []byte("\n")) {
			b.WriteString(e.eol)
		}
		b.WriteString(e.eol)
	}
	e.table(b, name, settings)
	return e.replace(b.Bytes(), name, func(old, now map[string]any) error {
		if old != nil {
			return fmt.Errorf("user %q is there already: ferry users passwd changes the password", name)
		}
		return nil
	})
}

// table writes the table of a user.
func (e *Editor) table(b *bytes.Buffer, name string, settings []Setting) {
	fmt.Fprintf(b, "[users.%s]%s", tomlKey(name), e.eol)
	for _, s := range settings {
		fmt.Fprintf(b, "%s = %s%s", s.Key, s.TOML, e.eol)
	}
}

// SetPassword gives a user a password in place of those that it has, or with keep besides them.
func (e *Editor) SetPassword(name, hash string, keep bool) error {
	x := newIndex(e.text)
	user := userPath(name)
	if _, ok := x.spots[user]; !ok {
		return noUser(name)
	}
	from, to, text := 0, 0, tomlString(hash)
	if s, ok := x.spots[user+separator+"password"]; ok {
		if s.value == s.end {
			return e.byHand(x, s.key, "the password is written as a table of its own")
		}
		from, to = s.value, s.end
		if keep {
			text = withFurther(text, string(e.text[from:to]))
		}
	} else {
		from, text = e.placeFor(x, user, name, "password = "+text)
		to = from
	}
	changed := string(e.text[:from]) + text + string(e.text[to:])
	return e.replace([]byte(changed), name, func(old, now map[string]any) error {
		delete(old, "password")
		delete(now, "password")
		if !reflect.DeepEqual(old, now) {
			return errNotAlone
		}
		return nil
	})
}

// withFurther writes an array of a value and of those that are there.
func withFurther(value, there string) string {
	rest, isArray := strings.CutPrefix(there, "[")
	if !isArray {
		return "[" + value + ", " + there + "]"
	}
	if strings.HasPrefix(strings.TrimSpace(rest), "]") {
		return "[" + value + rest
	}
	return "[" + value + ", " + rest
}

// placeFor returns where a key of a user can be added, and what has to be inserted there.
func (e *Editor) placeFor(x *index, user, name, line string) (offset int, text string) {
	for _, one := range x.said {
		if one.header && one.path == user {
			begin := bytes.LastIndexByte(e.text[:one.start], '\n') + 1
			header := e.text[begin:one.start]
			indent := header[:len(header)-len(bytes.TrimLeft(header, " \t"))]
			end := e.lineEnd(one.end)
			if end == len(e.text) && !bytes.HasSuffix(e.text, []byte("\n")) {
				return end, e.eol + string(indent) + line + e.eol
			}
			return end, string(indent) + line + e.eol
		}
	}
	if s := x.spots[user]; s.end > s.value && e.text[s.value] == '{' {
		if bytes.HasPrefix(bytes.TrimSpace(e.text[s.value+1:s.end]), []byte("}")) {
			return s.value + 1, line
		}
		return s.value + 1, line + ", "
	}
	var b bytes.Buffer
	b.WriteString(e.eol + "[users." + tomlKey(name) + "]" + e.eol + line + e.eol)
	return len(e.text), b.String()
}

// lineEnd returns the offset of the line after the one that offset is in.
func (e *Editor) lineEnd(offset int) int {
	if n := bytes.IndexByte(e.text[offset:], '\n'); n >= 0 {
		return offset + n + 1
	}
	return len(e.text)
}

func userPath(name string) string { return separator + "users" + separator + name }

func noUser(name string) error {
	return fmt.Errorf("there is no user %q: ferry users ls shows who is there", name)
}

var errNotAlone = errors.New("this would change more than it should: edit the file by hand")

// byHand returns what to do where a file is written in a way that is not expected.
func (e *Editor) byHand(x *index, offset int, why string) error {
	line, column := x.lineOf(offset)
	return &Error{File: e.name, Line: line, Column: column, Text: why + ": edit the file by hand"}
}

// replace takes a new text, if it can be read, differs in one user alone, and check does not object
// to that. Its arguments are the values of the user, nil if it is not there.
func (e *Editor) replace(text []byte, name string, check func(old, now map[string]any) error) error {
	was, err := decode(e.text)
	if err != nil {
		return notTOML(e.name, e.text, err)
	}
	oldUser := cutUser(was, name)
	is, decodeErr := decode(text)
	if decodeErr != nil {
		is = newBranch(byHeader)
	}
	newUser := cutUser(is, name)
	if err := check(oldUser, newUser); err != nil {
		return err
	}
	if decodeErr != nil || !reflect.DeepEqual(was.values, is.values) {
		return errNotAlone
	}
	if _, err := e.form.parse(e.name, text); err != nil {
		return err
	}
	e.text = text
	return nil
}

// cutUser takes a user out of a file and returns its values, nil if it is not there. It makes a
// table of users without any the same as none.
func cutUser(file *branch, name string) map[string]any {
	all, ok := file.values["users"].(*branch)
	if !ok {
		return nil
	}
	user, _ := all.values[name].(*branch)
	delete(all.values, name)
	all.by = byHeader
	if len(all.values) == 0 {
		delete(file.values, "users")
	}
	if user == nil {
		return nil
	}
	return user.values
}
