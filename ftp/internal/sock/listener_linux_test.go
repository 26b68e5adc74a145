package sock

import (
	"net/netip"
	"syscall"
	"testing"
)

func TestAddressesOfOneLink(t *testing.T) {
	family, sa, err := sockaddr(netip.MustParseAddrPort("[fe80::1%7]:99"))
	if err != nil {
		t.Fatal(err)
	}
	if s6, is := sa.(*syscall.SockaddrInet6); family != syscall.AF_INET6 || !is || s6.ZoneId != 7 || s6.Port != 99 {
		t.Errorf("%+v", sa)
	}
	if got := addrPortOf(sa, "eth0").String(); got != "[fe80::1%eth0]:99" {
		t.Error(got)
	}
	if _, _, err := sockaddr(netip.MustParseAddrPort("[fe80::1%nowhere0]:99")); err == nil {
		t.Error("an interface that does not exist was found")
	}
	family, sa, err = sockaddr(netip.MustParseAddrPort("[::ffff:127.0.0.1]:99"))
	if s4, is := sa.(*syscall.SockaddrInet4); err != nil || family != syscall.AF_INET || !is || s4.Port != 99 {
		t.Errorf("%+v %v", sa, err)
	}
}
