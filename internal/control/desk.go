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
	// ExpireAfter is how long a request waits to be carried out before it expires.
	ExpireAfter = 24 * time.Hour
	// keepFor is the age at which the records of a request are deleted. Until then a request that
	// is sent again gets the same answer.
	keepFor = ExpireAfter + time.Hour
	// claimFor applies to requests that need no lease: when a claim is older than claimFor, its
	// process is presumed dead.
	claimFor = 2 * time.Minute
)

// Desk reads and writes the requests in a state.
type Desk struct {
	store store.Store
	now   func() time.Time
}

// NewDesk returns the Desk of a store.
func NewDesk(store store.Store, now func() time.Time) *Desk { return &Desk{store, now} }

// Case describes the records of one request.
type Case struct {
	Mapping, ID string
	At          time.Time // when the request was made, taken from its id
	// HasRequest reports that the record of the request exists, and IsAnswered that an answer
	// exists. Claims is the number of the last claim.
	HasRequest bool
	Claims     int
	IsAnswered bool
}

// IsOpen reports whether the request waits for an answer.
func (c Case) IsOpen() bool { return c.HasRequest && !c.IsAnswered }

// Board is a snapshot of the requests in a state.
type Board struct {
	// Cases are sorted by id, and therefore by time.
	Cases []Case
	modes map[string][]Mode // the modes of each mapping, sorted by id
	// Foreign are the names of records that this version does not know. No method changes them.
	Foreign []string
}

// Open returns the requests of a mapping that have no answer yet.
func (b Board) Open(mapping string) (open []Case) {
	for _, c := range b.Cases {
		if c.Mapping == mapping && c.IsOpen() {
			open = append(open, c)
		}
	}
	return open
}

// Look returns the requests of all mappings, with one listing.
func (d *Desk) Look(ctx context.Context) (Board, error) { return d.look(ctx, Prefix) }

// LookAt returns the requests of one mapping.
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

// Submit writes a request to the state. If a request with the same id exists, Submit assumes that
// it is the same request and writes nothing.
func (d *Desk) Submit(ctx context.Context, r Request) error {
	if err := r.Check(); err != nil {
		return err
	}
	return d.createOnce(ctx, requestName(r.Mapping, r.ID), r)
}

// Request returns the request with the given id. The error for an invalid request is a
// *MalformedError; the error for a missing request satisfies errors.Is(err, fs.ErrNotExist).
func (d *Desk) Request(ctx context.Context, mapping, id string) (Request, error) {
	data, err := d.read(ctx, requestName(mapping, id))
	if err != nil {
		return Request{}, err
	}
	r, err := DecodeRequest(data)
	if err == nil && (r.Mapping != mapping || r.ID != id) {
		err = malformed("the record has mapping %q and id %q", clipped(r.Mapping), clipped(r.ID))
	}
	return r, err
}

// Claim writes the n-th claim of a request; isOwn is false if another process wrote it first.
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

// IsAbandoned reports whether the process of the n-th claim of a request is probably dead. It is
// presumed dead if the claim is older than claimFor and the process does not hold the mapping's
// lease. The process that holds the lease may still be working on the request, however old its
// claim is.
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

// Answer writes the answer to a request. If another answer was written before, it returns that
// answer.
func (d *Desk) Answer(ctx context.Context, a Answer) (Answer, error) {
	a.Version, a.At = Version, d.now().UTC()
	err := d.create(ctx, answerName(a.Mapping, a.ID), a)
	if errors.Is(err, fs.ErrExist) {
		return d.AnswerTo(ctx, a.Mapping, a.ID)
	}
	return a, err
}

// AnswerTo returns the answer to a request. If there is none, the error satisfies errors.Is(err,
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
		return Answer{}, malformed("the answer does not belong to request %s", id)
	}
	return a, nil
}

// ClaimedBy returns the process that has claimed a request, or "".
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

// Forget deletes a request whose answer was read. Its claims and its answer stay for a day, so that
// a repeated submission of the request is not carried out.
func (d *Desk) Forget(ctx context.Context, r Request) error {
	return d.store.Delete(ctx, requestName(r.Mapping, r.ID))
}

// forget deletes all records of a request. It deletes the request first, because a request without
// its answer would be carried out again.
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

// Sweep deletes the records of old requests, and modes that a later mode has replaced.
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

// HasExpired reports whether a request has waited longer than ExpireAfter.
func (d *Desk) HasExpired(c Case) bool { return d.now().Sub(c.At) >= ExpireAfter }

// createOnce creates a record unless a record with that name exists.
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

// read returns a record. A record that is longer than maxRecord is an error.
func (d *Desk) read(ctx context.Context, name string) (data []byte, err error) {
	record, err := d.store.Open(ctx, name, 0)
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
