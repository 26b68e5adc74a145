package s3

import (
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/encrypt"

	"ferry/budget"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/nameenc"
	"ferry/remote/network"
)

// DirMoveLimit is how many objects of a directory are moved unless Options say otherwise.
const DirMoveLimit = objects.DirMoveLimit

// Options are what New may be told. The zero value is Amazon's S3 in us-east-1 without credentials.
type Options struct {
	Provider string // name of one of Providers, or empty: decides what differs from Amazon's
	Endpoint string // host, host:port or URL; empty is Amazon's
	Region   string // empty is us-east-1, and on Amazon the one of each bucket

	// Credentials. Without any, requests are not signed.
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	EnvAuth         bool   // take them from the environment, the shared credentials file or the machine's role
	CredentialsFile string // the shared credentials file; empty is the usual one
	Profile         string // in that file
	V2Auth          bool   // sign by the old scheme
	Role            Role

	ServerModTime bool // modification times are those of the upload, whatever was set

	Accelerate bool // use Amazon's accelerated endpoint
	DualStack  bool // use Amazon's endpoint that has an IPv6 address too

	Network network.Options

	PathStyle   *bool // the bucket is in the path of the URL, not in its host; nil is as the provider likes it
	ListVersion int   // 1 or 2; 0 is as the provider likes it
	ListChunk   int   // entries asked for at once; 0 is 1000

	ChunkSize       int64 // bytes in a part, at least 5 MiB; 0 is 5 MiB
	Concurrency     int   // parts of a file sent at once; 0 is 4
	MaxParts        int   // parts of a file at most; 0 is 10000
	CopyCutoff      int64 // files above are copied in parts of that size; 0 is 5 GB, the most that there can be
	LeaveParts      bool  // leave the parts of an upload that failed, for inspection
	UnsignedPayload bool  // do not let the signature cover the content; Content-MD5 does instead, unless DisableChecksum
	DisableChecksum bool  // see UnsignedPayload

	ACL                string // of new objects, as private or public-read
	BucketACL          string // of new buckets; empty is as ACL
	StorageClass       string // of new objects
	LocationConstraint string // of new buckets; empty is Region

	ServerSideEncryption string // AES256 or aws:kms
	KMSKeyID             string
	CustomerKey          string // 32 bytes with which the server encrypts (SSE-C)
	CustomerKeyBase64    string // the same in base64
	CustomerKeyMD5       string // its checksum, to find mistakes in it

	DirMoveLimit int // objects of a directory that is renamed, at most; 0 is DirMoveLimit, below 0 no limit

	DropParts  bool          // an upload that was cut leaves nothing
	PartMaxAge time.Duration // for which an unfinished upload can be continued; 0 = for ever

	NoMarkers bool             // Mkdir stores nothing
	Encoding  nameenc.Encoding // how names are spelled in keys
	OddNames  bool             // see objects.Names
	MaxName   int              // longest element of a name in bytes, where objects are files in the end; 0 is only S3's own limit

	tick   time.Duration // see objects.Config
	quirks quirks
	host   string // what Endpoint says, with the port
	secure bool
	sse    encrypt.ServerSide
}

const (
	minPart     = 5 << 20 // S3 takes no smaller part, the last one excepted
	maxCopy     = 5 << 30 // nor copies more at once
	noCutoff    = 1 << 60 // longer than any object
	defaultHost = "s3.amazonaws.com"
)

// complete fills in what is not set and checks the rest.
func (o *Options) complete() error {
	// Those are never in a name, so that their look-alikes stand for nothing but themselves.
	o.Encoding &^= nameenc.Slash | nameenc.Dot
	if o.Network.Memory == nil {
		o.Network.Memory = budget.New(0)
	}
	p, ok := provider(o.Provider)
	if !ok {
		return fmt.Errorf("s3: there is no provider %q: Other is any that is not known", o.Provider)
	}
	o.quirks = p.quirks
	setDefault(&o.ListChunk, 1000)
	setDefault(&o.ChunkSize, max(minPart, p.minPart))
	setDefault(&o.Concurrency, 4)
	setDefault(&o.MaxParts, 10000)
	setDefault(&o.CopyCutoff, maxCopy)
	switch {
	case p.noACL && (o.ACL != "" && o.ACL != "private" || o.BucketACL != "" && o.BucketACL != "private"):
		return fmt.Errorf("s3: provider %s has no access lists: leave acl and bucket_acl empty, and share the bucket by its own rules", p.Name)
	case o.ChunkSize < minPart:
		return errors.New("s3: chunk_size is below 5Mi, which no server takes: set it to 5Mi or more")
	case o.Concurrency < 1:
		return errors.New("s3: upload_concurrency is below 1: set it to 1 or more")
	case o.CopyCutoff < 2*minPart || o.CopyCutoff > maxCopy:
		return errors.New("s3: copy_cutoff is not between 10Mi and 5Gi")
	case o.ListChunk < 1:
		return errors.New("s3: list_chunk is below 1: set it to 1 or more")
	case o.ListVersion < 0 || o.ListVersion > 2:
		return errors.New("s3: list_version is not 0, 1 or 2")
	case o.MaxParts < 2:
		return errors.New("s3: max_upload_parts is below 2: set it to 2 or more")
	case (o.AccessKeyID == "") != (o.SecretAccessKey == ""):
		return errors.New("s3: only one of access_key_id and secret_access_key is set: set both, or env_auth to take them from the environment")
	}
	if err := o.completeEndpoint(p); err != nil {
		return err
	}
	o.completeQuirks()
	return o.completeEncryption()
}

