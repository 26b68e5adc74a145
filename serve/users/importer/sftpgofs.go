package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Providers of SFTPGo's file systems.
const (
	goLocal = iota
	goS3
	goGCS
	goAzure
	goCrypted
	goSFTP
)

type (
	goFilesystem struct {
		Provider int `json:"provider"`
		S3       struct {
			Bucket      string   `json:"bucket"`
			KeyPrefix   string   `json:"key_prefix"`
			Region      string   `json:"region"`
			AccessKey   string   `json:"access_key"`
			Secret      goSecret `json:"access_secret"`
			RoleARN     string   `json:"role_arn"`
			Token       string   `json:"session_token"`
			Endpoint    string   `json:"endpoint"`
			Class       string   `json:"storage_class"`
			ACL         string   `json:"acl"`
			PartSize    int64    `json:"upload_part_size"` // MB
			Concurrency int64    `json:"upload_concurrency"`
			PathStyle   bool     `json:"force_path_style"`
			SkipVerify  bool     `json:"skip_tls_verify"`
		} `json:"s3config"`
		GCS struct {
			Bucket      string   `json:"bucket"`
			KeyPrefix   string   `json:"key_prefix"`
			Credentials goSecret `json:"credentials"`
			Automatic   int      `json:"automatic_credentials"`
			Class       string   `json:"storage_class"`
		} `json:"gcsconfig"`
		Azure struct {
			Container string   `json:"container"`
			Account   string   `json:"account_name"`
			Key       goSecret `json:"account_key"`
			SAS       goSecret `json:"sas_url"`
			Endpoint  string   `json:"endpoint"`
			KeyPrefix string   `json:"key_prefix"`
			Tier      string   `json:"access_tier"`
		} `json:"azblobconfig"`
		SFTP struct {
			Endpoint     string   `json:"endpoint"`
			Username     string   `json:"username"`
			Password     goSecret `json:"password"`
			Key          goSecret `json:"private_key"`
			Passphrase   goSecret `json:"key_passphrase"`
			Fingerprints []string `json:"fingerprints"`
			Prefix       string   `json:"prefix"`
		} `json:"sftpconfig"`
	}
	goSecret struct {
		Status  string `json:"status"`
		Payload string `json:"payload"`
	}
)

// words are what a remote has placeholders for. What is obscured has none.
var words = regexp.MustCompile(`\{[a-z_]*\}`)

// open returns a secret for an option. One that is encrypted cannot be opened, and is missing then.
func (d *draft) open(t *table, s goSecret, option string) string {
	if s.Status == "Plain" && !strings.HasSuffix(option, "pass") && words.MatchString(s.Payload) {
		d.disable(t, "%s has a word in braces, which is a placeholder in a remote: put the remote with it into the configuration and name it here", option)
		return ""
	}
	if s.Status == "Plain" {
		return s.Payload
	}
	if s.Status != "" && s.Payload != "" || s.Status == "Redacted" {
		d.disable(t, "%s is encrypted with SFTPGo's own key (%s): write it into the options of the remote, as %s=...", option, s.Status, option)
	}
	return ""
}

// goPath puts the user into a path of SFTPGo.
func goPath(s string) string { return strings.ReplaceAll(s, "%username%", "{user}") }

// goRemote sets the remote of a user or a group.
func (d *draft) goRemote(t *table, s goSettings) {
	remote, err := d.goRemoteOf(t, s.Filesystem, s.HomeDir)
	if err != nil {
		d.disable(t, "%v: set remote", err)
		return
	}
	t.text("remote", remote)
	if s.Filesystem.Provider == goLocal {
		t.set("create_home", "true")
	}
}

