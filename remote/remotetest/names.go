package remotetest

import (
	"errors"
	"fmt"
	"strings"

	"ferry/remote"
)

// oddNames are names that programs get wrong.
func oddNames() map[string]string {
	return map[string]string{
		"a blank in front":     " a",
		"a blank at the end":   "a ",
		"only a blank":         " ",
		"quotes":               `"a" 'b'`,
		"backslash":            `a\b`,
		"three dots":           "...",
		"a dot at the end":     "a.",
		"hidden":               ".hidden",
		"a dash in front":      "-rf",
		"wildcards":            "*?[a]",
		"percent":              "100%25.txt",
		"plus and ampersand":   "a+b&c=d#e;f",
		"colon":                "a:b",
		"newline":              "a\nb",
		"carriage return":      "a\rb",
		"control characters":   "a\x01\x7fb",
		"umlauts":              "Grüße.txt",
		"decomposed umlauts":   "Gru\u0308\u00dfe.txt",
		"emoji":                "📷 photo 👨‍👩‍👧.jpg",
		"wide slash":           "a／b",
		"no UTF-8":             "a\xff\xfeb",
		"Latin-1":              "Gr\xfc\xdfe",
		"truncated UTF-8":      "a\xe2\x82",
		"255 bytes":            strings.Repeat("n", 255),
		"255 bytes of UTF-8":   strings.Repeat("é", 127) + "n",
		"a device of Windows":  "NUL.txt",
		"like a staged upload": ".part.a.b",
		"like an encoded name": "‛．",
	}
}

func nameTests() []test {
	var tests []test
	for what, name := range oddNames() {
		tests = append(tests, test{"held unchanged or refused before data: " + what, func(s *suite) { s.oddName(name) }})
	}
	return append(tests,
		test{"names differ by a single byte", func(s *suite) {
			names := []string{"a", "a ", "a.txt", "a.txt2", "b"}
			for _, name := range names {
				s.put(name, "content of "+name)
			}
			for _, name := range names {
				s.holds(name, "content of "+name)
			}
		}},
		test{"upper and lower case differ unless CaseInsensitive", func(s *suite) {
			s.put("a", "lower")
			s.put("A", "upper")
			s.holds("A", "upper")
			if s.caps.CaseInsensitive {
				s.holds("a", "upper")
			} else {
				s.holds("a", "lower")
			}
		}},
		test{"MaxName is the longest name", func(s *suite) {
			if s.caps.MaxName == 0 {
				s.put(strings.Repeat("n", 300), "x")
				return
			}
			s.put(strings.Repeat("n", s.caps.MaxName), "x")
			_, err := s.r.Put(s.ctx, strings.Repeat("n", s.caps.MaxName+1), strings.NewReader("x"), remote.PutOptions{})
			s.fails(err, remote.ErrBadName)
			s.fails(s.r.Mkdir(s.ctx, strings.Repeat("d", s.caps.MaxName+1)), remote.ErrBadName)
			if err := remote.CheckName(s.r, strings.Repeat("n", s.caps.MaxName+1)); err != nil {
				s.fails(err, remote.ErrBadName)
			}
		}},
		test{"a deep path works", func(s *suite) {
			path := "d"
			s.mkdir(path)
			for i := range 20 {
				path += fmt.Sprintf("/sub%d", i)
				s.mkdir(path)
			}
			s.put(path+"/f", "deep")
			s.holds(path+"/f", "deep")
		}},
		test{"a name that is not valid is ErrInvalid", invalidNames},
	)
}

// oddName stores a file and a directory called name, unless the remote refuses it: then nothing may
// have been read.
func (s *suite) oddName(name string) {
	body := &countingReader{content: "odd"}
	checked := remote.CheckName(s.r, name)
	if checked != nil {
		s.fails(checked, remote.ErrBadName)
	}
	_, err := s.r.Put(s.ctx, name, body, remote.PutOptions{})
	if err == nil && checked != nil {
		s.Errorf("CheckName refuses it (%v), Put does not", checked)
	}
	if errors.Is(err, remote.ErrBadName) {
		if body.reads > 0 {
			s.Error("the name was refused, but after the body was read")
		}
		s.fails(s.r.Mkdir(s.ctx, name), remote.ErrBadName)
		return
	}
	if err != nil {
		s.Fatal(err)
	}
	s.holds(name, "odd")
	if e := s.stat(name); e.Name != name {
		s.Errorf("Stat(%q).Name = %q", name, e.Name)
	}
	s.lists(".", name)
	if err := remote.Move(s.ctx, s.r, name, "plain"); err != nil {
		s.Fatal(err)
	}
	s.lists(".", "plain")
	if err := remote.Move(s.ctx, s.r, "plain", name); err != nil {
		s.Fatal(err)
	}
	s.holds(name, "odd")
	s.remove(name)
	s.mkdir(name)
	s.put(name+"/f", "x")
	s.lists(name, "f")
	s.remove(name + "/f")
	s.ok(s.r.Rmdir(s.ctx, name))
	s.lists(".", "")
}

func invalidNames(s *suite) {
	s.put("f", "x")
	for _, name := range []string{"", "/", "/f", "f/", "..", "../f", "d/../f", "./f", "d//f", "f\x00", "\x00"} {
		_, err := s.r.Stat(s.ctx, name)
		s.fails(err, remote.ErrInvalid)
		_, err = s.r.Open(s.ctx, name, 0, -1)
		s.fails(err, remote.ErrInvalid)
		_, err = s.r.Put(s.ctx, name, strings.NewReader("x"), remote.PutOptions{})
		s.fails(err, remote.ErrInvalid)
		s.fails(s.listErr(s.ctx, name), remote.ErrInvalid)
		s.fails(s.r.Remove(s.ctx, name), remote.ErrInvalid)
		s.fails(s.r.Mkdir(s.ctx, name), remote.ErrInvalid)
		s.fails(s.r.Rmdir(s.ctx, name), remote.ErrInvalid)
	}
	s.lists(".", "f")
}

// A countingReader counts the calls of Read.
type countingReader struct {
	content string
	reads   int
	r       *strings.Reader
}

func (c *countingReader) Read(p []byte) (int, error) {
	if c.r == nil {
		c.r = strings.NewReader(c.content)
	}
	c.reads++
	return c.r.Read(p)
}
