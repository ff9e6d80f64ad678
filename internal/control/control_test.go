package control_test

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
	filestore "syncd/internal/checkpoint/store/file"
	"syncd/internal/control"
)

func request(what control.What) control.Request {
	at := time.Date(2026, 11, 29, 18, 0, 0, 0, time.UTC)
	return control.Request{Version: control.Version, ID: control.NewID(at), Mapping: "m", What: what, Who: "alice@laptop", At: at}
}

// laterRequest returns a request that is later than request(what) by the given duration.
func laterRequest(what control.What, by time.Duration) control.Request {
	r := request(what)
	r.At = r.At.Add(by)
	r.ID = control.NewID(r.At)
	return r
}

// stores returns an empty store of each kind that the tests use.
func stores(t *testing.T) map[string]store.Store {
	t.Helper()
	file, err := filestore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return map[string]store.Store{"file": file, "memory": checkpointtest.NewMemory()}
}

func TestDecodeRequest(t *testing.T) {
	replay := request(control.Replay)
	replay.Reasons, replay.Keys = []string{"denied"}, [][]byte{{0xff, 'a'}}
	for _, r := range []control.Request{request(control.Trigger), request(control.Pause), replay} {
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := control.DecodeRequest(data)
		if diff := cmp.Diff(r, got); err != nil || diff != "" {
			t.Errorf("got %v (-want +got):\n%s", err, diff)
		}
	}
}

func TestDecodeRequestRefuses(t *testing.T) {
	good, err := json.Marshal(request(control.Trigger))
	if err != nil {
		t.Fatal(err)
	}
	id := request(control.Trigger).ID
	for name, tt := range map[string]struct{ old, changed, want string }{
		"another version":    {`"version":1`, `"version":2`, "version 2"},
		"no version":         {`"version":1,`, ``, "version 0"},
		"an unknown field":   {`"version":1`, `"version":1,"force":true`, `unknown field "force"`},
		"an unknown request": {`"trigger"`, `"delete"`, `"delete" is not known: want trigger, pause`},
		"a path as mapping":  {`"mapping":"m"`, `"mapping":"../m"`, "is not valid"},
		"no mapping":         {`"mapping":"m"`, `"mapping":""`, "is not valid"},
		"a path as id":       {`"id":"`, `"id":"../`, "is not valid"},
		"an old form of id":  {`"id":"20261129t`, `"id":"20261399t`, "is not valid"},
		"no sender":          {`alice@laptop`, ``, "the sender is missing"},
		"no time":            {`"2026-11-29T18:00:00Z"`, `"0001-01-01T00:00:00Z"`, "the time is missing"},
		"reasons of a pass":  {`"what"`, `"reasons":["denied"],"what"`, "trigger takes no reasons"},
		"another type":       {`"version":1`, `"version":"1"`, "cannot unmarshal"},
		"trailing data":      {`Z"}`, `Z"} {}`, "trailing data"},
		"not JSON":           {`{`, `[`, "invalid character"},
		"a long sender":      {`alice`, strings.Repeat("a", 300), "the sender is missing or not valid"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(string(good), tt.old, tt.changed, 1)
			if text == string(good) {
				t.Fatalf("nothing was changed in %s", good)
			}
			_, err := control.DecodeRequest([]byte(text))
			if _, ok := errors.AsType[*control.MalformedError](err); !ok || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a malformed request: %s", err, tt.want)
			}
		})
	}
	if !strings.HasPrefix(id, "20261129t180000000000000-") {
		t.Errorf("got id %q, want one that sorts by time", id)
	}
}

func FuzzDecodeRequest(f *testing.F) {
	for _, what := range []control.What{control.Trigger, control.Replay} {
		data, err := json.Marshal(request(what))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"version":1,"keys":["/w=="],"reasons":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := control.DecodeRequest(data)
		if err != nil {
			return
		}
		if r.Check() != nil || strings.ContainsAny(r.Mapping+r.ID, "/.\\") {
			t.Errorf("got %+v, which is not valid", r)
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := control.DecodeRequest(again); err != nil || !cmp.Equal(r, got) {
			t.Errorf("got %+v, %v after a second decode, want %+v", got, err, r)
		}
	})
}

