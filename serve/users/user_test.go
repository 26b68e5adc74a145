package users

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestExpand(t *testing.T) {
	u := User{Name: "bob", Groups: []string{"cams", "x"}, Home: "plant/{group}/{user}"}
	odd := User{Name: `o'neil,pass="x`}
	tests := []struct {
		user         User
		remote, want string
	}{
		{u, "/srv/ftp", "/srv/ftp"},
		{u, "/srv/{user}", "/srv/bob"},
		{u, "s3:bucket/{group}/{home}", "s3:bucket/cams/plant/cams/bob"},
		{User{Name: "bob"}, "s3:bucket/{home}", "s3:bucket/bob"},
		{odd, "/srv/{user}", `/srv/o'neil,pass="x`},
		{u, ":sftp,host=nas,user={user}:/home/{user}", `:sftp,host="nas",user="bob":/home/bob`},
		{odd, "nas,user={user},pass='{password}':", `nas,pass="{password}",user="o'neil,pass=""x":`},
		{u, "{user}", "bob"},
		{u, "/x/{}/{A}", "/x/{}/{A}"},
	}
	for _, tt := range tests {
		got, err := tt.user.Expand(tt.remote)
		if tt.remote == "/x/{}/{A}" {
			if err == nil {
				t.Errorf("{} is expanded to %s", got)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("%s for %s: got %s, %v, want %s", tt.remote, tt.user.Name, got, err, tt.want)
		}
	}
	refused := []struct {
		user   User
		remote string
	}{
		{User{Name: "a/b"}, "/srv/{user}"}, {User{Name: ".."}, "/srv/{user}"}, {User{Name: `a\b`}, "/srv/{user}"},
		{User{Name: "a\x00"}, "/srv/{user}"}, {User{Name: ""}, "/srv/{user}"}, {User{Name: "nas:"}, "{user}"},
		{User{Name: "{password}"}, ":sftp,pass={user}:"}, {User{Name: "a", Home: "../b"}, "/srv/{home}"},
		{User{Name: "a", Home: "nas:b"}, "{home}"}, {User{Name: "a"}, "/{group}"}, {User{Name: "a", Home: "{group}"}, "/{home}"},
	}
	for _, tt := range refused {
		if got, err := tt.user.Expand(tt.remote); err == nil {
			t.Errorf("%s for %q becomes %s", tt.remote, tt.user.Name, got)
		}
	}
}

func TestSame(t *testing.T) {
	base := "[users.a]\npassword = '" + someHash + "'\nremote = '/srv'\nexpires = 2030-01-01T00:00:00Z\nhours = ['08:00-18:00']\nallow = ['10.0.0.0/8']\n"
	was := user(t, parse(t, base), "a")
	same := map[string]string{
		"nothing":          base,
		"a note":           base + "note = 'x'\n",
		"a group":          base + "[groups.g]\nquota_bytes = '1G'\n",
		"another password": strings.Replace(base, "'"+someHash+"'", "['{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', '"+someHash+"']", 1),
		"another zone":     strings.Replace(base, "2030-01-01T00:00:00Z", "2030-01-01T01:00:00+01:00", 1),
	}
	for what, text := range same {
		if !was.Same(user(t, parse(t, text), "a")) {
			t.Errorf("%s ends the session", what)
		}
	}
	differs := map[string]string{
		"a password": strings.Replace(base, someHash, "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", 1),
		"remote":     strings.Replace(base, "/srv", "/var", 1),
		"expires":    strings.Replace(base, "2030", "2031", 1),
		"hours":      strings.Replace(base, "18:00", "19:00", 1),
		"timezone":   base + "timezone = 'Asia/Tokyo'\n",
		"networks":   strings.Replace(base, "10.0.0.0/8", "10.0.0.0/9", 1),
		"disabled":   base + "disabled = true\n",
		"rights":     base + "permissions.'/' = ['list']\n",
		"a default":  base + "[defaults]\nquota_bytes = '1G'\n",
	}
	for what, text := range differs {
		if was.Same(user(t, parse(t, text), "a")) {
			t.Errorf("%s does not end the session", what)
		}
	}
}

func TestHours(t *testing.T) {
	f := parse(t, "[users.a]\ntimezone = 'Europe/Berlin'\nhours = ['Fri 22:00-06:00', 'mon,Wednesday 08:00-12:30']\n")
	h := user(t, f, "a").Hours
	for at, want := range map[string]bool{
		"2026-11-27T20:59:00Z": false, "2026-11-27T21:00:00Z": true, "2026-11-28T04:59:00Z": true, "2026-11-28T05:00:00Z": false,
		"2026-11-28T21:30:00Z": false, "2026-11-30T07:00:00Z": true, "2026-12-01T07:00:00Z": false, "2026-12-02T11:29:00Z": true, "2026-12-02T11:30:00Z": false,
	} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if h.Open(when) != want {
			t.Errorf("%s: %v", at, !want)
		}
	}
	if !(Hours{}).Open(time.Now()) {
		t.Error("no hours are not always")
	}
	for _, s := range []string{"Fri,Sat 22:00-06:00", "08:00-24:00", "Mon,Tue,Wed,Thu,Fri 08:00-18:00"} {
		span, err := parseSpan(s)
		if err != nil || span.String() != s {
			t.Errorf("%s becomes %s, %v", s, span, err)
		}
	}
	for _, s := range []string{"", "x", "08:00", "08:00-08:00", "24:00-08:00", "Mon 25:00-26:00", "Mon-Fry 08:00-18:00", "Mon- 08:00-18:00"} {
		if span, err := parseSpan(s); err == nil {
			t.Errorf("%q is %s", s, span)
		}
	}
}

func TestHashesExpire(t *testing.T) {
	u := User{Passwords: []Password{{Hash: "a"}, {Hash: "b", Expires: time.Unix(1000, 0)}}}
	if got := u.Hashes(time.Unix(999, 0)); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("before: %v", got)
	}
	if got := u.Hashes(time.Unix(1000, 0)); !slices.Equal(got, []string{"a"}) {
		t.Errorf("after: %v", got)
	}
}
