package house_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A layer is a row of packages that may import the same packages of this module. Patterns are
// relative to the module; "x/*" is every package below x.
type layer struct {
	packages []string
	imports  []string
}

// layers are the arrows of the house, from the bottom up: a package imports packages of rows below
// its own, or of its own. The first row with a pattern that matches counts. A package that no
// pattern matches is a finding: a new package takes its place here first.
var layers = []layer{
	{packages: []string{
		"auth", "budget", "cluster", "cluster/nats/cause", "config", "disk", "events", "ftp", "ftp/internal/*", "rc", "remote", "remote/nameenc",
		"remote/remotetest/badnet", "remote/remotetest/ledger", "remote/remotetest/servers", "remote/remotetest/servers/dropboxserver", "remote/remotetest/servers/sshserver",
		"cmd/ferry/internal/listen", "cmd/ferry/internal/prompt", "internal/house", "internal/release", "internal/systems", "test", "bench/draw", "bench/link", "bench/phantom",
	}},
	{packages: []string{"remote/network", "remote/network/sigv4", "remote/notice", "remote/partname", "remote/wrap/*", "breaker", "cluster/*"}, imports: []string{"budget", "cluster", "cluster/nats/cause", "remote", "remote/wrap/intercept"}},
	{packages: []string{"acme/acmetest", "remote/remotetest", "remote/remotetest/*"}, imports: []string{"remote", "remote/remotetest/badnet", "remote/remotetest/servers"}},
	{packages: []string{"remote/driver/internal/*", "remote/driver/azureblob/entra", "remote/driver/crypt/cipher"}, imports: driverUses},
	{packages: []string{"remote/driver/*", "feed", "feed/*"}, imports: append(slices.Clip(driverUses), "remote/driver/internal/*", "remote/driver/azureblob/entra", "remote/driver/crypt/cipher", "cluster/nats/cause")},
	{packages: []string{"cache", "disk/*"}, imports: []string{"disk"}},
	{packages: []string{"dircache", "readahead"}, imports: []string{"breaker", "budget", "cache", "remote"}},
	{packages: []string{"writeback"}, imports: []string{"breaker", "cache", "dircache", "events", "remote"}},
	{packages: []string{"handover", "vfs"}, imports: []string{"breaker", "cache", "cluster", "dircache", "events", "ftp", "readahead", "remote", "writeback"}},
	// Listeners of the stream of events, and what asks others by programs and requests.
	{packages: []string{"acme", "audit", "hooks", "hooks/*", "metrics", "ui"}, imports: []string{"disk", "events", "hooks/*"}},
	{packages: []string{"serve", "serve/*"}, imports: []string{"auth", "cluster", "config", "events", "ftp", "hooks/*", "vfs", "serve/*"}},
	{packages: []string{"registry/cached"}, imports: []string{"budget", "cache", "disk", "readahead", "remote", "remote/wrap/intercept"}},
	{packages: []string{"registry/tokens"}, imports: []string{"remote"}},
	{packages: []string{"registry"}, imports: []string{"config", "registry/cached", "registry/tokens", "remote", "remote/driver/*", "remote/nameenc", "remote/network"}},
	// The command line: text in, plain values out; what is made of them is for those above.
	{packages: []string{"cmd/ferry/internal/flags"}, imports: []string{"config", "feed", "hooks/*", "registry", "remote/network"}},
	{packages: []string{"cmd/ferry/internal/logging", "cmd/ferry/internal/login", "cmd/ferry/internal/configcmd", "cmd/ferry/internal/manual", "cmd/ferry/internal/serverconfig", "cmd/ferry/internal/userscmd"}, imports: []string{
		"cmd/ferry/internal/flags", "cmd/ferry/internal/login", "cmd/ferry/internal/prompt", "cmd/ferry/internal/serverconfig", "auth", "config", "disk", "registry", "registry/tokens", "serve/access", "serve/quota", "serve/users", "serve/users/importer",
	}},
	{packages: []string{"cmd/ferry/internal/places"}, imports: []string{"cmd/ferry/internal/logging", "cache", "config", "disk", "remote"}},
	{packages: []string{"cmd/ferry/internal/rcbridge", "cmd/ferry/internal/rcclient"}, imports: []string{
		"cmd/ferry/internal/*", "auth", "cache", "config", "ftp", "hooks", "rc", "remote/wrap/count", "serve/defence", "vfs",
	}},
	{packages: []string{"bench", "bench/scale"}, imports: []string{"bench/link", "bench/phantom", "breaker", "cluster", "dircache", "remote", "remote/driver/memory", "remote/wrap/*"}},
	{packages: []string{"cmd/*"}, imports: []string{"*"}},
}

// driverUses is what every driver may import: the contract, how names are written where they are
// kept, and how servers are reached.
var driverUses = []string{"budget", "remote", "remote/nameenc", "remote/partname", "remote/network", "remote/network/sigv4", "remote/notice"}

