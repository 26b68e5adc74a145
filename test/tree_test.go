package test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// content returns n bytes that look random and are the same for the same seed. They hold every byte
// value, so that a transfer that converts line ends or loses a NUL is noticed.
func content(n int, seed string) []byte {
	b := make([]byte, n)
	_, _ = source(seed).Read(b) // never fails
	return b
}

func source(seed string) *rand.ChaCha8 {
	var key [32]byte
	copy(key[:], seed)
	return rand.NewChaCha8(key)
}

// writeContent makes a file of what content returns, which may be more than the race detector
// leaves memory for.
func writeContent(path string, n int, seed string) error {
	return writeFile(path, io.LimitReader(source(seed), int64(n)))
}

func writeFile(path string, from io.Reader) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
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
		if err := writeContent(path, size, name); err != nil {
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
	for name, one := range inA {
		switch other, ok := inB[name]; {
		case !ok:
			diff = append(diff, fmt.Sprintf("%q is only in %s", name, a))
		case one.dir != other.dir:
			diff = append(diff, fmt.Sprintf("%q is a file in one and a directory in the other", name))
		case one != other:
			diff = append(diff, fmt.Sprintf("%q has %d bytes in %s and %d in %s, or others", name, one.size, a, other.size, b))
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

// A node is a directory, or what tells the content of a file from others.
type node struct {
	dir  bool
	size int64
	sum  [sha256.Size]byte
}

// readTree returns what there is by path. A file is a tree with the one path ".".
func readTree(root string) (map[string]node, error) {
	found := map[string]node{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			found[rel] = node{dir: true}
			return nil
		}
		found[rel], err = readNode(path)
		return err
	})
	return found, err
}

func readNode(path string) (node, error) {
	f, err := os.Open(path)
	if err != nil {
		return node{}, err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	return node{size: n, sum: [sha256.Size]byte(sum.Sum(nil))}, err
}
