package local

import (
	"strings"
	"testing"

	"ferry/remote"
)

func TestPartNames(t *testing.T) {
	long := strings.Repeat("n", 255)
	for _, c := range []struct {
		part partName
		want string // "" = only that it is short enough
	}{
		{partName{"o", 0, "f"}, ".ferry-part.o.f"},
		{partName{"o", 1, "f"}, ".ferry-part.o~1.f"},
		{partName{"o", 12, "1.f"}, ".ferry-part.o~12.1.f"},
		{partName{"o", 0, "a~b#c.d"}, ".ferry-part.o.a~b#c.d"},
		{partName{"-", 1, ".hidden"}, ".ferry-part.-~1..hidden"},
		{partName{"o", 0, long}, ""},
		{partName{strings.Repeat("o", 32), 999, long}, ""},
		{partName{"o", 0, strings.Repeat("n", 241)}, ".ferry-part.o." + strings.Repeat("n", 241)},
	} {
		got := c.part.String()
		if len(got) > maxName || !hidden(got) || c.want != "" && got != c.want {
			t.Errorf("%+v is %q", c.part, got)
		}
		back, ok := parsePart(got)
		want := c.part
		if c.want == "" {
			want.name = ""
		}
		if !ok || back != want {
			t.Errorf("%q is %+v, %v", got, back, ok)
		}
	}
	if a, b := (partName{"o", 0, long}).String(), (partName{"o", 0, long[1:] + "m"}).String(); a == b {
		t.Error("two long names have one part")
	}
}

func TestOtherNamesAreNoParts(t *testing.T) {
	for _, name := range []string{
		"f", ".ferry-part", ".ferry-part.", ".ferry-part.o", ".ferry-part..f", ".ferry-part.O.f", ".ferry-part.o~.f",
		".ferry-part.o~0.f", ".ferry-part.o~x.f", ".ferry-part.o~1", ".ferry-part.o.", ".FERRY-PART.o.f",
	} {
		if p, ok := parsePart(name); ok {
			t.Errorf("%q is taken for %+v", name, p)
		}
	}
}

func FuzzParsePart(f *testing.F) {
	for _, seed := range []string{".ferry-part.o.f", ".ferry-part.o~1.f", ".ferry-part.o~1#00", ".ferry-part.-~1.f", "f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, base string) {
		p, ok := parsePart(base)
		if !ok {
			return
		}
		if !hidden(base) {
			t.Errorf("%q is a part, but not hidden", base)
		}
		if p.owner != putOwner && !remote.ValidOwner(p.owner) {
			t.Errorf("%q has the owner %q", base, p.owner)
		}
		if p.name == "" || len(base) > maxName {
			return
		}
		if again, ok := parsePart(p.String()); !ok || again != p {
			t.Errorf("%q is %+v, and that is %q", base, p, p.String())
		}
	})
}

func TestHoldable(t *testing.T) {
	for _, name := range []string{".", "a", "a/b", ".ferry-part", "a/ferry-part.x", strings.Repeat("n", 255)} {
		if !holdable(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{".ferry-part.x", "a/.ferry-part.x", ".Ferry-Part.x/b", strings.Repeat("n", 256), "a/" + strings.Repeat("n", 256)} {
		if holdable(name) {
			t.Errorf("%q is accepted", name)
		}
	}
}
