package registry

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/s3"
	"ferry/remote/nameenc"
	"ferry/remote/network"
)

func b2Driver() Driver {
	encoding := nameenc.Slash | nameenc.BackSlash | nameenc.Ctl | nameenc.Del | nameenc.InvalidUtf8 | nameenc.Dot
	return Driver{
		Type: config.Type{
			Name: "b2",
			Help: "Backblaze B2, by its S3 interface",
			Options: together([]config.Option{
				{Name: "account", Required: true, Help: "ID of an application key; the master key is not taken by this interface"},
				{Name: "key", Required: true, Secret: true, Help: "The application key"},
				{Name: "endpoint", Help: "Where the key is asked for its server: https://host:port; empty is Backblaze's own. " +
					"https://s3.REGION.backblazeb2.com is that server itself, and nothing is asked"},
				{Name: "chunk_size", Default: "96Mi", Help: "Length of the parts that a file is uploaded in; shorter ones are one request"},
				{Name: "upload_concurrency", Default: "4", Help: "Parts of one file that are sent at once"},
				{Name: "copy_cutoff", Default: "4Gi", Help: "Files above are copied in parts of that length"},
				{Name: "sse_customer_key", Secret: true, Help: "Key of 32 bytes that the server encrypts with and does not keep"},
				{Name: "sse_customer_key_base64", Secret: true, Help: "The same key in base64"},
				{Name: "sse_customer_key_md5", Help: "MD5 sum of that key in base64, to find mistakes in it"},
				dirMoveLimit(),
				oddNames(),
				{Name: "encoding", Default: encoding.String(), Help: "What in names is written with other characters"},
			},
				keptParts(),
				unused("nothing depends on it: what fits chunk_size is one request", "upload_cutoff"),
				unused("it is always so", "sse_customer_algorithm"),
				unused("contents are read from the S3 interface", "download_url", "download_auth_duration"),
				unused("the signature covers the content", "disable_checksum?"),
				unused(noMemory, "memory_pool_flush_time", "memory_pool_use_mmap?"),
				ignored("a removed file is hidden: let a rule of the bucket (lifecycle) remove old versions", "hard_delete?"),
				ignored("what is served is the newest version", "versions?", "version_at"),
				ignored("rules are set on the bucket", "lifecycle"),
				ignored("it is for tests of other programs", "test_mode"),
			),
		},
		open: openB2,
	}
}

func openB2(ctx context.Context, path string, v *values) (remote.Remote, error) {
	o := s3.Options{
		Network:           v.env.Network,
		Provider:          "Backblaze",
		AccessKeyID:       v.str("account"),
		SecretAccessKey:   v.str("key"),
		ChunkSize:         v.size("chunk_size"),
		Concurrency:       v.integer("upload_concurrency"),
		CopyCutoff:        v.size("copy_cutoff"),
		CustomerKey:       v.str("sse_customer_key"),
		CustomerKeyBase64: v.str("sse_customer_key_base64"),
		CustomerKeyMD5:    v.str("sse_customer_key_md5"),
		DirMoveLimit:      v.integer("dir_move_limit"),
		Encoding:          parse(v, "encoding", nameenc.Parse),
		OddNames:          parse(v, "odd_names", parseOddNames),
		DropParts:         !v.boolean("keep_parts"),
		PartMaxAge:        v.duration("partial_max_age"),
	}
	if v.err != nil {
		return nil, v.err
	}
	at, err := b2Server(ctx, v.env.Network, v.str("endpoint"), o.AccessKeyID, o.SecretAccessKey)
	if err == nil {
		err = at.admits(path)
	}
	if err != nil {
		return nil, fmt.Errorf("remote %s: %w", v.remote, err)
	}
	o.Endpoint, o.Region = at.S3, at.region()
	return s3.New(ctx, path, o)
}

// b2Account is what Backblaze says of a key.
type b2Account struct {
	S3     string `json:"s3ApiUrl"`
	Bucket string `json:"bucketName"` // the only one that the key is for; "" = it is for all
	Prefix string `json:"namePrefix"` // what the names are to begin with that it is for
}

// region is the part of the address of the server that signatures name; "" = it has none.
func (a b2Account) region() string {
	u, err := url.Parse(a.S3)
	if err != nil {
		return ""
	}
	region, ok := strings.CutSuffix(strings.TrimPrefix(u.Hostname(), "s3."), ".backblazeb2.com")
	if !ok {
		return ""
	}
	return region
}

// admits returns an error if the key is for another bucket, or other names, than those of a path.
func (a b2Account) admits(path string) error {
	bucket, name, _ := strings.Cut(strings.Trim(path, "/"), "/")
	switch {
	case a.Bucket == "":
		return nil
	case bucket != a.Bucket:
		return fmt.Errorf("the key is for the bucket %s only: name that in the path", a.Bucket)
	case !strings.HasPrefix(name+"/", a.Prefix):
		return fmt.Errorf("the key is for names that begin with %s only: name that in the path", a.Prefix)
	}
	return nil
}

// b2Wait is how long it may take to ask for the server of a key.
const b2Wait = 30 * time.Second

// b2Server finds out which server a key is for.
func b2Server(ctx context.Context, n network.Options, endpoint, id, key string) (b2Account, error) {
	base := cmp.Or(strings.TrimSuffix(endpoint, "/"), "https://api.backblazeb2.com")
	if !strings.Contains(base, "://") {
		base = "https://" + base
	}
	if strings.HasPrefix(base, "https://s3.") {
		return b2Account{S3: base}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, b2Wait)
	defer cancel()
	transport := n.Transport(1)
	transport.DisableKeepAlives = true
	client := http.Client{Transport: transport, CheckRedirect: network.NotFollowed}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/b2api/v3/b2_authorize_account", nil)
	if err != nil {
		return b2Account{}, errors.New("option endpoint is not the URL of a server: https://host:port")
	}
	q.SetBasicAuth(id, key)
	got, err := client.Do(q)
	if err != nil {
		var why *url.Error
		if errors.As(err, &why) {
			err = why.Err
		}
		var dial *net.OpError
		if errors.As(err, &dial) {
			return b2Account{}, fmt.Errorf("the server of Backblaze cannot be reached, check the network and the option endpoint: %w", err)
		}
		return b2Account{}, err
	}
	defer got.Body.Close()
	return readB2(got, id)
}

// readB2 reads the answer for a key.
func readB2(got *http.Response, id string) (b2Account, error) {
	if got.StatusCode == http.StatusUnauthorized {
		return b2Account{}, errors.New("the key is refused, check the options account and key")
	}
	var says struct {
		AccountID string `json:"accountId"`
		Info      struct {
			Storage b2Account `json:"storageApi"`
		} `json:"apiInfo"`
	}
	err := json.NewDecoder(io.LimitReader(got.Body, 1<<20)).Decode(&says)
	switch {
	case got.StatusCode != http.StatusOK:
		return b2Account{}, fmt.Errorf("the server for keys answers %d, check the option endpoint", got.StatusCode)
	case err != nil || says.Info.Storage.S3 == "":
		return b2Account{}, fmt.Errorf("%w: it does not name an S3 server, check the option endpoint", remote.ErrMalformed)
	case says.AccountID == id:
		return b2Account{}, errors.New("account and key are the master key, which the S3 interface does not take: " +
			"make an application key (App Keys at secure.backblaze.com), and set its keyID as account and its applicationKey as key")
	}
	return says.Info.Storage, nil
}
