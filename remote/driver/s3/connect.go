package s3

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"ferry/remote/network"
	"ferry/remote/network/sigv4"
)

const (
	idleConnections = 256
	accelerated     = "s3-accelerate.amazonaws.com"
	defaultRegion   = "us-east-1" // of servers that are not Amazon's, which mostly do not care
)

// connect makes the clients. They share their connections.
func (r *Remote) connect() error {
	r.transport = r.opt.Network.Transport(idleConnections)
	r.transport.WriteBufferSize = 64 << 10
	r.transport.ReadBufferSize = 64 << 10
	r.transport.SendDirectly()
	r.keys = r.keysOf(r.opt.credentials())
	var err error
	if r.once, err = r.client(1, nil); err != nil {
		return err
	}
	tries := r.opt.Network.Tries()
	if r.again, err = r.client(tries, nil); err != nil {
		return err
	}
	if region := r.opt.knownRegion(); region != "" && !r.opt.V2Auth && !ownService(r.opt.host) {
		r.unsigned, err = r.client(tries, newDaySigner(r.keys, region))
	}
	return err
}

// newDaySigner returns a signer for buckets in a region.
func newDaySigner(keys *credentials.Credentials, region string) *daySigner {
	return &daySigner{keys, sigv4.Signer{Region: region, Service: "s3"}}
}

// knownRegion returns the region that signatures are for; empty is that of the bucket, which the
// library asks for.
func (o *Options) knownRegion() string {
	if o.Region == "" && o.host != defaultHost {
		return defaultRegion
	}
	return o.Region
}

// ownService reports whether a host wants the signature of another service than S3.
func ownService(host string) bool {
	at := url.URL{Host: host}
	return s3utils.IsAmazonOutpostsEndpoint(at) || s3utils.IsAmazonExpressRegionalEndpoint(at)
}

// client returns one whose requests are signed by sign; nil = by the library.
func (r *Remote) client(attempts int, sign *daySigner) (*minio.Core, error) {
	o := &r.opt
	keys := r.keys
	if sign != nil {
		keys = credentials.NewStatic("", "", "", credentials.SignatureAnonymous)
	}
	c, err := minio.NewCore(o.host, &minio.Options{
		Creds:              keys,
		Secure:             o.secure,
		Transport:          counted{conditional{inMemory{network.Answers(network.Objects(r.transport, lists), harmless), sign}}},
		Region:             o.knownRegion(),
		BucketLookupViaURL: func(_ url.URL, bucket string) minio.BucketLookupType { return r.lookup(bucket) },
		MaxRetries:         attempts,
	})
	if err != nil {
		return nil, errors.New("s3: the option endpoint is not the name of a host")
	}
	c.SetAppInfo("ferry", "1")
	c.SetS3EnableDualstack(o.DualStack)
	if o.Accelerate {
		c.SetS3TransferAccelerate(accelerated)
	}
	return c, nil
}

// harmless reports whether a request concerns a multipart upload before its completion, which
// nobody sees.
func harmless(q *http.Request) bool {
	query := q.URL.Query()
	switch q.Method {
	case http.MethodPut:
		return query.Has("uploadId") // a part
	case http.MethodPost:
		return query.Has("uploads") // the beginning
	case http.MethodDelete:
		return query.Has("uploadId") // the end of one that failed
	}
	return false
}

// lists reports whether a request asks for a list or for a property of a bucket.
func lists(q *http.Request) bool {
	query := q.URL.Query()
	return q.URL.Path == "/" || query.Has("list-type") || query.Has("uploads") || query.Has("location")
}

// lookup decides where the bucket is in URLs. No certificate covers a host of more than one name in
// front of the server's, and an address has none at all.
func (r *Remote) lookup(bucket string) minio.BucketLookupType {
	pathStyle := !r.quirks.hostStyle
	if r.opt.PathStyle != nil {
		pathStyle = *r.opt.PathStyle
	}
	if pathStyle || r.opt.secure && strings.Contains(bucket, ".") || net.ParseIP(hostOnly(r.opt.host)) != nil {
		return minio.BucketLookupPath
	}
	return minio.BucketLookupDNS
}

func hostOnly(hostPort string) string {
	if host, _, err := net.SplitHostPort(hostPort); err == nil {
		return host
	}
	return hostPort
}

// credentials returns where requests take theirs from.
func (o *Options) credentials() *credentials.Credentials {
	if o.EnvAuth && o.AccessKeyID == "" {
		return credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{},
			&credentials.FileAWSCredentials{Filename: o.CredentialsFile, Profile: o.Profile},
			&credentials.IAM{},
		})
	}
	signer := credentials.SignatureV4
	if o.V2Auth {
		signer = credentials.SignatureV2
	}
	return credentials.NewStatic(o.AccessKeyID, o.SecretAccessKey, o.SessionToken, signer)
}
