package browsertest_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"syncd/internal/syncer"
)

var (
	chromium = flag.String("chromium", "/usr/bin/chromium", "the browser")
	pictures = flag.String("pictures", "", "a folder for pictures of the page, none by default")
)

// browser is a tab that records its requests and console errors.
type browser struct {
	ctx context.Context //nolint:containedctx // chromedp keeps the tab in it

	mu         sync.Mutex
	requests   []string
	complaints []string
}

// open starts a separate browser and opens a tab.
func open(t *testing.T) *browser {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(*chromium), chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true))
	allocated, free := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(free)
	ctx, closeTab := chromedp.NewContext(allocated)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	b := &browser{ctx: ctx}
	chromedp.ListenTarget(ctx, b.listen)
	b.do(t, network.Enable(), log.Enable(), runtime.Enable())
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, string(e.Entry.Level)+": "+e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, "console."+string(e.Type))
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Error())
	}
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// eval returns the result of a script as text.
func (b *browser) eval(t *testing.T, script string) string {
	t.Helper()
	var result any
	b.do(t, chromedp.Evaluate(script, &result))
	if text, ok := result.(string); ok {
		return text
	}
	text, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// picture saves a screenshot in the folder for pictures.
func (b *browser) picture(t *testing.T, name string) {
	t.Helper()
	if *pictures == "" {
		return
	}
	var png []byte
	b.do(t, chromedp.FullScreenshot(&png, 100))
	if err := os.WriteFile(filepath.Join(*pictures, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

func screen(width int64, scheme string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		if err := emulation.SetDeviceMetricsOverride(width, 800, 1, width < 500).Do(ctx); err != nil {
			return err
		}
		return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}).Do(ctx)
	})
}

func TestPageFitsEveryScreen(t *testing.T) {
	w, b := newWorld(t), open(t)
	for _, width := range []int64{320, 360, 768, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			b.do(t, screen(width, scheme), chromedp.Navigate(w.url+"/status"))
			b.picture(t, fmt.Sprintf("%d-%s", width, scheme))
			if got := b.eval(t, `document.documentElement.scrollWidth`); got != fmt.Sprint(width) {
				t.Errorf("at %d px the page is %s px wide", width, got)
			}
			if got := b.eval(t, clipped); got != "" {
				t.Errorf("at a width of %d px these elements are cut off or overlap: %s", width, got)
			}
		}
	}
}

// clipped lists the table cells whose content is wider than the cell.
const clipped = `[...document.querySelectorAll("th, td")].filter(c => c.checkVisibility() && c.scrollWidth > c.clientWidth + 1).map(c => c.innerText).join("; ")`

// TestTroubleIsSeenFirst checks that failing mappings are shown first, and that quarantined objects
// are visible too: on a desktop, on a phone and without scripts.
func TestTroubleIsSeenFirst(t *testing.T) {
	w, b := newWorld(t), open(t)
	for _, width := range []int64{360, 1280} {
		for _, script := range []bool{true, false} {
			name := fmt.Sprintf("%d px, script %v", width, script)
			b.do(t, emulation.SetScriptExecutionDisabled(!script), screen(width, "light"), chromedp.Navigate(w.url+"/status"))
			b.viewport(t, fmt.Sprintf("first-%d-%v", width, script))
			b.do(t, emulation.SetScriptExecutionDisabled(false))
			if got := b.eval(t, inView); got != "returns-retried failing,"+broken+" failing" {
				t.Errorf("%s: got %q as the first rows, want the failing mappings in view", name, got)
			}
			if got := b.eval(t, `[...document.querySelectorAll("tr[data-mapping]")].slice(0, 7).map(r => r.dataset.state).join()`); got != "failing,failing,stalled,quarantined,quarantined,unknown,unknown" {
				t.Errorf("%s: got states %s at the top, want the worst first", name, got)
			}
			if got := b.eval(t, `(r => { const c = r.cells[2]; return c.innerText + " " + (c.checkVisibility() && c.getBoundingClientRect().right <= innerWidth); })(document.getElementById("row-clickstream-raw"))`); got != "1,207 true" {
				t.Errorf("%s: got %q in the column for quarantine, want the number in view", name, got)
			}
			if got := b.eval(t, `document.getElementById("row-clickstream-raw").innerText.replace(/\s+/g, " ")`); !strings.Contains(got, "1 d") {
				t.Errorf("%s: got the row %q, want the age of the oldest change in it", name, got)
			}
			if got := b.eval(t, `document.querySelector(".summary").innerText`); !strings.HasPrefix(got, "2 mappings are failing: returns-retried, ") {
				t.Errorf("%s: got the summary %q, want the failing mappings first", name, got)
			}
		}
	}
}

