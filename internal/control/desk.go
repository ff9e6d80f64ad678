package control

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"syncd/internal/checkpoint/store"
)

const (
	// ExpireAfter is how long a request may wait to be claimed and answered.
	ExpireAfter = 24 * time.Hour
	// keepFor is how old what is left of a request may become before it is deleted. Until then a
	// request that comes again has its answer.
	keepFor = ExpireAfter + time.Hour
	// claimFor is how long a process may take to answer what takes no lease.
	claimFor = 2 * time.Minute
)

// Desk is where the requests of a state are.
type Desk struct {
	store store.Store
	now   func() time.Time
}

// NewDesk returns the desk of a store.
func NewDesk(store store.Store, now func() time.Time) *Desk { return &Desk{store, now} }

// Case is what there is of one request.
type Case struct {
	Mapping, ID string
	At          time.Time // by its id
	// HasRequest says that its own record is there, Claims is the number of the last claim,
	// IsAnswered that there is an answer.
	HasRequest bool
	Claims     int
	IsAnswered bool
}

// IsOpen reports whether the request waits for an answer.
func (c Case) IsOpen() bool { return c.HasRequest && !c.IsAnswered }

// Board is what there is of requests.
type Board struct {
	// Cases are sorted by id, and so by time.
	Cases []Case
	modes map[string][]Mode // by mapping, and sorted by id
	// Foreign are names that this version does not know. They are left alone.
	Foreign []string
}

// Open returns the requests of a mapping that wait for an answer.
func (b Board) Open(mapping string) (open []Case) {
	for _, c := range b.Cases {
		if c.Mapping == mapping && c.IsOpen() {
			open = append(open, c)
		}
	}
	return open
}

// Look returns what there is, of all mappings. It is one listing.
func (d *Desk) Look(ctx context.Context) (Board, error) { return d.look(ctx, Prefix) }

// LookAt is Look for one mapping.
func (d *Desk) LookAt(ctx context.Context, mapping string) (Board, error) {
	return d.look(ctx, Prefix+mapping+"/")
}

func (d *Desk) look(ctx context.Context, prefix string) (Board, error) {
	names, err := d.store.List(ctx, prefix)
	if err != nil {
		return Board{}, err
	}
	return boardOf(names), nil
}

func boardOf(names []string) Board {
	b := Board{modes: map[string][]Mode{}}
	cases := map[string]*Case{}
	for _, name := range names {
		p, ok := placeOf(name)
		switch {
		case !ok:
			b.Foreign = append(b.Foreign, name)
			continue
		case p.isPaused, p.isResumed:
			b.modes[p.mapping] = append(b.modes[p.mapping], Mode{p.id, p.isPaused})
			continue
		}
		key := p.mapping + "/" + p.id
		if cases[key] == nil {
			at, _ := idTime(p.id)
			cases[key] = &Case{Mapping: p.mapping, ID: p.id, At: at}
		}
		c := cases[key]
		c.HasRequest, c.IsAnswered, c.Claims = c.HasRequest || p.isRequest, c.IsAnswered || p.isAnswer, max(c.Claims, p.claim)
	}
	for _, c := range cases {
		b.Cases = append(b.Cases, *c)
	}
	for _, modes := range b.modes {
		slices.SortFunc(modes, func(x, y Mode) int { return strings.Compare(x.ID, y.ID) })
	}
	slices.SortFunc(b.Cases, func(x, y Case) int { return cmp.Or(strings.Compare(x.ID, y.ID), strings.Compare(x.Mapping, y.Mapping)) })
	return b
}

// Submit makes a request durable. One of the same id that is there already is the same request.
func (d *Desk) Submit(ctx context.Context, r Request) error {
	if err := r.Check(); err != nil {
		return err
	}
	return d.createOnce(ctx, requestName(r.Mapping, r.ID), r)
}

// Request returns a request, or a *MalformedError. That of one that is not there satisfies
// errors.Is(err, fs.ErrNotExist).
func (d *Desk) Request(ctx context.Context, mapping, id string) (Request, error) {
	data, err := d.read(ctx, requestName(mapping, id))
	if err != nil {
		return Request{}, err
	}
	r, err := DecodeRequest(data)
	if err == nil && (r.Mapping != mapping || r.ID != id) {
		err = malformed("it is that of mapping %q and id %q", clipped(r.Mapping), clipped(r.ID))
	}
	return r, err
}

// Claim takes a request, as the n-th to do so; isOwn is false when another process was first.
func (d *Desk) Claim(ctx context.Context, r Request, n int, claim Claim) (isOwn bool, err error) {
	claim.Version, claim.ID, claim.At = Version, r.ID, d.now().UTC()
	err = d.create(ctx, claimName(r.Mapping, r.ID, n), claim)
	if !errors.Is(err, fs.ErrExist) {
		return err == nil, err
	}
	there, err := d.claimOf(ctx, r.Mapping, r.ID, n)
	return err == nil && there.Nonce == claim.Nonce, err
}

