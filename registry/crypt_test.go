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

// Names that are encrypted again at each turn would be too long before the circle is too deep.
func TestACircleOfSectionsIsCalledThat(t *testing.T) {
	file := "[a]\ntype = alias\nremote = r:x\n[r]\ntype = crypt\nremote = a:y\npassword = " + config.Obscure("potato") + "\n"
	for _, name := range []string{"a:", "r:", "r:z"} {
		if _, err := openFrom(t, file, name); err == nil || !strings.Contains(err.Error(), "made of remotes that are made of it") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrorsOfValuesSayHowTheyAreWritten(t *testing.T) {
	file := "[s]\ntype = smb\nhost = h\n[one]\ntype = onedrive\n[d]\ntype = dropbox\n"
	for remoteString, want := range map[string]string{
		"s,hide_special_share=hunter2:":       "option hide_special_share cannot be read: it is true or false",
		"s,port=hunter2:":                     "option port cannot be read: it is a whole number",
		"s,idle_timeout=hunter2:":             "use for example 90s",
		"s,encoding=hunter2:":                 "such as Slash,Ctl,InvalidUtf8",
		"one,chunk_size=hunter2:":             "use a number with K, M, G",
		"one,hash_type=hunter2:":              "auto, quickxor",
		"one,tenant_url='https://x/hunter2':": "tenant_url is not supported",
		"d,batch_mode=hunter2:":               "sync, async or off",
		"d,shared_files=true:":                "add the files to your Dropbox",
	} {
		if _, err := openFrom(t, file, remoteString); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", remoteString, err, want)
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
