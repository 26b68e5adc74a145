package objects_test

import (
	"context"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/driver/internal/objects/objectstest"
	"ferry/remote/nameenc"
	"ferry/remote/remotetest"
)

// A liar is a store that lists keys as it likes.
type liar struct {
	*objectstest.Flat
	names []string
	dirs  bool // they are prefixes
}

func (l liar) Page(_ context.Context, k objects.Key, _ string, _ int) (objects.Page, error) {
	p := objects.Page{Objects: []objects.Object{{Name: k.Name + "ok", Size: 1, ModTime: time.Unix(1e9, 0)}}}
	for _, name := range l.names {
		if l.dirs {
			p.Prefixes = append(p.Prefixes, k.Name+name+"/")
		} else if name != "" { // that is the marker of the directory
			p.Objects = append(p.Objects, objects.Object{Name: k.Name + name, Size: 1, ModTime: time.Unix(1e9, 0)})
		}
	}
	return p, nil
}

func TestHostileNames(t *testing.T) {
	for _, dirs := range []bool{false, true} {
		remotetest.RunHostile(t, func(_ *testing.T, names []string) remote.Remote {
			f := objectstest.NewFlat("b")
			return tree{objects.New(liar{f, names, dirs}, objects.Config{
				Name: "flat:b", Root: "b", Names: objects.Names{Encoding: nameenc.Slash | nameenc.InvalidUtf8 | nameenc.Dot},
				Holds: func(k objects.Key) bool { return len(k.Prefix()) <= 1024 }, Buckets: f,
			})}
		}, func(name string) bool { return name == "" })
	}
}
