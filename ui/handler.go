package ui

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed assets
var assets embed.FS

// Calls are the calls of the remote control that the page makes.
var Calls = []string{
	callKick, callSendNow, callSetAside, callRetry, callDrop, callUnban, CallContent,
}

const (
	callKick     = "ftp/kick"
	callSendNow  = "vfs/queue-set-expiry"
	callSetAside = "vfs/queue-set-aside"
	callRetry    = "cache/retry"
	callDrop     = "cache/drop"
	callUnban    = "ftp/unban"
	// CallContent stands for GET cache/content, which is not a call.
	CallContent = "cache/content"
)

// policy is the content security policy of everything here: scripts and styles are files of this
// server, and nothing comes from, or goes to, elsewhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// routes returns what answers requests.
func (p *Page) routes() http.Handler {
	page := template.Must(template.ParseFS(assets, "assets/page.html"))
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) { p.page(w, r, page) })
	mux.HandleFunc("/ui/snapshot", func(w http.ResponseWriter, _ *http.Request) { sendJSON(w, p.Snapshot()) })
	mux.HandleFunc("/ui/rows", p.rows)
	mux.HandleFunc("/ui/events", p.live)
	for name, kind := range map[string]string{
		"page.css": "text/css", "page.js": "text/javascript", "list.js": "text/javascript", "words.js": "text/javascript", "icon.svg": "image/svg+xml",
	} {
		mux.HandleFunc("/ui/"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind+"; charset=utf-8")
			http.ServeFileFS(w, r, assets, "assets/"+name)
		})
	}
	return mux
}

// ServeHTTP answers requests for the page and for what is below ui/.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	p.handler.ServeHTTP(w, r)
}

// page sends the page itself, with the calls that its reader may make.
func (p *Page) page(w http.ResponseWriter, r *http.Request, t *template.Template) {
	var may []string
	for _, call := range Calls {
		if p.opt.May != nil && p.opt.May(r.Context(), call) {
			may = append(may, call)
		}
	}
	server := p.look(time.Now()).state.Server
	var b bytes.Buffer
	if err := t.Execute(&b, map[string]any{"Name": server.Name, "May": strings.Join(may, " "), "Version": server.Version}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = b.WriteTo(w) // the client may have left
}

// rows sends a part of a list: list is its name, first where the part begins.
func (p *Page) rows(w http.ResponseWriter, r *http.Request) {
	first, err := strconv.Atoi(r.FormValue("first"))
	if err != nil {
		http.Error(w, "first is not a number", http.StatusBadRequest)
		return
	}
	f := p.look(time.Now())
	p.mu.Lock()
	rows, known := f.rows(r.FormValue("list"), first, &p.rates)
	p.mu.Unlock()
	if !known {
		http.Error(w, "there is no such list", http.StatusNotFound)
		return
	}
	text, err := json.Marshal(rows)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	sendJSON(w, text)
}

func sendJSON(w http.ResponseWriter, text []byte) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // the client may have left
}
