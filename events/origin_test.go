package events_test

import (
	"testing"

	"ferry/events"
)

// What the client sees of a file that was renamed, by what it saw when it stored the file.
func TestPathOf(t *testing.T) {
	for _, tt := range []struct{ path, name, now, want string }{
		{"/in/x.part", "in/x.part", "in/x.part", "/in/x.part"},
		{"/in/x.part", "in/x.part", "in/x", "/in/x"},
		{"/in/x.part", "in/x.part", "done/x", "/done/x"},
		{"/x.part", "x.part", "x", "/x"},
		// The client sees a part of the tree.
		{"/x.part", "home/bob/x.part", "home/bob/x", "/x"},
		{"/in/x", "home/bob/in/x", "home/bob/out/y", "/out/y"},
		{"/bob/x", "bob/bob/x", "bob/bob/y", "/bob/y"},
		{"/x", "home/bob/x", "home/bobby/x", "/home/bobby/x"}, // another user did that
		{"/x", "home/bob/x", "home/bob", "/home/bob"},
		// The tree is a part of what the client sees.
		{"/data/x.part", "x.part", "x", "/data/x"},
		{"/data/in/x.part", "in/x.part", "x", "/data/x"},
		// Each has something of its own.
		{"/data/in/x", "home/bob/in/x", "home/bob/y", "/data/y"},
		// Names of the file, or of a directory, are written in another way in each.
		{"/in/X", "in/x", "in/y", "/in/y"},
		{"/IN/x", "in/x", "in/y", "/IN/y"},
		{"/IN/x", "in/x", "out/y", "/out/y"},
		{"/in/\xff.part", "in/\xff.part", "in/\xff", "/in/\xff"},
		// Too little is known.
		{"", "x", "y", "/y"},
		{"/x", "", "in/y", "/in/y"},
		{"/", ".", "y", "/y"},
	} {
		o := events.Origin{Path: tt.path, Name: tt.name}
		if got := o.PathOf(tt.now); got != tt.want {
			t.Errorf("%q, which is %q, is %q when it is %q; want %q", tt.path, tt.name, got, tt.now, tt.want)
		}
	}
}
