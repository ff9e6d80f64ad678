package daemon

import (
	"bytes"
	"cmp"
	"embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"syncd/internal/printable"
)

//go:embed static
var static embed.FS

// pages serves the status as a page for people and as JSON for programs.
type pages struct {
	d    *Daemon
	page *template.Template
}

func newPages(d *Daemon) *pages {
	funcs := template.FuncMap{
		"comma": comma, "bytes": size, "bytesPerSecond": func(n float64) string { return size(int64(n)) }, "clock": clock, "stamp": stamp, "took": took, "about": about, "state": stateText, "doing": doingText,
		"rate": rate, "join": strings.Join, "total": total, "reasons": reasons, "until": until, "at": at, "next": nextText, "oldest": oldestText, "aside": asideText, "lags": func(m Status) bool { return m.OldestUnsyncedSeconds != nil && *m.OldestUnsyncedSeconds > 0 }, "ledger": ledgerText, "processed": processedText, "lastPass": lastPassText, "backlog": backlogText, "side": sideText, "method": methodText,
		"shown": printable.Text, "line": printable.Line,
		"ago": func(at, now time.Time) string { return span(now.Sub(at)) + " ago" },
	}
	return &pages{d, template.Must(template.New("").Funcs(funcs).ParseFS(static, "static/*.html"))}
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
	s := *p.d.Snapshot()
	if state := chosenState(r); state != "" {
		s.Mappings = slices.DeleteFunc(slices.Clone(s.Mappings), func(m Status) bool { return m.State != state })
	}
	writeJSON(w, http.StatusOK, s)
}

// chosenState returns the state that a request asks for, "" for all.
func chosenState(r *http.Request) State {
	if state := State(r.URL.Query().Get("state")); slices.Contains(urgency(), state) {
		return state
	}
	return ""
}

func (p *pages) render(w http.ResponseWriter, r *http.Request, name string) {
	var b bytes.Buffer
	if err := p.page.ExecuteTemplate(&b, name, viewOf(p.d.Snapshot(), chosenState(r))); err != nil {
		p.d.o.Logger.Error("status page was not rendered", "err", err)
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

// guard lets a page load nothing but its own style sheet and script, and be framed, cached or told of by nobody.
func guard(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "+
		"base-uri 'none'; frame-ancestors 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

// view is what the page is made of.
type view struct {
	*Snapshot
	ByState []count  // the mappings by state, those that want attention first
	Chosen  State    // the only state shown; "" for all
	Shown   []Status // the mappings of that state, those that want attention first
	Title   string
	Summary string
}

type count struct {
	State State
	N     int
}

func viewOf(s *Snapshot, chosen State) view {
	v := view{Snapshot: s, Chosen: chosen, Title: titleText(s.Counts)}
	for _, state := range urgency() {
		if n := s.Counts[state]; n > 0 {
			v.ByState = append(v.ByState, count{state, n})
		}
	}
	sorted := slices.SortedStableFunc(slices.Values(s.Mappings), func(a, b Status) int {
		return cmp.Or(cmp.Compare(a.State.attention(), b.State.attention()), cmp.Compare(a.Mapping, b.Mapping))
	})
	v.Summary = summaryText(sorted, v.ByState)
	for _, m := range sorted {
		if chosen == "" || m.State == chosen {
			v.Shown = append(v.Shown, m)
		}
	}
	return v
}