// libraries names the packages that may import others than those of this module and of the standard
// library, with prefixes of those.
var libraries = map[string][]string{
	"auth":                                 {"github.com/go-crypt/"}, // hashes of passwords
	"cmd/ferry":                            {"github.com/spf13/", "golang.org/x/sys/", "golang.org/x/term"},
	"cmd/ferry/internal/configcmd":         {"github.com/spf13/", "golang.org/x/oauth2"},
	"cmd/ferry/internal/flags":             {"github.com/spf13/"},
	"cmd/ferry/internal/login":             {"golang.org/x/oauth2"},
	"cmd/ferry/internal/manual":            {"github.com/spf13/"},
	"cmd/ferry/internal/prompt":            {"golang.org/x/term", "github.com/muesli/cancelreader"},
	"cmd/ferry/internal/rcclient":          {"github.com/spf13/"},
	"cmd/ferry/internal/userscmd":          {"github.com/spf13/"},
	"acme":                                 {"github.com/caddyserver/certmagic", "github.com/mholt/acmez/v3", "github.com/miekg/dns", "github.com/libdns/libdns", "go.uber.org/zap"},
	"acme/acmetest":                        {"github.com/letsencrypt/pebble/v2/", "github.com/miekg/dns"},
	"audit":                                {"gopkg.in/natefinch/lumberjack.v2"}, // rotation
	"feed/source":                          {"github.com/nats-io/nats.go", "github.com/twmb/franz-go/pkg/", "github.com/minio/minio-go/v7/pkg/credentials", "golang.org/x/oauth2"},
	"metrics":                              {"github.com/prometheus/client_golang/prometheus"},
	"cmd/ferry/internal/systemd":           {"github.com/coreos/go-systemd/v22/"},
	"cmd/ferry/internal/top":               {"charm.land/bubbletea/v2"},
	"config":                               {"golang.org/x/crypto/nacl/secretbox", "golang.org/x/text/unicode/norm"}, // rclone's encrypted file
	"disk":                                 {"golang.org/x/sys/"},
	"serve":                                {"golang.org/x/time/rate"}, // rates of users
	"registry":                             {"golang.org/x/oauth2"},    // where the providers are
	"registry/tokens":                      {"golang.org/x/oauth2"},
	"remote/driver/azureblob":              {"github.com/Azure/azure-sdk-for-go/sdk/"},
	"remote/driver/azureblob/entra":        {"golang.org/x/oauth2", "golang.org/x/crypto/pkcs12"},
	"remote/driver/crypt/cipher":           {"github.com/rfjakob/eme", "golang.org/x/crypto/", "golang.org/x/sys/cpu"},
	"remote/driver/dropbox":                {"golang.org/x/oauth2"},
	"remote/driver/drive":                  {"golang.org/x/oauth2"},
	"remote/driver/ftp":                    {"github.com/jlaffaye/ftp"},
	"remote/driver/gcs":                    {"golang.org/x/oauth2"},
	"remote/driver/http":                   {"golang.org/x/net/html"},
	"remote/driver/internal/google":        {"golang.org/x/oauth2"},
	"remote/driver/local":                  {"golang.org/x/sys/"},
	"remote/driver/onedrive":               {"golang.org/x/oauth2"},
	"remote/driver/s3":                     {"github.com/minio/minio-go/v7"},
	"remote/driver/sftp":                   {"github.com/pkg/sftp", "golang.org/x/crypto/ssh", "golang.org/x/sys/"},
	"remote/driver/smb":                    {"github.com/cloudsoda/go-smb2"},
	"remote/network":                       {"golang.org/x/net/proxy"},
	"remote/remotetest/badnet":             {"golang.org/x/sys/"},
	"remote/remotetest/servers/natsserver": {"github.com/nats-io/nats-server/v2/", "github.com/nats-io/jwt/v2", "github.com/nats-io/nkeys"},
	"cluster/nats":                         {"github.com/nats-io/nats.go"},
	"cluster/nats/cause":                   {"github.com/nats-io/nats.go"},
	"remote/remotetest/servers/sshserver":  {"golang.org/x/crypto/ssh"},
	"remote/wrap/filter":                   {"golang.org/x/text/unicode/norm"}, // which names look alike is for Unicode to say
	"remote/wrap/limit":                    {"golang.org/x/time/rate"},
	"serve/proxyheader":                    {"github.com/pires/go-proxyproto"},
	"serve/users":                          {"github.com/pelletier/go-toml/v2"},
}

