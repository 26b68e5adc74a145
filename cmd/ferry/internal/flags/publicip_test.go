package flags

import "testing"

func TestParsePublicIPs(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1":       "192.0.2.1",
		"ftp.example.org": "ftp.example.org",
		"10.0.0.0/8=10.1.2.3,default=ftp.example.org": "10.0.0.0/8=10.1.2.3,default=ftp.example.org",
		"10.9.9.9/8=10.1.2.3, ftp.example.org":        "10.0.0.0/8=10.1.2.3,default=ftp.example.org",
		"192.168.1.5=192.168.1.1":                     "192.168.1.5/32=192.168.1.1",
	} {
		if got, err := parsePublicIPs(in); err != nil || formatPublicIPs(got) != want {
			t.Errorf("%s: %v %v", in, got, err)
		}
	}
	for _, in := range []string{"", "a=b", "10.0.0.0/8=", "10.0.0.0/8=2001:db8::1", "a.example,b.example", "10.0.0.0/8=a,10.1.0.0/8=b", "default=a,b", "a,"} {
		if got, err := parsePublicIPs(in); err == nil {
			t.Errorf("%s: %v", in, got)
		}
	}
}
