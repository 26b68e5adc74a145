package notice

import (
	"encoding/json"
	"net/url"
	"strings"
)

// azureEvents begin the names of events of a storage account.
const azureEvents = "Microsoft.Storage."

// ofAzure reads an event of Event Grid, in its own form or that of CloudEvents.
func ofAzure(kind, at, subject string, raw json.RawMessage) ([]Notice, error) {
	name, ok := strings.CutPrefix(kind, azureEvents)
	if !ok {
		if strings.HasPrefix(kind, "Microsoft.EventGrid.") {
			return nil, nil // about the subscription itself
		}
		return nil, ErrUnknown
	}
	var data struct{ ETag, URL, Sequencer, SourceURL, DestinationURL string }
	if err := decode(raw, &data); err != nil {
		return nil, err
	}
	n := Notice{Order: data.Sequencer, Time: parseTime(at)}
	n.Bucket, n.Key, ok = blobOf(subject)
	byURL, keyByURL := "", ""
	if data.URL != "" {
		byURL, keyByURL = blobAt(data.URL)
	}
	if !ok {
		n.Bucket, n.Key = byURL, keyByURL
	} else if byURL == n.Bucket && keyByURL != n.Key {
		n.Other = keyByURL
	}
	switch name {
	case "BlobCreated", "BlobTierChanged", "AsyncOperationInitiated":
		n.Version = strings.Trim(data.ETag, `"`)
	case "BlobDeleted":
		n.Removed = true
	case "DirectoryCreated":
		n.Key = strings.TrimSuffix(n.Key, "/") + "/"
	case "DirectoryDeleted":
		n.Below, n.Removed = true, true
	case "BlobRenamed", "DirectoryRenamed":
		n.Below = name == "DirectoryRenamed"
		from := n
		from.Removed, from.Other = true, ""
		from.Bucket, from.Key = blobAt(data.SourceURL)
		n.Bucket, n.Key = blobAt(data.DestinationURL)
		return complete(from, n), nil
	default:
		return nil, nil // nothing of a blob that a listing shows
	}
	return complete(n), nil
}

// complete leaves out what names no object.
func complete(all ...Notice) []Notice {
	var named []Notice
	for _, n := range all {
		if n.Bucket != "" && n.Key != "" && n.Key != "/" {
			named = append(named, n)
		}
	}
	return named
}

// blobOf reads the subject of an event.
func blobOf(subject string) (container, name string, ok bool) {
	_, rest, ok := strings.Cut(subject, "/containers/")
	if !ok {
		return "", "", false
	}
	container, name, ok = strings.Cut(rest, "/blobs/")
	return container, name, ok
}

// blobAt reads the URL of a blob. At an emulator the account is part of the path.
func blobAt(address string) (container, name string) {
	u, err := url.Parse(address)
	if err != nil {
		return "", ""
	}
	path := strings.TrimPrefix(u.Path, "/")
	if account, rest, ok := strings.Cut(path, "/"); ok && !strings.Contains(u.Hostname(), "."+"core.") && account == "devstoreaccount1" {
		path = rest
	}
	container, name, _ = strings.Cut(path, "/")
	return container, name
}
