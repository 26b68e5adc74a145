package registry

import (
	"strings"
	"testing"
)

// What is asked first, and the examples, are of options that there are and that do something.
func TestBasics(t *testing.T) {
	known := map[string]bool{}
	for _, typ := range Types() {
		known[typ.Name] = true
		for _, word := range basics()[typ.Name] {
			name, _, _ := strings.Cut(word, "=")
			if o, ok := typ.Option(name); !ok || o.NoEffect() {
				t.Errorf("type %s has no option %s that does something", typ.Name, name)
			}
		}
		example := strings.Join(Example(typ), " ") + " "
		for _, o := range typ.Options {
			if o.Required && !strings.Contains(example, o.Name+"=") {
				t.Errorf("type %s: the example %q lacks %s", typ.Name, example, o.Name)
			}
		}
		if first := Basics(typ); len(first) < len(Example(typ)) {
			t.Errorf("type %s: only %d options are asked for", typ.Name, len(first))
		}
	}
	for _, b := range Bridges() {
		known[b.Type] = true
	}
	for name := range basics() {
		if !known[name] {
			t.Errorf("there is no type %q", name)
		}
	}
}
