package importer

import (
	"fmt"
	"net"
	"regexp"
	"strings"

	"ferry/config"
)

// A param is an option of a remote.
type param struct{ key, value string }

// remoteOf writes a remote of a type, without the options that have no value.
func remoteOf(typ string, params []param, path string) string {
	var b strings.Builder
	b.WriteString(":" + typ)
	for _, p := range params {
		switch {
		case p.value == "":
		case plainValue.MatchString(p.value):
			b.WriteString("," + p.key + "=" + p.value)
		default:
			b.WriteString("," + p.key + `="` + strings.ReplaceAll(p.value, `"`, `""`) + `"`)
		}
	}
	return b.String() + ":" + path
}

var plainValue = regexp.MustCompile(`^[A-Za-z0-9_./-]+$`)

// braces are what the file would take for a placeholder.
var braces = regexp.MustCompile(`\{[a-z_]*\}`)

// checkBraces refuses a text of others that has what stands for something here.
func checkBraces(texts ...string) error {
	for _, s := range texts {
		if braces.MatchString(s) {
			return fmt.Errorf("a path or an option has braces, which would stand for the user or the password")
		}
	}
	return nil
}

// obscured returns a password as remotes have it.
func obscured(password string) string {
	if password == "" {
		return ""
	}
	return config.Obscure(password)
}

// splitHostPort splits an address whose port may be missing.
func splitHostPort(endpoint string) (host, port string) {
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		return endpoint, ""
	}
	return host, port
}