// completeQuirks keeps within what the provider can do.
func (o *Options) completeQuirks() {
	o.ChunkSize = max(o.ChunkSize, o.quirks.minPart)
	if o.quirks.maxParts > 0 {
		o.MaxParts = min(o.MaxParts, o.quirks.maxParts)
	}
	if o.quirks.wholeCopies {
		o.CopyCutoff = noCutoff
	}
	if o.quirks.noACL {
		o.ACL, o.BucketACL = "", ""
	}
}

func setDefault[T int | int64](value *T, def T) {
	if *value == 0 {
		*value = def
	}
}

// completeEndpoint reads Endpoint, or makes it of what is known of the provider.
func (o *Options) completeEndpoint(p Provider) error {
	if o.Region == "" {
		o.Region = p.Region
	}
	text := o.Endpoint
	switch {
	case text != "":
	case p.Name == "AWS":
		o.host, o.secure = defaultHost, true
		return nil
	case p.Endpoint == "":
		return fmt.Errorf("s3: the option endpoint is missing: provider %s needs the host of the server", p.Name)
	case o.Region == "" && strings.Contains(p.Endpoint, "REGION"):
		return fmt.Errorf("s3: the option region is missing: provider %s has a server in each (%s); or set endpoint", p.Name, p.Endpoint)
	default:
		text = strings.Replace(p.Endpoint, "REGION", o.Region, 1)
	}
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return errors.New("s3: the option endpoint is not a host, host:port or http(s):// URL without a path")
	}
	o.host, o.secure = u.Host, u.Scheme == "https"
	return nil
}

// completeEncryption reads the options of encryption on the server's side.
func (o *Options) completeEncryption() error {
	key := []byte(o.CustomerKey)
	if o.CustomerKeyBase64 != "" {
		if len(key) != 0 {
			return errors.New("s3: both sse_customer_key and sse_customer_key_base64 are set: set one of them")
		}
		var err error
		if key, err = base64.StdEncoding.DecodeString(o.CustomerKeyBase64); err != nil {
			return errors.New("s3: the option sse_customer_key_base64 is not base64")
		}
	}
	var err error
	switch {
	case len(key) != 0:
		sum := md5.Sum(key)
		if o.CustomerKeyMD5 != "" && o.CustomerKeyMD5 != base64.StdEncoding.EncodeToString(sum[:]) {
			return errors.New("s3: the option sse_customer_key_md5 does not fit the key: correct one of them")
		}
		if o.sse, err = encrypt.NewSSEC(key); err != nil {
			return errors.New("s3: the option sse_customer_key is not 32 bytes long")
		}
		if !o.secure {
			return errors.New("s3: the option sse_customer_key needs an https endpoint, as the key is sent along")
		}
	case o.ServerSideEncryption == "AES256":
		o.sse = encrypt.NewSSE()
	case o.ServerSideEncryption == "aws:kms":
		if o.sse, err = encrypt.NewSSEKMS(o.KMSKeyID, nil); err != nil {
			return errors.New("s3: the option sse_kms_key_id is not the name of a key")
		}
	case o.ServerSideEncryption != "":
		return errors.New("s3: the option server_side_encryption is neither AES256 nor aws:kms")
	}
	return nil
}

// customer returns the encryption whose key has to come with every request, or nil.
func (o *Options) customer() encrypt.ServerSide {
	if o.sse != nil && o.sse.Type() == encrypt.SSEC {
		return o.sse
	}
	return nil
}
