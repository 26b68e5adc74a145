package test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// content returns n bytes that look random and are the same for the same seed. They hold every byte value, so that a
// transfer that converts line ends or loses a NUL is noticed.
func content(n int, seed string) []byte {
	var key [32]byte
	copy(key[:], seed)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

// A tree of files to send: path to size. A size below 0 is an empty directory.
type tree map[string]int

// plainTree has what every client can send.
var plainTree = tree{
	"empty.txt":               0,
	"one.bin":                 1,
	"notes.txt":               2000,
	"sub/page.html":           70_000,
	"sub/deep/er/picture.jpg": 1<<20 + 17,
	"sub/deep/second.dat":     65536,
	"name with spaces.txt":    300,
}

// oddTree has names that clients and servers stumble over.
var oddTree = tree{
	"hollow":                    -1,
	"ünïcode/日本語.txt":           10,
	"emoji-🙂.bin":               20,
	"quote\"d 'n' all.txt":      30,
	"semi;colon,comma&amp.txt":  40,
	"#hash %41 percent.txt":     50,
	"-dash.txt":                 60,
	"tilde~ and $dollar.txt":    70,
	"two  spaces/and (parens)":  80,
	"dots../..hidden/.profile":  90,
	"UPPER/lower/CamelCase.TxT": 100,
}

// write makes the tree below dir.
func (tr tree) write(dir string) error {
	for name, size := range tr {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if size < 0 {
			if err := os.MkdirAll(path, 0o777); err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, content(size, name), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// sameTree says how two files or trees differ: in names, kinds or content; nil when they do not.
func sameTree(a, b string) error {
	inA, err := readTree(a)
	if err != nil {
		return err
	}
	inB, err := readTree(b)
	if err != nil {
		return err
	}
	var diff []string
	for name, data := range inA {
		switch other, ok := inB[name]; {
		case !ok:
			diff = append(diff, fmt.Sprintf("%q is only in %s", name, a))
		case (data == nil) != (other == nil):
			diff = append(diff, fmt.Sprintf("%q is a file in one and a directory in the other", name))
		case !bytes.Equal(data, other):
			diff = append(diff, fmt.Sprintf("%q has %d bytes in %s and %d in %s, or others", name, len(data), a, len(other), b))
		}
	}
	for name := range inB {
		if _, ok := inA[name]; !ok {
			diff = append(diff, fmt.Sprintf("%q is only in %s", name, b))
		}
	}
	if len(diff) == 0 {
		return nil
	}
	slices.Sort(diff)
	return fmt.Errorf("%d differences: %q", len(diff), diff)
}

// readTree returns contents by path, nil for directories. A file is a tree with the one path ".".
func readTree(root string) (map[string][]byte, error) {
	found := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			found[rel] = nil
			return nil
		}
		data, err := os.ReadFile(path)
		found[rel] = append([]byte{}, data...)
		return err
	})
	return found, err
}
