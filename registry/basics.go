package registry

import (
	"slices"
	"strings"

	"ferry/config"
)

// Basics returns the options of a type that most remotes need, in the order in which they are asked
// for: those of a table, and others that are required.
func Basics(t config.Type) []config.Option {
	var first []config.Option
	for _, word := range basics()[t.Name] {
		name, _, _ := strings.Cut(word, "=")
		if o, ok := t.Option(name); ok && o.Ignored == "" {
			first = append(first, o)
		}
	}
	for _, o := range t.Options {
		if o.Required && !slices.ContainsFunc(first, func(f config.Option) bool { return f.Name == o.Name }) {
			first = append(first, o)
		}
	}
	return first
}

// Example returns the arguments with which ferry config create makes a remote of a type.
func Example(t config.Type) []string {
	var args []string
	seen := map[string]bool{}
	for _, word := range basics()[t.Name] {
		name, value, _ := strings.Cut(word, "=")
		if _, ok := t.Option(name); ok && value != "" {
			seen[name] = true
			args = append(args, word)
		}
	}
	for _, o := range t.Options {
		if o.Required && !seen[o.Name] {
			args = append(args, o.Name+"=VALUE")
		}
	}
	return args
}

// basics are the options that most remotes of a type need, with an example of those that all do.
func basics() map[string][]string {
	ofClient := []string{"client_id=ID", "client_secret=SECRET"}
	return map[string][]string{
		"s3": {"provider=Minio", "endpoint=https://s3.example.org", "region", "env_auth", "access_key_id=KEY", "secret_access_key=SECRET"},
		"b2": {"account=KEYID", "key=KEY"}, "sftp": {"host=nas.example.org", "user=bob", "port", "pass=PASSWORD", "key_file"},
		"smb":                  {"host=nas.example.org", "user=bob", "pass=PASSWORD", "domain"},
		"ftp":                  {"host=ftp.example.org", "user=bob", "pass=PASSWORD", "explicit_tls", "tls"},
		"google cloud storage": append([]string{"service_account_file=/etc/ferry/key.json", "project_number", "env_auth"}, "client_id", "client_secret"),
		"azureblob":            {"account=NAME", "key=KEY", "sas_url"},
		"webdav":               {"url=https://cloud.example.org/dav", "vendor=nextcloud", "user=bob", "pass=PASSWORD"},
		"http":                 {"url=https://www.example.org/pub/"},
		"drive":                append(slices.Clone(ofClient), "scope", "root_folder_id", "service_account_file"),
		"onedrive":             append(slices.Clone(ofClient), "region", "tenant"),
		"dropbox":              ofClient,
		"alias":                {"remote=nas:pictures"},
		"combine":              {`upstreams="photos=nas:photos docs=s3:docs"`},
		"union":                {`upstreams="nas:one nas:two"`},
		"crypt":                {"remote=nas:secret", "password=PASSWORD", "password2", "filename_encryption"},
		"chunker":              {"remote=nas:chunks", "chunk_size"},
		"hasher":               {"remote=nas:files"},
		"compress":             {"remote=nas:files"},
		"cache":                {"remote=nas:files"},
	}
}
