package compress

import (
	"bufio"
	"compress/flate"
	"context"
	"fmt"
	"io"

	"ferry/remote"
)

// Open implements remote.Remote. Of a compressed file the block is decompressed that off is in, and
// those after it.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	f, err := r.find(ctx, name)
	switch {
	case err != nil:
	case off < 0:
		err = remote.ErrInvalid
	case f.entry.Dir:
		err = remote.ErrIsDir
	case f.side.Mode == modeZstd:
		err = fmt.Errorf("it is compressed by zstd, which is not read here: let rclone serve webdav this remote: %w", remote.ErrUnsupported)
	}
	if err != nil {
		return nil, remote.Renamed("open", name, err)
	}
	left := max(0, f.entry.Size-off)
	if n >= 0 {
		left = min(left, n)
	}
	if f.side.Mode == modePlain || left == 0 {
		if left == 0 {
			return &part{file: f, text: io.NopCloser(nil)}, nil
		}
		body, err := r.below.Open(ctx, f.content, off, n)
		return body, remote.Renamed("open", name, err)
	}
	start, plain := f.side.Gzip.from(off)
	body, err := r.below.Open(ctx, f.content, start, -1)
	if err != nil {
		return nil, remote.Renamed("open", name, err)
	}
	return &part{body: body, text: flate.NewReader(bufio.NewReaderSize(body, 64<<10)), file: f, skip: off - plain, left: left}, nil
}

// part reads a part of a file.
type part struct {
	body io.ReadCloser // compressed
	text io.ReadCloser
	file file
	skip int64 // bytes of text before the part
	left int64
}

// Read implements io.Reader.
func (p *part) Read(b []byte) (int, error) {
	if p.skip > 0 {
		n, err := io.CopyN(io.Discard, p.text, p.skip)
		p.skip -= n
		if err != nil {
			return 0, p.fault(err)
		}
	}
	if p.left == 0 {
		return 0, io.EOF
	}
	n, err := p.text.Read(b[:min(int64(len(b)), p.left)])
	if p.left -= int64(n); p.left == 0 || err == nil {
		return n, nil
	}
	return n, p.fault(err)
}

// fault makes an error of decompressing one of the file. The end has come too soon.
func (p *part) fault(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = remote.Final(fmt.Errorf("the file is shorter than it should be: %w", io.ErrUnexpectedEOF))
	} else if _, ok := err.(flate.CorruptInputError); ok {
		err = remote.Final(fmt.Errorf("the file is damaged: %w", err))
	}
	return remote.Renamed("read", p.file.entry.Name, err)
}

// Close implements io.Closer.
func (p *part) Close() error {
	if p.body == nil {
		return nil
	}
	return p.body.Close()
}
