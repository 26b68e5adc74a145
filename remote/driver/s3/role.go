package s3

import (
	"cmp"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Role is what the owner of the keys may take on, to work with the rights of somebody else. The
// zero value is none.
type Role struct {
	ARN         string
	ExternalID  string        // what its owner has agreed on, where that is asked for
	SessionName string        // shows in the logs of the service; empty is ferry
	Duration    time.Duration // for which keys of the role are asked for; 0 is as the service likes it
	Endpoint    string        // URL of the service that gives the keys (STS); empty is Amazon's of the region, or the server itself
}

// A roleKeys gives the keys of a role, and new ones before those expire.
type roleKeys struct {
	credentials.Expiry
	base   *credentials.Credentials
	client *http.Client
	role   Role
	region string
}

// keysOf returns where requests take their keys from: base, or the role that base may take on.
func (r *Remote) keysOf(base *credentials.Credentials) *credentials.Credentials {
	o := &r.opt
	if o.Role.ARN == "" {
		return base
	}
	role, region := o.Role, cmp.Or(o.Region, defaultRegion)
	if role.Endpoint == "" && o.host == defaultHost {
		role.Endpoint = "https://sts." + region + ".amazonaws.com"
	}
	if role.Endpoint == "" {
		role.Endpoint = map[bool]string{true: "https://", false: "http://"}[o.secure] + o.host
	}
	return credentials.New(&roleKeys{base: base, client: &http.Client{Transport: r.transport}, role: role, region: region})
}

// RetrieveWithCredContext implements credentials.Provider.
func (k *roleKeys) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	own, err := k.base.GetWithContext(cc)
	if err != nil {
		return credentials.Value{}, err
	}
	ask := credentials.STSAssumeRole{
		Client:      k.client,
		STSEndpoint: k.role.Endpoint,
		Options: credentials.STSAssumeRoleOptions{
			AccessKey:       own.AccessKeyID,
			SecretKey:       own.SecretAccessKey,
			SessionToken:    own.SessionToken,
			Location:        k.region,
			DurationSeconds: int(k.role.Duration.Seconds()),
			RoleARN:         k.role.ARN,
			RoleSessionName: cmp.Or(k.role.SessionName, "ferry"),
			ExternalID:      k.role.ExternalID,
		},
	}
	keys, err := ask.RetrieveWithCredContext(cc)
	if err != nil {
		return credentials.Value{}, err
	}
	k.SetExpiration(keys.Expiration, credentials.DefaultExpiryWindow)
	return keys, nil
}

// Retrieve implements credentials.Provider.
func (k *roleKeys) Retrieve() (credentials.Value, error) { return k.RetrieveWithCredContext(nil) }
