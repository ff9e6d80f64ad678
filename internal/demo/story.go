package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/assembly"
	"syncd/internal/awserr"
	"syncd/internal/invocation"
	"syncd/internal/printable"
	"syncd/internal/report"
	"syncd/internal/syncer"
	"syncd/internal/terminal"
)

// story is a running demo.
type story struct {
	invocation.Process
	world     *World
	config    string
	summaries []syncer.Summary
}

// Tell sets up the two accounts, runs syncd between them, and prints what happens.
func Tell(ctx context.Context, p invocation.Process, f Options) (err error) {
	dir, err := os.MkdirTemp("", "syncd-demo-")
	if err != nil {
		return fmt.Errorf("create a folder for the ledger of the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	w := NewWorld(p.Now)
	closeServer, err := w.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeServer()) }()
	if err := w.Fill(f.From); err != nil {
		return fmt.Errorf("fill source from %s: %w", f.From, err)
	}
	if err := w.Write(dir); err != nil {
		return err
	}
	p.Ambient = w.SignIn()
	s := &story{Process: p, world: w, config: filepath.Join(dir, "syncd.yaml")}
	if err := s.tell(ctx); err != nil {
		return err
	}
	if f.JSON {
		return report.SummaryJSON(p.Stdout, s.summaries)
	}
	return nil
}

func (s *story) say(format string, a ...any) { printable.Fprintf(s.Stdout, format+"\n", a...) }

func (s *story) tell(ctx context.Context) error {
	s.introduce()
	s.say("\n1. The first pass copies all objects server-side: one request for each object, and several for an object over 5 GiB.\n")
	if err := s.pass(ctx); err != nil {
		return err
	}
	s.say("\n2. The second pass finds nothing to copy. The ledger records what was copied, so the pass only lists the source,\n" +
		"   with one request per 1,000 objects, and sends no requests to the destination or to KMS.\n")
	if err := s.pass(ctx); err != nil {
		return err
	}
	changed, added, removed := s.world.change()
	s.say("\n3. The owner changes %d objects, adds %d and removes %d. syncd copies only the changed and new objects,\n"+
		"   and keeps the copy of the removed one.\n", changed, added, removed)
	if err := s.pass(ctx); err != nil {
		return err
	}
	return s.Revoke(ctx)
}

func (s *story) introduce() {
	w := s.world
	var bytes int64
	keys := w.Source.Keys()
	for _, key := range keys {
		object, _ := w.Source.Object(key)
		bytes += object.Size
	}
	s.say("Two simulated AWS accounts in this process, with real requests on %s.\n", w.Endpoint)
	s.say("  owner     %s  s3://%s  holds %s", Owner, Source, terminal.Held(len(keys), bytes))
	s.say("            %s", w.OwnerKey.ARN())
	s.say("  consumer  %s  s3://%s  is empty", Consumer, Copy)
	s.say("            %s", w.ConsumerKey.ARN())
	s.say("  role      %s", w.Role.ARN)
	s.say("            assumed with an ExternalId and session tags; it can read the owner's bucket and write the consumer's")
}

// pass runs one pass with a new system, like a new process, and prints its summary.
func (s *story) pass(ctx context.Context) error {
	system, err := s.start(ctx)
	if err != nil {
		return err
	}
	m := system.Mappings[0]
	summary, err := report.Pass(ctx, s.Process, m.Syncer, m.Name, false, m.Syncer.Run)
	s.summaries = append(s.summaries, summary)
	return err
}

func (s *story) start(ctx context.Context) (*assembly.System, error) {
	return assembly.New(ctx, s.Process, invocation.Flags{Config: s.config, LogLevel: "error"})
}

// Revoke shows that the copy is encrypted under the consumer's key: the copy stays readable after
// the owner has removed the consumer from the key policy of the source.
func (s *story) Revoke(ctx context.Context) error {
	w := s.world
	key := w.Source.Keys()[0]
	role, user, err := s.readers(ctx)
	if err != nil {
		return err
	}
	if _, err := read(ctx, role, Source, key); err != nil {
		return fmt.Errorf("read the source while the owner allows it: %w", err)
	}
	w.Revoke()
	s.say("\n4. The owner removes the consumer's role from its key policy.\n")
	_, err = read(ctx, role, Source, key)
	if awserr.Classify(err) != awserr.Denied {
		return fmt.Errorf("read the source after the owner revoked its key: want AccessDenied, got %w", err)
	}
	s.say("  source  s3://%s/%s  the role can no longer read it: %s", Source, key, awserr.Brief(err))
	copied, err := read(ctx, user, Copy, key)
	if err != nil {
		return fmt.Errorf("read the copy after the owner revoked its key: %w", err)
	}
	original, err := w.Source.Read(key)
	if err != nil || !bytes.Equal(copied, original) {
		return errors.Join(errors.New("compare the copy with its source: they differ"), err)
	}
	s.say("  copy    s3://%s/%s  still readable: %d bytes, equal to the source", Copy, key, len(copied))
	s.say("\nThat is syncd: a copy of another account's bucket, in your own account and under your own key.")
	s.say("To try it with your own files: syncd demo --from DIR. To keep the accounts running: syncd demo --serve 127.0.0.1:9000 --dir DIR.")
	return nil
}

// readers returns a client with the role that syncd assumes, and a client with a user in the
// consumer's account.
func (s *story) readers(ctx context.Context) (role, user *s3.Client, err error) {
	system, err := s.start(ctx)
	if err != nil {
		return nil, nil, err
	}
	role, _ = system.Mappings[0].Clients()
	user = s3.New(s3.Options{Region: Region, BaseEndpoint: &s.world.Endpoint, UsePathStyle: true, Credentials: s.Ambient})
	return role, user, nil
}

func read(ctx context.Context, client *s3.Client, bucket, key string) ([]byte, error) {
	out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Body.Close() }() // nothing is lost: the body was read, or the read failed
	return io.ReadAll(out.Body)
}
