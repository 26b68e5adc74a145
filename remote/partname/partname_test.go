package partname

import (
	"strings"
	"testing"

	"ferry/remote"
)

func TestPartNames(t *testing.T) {
	long := strings.Repeat("n", 255)
	for _, c := range []struct {
		part Name
		want string // "" = only that it is short enough
	}{
		{Name{"o", 0, "f"}, ".ferry-part.o.f"},
		{Name{"o", 1, "f"}, ".ferry-part.o~1.f"},
		{Name{"o", 12, "1.f"}, ".ferry-part.o~12.1.f"},
		{Name{"o", 0, "a~b#c.d"}, ".ferry-part.o.a~b#c.d"},
		{Name{"-", 1, ".hidden"}, ".ferry-part.-~1..hidden"},
		{Name{"o", 0, long}, ""},
		{Name{strings.Repeat("o", 32), 999, long}, ""},
		{Name{"o", 0, strings.Repeat("n", 241)}, ".ferry-part.o." + strings.Repeat("n", 241)},
	} {
		got := c.part.String()
		if len(got) > MaxLen || !Hidden(got) || c.want != "" && got != c.want {
			t.Errorf("%+v is %q", c.part, got)
		}
		back, ok := Parse(got)
		want := c.part
		if c.want == "" {
			want.Base = ""
		}
		if !ok || back != want {
			t.Errorf("%q is %+v, %v", got, back, ok)
		}
	}
	if a, b := (Name{"o", 0, long}).String(), (Name{"o", 0, long[1:] + "m"}).String(); a == b {
		t.Error("two long names have one part")
	}
}

func TestOtherNamesAreNoParts(t *testing.T) {
	for _, name := range []string{
		"f", ".ferry-part", ".ferry-part.", ".ferry-part.o", ".ferry-part..f", ".ferry-part.O.f", ".ferry-part.o~.f",
		".ferry-part.o~0.f", ".ferry-part.o~x.f", ".ferry-part.o~1", ".ferry-part.o.", ".FERRY-PART.o.f",
	} {
		if p, ok := Parse(name); ok {
			t.Errorf("%q is taken for %+v", name, p)
		}
	}
}

func FuzzParsePart(f *testing.F) {
	for _, seed := range []string{".ferry-part.o.f", ".ferry-part.o~1.f", ".ferry-part.o~1#00", ".ferry-part.-~1.f", "f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, base string) {
		p, ok := Parse(base)
		if !ok {
			return
		}
		if !Hidden(base) {
			t.Errorf("%q is a part, but not hidden", base)
		}
		if p.Owner != PutOwner && !remote.ValidOwner(p.Owner) {
			t.Errorf("%q has the owner %q", base, p.Owner)
		}
		if p.Base == "" || len(base) > MaxLen {
			return
		}
		if again, ok := Parse(p.String()); !ok || again != p {
			t.Errorf("%q is %+v, and that is %q", base, p, p.String())
		}
	})
}
