package webdav

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
	"ferry/remote/network"
)

// What PROPFIND asks for (RFC 4918 section 15, RFC 4331 section 3).
const (
	entryProps    = `<d:resourcetype/><d:getcontentlength/><d:getlastmodified/><d:getetag/>`
	owncloudProps = `<oc:permissions/>`
	checksumProps = `<oc:checksums/>`
	quotaProps    = `<d:quota-available-bytes/><d:quota-used-bytes/>`
)

// A response is what a multistatus answer says of one resource (RFC 4918 section 14.24).
type response struct {
	Href      string     `xml:"DAV: href"`
	Status    string     `xml:"DAV: status"`
	Propstats []propstat `xml:"DAV: propstat"`
}

type propstat struct {
	Status string `xml:"DAV: status"`
	Prop   props  `xml:"DAV: prop"`
}

type props struct {
	Collection  *struct{} `xml:"DAV: resourcetype>collection"`
	Length      string    `xml:"DAV: getcontentlength"`
	Modified    string    `xml:"DAV: getlastmodified"`
	ETag        string    `xml:"DAV: getetag"`
	Available   string    `xml:"DAV: quota-available-bytes"`
	Used        string    `xml:"DAV: quota-used-bytes"`
	Permissions string    `xml:"http://owncloud.org/ns permissions"`
	Checksums   []string  `xml:"http://owncloud.org/ns checksums>checksum"`
}

// props returns the properties that the server has, and whether there are any.
func (r *response) props() (props, bool) {
	for _, p := range r.Propstats {
		if statusOf(p.Status) == http.StatusOK {
			return p.Prop, true
		}
	}
	return props{}, false
}

// path returns the directory and the last element of the path that the href names, without a slash
// at its end. Most servers send a path, some a whole URL.
func (r *response) path() (dir, base string) {
	href := strings.TrimSpace(r.Href)
	if scheme := strings.Index(href, "://"); scheme >= 0 && scheme < len("https://") {
		rest := href[scheme+3:]
		href = ""
		if slash := strings.IndexByte(rest, '/'); slash >= 0 {
			href = rest[slash:]
		}
	}
	href = strings.TrimRight(href, "/")
	if slash := strings.LastIndexByte(href, '/'); slash >= 0 {
		return unescape(href[:slash]), unescape(href[slash+1:])
	}
	return "", unescape(href)
}

// unescape decodes percent signs; what is no escape stays as it is.
func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// statusOf reads the code out of "HTTP/1.1 200 OK"; 0 when there is none.
func statusOf(line string) int {
	fields := strings.Fields(line)
	code := 0
	if len(fields) >= 2 {
		fmt.Sscanf(fields[1], "%d", &code)
	}
	return code
}

// propfind asks for properties of u and, with depth "1", of what is in it. The caller closes the
// answer, which is a multistatus or the error.
func (r *Remote) propfind(ctx context.Context, u *url.URL, depth, wanted string) (*http.Response, error) {
	body := `<?xml version="1.0" encoding="utf-8"?>` +
		`<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop>` + wanted + `</d:prop></d:propfind>`
	req := r.client.Request(ctx, "PROPFIND", u, strings.NewReader(body))
	req.Header.Set("Depth", depth)
	req.Header.Set("Content-Type", `application/xml; charset="utf-8"`)
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	if httpclient.IsSlashRedirect(resp) {
		httpclient.Drain(resp)
		return r.propfind(ctx, slashed(u), depth, wanted)
	}
	if resp.StatusCode == http.StatusMultiStatus {
		return resp, nil
	}
	if ok(resp.StatusCode) {
		httpclient.Drain(resp)
		if resp.ContentLength == 0 {
			return nil, errNothing
		}
		return nil, errNoDAV
	}
	return nil, httpclient.Refused(resp)
}

var (
	errNoDAV   = errors.New("what answers is not a WebDAV server: check the option url")
	errNothing = fmt.Errorf("%w (it answers nothing)", errNoDAV)
)

// slashed returns u with a slash behind the path.
func slashed(u *url.URL) *url.URL {
	v := *u
	v.Path += "/"
	v.RawPath = u.EscapedPath() + "/"
	return &v
}

// maxResponse is how much the server may say of one resource.
const maxResponse = 1 << 20

// responses reads a multistatus answer piece by piece and gives each response to take, until take
// returns false. An answer that breaks off is an error, and so is a response without end, and an
// answer of more responses than all lets pass.
func responses(body io.Reader, all *network.Listing, take func(*response) bool) error {
	bounded := network.NewBounded(body, maxResponse)
	d := xml.NewDecoder(bounded)
	d.CharsetReader = func(label string, input io.Reader) (io.Reader, error) {
		if l := strings.ToLower(label); l == "utf-8" || l == "us-ascii" || l == "ascii" {
			return input, nil
		}
		return nil, fmt.Errorf("the server sends XML in %q, which is not UTF-8", label)
	}
	inside := false
	for {
		token, err := d.Token()
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		switch element := token.(type) {
		case xml.StartElement:
			switch {
			case element.Name.Local == "multistatus":
				inside = true
			case !inside:
				return errNoDAV
			case element.Name.Local == "response":
				var r response
				if err := all.Entries(1); err != nil {
					return err
				}
				if err := d.DecodeElement(&r, &element); err != nil {
					return err
				}
				if !take(&r) {
					return nil
				}
				bounded.Renew()
			default:
				if err := d.Skip(); err != nil {
					return err
				}
			}
		case xml.EndElement: // of the multistatus, as the others were taken whole
			return atEnd(d)
		}
	}
}

// atEnd makes sure that nothing follows the multistatus. Servers built on golang.org/x/net/webdav
// complete an answer that they had to break off, and write the error behind it.
func atEnd(d *xml.Decoder) error {
	for {
		token, err := d.Token()
		if err == io.EOF {
			return nil
		}
		text, isText := token.(xml.CharData)
		if errors.Is(err, remote.ErrMalformed) {
			return err
		}
		if err != nil || isText && strings.TrimSpace(string(text)) != "" {
			return errors.New("the server broke the listing off")
		}
	}
}
