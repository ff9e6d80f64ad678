package web

import (
	"bytes"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"syncd/internal/daemon/status"
	"syncd/internal/printable"
)

//go:embed static
var static embed.FS

// pages serves the status as an HTML page and as JSON.
type pages struct {
	source Source
	log    *slog.Logger
	page   *template.Template
}

func newPages(source Source, log *slog.Logger) *pages {
	funcs := template.FuncMap{
		"comma": comma, "bytes": size, "bytesPerSecond": func(n float64) string { return size(int64(n)) }, "clock": clock, "stamp": stamp, "took": took, "about": about, "state": stateText, "doing": doingText,
		"rate": rate, "join": strings.Join, "total": total, "reasons": reasons, "until": until, "at": at, "next": nextText, "ranges": rangesText, "oldest": oldestText, "aside": asideText, "lags": func(m status.Mapping) bool { return m.OldestUnsyncedSeconds != nil && *m.OldestUnsyncedSeconds > 0 }, "ledger": ledgerText, "processed": processedText, "lastPass": lastPassText, "backlog": backlogText, "side": sideText, "method": methodText,
		"shown": printable.Text, "line": printable.Line,
		"ago": func(at, now time.Time) string { return span(now.Sub(at)) + " ago" },
	}
	return &pages{source, log, template.Must(template.New("").Funcs(funcs).ParseFS(static, "static/*.html"))}
}

func (p *pages) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /status", p.status)
	mux.HandleFunc("GET /status.json", p.json)
	mux.HandleFunc("GET /status/live", func(w http.ResponseWriter, r *http.Request) { p.render(w, r, "live") })
	mux.HandleFunc("GET /status.css", file("status.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /status.js", file("status.js", "text/javascript; charset=utf-8"))
}

// status serves the page, or JSON if the client accepts only that.
func (p *pages) status(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	accept := r.Header.Get("Accept")
	if strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html") {
		p.json(w, r)
		return
	}
	p.render(w, r, "page")
}

// json serves the status as JSON, limited to the mappings in one state if the request names one.
func (p *pages) json(w http.ResponseWriter, r *http.Request) {
	s := *p.source.Snapshot()
	if state := chosenState(r); state != "" {
		s.Mappings = slices.DeleteFunc(slices.Clone(s.Mappings), func(m status.Mapping) bool { return m.State != state })
	}
	writeJSON(w, http.StatusOK, s)
}

// chosenState returns the state that a request names, or "" for all.
func chosenState(r *http.Request) status.State {
	if state := status.State(r.URL.Query().Get("state")); slices.Contains(status.Urgency(), state) {
		return state
	}
	return ""
}

func (p *pages) render(w http.ResponseWriter, r *http.Request, name string) {
	var b bytes.Buffer
	if err := p.page.ExecuteTemplate(&b, name, viewOf(p.source.Snapshot(), chosenState(r))); err != nil {
		p.log.Error("status page could not be rendered", "err", err)
		plain(w, http.StatusInternalServerError, "the page could not be rendered; see the log\n")
		return
	}
	guard(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = printable.Lines(w).Write(b.Bytes()) // the client may have disconnected
}

func file(name, kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		guard(w.Header())
		w.Header().Set("Content-Type", kind)
		http.ServeFileFS(w, r, static, "static/"+name)
	}
}
