package config

import "testing"

func TestNetworks(t *testing.T) {
	for text, want := range map[string]string{
		"10.1.2.3": "10.1.2.3/32", " 10.1.2.3/8": "10.0.0.0/8", "::ffff:10.1.2.3": "10.1.2.3/32",
		"2001:db8::7": "2001:db8::7/128", "2001:db8:5::/32": "2001:db8::/32", "0.0.0.0/0": "0.0.0.0/0",
	} {
		if p, err := ParseNetwork(text); err != nil || p.String() != want {
			t.Errorf("%s: %v %v", text, p, err)
		}
	}
	for _, text := range []string{"", "10.0.0.0/33", "x", "::ffff:10.0.0.0/104", "fe80::1%eth0", "10.0.0.1-7"} {
		if p, err := ParseNetwork(text); err == nil {
			t.Errorf("%q is the network %v", text, p)
		}
	}
}
