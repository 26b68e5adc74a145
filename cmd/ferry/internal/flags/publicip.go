package flags

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/pflag"

	"ferry/config"
)

// A PublicIP is what PASV announces to the clients of a network: an IPv4 address or a host name.
type PublicIP struct {
	Network netip.Prefix // the zero Prefix: all others
	Host    string
}

// publicIPs reads one address for all clients, or several with the networks they are for, as in
// 10.0.0.0/8=10.1.2.3,default=ftp.example.org.
func publicIPs(p *[]PublicIP) pflag.Value {
	return &value[[]PublicIP]{p, "address", parsePublicIPs, formatPublicIPs}
}

func parsePublicIPs(s string) ([]PublicIP, error) {
	var all []PublicIP
	seen := map[netip.Prefix]bool{}
	for part := range strings.SplitSeq(s, ",") {
		network, host, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found {
			network, host = "default", network
		}
		host, err := parsePublicIP(host)
		if err != nil {
			return nil, err
		}
		one := PublicIP{Host: host}
		if network != "default" {
			if one.Network, err = config.ParseNetwork(network); err != nil {
				return nil, err
			}
		}
		if seen[one.Network] {
			return nil, fmt.Errorf("%s has two addresses: give one", network)
		}
		seen[one.Network] = true
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, errors.New("use an IPv4 address or a host name")
	}
	return all, nil
}

func formatPublicIPs(all []PublicIP) string {
	var texts []string
	for _, one := range all {
		switch {
		case one.Network.IsValid():
			texts = append(texts, one.Network.String()+"="+one.Host)
		case len(all) > 1:
			texts = append(texts, "default="+one.Host)
		default:
			texts = append(texts, one.Host)
		}
	}
	return strings.Join(texts, ",")
}
