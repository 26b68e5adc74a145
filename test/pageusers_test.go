package test

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// Users are shown with what they have stored and may store, who has least room left first; and what
// moved is still in the picture after a restart.
func TestUsersAndTheDayBeforeOnThePage(t *testing.T) {
	chromium(t)
	t.Parallel()
	o := newOffice(t, "camera", "phone")
	text, err := os.ReadFile(o.file("users.toml"))
	if err != nil {
		t.Fatal(err)
	}
	settings := strings.Replace(string(text), "[users.camera]", "[users.camera]\nquota_bytes = \"1M\"", 1)
	settings = "[defaults]\nremote = \"" + o.file("files") + "/{user}\"\ncreate_home = true\n\n" + settings
	if err := os.WriteFile(o.file("users.toml"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	page := []string{"--ui", "--rc-addr", "127.0.0.1:0", "--rc-no-auth", "--tls", "self-signed"}
	o.serve(page...)
	c := o.login("camera")
	c.do("TYPE I", 200)
	c.upload("STOR picture.jpg", bytes.Repeat([]byte("x"), 1_000_000))
	b := browse(t, controlAddress(t, o.ferry.log), 1280, 900)
	b.shows("users", "camera", "977 KiB of 1.0 MiB", "phone", "not counted")
	b.wait("who has least room comes first", "document.querySelector('#users tbody td').textContent === 'camera'")
	b.shows("sentence", "All is well, but look at this.")
	b.shows("trouble", "90 % of the quota is used by camera")
	b.shows("ended", "/picture.jpg")
	if got := b.eval("document.querySelector('#serves').textContent").(string); !strings.Contains(got, "the remotes of users") {
		t.Errorf("it says that it serves %q", got)
	}
	b.wait("a picture of the hour", "document.querySelector('#hour .in').getAttribute('d').split('L').length > 2")
	b.quiet()
	if code, err := o.ferry.stop(); code != 0 || err != nil {
		t.Fatal(code, err)
	}
	o.serve(page...)
	again := browse(t, controlAddress(t, o.ferry.log), 1280, 900)
	again.wait("the picture from before", "document.querySelector('#hour .in')?.getAttribute('d')?.split('L').length > 2")
	again.quiet()
}
