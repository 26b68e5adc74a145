package sftp

import (
	"io"
	"os"

	"github.com/pkg/sftp"
)

// osFiles are the files of this machine under the request server of package sftp. A rename replaces
// nothing.
type osFiles struct{}

func (osFiles) Fileread(r *sftp.Request) (io.ReaderAt, error) { return os.Open(r.Filepath) }

func (osFiles) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	flags := os.O_WRONLY
	if f := r.Pflags(); f.Creat {
		flags |= os.O_CREATE
		if f.Excl {
			flags |= os.O_EXCL
		}
	}
	return os.OpenFile(r.Filepath, flags, 0o644)
}

func (osFiles) Filecmd(r *sftp.Request) error {
	switch r.Method {
	case "Rename":
		if _, err := os.Lstat(r.Target); err == nil {
			return sftp.ErrSSHFxFailure
		}
		return os.Rename(r.Filepath, r.Target)
	case "Remove":
		return os.Remove(r.Filepath)
	case "Setstat":
		if r.AttrFlags().Acmodtime {
			a := r.Attributes()
			return os.Chtimes(r.Filepath, a.AccessTime(), a.ModTime())
		}
		return nil
	}
	return sftp.ErrSSHFxOpUnsupported
}

func (osFiles) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if r.Method == "List" {
		entries, err := os.ReadDir(r.Filepath)
		if err != nil {
			return nil, err
		}
		var infos infos
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				return nil, err
			}
			infos = append(infos, info)
		}
		return infos, nil
	}
	info, err := os.Stat(r.Filepath)
	if err != nil {
		return nil, err
	}
	return infos{info}, nil
}

type infos []os.FileInfo

func (l infos) ListAt(to []os.FileInfo, off int64) (int, error) {
	if off >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[off:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}
