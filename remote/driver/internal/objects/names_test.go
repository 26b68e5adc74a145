package objects

import (
	"errors"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/nameenc"
	"ferry/remote/partname"
)

func TestOddNames(t *testing.T) {
	enc := nameenc.InvalidUtf8
	odd, plain := Names{Encoding: enc, Odd: true}, Names{Encoding: enc}
	for raw, want := range map[string]string{
		"":             "odd==",
		".":            "odd=.=",
		"..":           "odd=..=",
		"...":          "...",
		"a":            "a",
		"=":            "=",
		"odd=":         "odd=",
		"odd==":        "odd=odd===",
		"odd=x":        "odd=x",
		"odd=x=":       "odd=odd=x==",
		"odd=..=":      "odd=odd=..==",
		"odd=odd=x==":  "odd=odd=odd=x===",
		"\xff":         "odd=\xff=", // spelled otherwise than the encoding does
		"‛FF":          "\xff",
		"‛‛":           "‛",
		"‛":            "odd=‛=",
		"a\x00":        "",
		".ferry-part.": ".ferry-part.",
	} {
		name, ok := odd.Name(raw)
		if ok != (want != "") || ok && name != want {
			t.Errorf("%q is called %q, %v; want %q", raw, name, ok, want)
			continue
		}
		if !ok {
			continue
		}
		if back, ok := odd.elem(name); !ok || back != raw {
			t.Errorf("%q is spelled %q, %v; want %q", name, back, ok, raw)
		}
		if name, ok := plain.Name(raw); ok && name != want && !strings.HasPrefix(raw, "odd=") {
			t.Errorf("without escapes %q is called %q", raw, name)
		}
	}
	for _, name := range []string{"odd=x=", "odd=a b=", "odd=...=", "odd==="} {
		if _, err := odd.Path("d/" + name); !errors.Is(err, remote.ErrBadName) {
			t.Errorf("Path(%s): %v", name, err)
		}
		if key, err := plain.Path("d/" + name); err != nil || key != "d/"+name {
			t.Errorf("without escapes Path(%s) is %q, %v", name, key, err)
		}
	}
}

func TestOddPaths(t *testing.T) {
	n := Names{Odd: true}
	for path, want := range map[string]string{
		"odd==":         "/",
		"odd==/x":       "/x/",
		"d/odd==":       "d//",
		"odd==/odd==":   "//",
		"a/odd==/b/c":   "a//b/c/",
		"a/odd=..=/y":   "a/../y/",
		"a/odd==/odd==": "a///",
	} {
		key, err := n.Path(path)
		k := Key{"b", key}
		if err != nil || k.Prefix() != want {
			t.Errorf("what is in %s begins with %q, %v; want %q", path, k.Prefix(), err, want)
		}
		if k.HasObject() == strings.HasSuffix(path, "odd==") {
			t.Errorf("%s can be an object: %v", path, k.HasObject())
		}
		parent, elem := above(k)
		if parent.below(elem) != k || parent.below(strings.TrimSuffix(elem, nothing)) != k {
			t.Errorf("%q lies in %q as %q", k, parent, elem)
		}
		if dir, _ := remote.Split(path); dir != "." {
			if name, err := n.Path(dir); err != nil || name != parent.Name {
				t.Errorf("%s lies in %q, want %q", path, parent.Name, name)
			}
		} else if parent.Name != "" {
			t.Errorf("%s lies in %q", path, parent.Name)
		}
	}
}

func FuzzOddNames(f *testing.F) {
	for _, raw := range []string{"", ".", "odd==", "odd=odd=..==", "‛", "．", "a b"} {
		f.Add(uint64(nameenc.InvalidUtf8|nameenc.RightPeriod), raw)
	}
	f.Fuzz(func(t *testing.T, bits uint64, raw string) {
		n := Names{Encoding: nameenc.Encoding(bits) &^ (nameenc.Slash | nameenc.Dot), Odd: true}
		name, ok := n.Name(raw)
		if strings.Contains(raw, "/") || strings.HasSuffix(raw, nothing) || !ok {
			return
		}
		if back, ok := n.elem(name); !ok || back != raw || !remote.ValidName(name) {
			t.Errorf("%q is called %q, which is spelled %q, %v", raw, name, back, ok)
		}
	})
}

func TestObjectName(t *testing.T) {
	for _, test := range []struct {
		root, bucket, key, want string
		ok                      bool
	}{
		{"b", "b", "d/f", "d/f", true}, {"b", "b", "", ".", true}, {"b", "c", "f", "", false}, {"b", "b", "a//b", "", false}, {"b", "b", "a/../b", "", false},
		{"b/d", "b", "d/f", "f", true}, {"b/d", "b", "d", "", false}, {"b/d", "b", "dd/f", "", false}, {"b/d", "b", "", ".", true}, {"b/d", "c", "", "", false},
		{"", "b", "d/f", "b/d/f", true}, {"", "b", "", "b", true}, {"", "", "f", "", false},
		{"b", "b", partsDir + "/x", "", false}, {"", "b", partsDir + "/x", "", false}, {"b/d", "b", "d/" + partsDir, "", false},
		{"b", "b", partname.Name{Owner: "o", Base: "f"}.String(), "", false},
		{"b", "b", "a\u2401", "a\x01", true}, {"b", "b", "a\x01", "", false},
	} {
		tree := New(nil, Config{Root: test.root, Names: Names{Encoding: nameenc.Ctl}})
		if got, ok := tree.ObjectName(test.bucket, test.key); got != test.want || ok != test.ok {
			t.Errorf("%q: %s/%q is %q, %v", test.root, test.bucket, test.key, got, ok)
		}
	}
}