func (d *Desk) claimOf(ctx context.Context, mapping, id string, n int) (claim Claim, err error) {
	data, err := d.read(ctx, claimName(mapping, id, n))
	if err == nil {
		err = decode(data, &claim)
	}
	return claim, err
}

// IsAbandoned reports whether the process that made the n-th claim of a request is likely dead: the
// claim is old, and that process has not the lease of the mapping, under which it could be working
// still.
func (d *Desk) IsAbandoned(ctx context.Context, r Request, n int) (bool, error) {
	claim, err := d.claimOf(ctx, r.Mapping, r.ID, n)
	_, isMalformed := errors.AsType[*MalformedError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist) || isMalformed:
		return true, nil
	case err != nil:
		return false, err
	case d.now().Sub(claim.At) < claimFor:
		return false, nil
	}
	lease, isHeld, err := d.store.LeaseOf(ctx, r.Mapping)
	return err == nil && (!isHeld || lease.Holder != claim.By), err
}

// Answer says what became of a request, and returns the answer that counts: the first.
func (d *Desk) Answer(ctx context.Context, a Answer) (Answer, error) {
	a.Version, a.At = Version, d.now().UTC()
	err := d.create(ctx, answerName(a.Mapping, a.ID), a)
	if errors.Is(err, fs.ErrExist) {
		return d.AnswerTo(ctx, a.Mapping, a.ID)
	}
	return a, err
}

// AnswerTo returns the answer to a request. The error of none satisfies errors.Is(err,
// fs.ErrNotExist).
func (d *Desk) AnswerTo(ctx context.Context, mapping, id string) (a Answer, err error) {
	data, err := d.read(ctx, answerName(mapping, id))
	if err != nil {
		return Answer{}, err
	}
	if err := decode(data, &a); err != nil {
		return Answer{}, err
	}
	if a.Version != Version || a.ID != id || a.Mapping != mapping {
		return Answer{}, malformed("the answer is not that to request %s", id)
	}
	return a, nil
}

// ClaimedBy returns the process that carries a request out, "" while none does.
func (d *Desk) ClaimedBy(ctx context.Context, r Request) (string, error) {
	c, err := d.caseOf(ctx, r)
	if err != nil || c.Claims == 0 {
		return "", err
	}
	claim, err := d.claimOf(ctx, c.Mapping, c.ID, c.Claims)
	return claim.By, err
}

func (d *Desk) caseOf(ctx context.Context, r Request) (Case, error) {
	b, err := d.LookAt(ctx, r.Mapping)
	for _, c := range b.Cases {
		if c.ID == r.ID {
			return c, err
		}
	}
	return Case{Mapping: r.Mapping, ID: r.ID}, err
}

// Forget deletes a request whose answer was read. Its claim and its answer stay for a day, so that
// the same request is not carried out again when it comes again.
func (d *Desk) Forget(ctx context.Context, r Request) error {
	return d.store.Delete(ctx, requestName(r.Mapping, r.ID))
}

// forget deletes what there is of a request. The request goes first: without its answer it would be
// carried out again.
func (d *Desk) forget(ctx context.Context, c Case) error {
	names := []string{requestName(c.Mapping, c.ID)}
	for n := 1; n <= c.Claims; n++ {
		names = append(names, claimName(c.Mapping, c.ID, n))
	}
	for _, name := range append(names, answerName(c.Mapping, c.ID)) {
		if err := d.store.Delete(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// Sweep deletes what is left of requests that nobody will ask for any more.
func (d *Desk) Sweep(ctx context.Context, b Board) error {
	for _, c := range b.Cases {
		if c.IsOpen() || d.now().Sub(c.At) < keepFor {
			continue
		}
		if err := d.forget(ctx, c); err != nil {
			return err
		}
	}
	return d.sweepModes(ctx, b)
}

// HasExpired reports whether a request has waited too long.
func (d *Desk) HasExpired(c Case) bool { return d.now().Sub(c.At) >= ExpireAfter }

// createOnce creates a record unless there is one of that name.
func (d *Desk) createOnce(ctx context.Context, name string, v any) error {
	err := d.create(ctx, name, v)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func (d *Desk) create(ctx context.Context, name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	if len(data) > maxRecord {
		return malformed("longer than %d bytes", maxRecord)
	}
	return d.store.Create(ctx, name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// read returns a record of a bounded length, whatever is there.
func (d *Desk) read(ctx context.Context, name string) (data []byte, err error) {
	record, err := d.store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, record.Close()) }()
	if record.Size() > maxRecord {
		return nil, malformed("longer than %d bytes", maxRecord)
	}
	var b bytes.Buffer
	_, err = record.WriteTo(&b)
	return b.Bytes(), err
}