// inView lists the first two table rows and their states, as far as they are visible without
// scrolling.
const inView = `[...document.querySelectorAll("tr[data-mapping]")].slice(0, 2)
  .filter(r => r.getBoundingClientRect().bottom <= innerHeight && r.querySelector("td").checkVisibility())
  .map(r => r.dataset.mapping + " " + r.querySelector(".state").innerText).join()`

// viewport saves a screenshot of the part that is visible without scrolling.
func (b *browser) viewport(t *testing.T, name string) {
	t.Helper()
	if *pictures == "" {
		return
	}
	var png []byte
	b.do(t, chromedp.CaptureScreenshot(&png))
	if err := os.WriteFile(filepath.Join(*pictures, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestContent(t *testing.T) {
	w, b := newWorld(t), open(t)
	b.do(t, chromedp.Navigate(w.url+"/status"))
	text := b.eval(t, `document.body.innerText`)
	for _, want := range []string{
		"40 mappings", "2 mappings are failing: returns-retried, " + broken + ".", "28 waiting", "33 need no attention",
		"1,270,332 of at least 2,104,551 objects processed", "8,412 copied, 61 GiB",
		"The last pass failed (credentials)", "sts:AssumeRole refused", "What to do: the trust policy of the role",
		"1,207 in quarantine: archived 1,204, key_disabled 3", "syncd status --quarantine --mapping clickstream-raw", "retry running",
		"held by syncd-7c9d/1", "held by this process, expires in", "destination 3,510/s; throttled 88 times", "not ready",
		"s3://owner-clickstream-raw/exports/daily/", "s3://lake-staging/clickstream-raw/", "eu-central-1, account 111111111111", "copied server-side by S3",
		"none: passes run only on request", ", next pass ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for state, n := range states {
		if want := fmt.Sprintf("%d %s", n, state); !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	b.do(t, chromedp.Navigate(w.url+"/status?state=failing"))
	if got := b.eval(t, `[...document.querySelectorAll("h2")].map(h => h.textContent).join()`); got != "returns-retried,"+broken {
		t.Errorf("got %q with the state failing chosen, want the two failing mappings", got)
	}
}

// TestPageKeepsItselfUpToDate checks that the page updates a number on its own, and keeps the focus
// and unchanged nodes.
func TestPageKeepsItselfUpToDate(t *testing.T) {
	w, b := newWorld(t), open(t)
	b.do(t, chromedp.Navigate(w.url+"/status"))
	b.eval(t, `window.kept = document.querySelector("#zebra-exports progress"); document.querySelector("tbody a").focus(); document.title = "old"; ""`)
	w.moving.set(syncer.Progress{Listed: 2_104_551, Expected: 2_104_551, Complete: true, Settled: 2_000_001, Copied: 9_000, CopiedBytes: 70 << 30})
	b.until(t, `document.body.innerText.includes("2,000,001 of 2,104,551 objects processed")`)
	if got := b.eval(t, `[window.kept.value, window.kept.isConnected, document.activeElement.tagName, performance.getEntriesByType("navigation").length, document.title].join()`); got != "2000001,true,A,1,2 failing · 1 stalled · syncd status" {
		t.Errorf("got value, connected, focus, navigations, title %s, want 2000001,true,A,1 and the title as it is now", got)
	}
	if got := b.eval(t, `document.getElementById("news").textContent`); got != "" {
		t.Errorf("got %q announced for a number, want nothing", got)
	}

	close(w.moving.end)
	b.until(t, `document.getElementById("news").textContent === "zebra-exports: waiting"`)
	if got := b.eval(t, `document.querySelectorAll("progress").length`); got != "0" {
		t.Errorf("got %s bars after the pass, want none", got)
	}
}

// until waits until a script returns true.
func (b *browser) until(t *testing.T, script string) {
	t.Helper()
	b.do(t, chromedp.Poll(script, nil, chromedp.WithPollingTimeout(15*time.Second)))
}

// TestPageSaysThatItIsStale checks that the page shows when the daemon does not answer, and stops
// showing it when the daemon answers again.
func TestPageSaysThatItIsStale(t *testing.T) {
	w, b := newWorld(t), open(t)
	b.do(t, chromedp.Navigate(w.url+"/status"), network.EmulateNetworkConditions(true, 0, 0, 0))
	b.until(t, `document.body.innerText.includes("no answer from the daemon")`)
	b.do(t, network.EmulateNetworkConditions(false, 0, -1, -1))
	b.until(t, `!document.body.innerText.includes("no answer from the daemon")`)
}

func TestPageWithoutScriptRefreshesItself(t *testing.T) {
	w, b := newWorld(t), open(t)
	b.do(t, emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(w.url+"/status"))
	w.moving.set(syncer.Progress{Listed: 5, Expected: 5, Settled: 4})
	deadline := time.After(15 * time.Second)
	for {
		var html string
		b.do(t, chromedp.OuterHTML("html", &html))
		if strings.Contains(html, "4 of at least 5 objects processed") {
			return
		}
		select {
		case <-deadline:
			t.Fatal("the page did not refresh itself")
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// TestAccessibility checks what the page offers to a screen reader: landmarks, one title, a table
// with headers, and a progress bar with a name.
func TestAccessibility(t *testing.T) {
	w, b := newWorld(t), open(t)
	b.do(t, chromedp.Navigate(w.url+"/status"))
	var tree axTree
	b.do(t, chromedp.ActionFunc(func(ctx context.Context) error {
		return cdp.Execute(ctx, "Accessibility.getFullAXTree", nil, &tree)
	}))
	counts := map[string]int{}
	for _, n := range tree.Nodes {
		if !n.Ignored {
			counts[n.Role.Value+" "+n.Name.Value]++
			counts[n.Role.Value]++
		}
	}
	for want, n := range map[string]int{
		"banner": 1, "main": 1, "contentinfo": 1, "navigation Mappings by state": 1, "heading syncd": 1,
		"table All mappings, those that need attention first": 1, "columnheader Mapping": 1, "columnheader Oldest unsynced": 1, "columnheader Quarantine": 1,
		"rowheader zebra-exports": 1, "heading zebra-exports": 1, "region zebra-exports": 1, "status": 1,
		"progressbar 1,270,332 of at least 2,104,551 objects processed": 1, "link Skip to the mappings": 1, "image": 0,
	} {
		if counts[want] != n {
			t.Errorf("got %d times %q, want %d", counts[want], want, n)
		}
	}
	if got := b.eval(t, `document.querySelectorAll("h1").length + " " + document.documentElement.lang + " " + document.title`); got != "1 en 2 failing · 1 stalled · syncd status" {
		t.Errorf("got %q, want one h1, a language and a title", got)
	}
	if t.Failed() {
		t.Log(counts)
	}
}

// axTree is the part of the response of Accessibility.getFullAXTree (Chrome DevTools Protocol) that
// the test needs: the types of the driver library cannot be used, because they reject values that
// later browsers add.
type axTree struct {
	Nodes []struct {
		Ignored bool    `json:"ignored"`
		Role    axValue `json:"role"`
		Name    axValue `json:"name"`
	} `json:"nodes"`
}

type axValue struct{ Value string }

// UnmarshalJSON reads strings, and treats other values as empty.
func (v *axValue) UnmarshalJSON(data []byte) error {
	var raw struct {
		Value any `json:"value"`
	}
	err := json.Unmarshal(data, &raw)
	v.Value, _ = raw.Value.(string)
	return err
}

// TestContrast checks that every text has a contrast ratio of at least 4.5 to 1 with its
// background, in both color schemes (WCAG 2.2, 1.4.3).
func TestContrast(t *testing.T) {
	w, b := newWorld(t), open(t)
	for _, scheme := range []string{"light", "dark"} {
		b.do(t, screen(1280, scheme), chromedp.Navigate(w.url+"/status"))
		if got := b.eval(t, contrast); got != "" {
			t.Errorf("%s: too little contrast:\n%s", scheme, got)
		}
	}
}

const contrast = `(() => {
  const parse = c => c.match(/[\d.]+/g).map(Number);
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = e => {
    for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; }
    return [255, 255, 255];
  };
  const weak = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) weak.add(((a + 0.05) / (b + 0.05)).toFixed(2) + " " + walk.currentNode.data.trim());
  }
  return [...weak].join("\n");
})()`

// TestPageKeepsToItself checks that the page sends requests only to the daemon, and causes no
// errors in the browser.
func TestPageKeepsToItself(t *testing.T) {
	w, b := newWorld(t), open(t)
	b.do(t, chromedp.Navigate(w.url+"/status"))
	b.until(t, `performance.getEntriesByType("resource").filter(e => e.name.includes("/status/live")).length > 1`)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, url := range b.requests {
		if !strings.HasPrefix(url, w.url+"/") {
			t.Errorf("got a request to %s", url)
		}
	}
	if len(b.requests) < 4 || len(b.complaints) > 0 {
		t.Errorf("got requests %v and complaints %q, want a page, a style sheet, a script, updates, and nothing to complain of", b.requests, b.complaints)
	}
}
