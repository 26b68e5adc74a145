package ftp_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"ferry/ftp"
)

var update = flag.Bool("update", false, "write the files that tests generate")

// standards are the commands that each RFC defines.
var standards = []struct {
	rfc, title string
	commands   string
}{
	{"RFC 959", "File Transfer Protocol", "USER PASS ACCT CWD CDUP SMNT QUIT REIN PORT PASV TYPE STRU MODE RETR STOR STOU APPE ALLO REST RNFR RNTO ABOR DELE RMD MKD PWD LIST NLST SITE SYST STAT HELP NOOP"},
	{"RFC 1123", "Requirements for Internet Hosts (section 4.1)", "XCUP XCWD XMKD XPWD XRMD"},
	{"RFC 2228", "FTP Security Extensions", "AUTH ADAT PROT PBSZ CCC MIC CONF ENC"},
	{"RFC 2389", "Feature negotiation", "FEAT OPTS"},
	{"RFC 2428", "IPv6 and NATs", "EPRT EPSV"},
	{"RFC 2640", "Internationalization", "LANG"},
	{"RFC 3659", "Extensions to FTP", "MDTM SIZE REST MLST MLSD"},
	{"RFC 4217", "Securing FTP with TLS", "AUTH PBSZ PROT CCC REIN"},
	{"RFC 7151", "HOST command", "HOST"},
	{"Others", "drafts and common extensions", "CLNT MFMT HASH RANG XCRC XMD5 XSHA1 XSHA256 XSHA512 AVBL SITE·HELP SITE·CHMOD SITE·UTIME MFF MFCT COMB LPRT LPSV"},
}

// absent are the commands that are not there, and why.
var absent = map[string]string{
	"SMNT": "there is one tree; several remotes in one tree are a remote of their own",
	"ADAT": "TLS makes its own handshake; no other mechanism is offered",
	"MIC":  "TLS protects the connection as a whole",
	"CONF": "TLS protects the connection as a whole",
	"ENC":  "TLS protects the connection as a whole",
	"MFF":  "MFMT sets times, SITE CHMOD modes",
	"MFCT": "no remote keeps a creation time that can be set",
	"COMB": "APPE and REST with STOR put a file together",
	"LPRT": "historic (RFC 1639); EPRT took its place",
	"LPSV": "historic (RFC 1639); EPSV took its place",
}

// remarks say what is less than all of a command.
var remarks = map[string]string{
	"ACCT": "202: no account is needed",
	"REIN": "in clear only; 502 under TLS, where it would have to go back to clear text",
	"CCC":  "understood and refused: 534 under TLS, 533 without",
	"TYPE": "A (also N and T), I, L 8; E and L with other sizes are 504",
	"STRU": "F; R and P are 504",
	"MODE": "S and Z (deflate); B and C are 504",
	"LANG": "EN",
	"PROT": "C and P; S and E are 536, which TLS does not offer",
	"OPTS": "UTF8, MLST, HASH, MODE Z",
	"HOST": "any name is accepted and told to the login; before AUTH TLS it chooses the certificate; 504 under TLS for a host with another certificate than was asked for",
	"AUTH": "TLS, and its old name SSL",
}

func TestRFCDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Commands\n\nGenerated from the command table by `go test ./ftp -run TestRFCDocument -update`.\n")
	have := map[string]ftp.CommandInfo{}
	for _, c := range ftp.Commands() {
		have[strings.ReplaceAll(c.Name, " ", "·")] = c
	}
	listed := map[string]bool{}
	for _, s := range standards {
		fmt.Fprintf(&b, "\n## %s: %s\n\n| command | | syntax or reason | specified in |\n|---|---|---|---|\n", s.rfc, s.title)
		for name := range strings.FieldsSeq(s.commands) {
			listed[name] = true
			shown := strings.ReplaceAll(name, "·", " ")
			c, implemented := have[name]
			why := absent[name]
			switch {
			case implemented && why != "":
				t.Errorf("%s is implemented and has a reason why not", shown)
			case implemented:
				text := strings.TrimSpace("`" + strings.TrimSpace(shown+" "+c.Usage) + "` " + remarks[name])
				fmt.Fprintf(&b, "| %s | yes | %s | %s |\n", shown, strings.ReplaceAll(text, "|", `\|`), c.RFC)
			case why == "":
				t.Errorf("%s of %s is not implemented and nobody says why", shown, s.rfc)
			default:
				fmt.Fprintf(&b, "| %s | no | %s | |\n", shown, why)
			}
		}
	}
	for name := range have {
		if !listed[name] {
			t.Errorf("%s is implemented and in no list", name)
		}
	}
	const path = "../doc/rfc.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != b.String() {
		t.Errorf("%s is stale (%v); write it anew with -update", path, err)
	}
}

// TestEveryRowIsWhole looks at what the type system cannot: a row without a section, a name twice.
func TestEveryRowIsWhole(t *testing.T) {
	var names []string
	for _, c := range ftp.Commands() {
		if c.RFC == "" {
			t.Errorf("%s does not say where it is specified", c.Name)
		}
		if slices.Contains(names, c.Name) {
			t.Errorf("%s is there twice", c.Name)
		}
		names = append(names, c.Name)
	}
}
