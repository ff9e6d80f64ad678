package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// skewed is how far the clock of another machine can be ahead. If the time of a mode is further in
// the future, the clock of its sender was wrong, and any pause or resume replaces the mode.
const skewed = 5 * time.Minute

// modeTries is how many times to read the record of a mode while other processes keep replacing it.
const modeTries = 3

// Mode is whether a mapping is paused. The requests pause and resume set the mode. The request with
// the latest id decides, regardless of the order in which requests are carried out, so that an old
// request never undoes a later one.
type Mode struct {
	// ID is the id of the request, or "" if no recent request paused or resumed the mapping.
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

// Paused records who paused a mapping. The record exists until the mapping is resumed. The record
// of a resume has the same form.
type Paused struct {
	Version int    `json:"version"`
	Mapping string `json:"mapping"`
	// Request, Who and At describe the request that paused the mapping; if several requests paused
	// it, the first of them. The three fields are empty if the record could not be read.
	Request string    `json:"request,omitempty"`
	Who     string    `json:"who,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

// String describes who paused the mapping and when, if the record could be read.
func (p Paused) String() string {
	if p.Who == "" {
		return "paused (the record of who paused it cannot be read)"
	}
	return "paused by " + p.Who + " since " + p.At.UTC().Format(time.RFC3339)
}

// SupersededError reports that a pause or resume is older than the request that set the opposite
// mode.
type SupersededError struct {
	Mode Mode
	// By is who set the mode, if that is known.
	By Paused
}

func (e *SupersededError) Error() string {
	what := Resume
	if e.Mode.IsPaused {
		what = Pause
	}
	at := e.Mode.At().Format(time.RFC3339)
	if e.By.Request != e.Mode.ID || e.By.Who == "" {
		return fmt.Sprintf("superseded by a later %s at %s", what, at)
	}
	return fmt.Sprintf("superseded by a later %s by %s at %s", what, e.By.Who, at)
}

// Hint returns what to do about the error.
func (e *SupersededError) Hint() string {
	return "send the request again if you still want it; if that time is in the future, the clocks of two machines differ"
}

// Mode returns whether a mapping is paused.
func (b Board) Mode(mapping string) Mode {
	modes := b.modes[mapping]
	if len(modes) == 0 {
		return Mode{}
	}
	return modes[len(modes)-1]
}

// MadeBy returns who set a mode. If the record cannot be decoded, Who is empty.
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

// PausedOf reports whether a mapping is paused, and by whom. A record that cannot be decoded also
// pauses the mapping; Who is then empty.
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
	return Paused{Version: Version, Mapping: mapping}, true, nil // other processes keep replacing the record
}

// Pause pauses a mapping, and returns since when and by whom it is paused. If the mapping was
// resumed by a later request, the error is a *SupersededError.
func (d *Desk) Pause(ctx context.Context, r Request) (Paused, error) { return d.set(ctx, r, true) }

// Resume ends the pause of a mapping, and returns who resumed it. If the mapping was paused by a
// later request, the error is a *SupersededError.
func (d *Desk) Resume(ctx context.Context, r Request) (Paused, error) { return d.set(ctx, r, false) }

// set sets the mode of a mapping. The mode takes effect when its record is created; then set
// deletes the older records.
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
		p = by // p keeps the time and the user of the first pause
	}
	if err := d.createOnce(ctx, modeName(r.Mapping, own), p); err != nil {
		return Paused{}, err
	}
	for _, m := range b.modes[r.Mapping] {
		if m == own {
			continue
		}
		// If an older record remains, Sweep deletes it later.
		if err := d.store.Delete(ctx, modeName(r.Mapping, m)); err != nil && m.ID > own.ID {
			return Paused{}, err
		}
	}
	return p, nil
}

// TakePause copies the pause of a mapping's old name to its new name. It reports whether the old
// name was paused.
func (d *Desk) TakePause(ctx context.Context, from, to string) (isPaused bool, err error) {
	p, isPaused, err := d.PausedOf(ctx, from)
	if err != nil || !isPaused {
		return false, err
	}
	p.Version, p.Mapping = Version, to
	return true, d.create(ctx, modeName(to, Mode{NewID(d.now()), true}), p)
}

// sweepModes deletes modes that a later mode has replaced, and the record of a resume that is too
// old to supersede an open request.
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
