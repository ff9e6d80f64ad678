// Package invocation contains the environment of a command: its process, its flags, and the
// configuration that the flags name.
//
// Every command reads its configuration with Load. Load reads the file that --config or
// SYNCD_CONFIG names, or else ./syncd.yaml, and selects the named mappings. The file can be a
// regular file, a pipe or standard input. Gate returns the checks that depend on this machine and
// this version; package config has the rules that depend only on the file. Every command applies
// the same checks, so that no command rejects a configuration that another one accepts.
//
// Package assembly builds the parts of the program from the configuration. A Process has the
// standard streams, the environment and the clock. Flags has the flags that several commands share.
package invocation

import (
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"syncd/internal/creds"
)

// Process is the environment that a command runs in.
type Process struct {
	Stdin          io.Reader // nil: empty
	Stdout, Stderr io.Writer
	LookupEnv      func(name string) (value string, ok bool)
	ReadFile       func(path string) ([]byte, error)
	Now            func() time.Time
	Ambient        aws.CredentialsProvider // nil: the SDK finds credentials in the environment
	Shared         *creds.Shared           // shared by all sessions
	Tune           func(*http.Transport)   // if not nil, changes the HTTP transport
}
