package users

import (
	"os"
	"strings"
	"testing"
)

// TestTheDocumentIsTrue reads every example of doc/users.md, and looks for every key in it.
func TestTheDocumentIsTrue(t *testing.T) {
	text, err := os.ReadFile("../../doc/users.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := strings.Split(string(text), "```toml\n")[1:]
	if len(examples) < 5 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, example := range examples {
		example, _, _ = strings.Cut(example, "```")
		if _, err := Parse("doc/users.md", []byte(example)); err != nil {
			t.Errorf("%s\n%v", example, err)
		}
	}
	for _, k := range keys() {
		if !strings.Contains(string(text), "`"+k.name+"`") {
			t.Errorf("there is no %s in it", k.name)
		}
	}
}