// testUses names what tests of packages may import besides. Where it is of this module, those tests
// are external.
var testUses = map[string][]string{
	"acme":                          {"ferry/acme/acmetest"},
	"bench/phantom":                 {"github.com/minio/minio-go/v7"}, // they ask as a driver does
	"cmd/ferry":                     {"github.com/rogpeppe/go-internal/"},
	"cmd/ferry/internal/prompt":     {"golang.org/x/sys/"}, // they open terminals
	"feed/source":                   {"github.com/nats-io/nats-server/v2/"},
	"ftp":                           {"ferry/auth", "ferry/cache", "ferry/serve", "ferry/vfs", "ferry/writeback"}, // dialogues run on real trees
	"remote/driver/ftp":             {"ferry/ftp", "ferry/serve", "ferry/auth", "ferry/vfs"},                      // they talk to a real engine
	"cluster/nats":                  {"github.com/nats-io/nats-server/v2/"},                                       // they start servers of many kinds
	"remote/driver/s3":              {"github.com/johannesboyne/gofakes3"},
	"remote/wrap/intercept":         {"ferry/remote/wrap/"},      // they measure the decorators
	"remote/driver/webdav":          {"golang.org/x/net/webdav"}, // they serve directories by this handler
	"remote/driver/azureblob/entra": {"golang.org/x/crypto/"},
	"vfs":                           {"ferry/remote/driver/crypt", "ferry/remote/driver/union"},                                                                                                    // histories over them
	"test":                          {"github.com/rogpeppe/go-internal/", "github.com/minio/minio-go/v7", "github.com/chromedp/", "golang.org/x/net/webdav", "github.com/nats-io/nats-server/v2/"}, // they look at a bucket as another program does

	"cmd/ferry/internal/serverconfig": {"github.com/spf13/"}, // they parse command lines
	"remote/driver/internal/objects":  {"ferry/remote/driver/internal/objects/objectstest"},
}

// doubles are what any test may put in the place of a real remote, or around one.
var doubles = []string{
	"remote", "remote/driver/memory", "remote/driver/local", "remote/wrap/faulty", "remote/wrap/intercept", "remote/wrap/retry",
	"remote/remotetest", "remote/remotetest/*", "disk/disktest", "cluster", "cluster/clustertest",
}

func TestImportsPointDown(t *testing.T) {
	report(t, checkImports(listPackages(t)))
}

// TestLayersPointDown compares the rows with their order.
func TestLayersPointDown(t *testing.T) {
	if len(layers) > 20 {
		t.Errorf("%d rows: more than 20 nobody keeps in mind", len(layers))
	}
	for i, l := range layers {
		for _, imp := range l.imports {
			if strings.HasSuffix(imp, "*") {
				continue
			}
			if row := layerOf(imp); row > i {
				t.Errorf("%s may import %s, which is above it", strings.Join(l.packages, ", "), imp)
			}
		}
	}
}

// checkImports compares every import with the tables.
func checkImports(pkgs []pkg) []string {
	var findings []string
	for _, p := range pkgs {
		self := relative(p.ImportPath)
		row := layerOf(self)
		if row < 0 {
			findings = append(findings, fmt.Sprintf("%s has no place in layers (internal/house/layers_test.go)", self))
			continue
		}
		for _, imp := range p.Imports {
			if !mayImport(row, self, imp) {
				findings = append(findings, fmt.Sprintf("%s may not import %s", self, imp))
			}
		}
		for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
			external := slices.Contains(p.XTestImports, imp)
			if !mayImport(row, self, imp) && !mayTestImport(row, self, imp, external) {
				findings = append(findings, fmt.Sprintf("tests of %s may not import %s", self, imp))
			}
		}
	}
	return findings
}

// layerOf returns the row of a package, -1 if it has none.
func layerOf(rel string) int {
	return slices.IndexFunc(layers, func(l layer) bool { return matchAny(l.packages, rel) })
}

func mayImport(row int, self, imp string) bool {
	rel, ours := strings.CutPrefix(imp, module+"/")
	if !ours {
		standard := !strings.Contains(strings.SplitN(imp, "/", 2)[0], ".")
		return standard || hasPrefix(libraries[self], imp)
	}
	below := strings.HasPrefix(self, rel+"/") && len(layers[row].imports) > 0 // a driver's own subpackage sees the driver
	part := strings.HasPrefix(rel, self+"/internal/")                         // what a package keeps to itself is a part of it
	return below || part || matchAny(layers[row].imports, rel)
}

// mayTestImport allows in tests besides: the package itself, the doubles, and what the layers below
// may import.
func mayTestImport(row int, self, imp string, external bool) bool {
	rel, ours := strings.CutPrefix(imp, module+"/")
	if (!ours || external) && hasPrefix(testUses[self], imp) {
		return true
	}
	if !ours {
		return false
	}
	if rel == self || matchAny(doubles, rel) {
		return true
	}
	for _, lower := range layers[row].imports {
		if r := layerOf(lower); r >= 0 && lower != "*" && mayImport(r, lower, imp) {
			return true
		}
	}
	return false
}

func hasPrefix(prefixes []string, s string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

func matchAny(patterns []string, rel string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, rel) })
}

// matches reports whether rel is what pattern says.
func matches(pattern, rel string) bool {
	if pattern == "*" {
		return true
	}
	if dir, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(rel, dir+"/")
	}
	return pattern == rel
}

func relative(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}
