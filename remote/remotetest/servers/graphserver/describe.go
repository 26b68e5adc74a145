package graphserver

import (
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// describe is what the service says of an item to who asks for it. Without $select it is everything
// but the address of the content, which is only said of single items.
func (s *Server) describe(r *http.Request, d *drive, n *node, single bool) map[string]any {
	all := map[string]any{
		"id": n.id, "name": n.name, "eTag": n.eTag(d), "size": len(n.content),
		"createdDateTime": stamp(n.created), "lastModifiedDateTime": stamp(n.modified),
		"fileSystemInfo": map[string]any{"lastModifiedDateTime": d.times(n)},
	}
	switch {
	case n.parent == nil:
		all["root"], all["name"] = map[string]any{}, "root"
		all["folder"] = map[string]any{"childCount": len(n.children)}
		all["parentReference"] = map[string]any{"driveId": d.id, "driveType": d.kind}
	default:
		all["parentReference"] = map[string]any{"driveId": d.id, "driveType": d.kind, "id": n.parent.id}
	}
	switch {
	case n.link != nil:
		target := s.describe(nil, n.linkDrive, n.link, false)
		target["parentReference"] = map[string]any{"driveId": n.linkDrive.id}
		all["remoteItem"] = target
		delete(all, "size")
	case n.notebook:
		all["package"] = map[string]any{"type": "oneNote"}
	case n.dir:
		all["folder"] = map[string]any{"childCount": len(n.children)}
	default:
		all["cTag"] = n.cTag(d)
		all["file"] = map[string]any{"mimeType": "application/octet-stream", "hashes": d.hashes(n)}
	}
	chosen := ""
	if r != nil {
		chosen = r.URL.Query().Get("$select")
	}
	if single && r != nil && !n.dir && n.link == nil && (chosen == "" || strings.Contains(chosen, "@microsoft.graph.downloadUrl")) {
		all["@microsoft.graph.downloadUrl"] = contentAddress(r, d, n)
	}
	if chosen == "" {
		return all
	}
	some := map[string]any{}
	for field := range strings.SplitSeq(chosen, ",") {
		if value, ok := all[field]; ok {
			some[field] = value
		}
	}
	return some
}

// contentAddress is where the content of a file can be had without a token.
func contentAddress(r *http.Request, d *drive, n *node) string {
	return "http://" + r.Host + "/content/" + strings.ReplaceAll(d.id, "!", "_") + "/" + n.id + "?tempauth=secret"
}

// times is the modification time that clients see, to the precision that the kind of drive keeps.
func (d *drive) times(n *node) string {
	t := n.times
	if t.IsZero() {
		t = n.modified
	}
	if d.kind != Personal {
		t = t.Truncate(time.Second)
	}
	return stamp(t)
}

func stamp(t time.Time) string { return t.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano) }

// hashes are those that the kind of drive has.
func (d *drive) hashes(n *node) map[string]any {
	if n.sum == "" {
		n.sum = quickXor(n.content)
		sum := sha1.Sum(n.content)
		n.sha1 = strings.ToUpper(hex.EncodeToString(sum[:]))
	}
	if d.kind == Personal {
		return map[string]any{"quickXorHash": n.sum, "sha1Hash": n.sha1}
	}
	return map[string]any{"quickXorHash": n.sum}
}
