package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"syncd/internal/assembly"
	"syncd/internal/checkpoint/store"
	"syncd/internal/iam"
	"syncd/internal/invocation"
	"syncd/internal/syncer"
)

func tenant(i int) string { return fmt.Sprintf("tenant-%04d", i) }

// TestReadyFollowsTheLease checks that a process that stands by reads the lease before a pass. It
// tries to acquire the lease if the lease seems to be free, and from time to time even if the lease
// seems to be held.
func TestReadyFollowsTheLease(t *testing.T) {
	s := newSite(t, nil)
	var later time.Duration
	var stderr lockedBuffer
	p := invocation.Process{Stdout: &stderr, Stderr: &stderr, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: func() time.Time { return time.Now().Add(later) }, Ambient: s.SignIn()}
	var runners [2]*assembly.Runner
	for i := range runners {
		system, err := assembly.New(t.Context(), p, invocation.Flags{Config: s.config})
		if err != nil {
			t.Fatal(err)
		}
		runners[i] = system.Runner(system.Mappings[0])
	}
	holder, other := runners[0], runners[1]
	if err := errors.Join(other.Ready(t.Context()), ran(holder.Run(t.Context()))); err != nil {
		t.Fatal(err)
	}
	isHeld := func(err error) bool {
		held, ok := errors.AsType[*store.LeaseHeldError](err)
		return ok && held.Holder != ""
	}
	if err := ran(other.Run(t.Context())); !isHeld(err) {
		t.Fatalf("got %v from a second process, want the lease held", err)
	}
	if err := other.Ready(t.Context()); !isHeld(err) {
		t.Errorf("got %v while the lease is held, want a lease error", err)
	}
	later += 10 * time.Second
	if err := other.Ready(t.Context()); err != nil {
		t.Errorf("got %v at the time to try the lease although it seems held, want nil", err)
	}
	if err := ran(other.Run(t.Context())); !isHeld(err) {
		t.Errorf("got %v, want the lease still held", err)
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(other.Ready(t.Context()), ran(other.Run(t.Context())), other.Close()); err != nil {
		t.Errorf("got %v after the lease was released, want a pass", err)
	}
}

func ran(_ syncer.Summary, err error) error { return err }

// trusting returns a trust policy that allows a principal to assume the role.
func trusting(arn string) *iam.Document {
	return iam.MustParse(strings.ReplaceAll(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"{arn}"},"Action":"sts:AssumeRole"}]}`, "{arn}", arn))
}
