package listen

import (
	"net/netip"
	"slices"
	"testing"
)

// An address of one family is that family's.
func TestAnIPv4AddressIsIPv4Only(t *testing.T) {
	for addr, v4 := range map[string]bool{"0.0.0.0:0": true, ":0": false} {
		ls, err := On(t.Context(), addr)
		if err != nil {
			t.Fatal(err)
		}
		defer CloseAll(ls)
		a := netip.MustParseAddrPort(ls[0].Addr().String())
		if a.Addr().Is4() != v4 && slices.Contains(LoopbackHosts(), "::1") {
			t.Errorf("%s listens on %v", addr, a)
		}
	}
}
