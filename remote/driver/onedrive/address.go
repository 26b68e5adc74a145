package onedrive

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"ferry/remote/driver/internal/httpclient"
)

// A ref is an item by its id.
type ref struct {
	drive string // address of the drive
	id    string
}

func (r ref) address() string { return r.drive + "/items/" + httpclient.Escape(r.id) }

// An addr is an item by its path from another one.
type addr struct {
	base string // address of the item where the path begins
	path string // as the service has it; "" = the item itself
}

// item returns the address of the item.
func (a addr) item() string {
	if a.path == "" {
		return a.base
	}
	return a.base + ":/" + httpclient.Escape(a.path)
}

// of returns the address of what belongs to the item, such as children.
func (a addr) of(what string) string {
	if a.path == "" {
		return a.base + "/" + what
	}
	return a.item() + ":/" + what
}

// in returns the address of the file called base in a folder, for a request that makes it.
func (r ref) in(base string) addr { return addr{r.address(), base} }

// at returns where name is.
func (r *Remote) at(name string) addr {
	base := r.drive + "/root"
	if r.opt.RootID != "" {
		base = ref{r.drive, r.opt.RootID}.address()
	}
	path := r.below
	if name != "." {
		if mount, rest, ok := r.mounts.find(name); ok {
			return addr{mount.address(), r.encode(rest)}
		}
		path = strings.TrimPrefix(path+"/"+r.encode(name), "/")
	}
	return addr{base, path}
}

// inside returns where the entries of a directory are, and on which drive.
func (r *Remote) inside(dir string) (addr, string) {
	if mount, rest, ok := r.mounts.find(dir + "/"); ok {
		return addr{mount.address(), r.encode(strings.TrimSuffix(rest, "/"))}, mount.drive
	}
	return r.at(dir), r.drive
}

func (r *Remote) encode(path string) string {
	if path == "" {
		return ""
	}
	return r.opt.Encoding.EncodePath(path)
}

// endpointOf returns the URL that all addresses are below.
func endpointOf(o Options) (*url.URL, error) {
	raw := o.Endpoint
	if raw == "" {
		host, ok := map[string]string{
			"":       "graph.microsoft.com",
			"global": "graph.microsoft.com",
			"us":     "graph.microsoft.us",
			"de":     "graph.microsoft.de",
			"cn":     "microsoftgraph.chinacloudapi.cn",
		}[o.Region]
		if !ok {
			return nil, fmt.Errorf("onedrive: option region: %.40q is none of global, us, de, cn", o.Region)
		}
		raw = "https://" + host
	}
	u, _, _, err := httpclient.ParseBase(raw, "")
	if err != nil {
		return nil, fmt.Errorf("onedrive: option endpoint %w", err)
	}
	u.RawPath = ""
	if u.Path == "/" {
		u.Path = "/v1.0/"
	}
	return u, nil
}

var errElsewhere = errors.New("the service names an address to go on that is none of its own")

// own reads an address that the service gave for the next request, and refuses one that would get
// the token to somebody else.
func (a *api) own(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != a.base.Scheme || u.Host != a.base.Host || u.User != nil {
		return nil, errElsewhere
	}
	return u, nil
}

// foreign reads an address that the service gave for a request that carries no token.
func (a *api) foreign(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != a.base.Scheme || u.Host == "" || u.User != nil {
		return nil, errElsewhere
	}
	return u, nil
}
