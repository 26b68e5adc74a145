package registry

import (
	"context"

	"golang.org/x/oauth2"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/gcs"
	"ferry/remote/nameenc"
)

func gcsDriver() Driver {
	return Driver{
		Type: config.Type{
			Name:   "google cloud storage",
			Prefix: "gcs",
			Help:   "Google Cloud Storage",
			Options: together([]config.Option{
				{Name: "service_account_file", Help: "File with the JSON key of a service account"},
				{Name: "service_account_credentials", Secret: true, Help: "The JSON key of a service account itself"},
				{Name: "anonymous", Default: "false", Help: "Use no credentials: for public buckets and emulators"},
				{Name: "env_auth", Default: "false", Help: "Use the credentials that the environment or the machine offers"},
				{Name: "access_token", Secret: true, Help: "A short-lived access token, in place of other credentials"},
				{Name: "project_number", Help: "Project whose buckets are listed, and that new ones belong to"},
				{Name: "user_project", Help: "Project that pays for the requests, where the requester pays"},
				{Name: "object_acl", Help: "Predefined access of new objects: private, publicRead, projectPrivate, ..."},
				{Name: "bucket_acl", Help: "Predefined access of new buckets: private, publicRead, projectPrivate, ..."},
				{Name: "bucket_policy_only", Default: "false", Help: "Access is decided by bucket only: send no object_acl"},
				{Name: "location", Help: "Where new buckets are: EU, US, europe-west1, ..."},
				{Name: "storage_class", Help: "Storage class of new objects and buckets: STANDARD, NEARLINE, ..."},
				{Name: "directory_markers", Default: "true", Help: "Store empty directories as empty objects whose names end in /"},
				{Name: "endpoint", Help: "Another server with the same interface: https://host:port"},
				dirMoveLimit(),
				oddNames(),
				{Name: "encoding", Default: gcs.Encoding.String(), Help: "What is encoded in names"},
			},
				keptParts(),
				userOptions(),
				unused("it is always so", "no_check_bucket?"),
				ignored("there is no login of that kind: use a service account, or env_auth", "client_credentials?"),
				ignored(noDecompress, "decompress?"),
			),
		},
		open: openGCS,
	}
}

func openGCS(ctx context.Context, path string, v *values) (remote.Remote, error) {
	o := gcs.Options{
		Network:            v.env.Network,
		Anonymous:          v.boolean("anonymous"),
		AccessToken:        v.str("access_token"),
		ServiceAccountJSON: v.str("service_account_credentials"),
		ServiceAccountFile: v.str("service_account_file"),
		EnvAuth:            v.boolean("env_auth"),
		Endpoint:           v.str("endpoint"),
		ProjectNumber:      v.str("project_number"),
		UserProject:        v.str("user_project"),
		Location:           v.str("location"),
		StorageClass:       v.str("storage_class"),
		ObjectACL:          v.str("object_acl"),
		BucketACL:          v.str("bucket_acl"),
		BucketPolicyOnly:   v.boolean("bucket_policy_only"),
		Encoding:           parse(v, "encoding", nameenc.Parse),
		OddNames:           parse(v, "odd_names", parseOddNames),
		DropParts:          !v.boolean("keep_parts"),
		PartMaxAge:         v.duration("partial_max_age"),
		DirMoveLimit:       v.integer("dir_move_limit"),
		NoMarkers:          !v.boolean("directory_markers"),
	}
	if v.str("token") != "" && !o.Anonymous && o.AccessToken+o.ServiceAccountJSON+o.ServiceAccountFile == "" {
		o.Tokens = v.tokens(oauth2.Endpoint{}, gcs.Scope)
	}
	if v.err != nil {
		return nil, v.err
	}
	return gcs.New(ctx, path, o)
}
