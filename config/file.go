package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// maxFileSize bounds the size of a configuration, so that a wrong path does not fill the memory.
const maxFileSize = 64 << 20

// A File is a configuration file, or a configuration in memory only. It is read again when it has
// changed, and written atomically. It may be used by several goroutines.
type File struct {
	path      string // absolute; "" in memory
	passwords Passwords
	locking   Lock // nil = writes hold no lock

	mu    sync.Mutex
	doc   *Document
	key   *fileKey // nil while the file is not encrypted
	stamp stamp    // of the last file read
	bad   error    // error of the last file read
}

// A stamp detects whether a file has changed.
type stamp struct {
	exists  bool
	regular bool // a pipe cannot be read again
	modTime int64
	size    int64
}

// Open reads the configuration file at path, as FilePath understands it. A file that does not exist
// is empty, see Exists.
//
// Passwords are used only if the file is encrypted. Prompt is not called after Open.
func Open(ctx context.Context, path string, passwords Passwords) (*File, error) {
	path, err := FilePath(path)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, passwords: passwords, doc: &Document{}}
	if path == "" {
		return f, nil
	}
	f.passwords.Env = passwords.Env.with("RCLONE_CONFIG_DIR", filepath.Dir(path))
	if err := f.reload(ctx); err != nil {
		return nil, err
	}
	f.passwords.Prompt = nil
	return f, nil
}

// Path returns the absolute path of the file, "" in memory.
func (f *File) Path() string { return f.path }

// Exists reports whether the file existed when it was last read.
func (f *File) Exists() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stamp.exists
}

// Encrypted reports whether the file is encrypted.
func (f *File) Encrypted() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.key != nil
}

// Document returns the current document. If the file has changed and cannot be read, it returns the
// previous document, which is valid, together with the error.
func (f *File) Document(ctx context.Context) (*Document, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh(ctx)
	return f.doc, f.bad
}

// Edit calls change with a draft of the current document and writes the result. If change or
// writing fails, the file and the configuration stay unchanged. A file that cannot be read is not
// overwritten.
func (f *File) Edit(ctx context.Context, change func(*Draft) error) error {
	return f.rewrite(ctx, change, func(key *fileKey) *fileKey { return key })
}

// Encrypt encrypts the file with a password, now and in later writes.
func (f *File) Encrypt(ctx context.Context, password string) error {
	key, err := newFileKey(password)
	if err != nil {
		return err
	}
	return f.rewrite(ctx, nil, func(*fileKey) *fileKey { return key })
}

// Decrypt removes the encryption, now and in later writes.
func (f *File) Decrypt(ctx context.Context) error {
	return f.rewrite(ctx, nil, func(*fileKey) *fileKey { return nil })
}

func (f *File) rewrite(ctx context.Context, change func(*Draft) error, next func(*fileKey) *fileKey) error {
	release, err := f.lock(ctx)
	if err != nil {
		return fmt.Errorf("%s: cannot save: %w", f.path, err)
	}
	defer release()
	return f.write(ctx, false, change, next)
}

// write changes the file; anew has it read again before, also if it looks unchanged.
func (f *File) write(ctx context.Context, anew bool, change func(*Draft) error, next func(*fileKey) *fileKey) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if anew {
		f.reread(ctx)
	} else {
		f.refresh(ctx)
	}
	if f.bad != nil {
		return f.bad
	}
	draft, key := f.doc.Edit(), next(f.key)
	if change != nil {
		if err := change(draft); err != nil {
			return err
		}
	}
	if f.path != "" {
		text := draft.Bytes()
		if key != nil {
			text = key.seal(text)
		}
		if err := WriteFile(f.path, text, Loose); err != nil {
			return fmt.Errorf("%s: cannot save: %w", f.path, err)
		}
		f.stamp = stampOf(os.Stat(f.path))
	}
	f.doc, f.key = draft.Document, key
	return nil
}

// refresh reads the file again if it has changed since it was last read. It stores an error in
// f.bad. If the file was removed, the document stays.
func (f *File) refresh(ctx context.Context) {
	if f.path == "" {
		return
	}
	if now := stampOf(os.Stat(f.path)); now.regular && now != f.stamp {
		f.bad = f.reload(ctx)
	}
}

// reread is refresh for a file that may have been changed without looking changed: within one tick
// of its clock, to the same length.
func (f *File) reread(ctx context.Context) {
	if now := stampOf(os.Stat(f.path)); f.path != "" && now.regular {
		f.bad = f.reload(ctx)
	}
}

// reload reads the file.
func (f *File) reload(ctx context.Context) error {
	text, read, err := readFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if read.exists {
		f.stamp = read
	}
	if err != nil {
		return err
	}
	doc, key, err := f.parse(ctx, text)
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	f.doc, f.key = doc, key
	return nil
}

// parse decrypts text if needed, first with the previous key.
func (f *File) parse(ctx context.Context, text []byte) (*Document, *fileKey, error) {
	var key *fileKey
	box, encrypted, err := cutSealed(text)
	if err == nil && encrypted {
		key, text, err = f.unlock(ctx, box)
	}
	if err != nil {
		return nil, nil, err
	}
	doc, err := ParseDocument(text)
	return doc, key, err
}

func (f *File) unlock(ctx context.Context, box []byte) (*fileKey, []byte, error) {
	if f.key != nil {
		if plain, err := f.key.open(box); err == nil {
			return f.key, plain, nil
		}
	}
	return f.passwords.unlock(ctx, box)
}

// readFile returns the content of the file at path, and its stamp from before the read.
func readFile(path string) ([]byte, stamp, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, stamp{}, err
	}
	defer file.Close()
	s := stampOf(file.Stat())
	text, err := io.ReadAll(io.LimitReader(file, maxFileSize+1))
	if err == nil && len(text) > maxFileSize {
		err = fmt.Errorf("%s: too large for a configuration file", path)
	}
	return text, s, err
}

func stampOf(info fs.FileInfo, err error) stamp {
	if err != nil {
		return stamp{}
	}
	return stamp{exists: true, regular: info.Mode().IsRegular(), modTime: info.ModTime().UnixNano(), size: info.Size()}
}
