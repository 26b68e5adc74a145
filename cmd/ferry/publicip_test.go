package main

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cmd/ferry/internal/flags"
)

func TestAHostNameIsLookedUpAgainAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			lookups int
			answer  = []netip.Addr{netip.MustParseAddr("192.0.2.1")}
			fault   error
		)
		p := newPublicIP("ftp.example.org")
		p.lookup = func(_ context.Context, network, host string) ([]netip.Addr, error) {
			lookups++
			if network != "ip4" || host != "ftp.example.org" {
				t.Errorf("looked up %s %s", network, host)
			}
			return answer, fault
		}
		want := func(addr string, count int) {
			t.Helper()
			got, err := p.address(t.Context(), netip.Addr{})
			if err != nil || got.String() != addr || lookups != count {
				t.Errorf("got %v, %v after %d lookups; want %s after %d", got, err, lookups, addr, count)
			}
		}
		want("192.0.2.1", 1)
		want("192.0.2.1", 1)
		answer = []netip.Addr{netip.MustParseAddr("192.0.2.2")}
		time.Sleep(p.maxAge)
		want("192.0.2.2", 2)
		answer, fault = nil, errors.New("the name server is gone")
		time.Sleep(p.maxAge)
		want("192.0.2.2", 3)
	})
}

func TestAHostNameThatWasNeverFoundIsAnError(t *testing.T) {
	p := newPublicIP("ftp.example.org")
	p.lookup = func(context.Context, string, string) ([]netip.Addr, error) { return nil, nil }
	if got, err := p.address(t.Context(), netip.Addr{}); err == nil {
		t.Errorf("got %v", got)
	}
	fixed := newPublicIP("192.0.2.7")
	fixed.lookup = nil
	if got, err := fixed.address(t.Context(), netip.Addr{}); err != nil || got.String() != "192.0.2.7" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestPublicAddressesByNetwork(t *testing.T) {
	network := netip.MustParsePrefix
	all := newPublicIPs([]flags.PublicIP{
		{Host: "192.0.2.1"}, {Network: network("10.0.0.0/8"), Host: "10.1.2.3"}, {Network: network("10.7.0.0/16"), Host: "10.7.0.1"},
	})
	for client, want := range map[string]string{
		"10.5.5.5": "10.1.2.3", "::ffff:10.5.5.5": "10.1.2.3", "10.7.9.9": "10.7.0.1", "198.51.100.1": "192.0.2.1",
	} {
		if got, err := all.address(t.Context(), netip.MustParseAddr(client)); err != nil || got.String() != want {
			t.Errorf("%s: %v %v", client, got, err)
		}
	}
	if got, err := all[:2].address(t.Context(), netip.MustParseAddr("198.51.100.1")); err != nil || got.IsValid() {
		t.Errorf("without a default: %v %v", got, err)
	}
}
