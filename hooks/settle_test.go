package hooks

import (
	"testing"
	"time"

	"ferry/events"
	"ferry/hooks/settings"
)

// uploads is a hook that is told of uploads that were stored.
func uploads() settings.Hook { return settings.Hook{Events: []string{"upload.stored"}} }

func TestNamesSettle(t *testing.T) {
	for _, tt := range []struct {
		name string
		hook settings.Hook
		do   func(g *rig)
		want []string
	}{
		{"stored", uploads(), func(g *rig) {
			g.happens(events.UploadStored, "/x")
			g.after(1900 * time.Millisecond)
			g.wants()
			g.after(200 * time.Millisecond)
		}, []string{"stored /x"}},
		{"renamed", uploads(), func(g *rig) {
			g.happens(events.UploadStored, "/x")
			g.after(1500 * time.Millisecond)
			g.happens(events.Rename, "/x", "/y")
			g.after(1500 * time.Millisecond)
			g.wants()
			g.after(time.Second)
		}, []string{"stored /y was /x"}},
		{"part", uploads(), func(g *rig) {
			g.happens(events.UploadStored, "/x.part")
			g.after(23 * time.Hour)
			g.happens(events.Rename, "/x.part", "/x.tmp")
			g.after(23 * time.Hour)
			g.happens(events.Rename, "/x.tmp", "/x")
			g.after(3 * time.Second)
		}, []string{"stored /x was /x.part /x.tmp"}},
		{"part for ever", uploads(), func(g *rig) {
			g.happens(events.UploadStored, "/x.part")
			g.after(25 * time.Hour)
			g.happens(events.Rename, "/x.part", "/x")
			g.after(3 * time.Second)
			if n := len(g.List()); n != 0 {
				g.Errorf("%d are left", n)
			}
		}, nil},
		{"part of another", uploads(), func(g *rig) {
			g.happens(events.UploadStored, "/x.part")
			if err := g.Record(g.Context(), &events.Event{Kind: events.Rename, User: "ann", Path: "/x.part", To: "/x"}); err != nil {
				g.Error(err)
			}
			g.after(3 * time.Second)
		}, nil},
		{"a directory above", uploads(), func(g *rig) {
			g.happens(events.UploadStored, "/in/a/x")
			g.happens(events.UploadStored, "/in/b")
			g.happens(events.UploadStored, "/inn/c")
			g.happens(events.Rename, "/in", "/out")
			g.after(3 * time.Second)
		}, []string{"stored /out/a/x was /in/a/x", "stored /out/b was /in/b", "stored /inn/c"}},
		{"out of what the hook is about", settings.Hook{Events: []string{"upload.stored"}, Paths: []string{"/in/**"}}, func(g *rig) {
			g.happens(events.UploadStored, "/in/x")
			g.happens(events.UploadStored, "/y")
			g.happens(events.UploadStored, "/in/z")
			g.happens(events.Rename, "/in/x", "/x")
			g.happens(events.Rename, "/y", "/in/y")
			g.after(3 * time.Second)
		}, []string{"stored /in/y was /y", "stored /in/z"}},
		{"deleted", settings.Hook{Events: []string{"upload.stored", "delete"}}, func(g *rig) {
			g.happens(events.UploadStored, "/x")
			g.happens(events.UploadStored, "/y.part")
			g.happens(events.Delete, "/x")
			g.happens(events.Delete, "/y.part")
		}, []string{"stored /x", "delete /x"}},
		{"a rename and a deletion that fail", settings.Hook{Events: []string{"upload.stored", "rename", "delete"}}, func(g *rig) {
			g.happens(events.UploadStored, "/x")
			for _, kind := range []events.Kind{events.Rename, events.Delete} {
				if err := g.Record(g.Context(), &events.Event{Kind: kind, User: "bob", Path: "/x", To: "/y", Result: events.Failed}); err != nil {
					g.Error(err)
				}
			}
			g.after(time.Second)
			g.wants()
			g.after(2 * time.Second)
		}, []string{"stored /x"}},
		{"not at all", settings.Hook{Events: []string{"upload.stored"}, Settle: -1}, func(g *rig) {
			g.happens(events.UploadStored, "/x")
			g.happens(events.UploadStored, "/x.part")
		}, []string{"stored /x"}},
		{"nothing is ignored", settings.Hook{Events: []string{"upload.stored"}, Settle: -1, Ignore: []string{}}, func(g *rig) {
			g.happens(events.UploadStored, "/x.part")
		}, []string{"stored /x.part"}},
		{"killed meanwhile", uploads(), func(g *rig) {
			g.happens(events.UploadStored, "/x.part")
			g.happens(events.UploadStored, "/y")
			g.happens(events.Rename, "/y", "/z")
			g.kill()
			g.happens(events.Rename, "/x.part", "/x")
			g.after(time.Second)
			g.wants()
			g.after(2 * time.Second)
		}, []string{"stored /x was /x.part", "stored /z was /y"}},
		{"others of a part", settings.Hook{Events: []string{"upload.received", "download", "rename", "upload.aborted"}}, func(g *rig) {
			g.happens(events.UploadReceived, "/x.part")
			g.happens(events.Download, "/x.part")
			g.happens(events.UploadAborted, "/x.part")
			g.after(time.Second)
			g.happens(events.Rename, "/x.part", "/x.tmp")
			g.happens(events.Rename, "/x.tmp", "/x")
		}, []string{"aborted /x.part", "rename /x.tmp to /x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				tt.hook.Concurrency = 1
				g := newRig(t, Options{}, tt.hook)
				tt.do(g)
				g.wants(tt.want...)
			})
		})
	}
}

// What is recorded again is told once.
func TestRecordedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{}, uploads())
		e := &events.Event{Kind: events.UploadStored, ID: "1", User: "bob", Path: "/x"}
		for range 2 {
			if err := g.Record(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			g.kill()
		}
		g.after(time.Minute)
		g.wants("stored /x")
	})
}

// A file that is renamed has another name on the remote, too.
func TestNamesOnTheRemote(t *testing.T) {
	for _, tt := range []struct{ path, name, to, want string }{
		{"/x.part", "x.part", "/x", "x"},
		{"/in/x.part", "home/bob/in/x.part", "/done/x", "home/bob/done/x"},
		{"/data/x.part", "x.part", "/data/x", "x"},
		{"/x.part", "", "/x", ""},
	} {
		if got := nameAt(&events.Event{Path: tt.path, Name: tt.name}, tt.to); got != tt.want {
			t.Errorf("%s, which is %s, is %q as %s; want %q", tt.path, tt.name, got, tt.to, tt.want)
		}
	}
}
