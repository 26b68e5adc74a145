package registry

import (
	"context"
	"fmt"
	"strings"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/crypt"
	"ferry/remote/driver/crypt/cipher"
)

func cryptDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "crypt",
			Help: "Another remote, in which names and contents are encrypted",
			Options: together([]config.Option{
				{Name: "remote", Required: true, Help: "Where the encrypted files are: nas:path, nas,option=value:path, /srv/ftp"},
				{Name: "password", Required: true, Obscured: true, Twice: true, Help: "Password that the keys are made of"},
				{Name: "password2", Obscured: true, Twice: true, Help: "Second password, the salt; it should be another one"},
				{Name: "filename_encryption", Default: cipher.Standard, Choices: []string{cipher.Standard, cipher.Obfuscate, cipher.Off}, Help: "How names are kept: standard (encrypted), " +
					"obfuscate (characters are rotated), off (as they are, those of files with a suffix)"},
				{Name: "directory_name_encryption", Default: "true", Help: "Encrypt names of directories, too"},
				{Name: "filename_encoding", Default: "base32", Choices: []string{"base32", "base64", "base32768"}, Help: "How encrypted names are written: base32, base64 (shorter, for " +
					"remotes where upper and lower case differ), base32768 (shorter still where names are counted in characters)"},
				{Name: "suffix", Default: ".bin", Help: "Suffix of files with filename_encryption off; none is none"},
				{Name: "no_data_encryption", Default: "false", Help: "Keep contents as they are"},
				{Name: "pass_bad_blocks", Default: "false", Help: "Read blocks that cannot be decrypted as zeros, with a warning"},
				{Name: "strict_names", Default: "false", Help: "Fail when a name cannot be decrypted, instead of leaving it out"},
				{Name: "show_mapping", Default: "false", Help: "Log the encrypted name of each entry of a listing"},
			},
				ignored("nothing is moved from one remote to another", "server_side_across_configs?"),
			),
		},
		open: openCrypt,
	}
}

func openCrypt(ctx context.Context, path string, v *values) (remote.Remote, error) {
	o := crypt.Options{
		Names: cipher.Options{
			Names:     strings.ToLower(v.str("filename_encryption")),
			PlainDirs: !v.boolean("directory_name_encryption"),
			Encoding:  v.str("filename_encoding"),
			Suffix:    v.str("suffix"),
		},
		PlainData:     v.boolean("no_data_encryption"),
		PassBadBlocks: v.boolean("pass_bad_blocks"),
		StrictNames:   v.boolean("strict_names"),
		ShowMapping:   v.boolean("show_mapping"),
	}
	if v.err != nil {
		return nil, v.err
	}
	if v.str("password") == "" {
		return nil, fmt.Errorf("remote %s: option password is missing: without it nothing can be decrypted", v.remote)
	}
	var err error
	if o.Keys, err = cipher.DeriveKeys(v.str("password"), v.str("password2")); err != nil {
		return nil, fmt.Errorf("remote %s: %w", v.remote, err)
	}
	if path, err = crypt.Path(o, strings.Trim(path, "/")); err != nil {
		return nil, fmt.Errorf("remote %s: %w", v.remote, err)
	}
	below, err := v.open(ctx, joinRemote(v.str("remote"), path))
	if err != nil {
		return nil, err
	}
	r, err := crypt.New(below, o)
	if err != nil {
		_ = below.Close() // nothing was done with it
		return nil, fmt.Errorf("remote %s: %w", v.remote, err)
	}
	return r, nil
}
