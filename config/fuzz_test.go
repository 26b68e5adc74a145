package config

import (
	"bytes"
	"maps"
	"math"
	"slices"
	"testing"
	"time"
)

// What is read is written as it was; an edit is read back, and everything else is as before.
func FuzzDocument(f *testing.F) {
	for _, text := range []string{
		before,
		"\ufeffk = v\r\n[a.b]\r\nx: %(k)s\r\n[a]\r\n- = 1\r\n- = 2",
		"[a]\n`k` = ``v``\n\"l\" = \"\"\"w\"\"\"\n# c\n\n; d\n[b]\n",
		"[]\n[a]\nk=1\n[a]\nk=2",
	} {
		f.Add([]byte(text), "a", "k", "v")
	}
	f.Fuzz(func(t *testing.T, text []byte, section, key, value string) {
		d, err := ParseDocument(text)
		if err != nil {
			return
		}
		if got := d.Bytes(); !bytes.Equal(got, text) {
			t.Fatalf("%q is written as %q", text, got)
		}
		draft := d.Edit()
		if draft.Set(section, key, value) == nil {
			want := raw(d)
			if want[section] == nil {
				want[section] = map[string]string{}
			}
			want[section][key] = value
			checkDraft(t, text, draft, want)
			if got, ok := draft.Get(section, key); !ok || got != value {
				t.Errorf("%q: [%s] %s was set to %q and is %q", text, section, key, value, got)
			}
		}
		draft = d.Edit()
		if draft.DeleteKey(section, key) {
			want := raw(d)
			delete(want[section], key)
			checkDraft(t, text, draft, want)
		}
		draft = d.Edit()
		if draft.DeleteSection(section) {
			want := raw(d)
			delete(want, section)
			checkDraft(t, text, draft, want)
		}
	})
}

// raw returns the keys and values of a document without those that a hyphen numbers, which change
// with the others.
func raw(d *Document) map[string]map[string]string {
	all := map[string]map[string]string{}
	for name, s := range d.sections {
		if len(s.keys) == 0 {
			continue
		}
		all[name] = map[string]string{}
		for _, k := range s.keys {
			if k[0] != '#' {
				all[name][k] = s.values[k]
			}
		}
	}
	return all
}

// checkDraft wants a draft to say the same, read again from its text, and to hold all of want.
func checkDraft(t *testing.T, text []byte, draft *Draft, want map[string]map[string]string) {
	t.Helper()
	again, err := ParseDocument(draft.Bytes())
	if err != nil {
		t.Fatalf("%q became %q: %v", text, draft.Bytes(), err)
	}
	if !slices.Equal(again.Sections(), draft.Sections()) {
		t.Errorf("%q became %q: the sections %q are read as %q", text, draft.Bytes(), draft.Sections(), again.Sections())
	}
	drop := func(all map[string]map[string]string) {
		maps.DeleteFunc(all, func(_ string, keys map[string]string) bool {
			maps.DeleteFunc(keys, func(k, _ string) bool { return k[0] == '#' })
			return len(keys) == 0
		})
	}
	got := raw(again)
	drop(got)
	drop(want)
	if !maps.EqualFunc(got, want, maps.Equal) {
		t.Errorf("%q became %q: it says %q, want %q", text, draft.Bytes(), got, want)
	}
}

func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"0", "1.5G", "16Mi", "100b", "off", "1E", ".5k", "7E"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		size, err := ParseSize(s)
		if err != nil {
			return
		}
		if size < SizeOff {
			t.Errorf("%q is %d", s, size)
		}
		back, err := ParseSize(size.String())
		if err != nil {
			t.Fatalf("%q is written %q: %v", s, size, err)
		}
		if !isNear(back, size) {
			t.Errorf("%q is written %q, which is %d, not %d", s, size, back, size)
		}
	})
}

// isNear reports whether two sizes are the same but for the decimals that String drops.
func isNear(a, b Size) bool {
	return a == b || a > 0 && b > 0 && math.Abs(float64(a-b)) <= float64(b)/1000
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"0", "90", "1h30m", "250ms", "5M", "1.5d", "2w", "1y", "off", "292y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		if d < 0 {
			t.Errorf("%q is %d", s, d)
		}
		text := FormatDuration(d)
		back, err := ParseDuration(text)
		if err != nil {
			t.Fatalf("%q is written %q: %v", s, text, err)
		}
		if diff := (back - d).Abs(); diff > d/1e15+1 {
			t.Errorf("%q is written %q, which is %d, not %d", s, text, back, d)
		}
	})
}

func FuzzParseBandwidth(f *testing.F) {
	for _, s := range []string{"10M:1M", "off", "08:00,512 12:00,10M:off", "Mon-00:00,512;Sunday-20:00,0"} {
		f.Add(s, int64(0))
	}
	f.Fuzz(func(t *testing.T, s string, unix int64) {
		b, err := ParseBandwidth(s)
		if err != nil {
			return
		}
		when := time.Unix(unix%1e10, 0).UTC()
		up, down := b.At(when)
		if up == 0 || down == 0 || up < -1 || down < -1 {
			t.Errorf("%q at %s is %d:%d", s, when, up, down)
		}
		back, err := ParseBandwidth(b.String())
		if err != nil {
			t.Fatalf("%q is written %q: %v", s, b, err)
		}
		same := func(x, y slot) bool { return x.minute == y.minute && isNear(x.up, y.up) && isNear(x.down, y.down) }
		if !slices.EqualFunc(back.slots, b.slots, same) {
			t.Errorf("%q is written %q, and that %q", s, b, back)
		}
	})
}