// TestOneProcessClaimsARequest checks that exactly one of several processes that claim a request at
// once succeeds, that the next claim has its own number, and that the first answer is the only one.
func TestOneProcessClaimsARequest(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			ctx, desk, r := t.Context(), control.NewDesk(store, time.Now), request(control.Trigger)
			if err := errors.Join(desk.Submit(ctx, r), desk.Submit(ctx, r)); err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			var winners []string
			var claiming sync.WaitGroup
			for _, by := range []string{"a", "b", "c", "d", "e"} {
				claiming.Go(func() {
					isOwn, err := desk.Claim(ctx, r, 1, control.Claim{By: by, Nonce: by})
					if err != nil {
						t.Error(err)
					}
					if isOwn {
						mu.Lock()
						defer mu.Unlock()
						winners = append(winners, by)
					}
				})
			}
			claiming.Wait()
			by, err := desk.ClaimedBy(ctx, r)
			if err != nil || !slices.Equal(winners, []string{by}) {
				t.Errorf("got winners %v, and %q in the record, %v, want one", winners, by, err)
			}
			if isOwn, err := desk.Claim(ctx, r, 2, control.Claim{By: "f", Nonce: "f"}); !isOwn || err != nil {
				t.Errorf("got %v, %v for the next claim", isOwn, err)
			}
			first := control.Answer{ID: r.ID, Mapping: "m", What: r.What, Outcome: control.Done, By: "f"}
			second := first
			second.Outcome = control.Failed
			for _, a := range []control.Answer{first, second} {
				if got, err := desk.Answer(ctx, a); err != nil || got.Outcome != control.Done || got.Version != control.Version || got.At.IsZero() {
					t.Errorf("got %+v, %v, want the answer that counts, with its version and time", got, err)
				}
			}
			if got, err := desk.AnswerTo(ctx, "m", r.ID); err != nil || got.Outcome != control.Done {
				t.Errorf("got %+v, %v, want the first answer", got, err)
			}
			board, err := desk.Look(ctx)
			want := []control.Case{{Mapping: "m", ID: r.ID, At: r.At, HasRequest: true, Claims: 2, IsAnswered: true}}
			if diff := cmp.Diff(want, board.Cases); err != nil || diff != "" || len(board.Open("m")) != 0 {
				t.Errorf("got %v (-want +got):\n%s", err, diff)
			}
			if err := desk.Forget(ctx, r); err != nil {
				t.Fatal(err)
			}
			if err := desk.Submit(ctx, r); err != nil { // a client that lost the answer does this
				t.Fatal(err)
			}
			if board, err = desk.Look(ctx); err != nil || len(board.Open("m")) > 0 {
				t.Errorf("got %+v, %v, want an answered request to stay closed when it is sent again", board, err)
			}
			if got, err := desk.AnswerTo(ctx, "m", r.ID); err != nil || got.Outcome != control.Done {
				t.Errorf("got %+v, %v, want the answer again", got, err)
			}
			later := control.NewDesk(store, func() time.Time { return r.At.Add(control.ExpireAfter + time.Hour) })
			if err := later.Sweep(ctx, board); err != nil {
				t.Fatal(err)
			}
			if board, err = desk.Look(ctx); err != nil || len(board.Cases) > 0 {
				t.Errorf("got %+v, %v, want nothing left a day later", board, err)
			}
		})
	}
}

// TestPause checks that a pause lasts until any user ends it, and that a record that cannot be read
// also pauses the mapping.
func TestPause(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			ctx, desk := t.Context(), control.NewDesk(store, time.Now)
			if _, isPaused, err := desk.PausedOf(ctx, "m"); isPaused || err != nil {
				t.Fatalf("got %v, %v before the first pause", isPaused, err)
			}
			first, other, end := request(control.Pause), laterRequest(control.Pause, time.Second), laterRequest(control.Resume, 2*time.Second)
			other.Who = "bob@laptop"
			for _, r := range []control.Request{first, other} {
				if got, err := desk.Pause(ctx, r); err != nil || got.Who != first.Who {
					t.Errorf("got %+v, %v, want the first pause", got, err)
				}
			}
			if board, err := desk.LookAt(ctx, "m"); err != nil || !board.Mode("m").IsPaused {
				t.Errorf("got %+v, %v, want it paused", board, err)
			}
			for range 2 {
				if got, err := desk.Resume(ctx, end); err != nil || got.Who != end.Who {
					t.Fatalf("got %+v, %v, want it resumed", got, err)
				}
			}
			if _, isPaused, err := desk.PausedOf(ctx, "m"); isPaused || err != nil {
				t.Fatalf("got %v, %v after the end of the pause", isPaused, err)
			}
			err := store.Create(ctx, "control.v1/m/"+laterRequest(control.Pause, time.Minute).ID+".paused.json", func(w io.Writer) error { _, err := io.WriteString(w, "{"); return err })
			if err != nil {
				t.Fatal(err)
			}
			if got, isPaused, err := desk.PausedOf(ctx, "m"); !isPaused || err != nil || got.String() != "paused (the record of who paused it cannot be read)" {
				t.Errorf("got %+v, %v, %v of a damaged record, want a pause of unknown origin", got, isPaused, err)
			}
		})
	}
}

// TestControlPrefixIsNotAMapping checks that the prefix of requests is not a valid mapping name.
func TestControlPrefixIsNotAMapping(t *testing.T) {
	if _, err := checkpoint.Open(t.Context(), checkpointtest.NewMemory(), checkpoint.Options{Mapping: strings.TrimSuffix(control.Prefix, "/")}); err == nil {
		t.Error("got a ledger with the name of the control prefix, want an error")
	}
}
