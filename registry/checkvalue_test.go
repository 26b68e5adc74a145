package registry

import (
	"strings"
	"testing"

	"ferry/config"
)

func TestValuesThatCannotBe(t *testing.T) {
	for setting, want := range map[string]string{
		"crypt filename_encryption=none":   "it is one of standard, obfuscate, off",
		"crypt filename_encoding=base16":   "it is one of base32, base64, base32768",
		"crypt no_data_encryption=perhaps": "option no_data_encryption: it is true or false",
		"union create_policy=best":         "it is one of all, epall",
		"dropbox batch_mode=hunter2":       "it is one of sync, async, off",
		"sftp port=hunter2":                "option port: it is a whole number",
		"sftp idle_timeout=hunter2":        "use for example 90s",
		"s3 chunk_size=hunter2":            "use a number with K, M, G",
		"sftp hots=hunter2":                `type sftp has no option "hots": did you mean host? "ferry help backends sftp"`,
		"sftp entirely_another=hunter2":    `type sftp has no option "entirely_another": "ferry help`,

		"crypt filename_encryption=Off": "", "crypt no_data_encryption=1": "", "sftp port=2222": "", "sftp idle_timeout=0": "",
		"s3 chunk_size=8M": "", "s3 upload_cutoff=off": "", "s3 description=anything": "", "sftp port=": "", "drive disable_http2=whatever": "",
	} {
		typ, rest, _ := strings.Cut(setting, " ")
		name, value, _ := strings.Cut(rest, "=")
		of, err := config.Sources{Types: Types()}.Type(typ)
		if err != nil {
			t.Fatal(err)
		}
		err = CheckOption(of, name, value)
		if want == "" && err == nil {
			continue
		}
		if err == nil || want == "" || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", setting, err, want)
		}
	}
}

// TestDefaultsCanBeSet, and so what kind of option CheckValue takes one for.
func TestDefaultsCanBeSet(t *testing.T) {
	for _, of := range Types() {
		for _, o := range of.Options {
			if err := CheckValue(o, o.Default); err != nil {
				t.Errorf("%s %s: %v", of.Name, o.Name, err)
			}
		}
	}
}
