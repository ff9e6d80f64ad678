package web

import (
	"bytes"
	"cmp"
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

// pages serves the status as a page for people and as JSON for programs.
type pages struct {
	source Source
	log    *slog.Logger
	page   *template.Template
}

func newPages(source Source, log *slog.Logger) *pages {
	funcs := template.FuncMap{
		"comma": comma, "bytes": size, "bytesPerSecond": func(n float64) string { return size(int64(n)) }, "clock": clock, "stamp": stamp, "took": took, "about": about, "state": stateText, "doing": doingText,
		"rate": rate, "join": strings.Join, "total": total, "reasons": reasons, "until": until, "at": at, "next": nextText, "oldest": oldestText, "aside": asideText, "lags": func(m status.Mapping) bool { return m.OldestUnsyncedSeconds != nil && *m.OldestUnsyncedSeconds > 0 }, "ledger": ledgerText, "processed": processedText, "lastPass": lastPassText, "backlog": backlogText, "side": sideText, "method": methodText,
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

// status answers a browser with the page, and whoever asks for JSON with that.
func (p *pages) status(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	accept := r.Header.Get("Accept")
	if strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html") {
		p.json(w, r)
		return
	}
	p.render(w, r, "page")
}

// json answers with the status, of the mappings in one state where the request names one.
func (p *pages) json(w http.ResponseWriter, r *http.Request) {
	s := *p.source.Snapshot()
	if state := chosenState(r); state != "" {
		s.Mappings = slices.DeleteFunc(slices.Clone(s.Mappings), func(m status.Mapping) bool { return m.State != state })
	}
	writeJSON(w, http.StatusOK, s)
}

// chosenState returns the state that a request asks for, "" for all.
func chosenState(r *http.Request) status.State {
	if state := status.State(r.URL.Query().Get("state")); slices.Contains(status.Urgency(), state) {
		return state
	}
	return ""
}

func (p *pages) render(w http.ResponseWriter, r *http.Request, name string) {
	var b bytes.Buffer
	if err := p.page.ExecuteTemplate(&b, name, viewOf(p.source.Snapshot(), chosenState(r))); err != nil {
		p.log.Error("status page was not rendered", "err", err)
		plain(w, http.StatusInternalServerError, "the page could not be rendered; see the log\n")
		return
	}
	guard(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = printable.Lines(w).Write(b.Bytes()) // whoever asked may have gone
}

func file(name, kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		guard(w.Header())
		w.Header().Set("Content-Type", kind)
		http.ServeFileFS(w, r, static, "static/"+name)
	}
}

// view is what the page is made of.
type view struct {
	*status.Snapshot
	ByState []count          // the mappings by state, those that want attention first
	Chosen  status.State     // the only state shown; "" for all
	Shown   []status.Mapping // the mappings of that state, those that want attention first
	Title   string
	Summary string
}

type count struct {
	State status.State
	N     int
}

func viewOf(s *status.Snapshot, chosen status.State) view {
	v := view{Snapshot: s, Chosen: chosen, Title: titleText(s.Counts)}
	for _, state := range status.Urgency() {
		if n := s.Counts[state]; n > 0 {
			v.ByState = append(v.ByState, count{state, n})
		}
	}
	sorted := slices.SortedStableFunc(slices.Values(s.Mappings), func(a, b status.Mapping) int {
		return cmp.Or(cmp.Compare(a.State.Attention(), b.State.Attention()), cmp.Compare(a.Mapping, b.Mapping))
	})
	v.Summary = summaryText(sorted, v.ByState)
	for _, m := range sorted {
		if chosen == "" || m.State == chosen {
			v.Shown = append(v.Shown, m)
		}
	}
	return v
}
