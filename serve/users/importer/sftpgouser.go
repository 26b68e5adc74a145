package importer

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"maps"
	"slices"
	"strings"
	"time"

	"ferry/serve/users"
)

func key(path string) string { return users.TOMLKey(path) }

// goTime writes milliseconds as a date.
func goTime(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

// goHash returns a hash in the form of the file. SFTPGo writes the salt of PBKDF2 as it is, or in
// base64, and the key in the usual base64; elsewhere both are in base64 with . and without =.
func goHash(hash string) string {
	fields := strings.Split(hash, "$")
	if len(fields) != 5 || !strings.HasPrefix(fields[1], "pbkdf2-") {
		return hash
	}
	salt, kind := []byte(fields[3]), strings.TrimPrefix(fields[1], "pbkdf2-")
	var err error
	if plain, inBase64 := strings.CutPrefix(kind, "b64salt-"); inBase64 {
		kind = plain
		salt, err = base64.StdEncoding.DecodeString(fields[3])
	}
	sum, err2 := base64.StdEncoding.DecodeString(fields[4])
	if err != nil || err2 != nil {
		return hash
	}
	if kind = "pbkdf2-" + kind; kind == "pbkdf2-sha1" {
		kind = "pbkdf2"
	}
	encode := func(b []byte) string { return strings.ReplaceAll(base64.RawStdEncoding.EncodeToString(b), "+", ".") }
	return "$" + kind + "$" + fields[2] + "$" + encode(salt) + "$" + encode(sum)
}

// goSettings sets what users and groups have alike.
func (d *draft) goSettings(t *table, s goSettings) {
	t.number("max_sessions", s.MaxSessions)
	t.size("quota_bytes", s.QuotaSize, "B")
	t.number("quota_files", s.QuotaFiles)
	t.size("rate_up", s.UploadBandwidth, "K")
	t.size("rate_down", s.DownloadBandwidth, "K")
	if s.UploadTransfer > 0 || s.DownloadTransfer > 0 || s.TotalTransfer > 0 {
		d.say(t.name, "a limit of what is transferred in all: there is none here")
	}
	for _, path := range slices.Sorted(maps.Keys(s.Permissions)) {
		d.goPermissions(t, path, s.Permissions[path])
	}
	d.goFilters(t, s.Filters)
	d.goLogin(t, s.Filters)
}

// goVerbs are the verbs that SFTPGo's permissions stand for.
func goVerbs() map[string][]string {
	return map[string][]string{
		"list": {"list"}, "download": {"download"}, "upload": {"upload"}, "overwrite": {"overwrite"},
		"delete": {"delete", "rmdir"}, "delete_files": {"delete"}, "delete_dirs": {"rmdir"},
		"rename": {"rename"}, "rename_files": {"rename"}, "rename_dirs": {"rename"},
		"create_dirs": {"mkdir"}, "chmod": {"chmod"}, "chtimes": {"mtime"},
		"chown": {}, "create_symlinks": {}, "copy": {},
	}
}

// goPermissions sets what may be done below a path.
func (d *draft) goPermissions(t *table, path string, words []string) {
	name := "permissions." + key(path)
	if slices.Contains(words, "*") {
		t.list(name, []string{"all"})
		return
	}
	known, verbs := goVerbs(), []string{}
	for _, word := range words {
		more, ok := known[word]
		if !ok {
			d.say(t.name, "permission %q: there is none of that name here", word)
		}
		verbs = append(verbs, more...)
	}
	has := func(word string) bool { return slices.Contains(words, word) }
	if has("upload") && has("overwrite") {
		verbs = append(verbs, "resume")
	}
	if !slices.Contains(verbs, "rename") && slices.Contains(verbs, "delete") && has("upload") {
		verbs = append(verbs, "rename")
		d.say(t.name, "permission to rename was added: SFTPGo lets whoever may delete and upload rename")
	}
	if has("rename_files") != has("rename_dirs") && !has("rename") {
		d.say(t.name, "permission to rename files, or directories, alone: rename is for both")
	}
	if has("copy") && !(has("download") && has("upload")) {
		d.say(t.name, "permission to copy: it needs download and upload here")
	}
	slices.Sort(verbs)
	t.list(name, slices.Compact(verbs))
}

// goFilters sets the restrictions of files and addresses.
func (d *draft) goFilters(t *table, f goFilters) {
	t.size("max_file_size", f.MaxUploadFileSize, "B")
	// Who is allowed is not denied there, so that the one list says all.
	if len(f.AllowedIP) > 0 {
		d.goNetworks(t, "allow", f.AllowedIP)
	} else if len(f.DeniedIP) > 0 {
		d.goNetworks(t, "deny", f.DeniedIP)
	}
	if len(f.BandwidthLimits) > 0 {
		d.say(t.name, "bandwidth by address: rate_up and rate_down are for all addresses")
	}
	if f.StartDirectory != "" {
		t.text("start", f.StartDirectory)
	}
	var patterns []string
	for _, p := range f.FilePatterns {
		text := "{path = " + users.TOMLString(p.Path)
		if len(p.AllowedPatterns) > 0 {
			text += ", allow = " + users.TOMLStrings(p.AllowedPatterns)
		}
		if len(p.DeniedPatterns) > 0 {
			text += ", deny = " + users.TOMLStrings(p.DeniedPatterns)
		}
		if p.DenyPolicy == 1 {
			text += ", hide = true"
		}
		patterns = append(patterns, text+"}")
	}
	if len(patterns) > 0 {
		t.set("patterns", "["+strings.Join(patterns, ", ")+"]")
	}
}

func (d *draft) goNetworks(t *table, name string, list []string) {
	var networks []string
	for _, s := range list {
		network, ok := networkOf(s)
		if !ok {
			d.disable(t, "%s: %q is no network", name, s)
			continue
		}
		networks = append(networks, network)
	}
	t.list(name, networks)
}

// goLogin sets how somebody logs in.
func (d *draft) goLogin(t *table, f goFilters) {
	d.goCerts(t, f)
	if slices.Contains(f.DeniedProtocols, "FTP") {
		d.disable(t, "FTP is denied")
	}
	if slices.Contains(f.DeniedLoginMethods, "password") {
		t.drop("password")
		d.say(t.name, "a password is denied: only a certificate is left to log in by")
	}
	if f.FTPSecurity == 1 {
		t.set("require_tls", "true")
	}
	if f.IsAnonymous {
		t.text("auth", string(users.AuthNone))
		t.drop("password")
		t.drop("permissions.")
		t.list("permissions."+key("/"), []string{"read-only"})
	}
	if f.PasswordExpiration > 0 {
		d.say(t.name, "passwords that expire after some days: {hash, expires} has a date")
	}
	if f.TOTPConfig.Enabled || len(f.TwoFactorProtocols) > 0 {
		d.say(t.name, "a second factor: none is asked for here")
	}
	var hours []string
	for _, a := range f.AccessTime {
		to := a.To
		if to == "23:59" {
			to = "24:00"
		}
		day := "no day"
		if a.DayOfWeek >= 0 && a.DayOfWeek < 7 {
			day = time.Weekday(a.DayOfWeek).String()[:3]
		}
		hours = append(hours, day+" "+a.From+"-"+to)
	}
	if len(hours) > 0 {
		t.list("hours", hours)
		t.text("timezone", "UTC")
		d.say(t.name, "hours are taken for UTC, as SFTPGo does unless its configuration has another zone: correct timezone if it has")
	}
}

// goCerts sets the certificates that are as good as a password.
func (d *draft) goCerts(t *table, f goFilters) {
	if slices.Contains(f.DeniedLoginMethods, "TLSCertificate") {
		return
	}
	var certs []string
	if f.TLSUsername == "CommonName" {
		certs = append(certs, "cn:{user}")
	}
	for _, text := range f.TLSCerts {
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			d.say(t.name, "a certificate is not PEM, and left out")
			continue
		}
		sum := sha256.Sum256(block.Bytes)
		certs = append(certs, "sha256:"+hex.EncodeToString(sum[:]))
	}
	if len(certs) > 0 {
		t.list("client_cert", certs)
	}
}