// goRemoteOf returns the remote that a file system is; home is its directory if it is local.
func (d *draft) goRemoteOf(t *table, f goFilesystem, home string) (string, error) {
	typ, params, path := "", []param(nil), ""
	switch f.Provider {
	case goLocal:
		if home == "" {
			return "", fmt.Errorf("there is no home_dir")
		}
		path = home
	case goS3:
		typ, params, path = d.goS3(t, f)
	case goGCS:
		c := f.GCS
		auto := ""
		if c.Automatic == 1 {
			auto = "true"
		}
		typ, path = "gcs", join(c.Bucket, c.KeyPrefix)
		params = []param{{"service_account_credentials", d.open(t, c.Credentials, "service_account_credentials")}, {"env_auth", auto}, {"storage_class", c.Class}}
	case goAzure:
		c := f.Azure
		typ, path = "azureblob", join(c.Container, c.KeyPrefix)
		params = []param{{"account", c.Account}, {"key", d.open(t, c.Key, "key")}, {"sas_url", d.open(t, c.SAS, "sas_url")},
			{"endpoint", c.Endpoint}, {"access_tier", strings.ToLower(c.Tier)}}
	case goSFTP:
		typ, params, path = d.goSFTP(t, f)
	case goCrypted:
		return "", fmt.Errorf("files are encrypted as SFTPGo does it, which ferry cannot read")
	default:
		return "", fmt.Errorf("ferry has no file system of the kind %d", f.Provider)
	}
	texts := []string{path}
	for _, p := range params {
		texts = append(texts, p.value)
	}
	if err := checkBraces(texts...); err != nil {
		return "", err
	}
	if i := slices.IndexFunc(texts, func(s string) bool { return strings.Contains(s, "%role%") }); i >= 0 {
		return "", fmt.Errorf("%%role%% stands for nothing here")
	}
	if typ == "" {
		return goPath(path), nil
	}
	for i := range params {
		params[i].value = goPath(params[i].value)
	}
	return remoteOf(typ, params, goPath(path)), nil
}

func join(bucket, prefix string) string {
	return strings.TrimSuffix(bucket+"/"+strings.Trim(prefix, "/"), "/")
}

func (d *draft) goS3(t *table, f goFilesystem) (typ string, params []param, path string) {
	c := f.S3
	provider, style := "AWS", ""
	if c.Endpoint != "" {
		provider = "Other"
	}
	if c.PathStyle {
		style = "true"
	}
	if c.SkipVerify {
		d.say(t.name, "skip_tls_verify: there is --no-check-certificate, for all remotes")
	}
	env := ""
	if c.AccessKey == "" {
		env = "true"
	}
	params = []param{
		{"provider", provider}, {"env_auth", env}, {"access_key_id", c.AccessKey}, {"secret_access_key", d.open(t, c.Secret, "secret_access_key")},
		{"session_token", c.Token}, {"role_arn", c.RoleARN}, {"region", c.Region}, {"endpoint", c.Endpoint},
		{"storage_class", c.Class}, {"acl", c.ACL}, {"force_path_style", style},
	}
	if c.PartSize > 0 {
		params = append(params, param{"chunk_size", fmt.Sprint(c.PartSize) + "M"})
	}
	if c.Concurrency > 0 {
		params = append(params, param{"upload_concurrency", fmt.Sprint(c.Concurrency)})
	}
	return "s3", params, join(c.Bucket, c.KeyPrefix)
}

func (d *draft) goSFTP(t *table, f goFilesystem) (typ string, params []param, path string) {
	c := f.SFTP
	host, port := splitHostPort(c.Endpoint)
	if len(c.Fingerprints) > 0 {
		d.say(t.name, "fingerprints of the SFTP server: put its key into ~/.ssh/known_hosts")
	}
	params = []param{
		{"host", host}, {"port", port}, {"user", c.Username}, {"pass", obscured(d.open(t, c.Password, "pass"))},
		{"key_pem", strings.ReplaceAll(strings.TrimSpace(d.open(t, c.Key, "key_pem")), "\n", `\n`)},
		{"key_file_pass", obscured(d.open(t, c.Passphrase, "key_file_pass"))},
	}
	return "sftp", params, c.Prefix
}

// goFolders makes mounts of virtual folders, which a dump has apart.
func (d *draft) goFolders(t *table, folders, all []goFolder) {
	for _, f := range folders {
		if i := slices.IndexFunc(all, func(o goFolder) bool { return o.Name == f.Name }); i >= 0 {
			f.MappedPath, f.Filesystem = all[i].MappedPath, all[i].Filesystem
		}
		remote, err := d.goRemoteOf(t, f.Filesystem, f.MappedPath)
		if err != nil {
			d.say(t.name, "folder %s: %v: it is left out", f.VirtualPath, err)
			continue
		}
		t.text("mounts."+key(f.VirtualPath), remote)
		if f.QuotaSize > 0 || f.QuotaFiles > 0 {
			d.say(t.name, "folder %s has a quota of its own: there is one for the user alone", f.VirtualPath)
		}
	}
}
