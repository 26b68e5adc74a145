package registry

import (
	"context"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/azureblob"
	"ferry/remote/nameenc"
)

func azureblobDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "azureblob",
			Help: "Microsoft Azure Blob Storage",
			Options: together([]config.Option{
				{Name: "account", Help: "Name of the storage account"},
				{Name: "key", Secret: true, Help: "Key of the storage account, base64"},
				{Name: "sas_url", Secret: true, Help: "Signed URL of the account or of one container, in place of account and key"},
				{Name: "connection_string", Secret: true, Help: "Connection string of the account, in place of account and key"},
				{Name: "env_auth", Default: "false", Help: "Use the identity that the environment or the machine offers"},
				{Name: "endpoint", Help: "Another server with the same interface: https://host:port"},
				{Name: "use_emulator", Default: "false", Help: "Use the account of the emulator, at its usual address or at endpoint"},
				{Name: "use_az", Default: "false", Help: "Use the login of the program az"},
				{Name: "use_msi", Default: "false", Help: "Use a managed identity of this machine"},
				{Name: "msi_client_id", Help: "Which managed identity, by client id"},
				{Name: "msi_object_id", Help: "Which managed identity, by object id"},
				{Name: "msi_mi_res_id", Help: "Which managed identity, by resource id"},
				{Name: "tenant", Help: "Tenant of a service principal"},
				{Name: "client_id", Help: "Client id of a service principal"},
				{Name: "client_secret", Secret: true, Help: "Secret of the service principal"},
				{Name: "client_certificate_path", Help: "File with certificate and key of the service principal, PEM or PKCS12"},
				{Name: "client_certificate_password", Obscured: true, Help: "Password of that file"},
				{Name: "client_send_certificate_chain", Default: "false", Help: "Send the other certificates of that file too: login by name of the subject"},
				{Name: "service_principal_file", Help: "JSON file with tenant, appId and password of a service principal"},
				{Name: "chunk_size", Default: "4Mi", Help: "Size of the blocks of an upload, unless there would be more than a thousand"},
				{Name: "upload_concurrency", Default: "16", Help: "Blocks of one upload on their way at once"},
				{Name: "list_chunk", Default: "5000", Help: "Entries asked for at a time"},
				{Name: "access_tier", Help: "Tier of new blobs: hot, cool, cold, archive; empty is the account's"},
				{Name: "public_access", Help: "Access of everybody to new containers: empty for none, blob, container"},
				{Name: "delete_snapshots", Help: "Remove blobs with their snapshots: include, only; empty refuses"},
				{Name: "disable_checksum", Default: "false", Help: "Store no MD5 with blobs of several blocks"},
				{Name: "directory_markers", Default: "true", Help: "Store empty directories as empty blobs whose names end in /"},
				dirMoveLimit(),
				oddNames(),
				{Name: "encoding", Default: azureblob.Encoding.String(), Help: "What is encoded in names"},
			},
				keptParts(),
				unused(noTuning, "upload_cutoff", "copy_cutoff", "copy_concurrency", "copy_total_concurrency", "list_parallelism", "use_copy_blob?", "use_arrow_list?"),
				unused("it is always so", "no_check_container?", "no_head_object?", "disable_instance_discovery?"),
				ignored("blobs that are archived are not deleted before they are replaced", "archive_tier_delete?"),
				ignored(noDecompress, "decompress?"),
				ignored("accounts with a hierarchical namespace are used as those without", "hns"),
				ignored("there is no login by the password of a person: use a key, a signed URL or a service principal", "username", "password"),
				unused(noMemory, "memory_pool_flush_time", "memory_pool_use_mmap"),
			),
		},
		open: openAzureblob,
	}
}

func openAzureblob(ctx context.Context, path string, v *values) (remote.Remote, error) {
	o := azureblob.Options{
		Network:  v.env.Network,
		Account:  v.str("account"),
		Endpoint: v.str("endpoint"),
		Credentials: azureblob.Credentials{
			EnvAuth:                   v.boolean("env_auth"),
			UseEmulator:               v.boolean("use_emulator"),
			Key:                       v.str("key"),
			UseAZ:                     v.boolean("use_az"),
			SASURL:                    v.str("sas_url"),
			ConnectionString:          v.str("connection_string"),
			Tenant:                    v.str("tenant"),
			ClientID:                  v.str("client_id"),
			ClientSecret:              v.str("client_secret"),
			ClientCertificatePath:     v.str("client_certificate_path"),
			ClientCertificatePassword: v.str("client_certificate_password"),
			ClientCertificateChain:    v.boolean("client_send_certificate_chain"),
			ServicePrincipalFile:      v.str("service_principal_file"),
			UseMSI:                    v.boolean("use_msi"),
			MSIObjectID:               v.str("msi_object_id"),
			MSIClientID:               v.str("msi_client_id"),
			MSIResID:                  v.str("msi_mi_res_id"),
		},
		ChunkSize:       v.size("chunk_size"),
		Concurrency:     v.integer("upload_concurrency"),
		ListChunk:       v.integer("list_chunk"),
		AccessTier:      v.str("access_tier"),
		PublicAccess:    v.str("public_access"),
		DeleteSnapshots: v.str("delete_snapshots"),
		DisableChecksum: v.boolean("disable_checksum"),
		Encoding:        parse(v, "encoding", nameenc.Parse),
		OddNames:        parse(v, "odd_names", parseOddNames),
		DropParts:       !v.boolean("keep_parts"),
		PartMaxAge:      v.duration("partial_max_age"),
		DirMoveLimit:    v.integer("dir_move_limit"),
		NoMarkers:       !v.boolean("directory_markers"),
	}
	if v.err != nil {
		return nil, v.err
	}
	return azureblob.New(ctx, path, o)
}
