package registry

import (
	"strings"
	"testing"

	"ferry/config"
	"ferry/remote"
)

// cryptFile is a file of a directory and, in it, remotes of type crypt.
func cryptFile(t *testing.T, options string) string {
	t.Helper()
	return "[disk]\ntype = alias\nremote = " + t.TempDir() + "\n[r]\ntype = crypt\nremote = disk:in\npassword = " + config.Obscure("potato") + "\n" + options
}

func TestAPathOfACryptRemoteIsEncrypted(t *testing.T) {
	file := cryptFile(t, "")
	disk, err := openFrom(t, file, "disk:")
	if err != nil {
		t.Fatal(err)
	}
	if err := disk.Mkdir(t.Context(), "in"); err != nil {
		t.Fatal(err)
	}
	r, err := openFrom(t, file, "r:")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"a", "a/b"} {
		if err := r.Mkdir(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Put(t.Context(), "a/b/f", strings.NewReader("content"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	for remoteString, name := range map[string]string{"r:a/b": "f", "r:/a/": "b/f", "r:": "a/b/f"} {
		below, err := openFrom(t, file, remoteString)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, below, name); got != "content" {
			t.Errorf("%s: %s holds %q", remoteString, name, got)
		}
	}
	for e, err := range disk.List(t.Context(), "in") {
		if err != nil || e.Name == "a" || len(e.Name) != 26 {
			t.Errorf("the directory is called %q below, %v", e.Name, err)
		}
	}
}

func TestCryptThatCannotBeOpened(t *testing.T) {
	for options, want := range map[string]string{
		"filename_encryption = none":          "standard, obfuscate, off",
		"filename_encoding = base16":          "base32, base64, base32768",
		"suffix = a/b":                        "suffix",
		"no_data_encryption = maybe":          "option no_data_encryption",
		"directory_name_encryption = perhaps": "option directory_name_encryption",
	} {
		_, err := openFrom(t, cryptFile(t, options+"\n"), "r:")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "potato") {
			t.Errorf("%s: %v, want %q", options, err, want)
		}
	}
	for file, want := range map[string]string{
		"[r]\ntype = crypt\nremote = r:\npassword = " + config.Obscure("potato") + "\n":           "made of it",
		"[r]\ntype = crypt\nremote = none:\npassword = " + config.Obscure("potato") + "\n":        "none",
		"[r]\ntype = crypt\nremote = /none/at/all\npassword = " + config.Obscure("potato") + "\n": "/none/at/all",
	} {
		_, err := openFrom(t, file, "r:")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "potato") {
			t.Errorf("%q: %v, want %q", file, err, want)
		}
	}
}
