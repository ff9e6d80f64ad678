package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"syncd/internal/awsfake"
	"syncd/internal/invocation"
)

// window is a real pseudoterminal. The test reads and writes the end of the terminal emulator, and
// the program uses the other end.
type window struct {
	screen *os.File // the end of the terminal emulator
	tty    *os.File // the end of the program
	shown  lockedBuffer
}

func newTerminal(t *testing.T, columns uint16) *window {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("this machine gives no terminals: %v", err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	control := func(do func(fd int) error) {
		t.Helper()
		if err := do(int(screen.Fd())); err != nil { //nolint:gosec // a descriptor fits an int
			t.Fatal(err)
		}
	}
	number := 0
	control(func(fd int) error { return unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0) })
	control(func(fd int) (err error) {
		number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		return err
	})
	tty, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	w := &window{screen: screen, tty: tty}
	w.resize(t, columns)
	go func() { _, _ = io.Copy(&w.shown, screen) }() // ends when the screen is closed
	return w
}

func (w *window) resize(t *testing.T, columns uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(w.screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil { //nolint:gosec // a descriptor fits an int
		t.Fatal(err)
	}
}

// drawn returns the last redrawn line, or "".
func (w *window) drawn() string {
	parts := strings.Split(w.shown.String(), "\r")
	for i := len(parts) - 1; i > 0; i-- {
		if line, whole := strings.CutSuffix(parts[i], "\x1b[K"); whole && line != "" {
			return line
		}
	}
	return ""
}

// TestBackfillOnATerminal checks what a backfill draws when the terminal is resized and the
// backfill is interrupted. The source's only object is copied after the output has shown the
// effects of the resize and of the interruption.
func TestBackfillOnATerminal(t *testing.T) {
	s := newSite(t, nil)
	for i := range 20 {
		s.Source.Put(fmt.Sprintf("k%02d", i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	}
	w := newTerminal(t, 120)
	ctx, interrupt := context.WithCancel(t.Context())
	var looked bool
	defer s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "k00", Times: 1, Do: func() {
		eventually(t, "a wide bar is drawn", func() bool { return len([]rune(w.drawn())) > 60 })
		w.resize(t, 40)
		eventually(t, "a narrow bar is drawn", func() bool { n := len([]rune(w.drawn())); return n > 0 && n < 40 })
		interrupt()
		eventually(t, "the drain is shown", func() bool { return strings.Contains(w.drawn(), "draining") })
		looked = true
	}})()
	p := invocation.Process{Stdout: w.tty, Stderr: w.tty, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: s.now, Ambient: s.SignIn()}
	code := run(ctx, []string{"backfill", "--config", s.config}, p)
	if shown := w.shown.String(); code != 130 && code != 0 || !looked || !strings.Contains(shown, "Press Ctrl-C again to stop at once") {
		t.Errorf("got exit %d, and on the terminal:\n%q", code, shown)
	}
}
