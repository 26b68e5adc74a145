package onedrive_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/onedrive"
	"ferry/remote/remotetest/servers/graphserver"
)

// watch passes on the changes of r until the test ends.
func watch(t *testing.T, r *onedrive.Remote) <-chan remote.Change {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	changes := make(chan remote.Change)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for c, err := range r.Watch(ctx, time.Second) {
			if err != nil && ctx.Err() == nil {
				t.Errorf("the watch ends with %v", err)
			}
			select {
			case changes <- c:
			case <-ctx.Done():
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	if first := <-changes; first != remote.Everything() {
		t.Errorf("the first change is %+v", first)
	}
	return changes
}

// await waits until all names are told of, by themselves or as below of something.
func await(t *testing.T, changes <-chan remote.Change, names ...string) {
	t.Helper()
	for len(names) > 0 {
		select {
		case c := <-changes:
			names = slices.DeleteFunc(names, func(name string) bool {
				return c.Name == name || c.Below && remote.Below(name, c.Name)
			})
		case <-time.After(20 * time.Second):
			t.Fatalf("nobody tells of %q", names)
		}
	}
}

// What others do is told under the old name, where that was seen, and the new one.
func TestChangesByOthers(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{graphserver.Personal, graphserver.Business} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := graphserver.Start(t)
			other, drive := openDrive(t, s, s.Addr, kind, onedrive.Options{})
			for _, dir := range []string{"d", "d/sub", "e"} {
				if err := other.Mkdir(t.Context(), dir); err != nil {
					t.Fatal(err)
				}
			}
			put(t, other, "d/sub/f", "x")
			put(t, other, "e/gone", "x")
			r := open(t, s.Addr, onedrive.Options{DriveID: drive, DriveType: kind})
			defer r.Close()
			changes := watch(t, r)
			for _, dir := range []string{".", "d", "d/sub", "e"} {
				for _, err := range r.List(t.Context(), dir) {
					if err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := other.Move(t.Context(), "d", "e/moved"); err != nil {
				t.Fatal(err)
			}
			await(t, changes, "d/sub/f", "e/moved/sub/f")
			put(t, other, "e/moved/sub/f", "y")
			await(t, changes, "e/moved/sub/f")
			if err := other.Move(t.Context(), "e/moved/sub/f", "f"); err != nil {
				t.Fatal(err)
			}
			await(t, changes, "e/moved/sub/f", "f")
			if err := other.Remove(t.Context(), "e/gone"); err != nil {
				t.Fatal(err)
			}
			await(t, changes, "e/gone")
		})
	}
}

// Of what is outside of the remote nothing is told, and what leaves it is.
func TestChangesBelowARoot(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	other, drive := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	if err := other.Mkdir(t.Context(), "top"); err != nil {
		t.Fatal(err)
	}
	put(t, other, "top/f", "x")
	o := onedrive.Options{DriveID: drive, DriveType: graphserver.Business, Endpoint: "http://" + s.Addr, Tokens: token()}
	r, err := onedrive.New(t.Context(), "top", o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	changes := watch(t, r)
	if got := get(t, r, "f"); got != "x" {
		t.Fatal(got)
	}
	for _, err := range r.List(t.Context(), ".") {
		if err != nil {
			t.Fatal(err)
		}
	}
	put(t, other, "outside", "x")
	if err := other.Move(t.Context(), "top/f", "left"); err != nil {
		t.Fatal(err)
	}
	put(t, other, "top/last", "x")
	for told := false; !told; {
		c := <-changes
		told = c.Name == "last"
		if c.Name == "outside" || c.Name == "left" || strings.Contains(c.Name, "top") || c.Name == "." {
			t.Errorf("%+v", c)
		}
	}
}

// A feed that the service has forgotten begins anew, and nothing that was known holds.
func TestAFeedThatIsForgotten(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, drive := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	changes := watch(t, r)
	put(t, r, "before", "x")
	s.ForgetChanges(drive)
	for c := range changes {
		if c == remote.Everything() {
			break
		}
	}
	put(t, r, "after", "x")
	await(t, changes, "after")
}

// Many changes come in pages.
func TestPagesOfChanges(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, _ := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	changes := watch(t, r)
	var names []string
	for i := range 120 {
		names = append(names, "f"+strings.Repeat("x", i))
		put(t, r, names[i], "x")
	}
	await(t, changes, names...)
}
