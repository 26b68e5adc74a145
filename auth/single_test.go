package auth

import (
	"errors"
	"net/netip"
	"testing"
)

func TestSingle(t *testing.T) {
	tests := []struct {
		name           string
		configured     [2]string
		user, password string
		want           bool
	}{
		{"the user with the password comes in", [2]string{"bob", "sesame"}, "bob", "sesame", true},
		{"a wrong password is denied", [2]string{"bob", "sesame"}, "bob", "Sesame", false},
		{"an empty password is denied where one is set", [2]string{"bob", "sesame"}, "bob", "", false},
		{"a longer password is denied", [2]string{"bob", "sesame"}, "bob", "sesame ", false},
		{"another user with the password is denied", [2]string{"bob", "sesame"}, "eve", "sesame", false},
		{"the case of the name matters", [2]string{"bob", "sesame"}, "Bob", "sesame", false},
		{"an empty password accepts any", [2]string{"anonymous", ""}, "anonymous", "guest@example.org", true},
		{"an empty password accepts none at all", [2]string{"anonymous", ""}, "anonymous", "", true},
		{"an empty password does not make the name free", [2]string{"anonymous", ""}, "root", "", false},
		{"an empty name is a name", [2]string{"", "x"}, "", "x", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := NewSingle(tt.configured[0], tt.configured[1])
			id, err := s.Authenticate(t.Context(), Login{User: tt.user, Password: tt.password})
			if tt.want && (err != nil || id.User != tt.user) {
				t.Errorf("got %+v, %v", id, err)
			}
			if !tt.want && !errors.Is(err, ErrDenied) {
				t.Errorf("got %v, want ErrDenied", err)
			}
		})
	}
}

// A log and those who count attacks learn which it was.
func TestAWrongUserIsAnsweredLikeAWrongPassword(t *testing.T) {
	s := NewSingle("bob", "sesame")
	_, user := s.Authenticate(t.Context(), Login{User: "eve", Password: "sesame"})
	_, password := s.Authenticate(t.Context(), Login{User: "bob", Password: "open"})
	if !errors.Is(user, ErrDenied) || !errors.Is(password, ErrDenied) {
		t.Errorf("%v and %v are not both ErrDenied", user, password)
	}
	if !errors.Is(user, ErrUnknownUser) || errors.Is(password, ErrUnknownUser) {
		t.Errorf("which is which: %v and %v", user, password)
	}
}

func TestOwner(t *testing.T) {
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	owner := func(password string, ip netip.Addr) string {
		t.Helper()
		id, err := NewSingle("u", password).Authenticate(t.Context(), Login{User: "u", Password: password, IP: ip})
		if err != nil {
			t.Fatal(err)
		}
		return id.Owner
	}
	if a, b := owner("secret", one), owner("secret", other); a != b {
		t.Errorf("with a password the owner depends on the address: %q and %q", a, b)
	}
	if a, b := owner("", one), owner("", other); a == b {
		t.Errorf("without a password strangers are one owner: %q", a)
	}
	mapped := netip.AddrFrom16(one.As16())
	if a, b := owner("", one), owner("", mapped); a != b {
		t.Errorf("an address mapped to IPv6 is another owner: %q and %q", a, b)
	}
}
