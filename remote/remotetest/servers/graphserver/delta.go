package graphserver

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// changePage is how many changes a page has.
const changePage = 50

// delta tells what has changed since a token was given: each item once, as it is now. With its
// token goes what was left out of a page.
func (s *Server) delta(w http.ResponseWriter, r *http.Request, d *drive) {
	q := r.URL.Query()
	token := q.Get("token")
	answer := func(value []any, kind string, token string) {
		says(w, http.StatusOK, map[string]any{"value": value,
			"@odata." + kind: link(r, url.Values{"token": {token}, "$select": q["$select"]})})
	}
	if token == "latest" {
		answer([]any{}, "deltaLink", "since."+strconv.FormatInt(d.seq, 10))
		return
	}
	since, err := strconv.ParseInt(strings.TrimPrefix(token, "since."), 10, 64)
	if token == "" {
		since, err = 0, nil
	}
	if err != nil {
		fails(w, http.StatusBadRequest, "invalidRequest")
		return
	}
	if since < d.forgotten {
		w.Header().Set("Location", link(r, url.Values{}))
		fails(w, http.StatusGone, "resyncChangesApplyDifferences")
		return
	}
	var changes []change // of each item the last one
	last := map[string]int64{}
	for _, c := range d.changes {
		last[c.id] = c.seq
	}
	for _, c := range d.changes {
		if c.seq > since && c.seq == last[c.id] {
			changes = append(changes, c)
		}
	}
	kind, until := "deltaLink", d.seq
	if len(changes) > changePage {
		changes = changes[:changePage]
		kind, until = "nextLink", changes[changePage-1].seq
	}
	value := []any{}
	told := map[*node]bool{}
	for _, c := range changes {
		n := d.items[c.id]
		if n == nil {
			gone := map[string]any{"id": c.id, "deleted": map[string]any{"state": "deleted"}, "parentReference": map[string]any{"driveId": d.id, "id": c.parent}}
			if d.kind == Personal {
				gone["name"] = c.name
			}
			value = append(value, gone)
			continue
		}
		if r.Header.Get("deltaExcludeParent") == "" {
			for p := n.parent; p != nil && !told[p]; p = p.parent {
				told[p] = true
				value = append(value, s.describe(r, d, p, false))
			}
		}
		value = append(value, s.describe(r, d, n, false))
	}
	answer(value, kind, "since."+strconv.FormatInt(until, 10))
}
