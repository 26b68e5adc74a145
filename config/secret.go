package config

import (
	"slices"
	"strings"
)

// obscured are the options of rclone's types that are stored obscured, including types without a
// driver here: a file is shown and edited as a whole.
var obscured = map[string][]string{
	"azureblob":   {"client_certificate_password", "password"},
	"azurefiles":  {"client_certificate_password", "password"},
	"cache":       {"plex_password"},
	"crypt":       {"password", "password2"},
	"fichier":     {"file_password", "folder_password"},
	"filen":       {"api_key", "password"},
	"filescom":    {"password"},
	"ftp":         {"pass"},
	"iclouddrive": {"password"},
	"internxt":    {"pass"},
	"koofr":       {"password"},
	"linkbox":     {"password"},
	"mailru":      {"pass"},
	"mega":        {"pass"},
	"netstorage":  {"secret"},
	"opendrive":   {"password"},
	"pcloud":      {"password"},
	"pikpak":      {"pass"},
	"protondrive": {"mailbox_password", "otp_secret_key", "password"},
	"seafile":     {"library_key", "pass"},
	"sftp":        {"key_file_pass", "pass"},
	"sia":         {"api_password"},
	"smb":         {"pass"},
	"ulozto":      {"password"},
	"webdav":      {"pass"},
}

// secretWords occur in the names of options with secrets: secret_access_key, bearer_token, sas_url.
var secretWords = []string{
	"pass", "secret", "token", "key", "credential", "cookie", "authorization", "mnemonic", "sas_url", "connection_string",
	"access_grant", "headers",
}

// openWords occur in the names of options that sound like secrets but are not, such as the path of
// a key.
var openWords = []string{"key_file", "key_use_agent", "key_exchange", "pubkey", "public_key", "kms_key_id", "key_md5", "_path", "_file", "_command", "token_url", "pass_bad_blocks"}

// IsObscured reports whether an option of a type is stored obscured, see Obscure.
func IsObscured(typ, key string) bool { return slices.Contains(obscured[typ], key) }

// IsSecret reports whether the value of an option is a secret. For an unknown option its name
// decides; in doubt it is a secret.
func IsSecret(typ, key string) bool {
	contains := func(word string) bool { return strings.Contains(key, word) }
	switch {
	case IsObscured(typ, key):
		return true
	case slices.ContainsFunc(openWords, contains):
		return false
	}
	return slices.ContainsFunc(secretWords, contains)
}
