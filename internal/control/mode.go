package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// skewed is how far the clock of another machine may be ahead. A mode of a later time than that is
// of a wrong clock, and any request changes it.
const skewed = 5 * time.Minute

// modeTries is how often a mode is looked for whose record is replaced meanwhile.
const modeTries = 3

// Mode is whether a mapping is paused. It is made by requests: of several the one with the latest
// id counts, whatever order they are carried out in, so that an old request never undoes a later
// one.
type Mode struct {
	// ID is that of the request, "" where none has paused or resumed the mapping lately.
	ID       string
	IsPaused bool
}

// At returns when the request was made.
func (m Mode) At() time.Time {
	at, _ := idTime(m.ID)
	return at
}

func modeName(mapping string, m Mode) string {
	suffix := resumedSuffix
	if m.IsPaused {
		suffix = pausedSuffix
	}
	return Prefix + mapping + "/" + m.ID + suffix
}

// Paused says who has paused a mapping. Its record is there until the mapping is resumed. That of
// who has resumed it has the same form.
type Paused struct {
	Version int    `json:"version"`
	Mapping string `json:"mapping"`
	// Request, Who and At are of the first of several pauses. All are empty where the record could
	// not be read.
	Request string    `json:"request,omitempty"`
	Who     string    `json:"who,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

// String says who paused it and when, as far as it is known.
func (p Paused) String() string {
	if p.Who == "" {
		return "paused, by whom and since when cannot be read"
	}
	return "paused by " + p.Who + " since " + p.At.UTC().Format(time.RFC3339)
}

// SupersededError says that a mapping was paused or resumed later than a request asks for the
// opposite.
type SupersededError struct {
	Mode Mode
	// By is who made the mode, as far as it is known.
	By Paused
}

func (e *SupersededError) Error() string {
	what := Resume
	if e.Mode.IsPaused {
		what = Pause
	}
	at := e.Mode.At().Format(time.RFC3339)
	if e.By.Request != e.Mode.ID || e.By.Who == "" {
		return fmt.Sprintf("superseded by a later %s, of %s", what, at)
	}
	return fmt.Sprintf("superseded by the later %s of %s, of %s", what, e.By.Who, at)
}

// Hint says what to do about it.
func (e *SupersededError) Hint() string {
	return "ask again if it is wanted still; where that time is yet to come, the clocks of two machines differ"
}

// Mode returns whether a mapping is paused.
func (b Board) Mode(mapping string) Mode {
	modes := b.modes[mapping]
	if len(modes) == 0 {
		return Mode{}
	}
	return modes[len(modes)-1]
}

// MadeBy returns who made a mode. Where the record cannot be decoded, the user is not known.
func (d *Desk) MadeBy(ctx context.Context, mapping string, m Mode) (p Paused, err error) {
	if m.ID == "" {
		return Paused{Version: Version, Mapping: mapping}, nil
	}
	data, err := d.read(ctx, modeName(mapping, m))
	if err == nil {
		err = decode(data, &p)
	}
	if _, isMalformed := errors.AsType[*MalformedError](err); isMalformed || err == nil && (p.Version != Version || p.Mapping != mapping) {
		return Paused{Version: Version, Mapping: mapping}, nil
	}
	return p, err
}

// PausedOf returns whether a mapping is paused. A record that cannot be decoded pauses it too: who
// did is then not known.
func (d *Desk) PausedOf(ctx context.Context, mapping string) (p Paused, isPaused bool, err error) {
	for range modeTries {
		board, err := d.LookAt(ctx, mapping)
		if err != nil {
			return Paused{}, false, err
		}
		mode := board.Mode(mapping)
		if !mode.IsPaused {
			return Paused{}, false, nil
		}
		p, err = d.MadeBy(ctx, mapping, mode)
		if !errors.Is(err, fs.ErrNotExist) {
			return p, err == nil, err
		}
	}
	return Paused{Version: Version, Mapping: mapping}, true, nil // it is replaced all the time
}

// Pause makes it durable that a mapping is paused, and returns since when and by whom. The error of
// a mapping that was resumed later than the request was made is a *SupersededError.
func (d *Desk) Pause(ctx context.Context, r Request) (Paused, error) { return d.set(ctx, r, true) }

// Resume ends the pause of a mapping, and returns who has. The error of a mapping that was paused
// later than the request was made is a *SupersededError.
func (d *Desk) Resume(ctx context.Context, r Request) (Paused, error) { return d.set(ctx, r, false) }

// set makes a mode: one record, which counts from the moment that it is there. Those before are
// deleted then.
func (d *Desk) set(ctx context.Context, r Request, isPaused bool) (Paused, error) {
	b, err := d.LookAt(ctx, r.Mapping)
	if err != nil {
		return Paused{}, err
	}
	present, own := b.Mode(r.Mapping), Mode{r.ID, isPaused}
	by, err := d.MadeBy(ctx, r.Mapping, present)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Paused{}, err
	}
	isLater := present.ID > r.ID && present.At().Before(d.now().Add(skewed))
	isSame := present.ID != "" && present.IsPaused == isPaused
	switch {
	case isLater && !isSame:
		return Paused{}, &SupersededError{present, by}
	case isLater:
		return by, nil
	}
	p := Paused{Version: Version, Mapping: r.Mapping, Request: r.ID, Who: r.Who, At: r.At.UTC()}
	if isSame && isPaused && by.Who != "" {
		p = by // since then
	}
	if err := d.createOnce(ctx, modeName(r.Mapping, own), p); err != nil {
		return Paused{}, err
	}
	for _, m := range b.modes[r.Mapping] {
		if m == own {
			continue
		}
		if err := d.store.Delete(ctx, modeName(r.Mapping, m)); err != nil && m.ID > own.ID { // an earlier one is swept later
			return Paused{}, err
		}
	}
	return p, nil
}

// TakePause pauses a mapping as another one is, whose name it had. It reports false where that one
// is not paused.
func (d *Desk) TakePause(ctx context.Context, from, to string) (isPaused bool, err error) {
	p, isPaused, err := d.PausedOf(ctx, from)
	if err != nil || !isPaused {
		return false, err
	}
	p.Version, p.Mapping = Version, to
	return true, d.create(ctx, modeName(to, Mode{NewID(d.now()), true}), p)
}

// sweepModes deletes modes that do not count any more, and the record of a resume when no request
// is open that it supersedes.
func (d *Desk) sweepModes(ctx context.Context, b Board) error {
	for mapping, modes := range b.modes {
		for i, m := range modes {
			isLast := i == len(modes)-1
			if isLast && (m.IsPaused || d.now().Sub(m.At()) < keepFor) {
				continue
			}
			if err := d.store.Delete(ctx, modeName(mapping, m)); err != nil {
				return err
			}
		}
	}
	return nil
}
