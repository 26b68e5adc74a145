package access_test

import (
	"fmt"
	"testing"

	"ferry/serve/access"
	"ferry/vfs"
)

// BenchmarkList measures LIST of 100,000 files by a client, without a policy and with three rules,
// of which one is for a directory in the one that is listed.
func BenchmarkList(b *testing.B) {
	many := newTree(b, vfs.Options{})
	for i := range 100_000 {
		put(many, fmt.Sprintf("IMG_%06d.JPG", i), false)
	}
	three := access.Policy{Rules: []access.Rule{rule("/", "read-only"), rule("/in", "all"), rule("/*/drafts", "append-only")}}
	for _, run := range []struct {
		name   string
		policy access.Policy
	}{{"plain", access.Policy{}}, {"three rules", three}} {
		for _, command := range []string{"LIST", "MLSD"} {
			b.Run(command+" "+run.name, func(b *testing.B) {
				c := dial(b, access.New(many, run.policy))
				for b.Loop() {
					if code, text, _ := c.transfer(command, nil); code != 226 {
						b.Fatal(text)
					}
				}
			})
		}
	}
}
